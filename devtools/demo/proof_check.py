"""Compare what the demo counted by itself with the generator's expectation and with the app's own proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from devtools.demo.cast import Player
from devtools.demo.findings import Findings
from devtools.demo.holdings import Holdings, Place
from devtools.demo.owners import Gone, Owners, content_of, store_of
from devtools.sample_data import BLOB_CONTAINERS, Expectations

EVIDENCE = "evidence"
ORDERS = "orders"
_LINE_STORES = frozenset({"usage_archive", "cloud_access_log"})
_INVOICE = frozenset(
    {"id", "customer_id", "order_no", "invoice_no", "invoice_on", "amount", "currency", "carrier"}
)
_INVOICE_ADDRESS = frozenset({"name", "street", "postcode", "city", "country"})
_BOOK_YEARS = 5
_BOOK_DUTY = ("17(3)(b)", "artikel 17, stk. 3, litra b")  # as letters in English and Danish cite it


def today_in_copenhagen() -> date:
    """Return the day on which an erasure that runs now decides what must be kept."""
    return datetime.now(ZoneInfo("Europe/Copenhagen")).date()


def check_counts(
    player: Player,
    expectations: Expectations,
    counted: Mapping[str, Gone],
    after: Holdings,
    findings: Findings,
) -> None:
    """Note where the demo's count differs from what the generator expects or the app claims."""
    who = f"the erasure of {player.person.key} ({player.person.role})"
    expected = expectations.of(player.person, on=today_in_copenhagen())
    wanted = {
        store: Gone(erased=one.erased, rewritten=0 if store in _LINE_STORES else one.rewritten)
        for store, one in expected.items()
        if one.erased or one.rewritten
    }
    findings.equal(dict(counted), wanted, f"{who}: gone by store")
    proof = _proof(player, after)
    if not findings.expect(proof is not None, f"{who} has no proof in {EVIDENCE}") or proof is None:
        return
    claimed = proof["erased_by_store"]
    findings.equal(
        claimed,
        {store: one.erased + one.rewritten for store, one in counted.items()},
        f"{who}: what its proof claims",
    )
    kept = sum(one["records"] for one in proof["kept"] if one["store_id"] == ORDERS)
    findings.equal(kept, expected[ORDERS].kept if ORDERS in expected else 0, f"{who}: orders its proof keeps")


def check_kept_orders(
    player: Player, owners: Owners, before: Holdings, after: Holdings, findings: Findings
) -> list[Place]:
    """Note what is wrong with the orders that stay: exactly the invoice does. Return where they are."""
    staying = []
    for place, keys in owners.documents.items():
        if place.container != ORDERS or keys != {player.person.key} or place not in after.documents:
            continue
        staying.append(place)
        was, now = content_of(before.documents[place]), content_of(after.documents[place])
        invoice = {name: was[name] for name in was if name in _INVOICE}
        address = {name: value for name, value in was["addressee"].items() if name in _INVOICE_ADDRESS}
        now.setdefault("carrier", was["carrier"])  # a company's name may go or stay
        findings.equal(now, {**invoice, "addressee": address}, f"what stays of {place}")
    return staying


def check_letter(player: Player, staying: Sequence[Place], before: Holdings, findings: Findings) -> None:
    """Note when the letter does not name what stays with provision and date, or names what does not."""
    who = f"the letter to {player.person.key} ({player.person.role})"
    text = " ".join(player.letter.split())  # a letter's lines end anywhere
    names_law = any(duty in text for duty in _BOOK_DUTY)
    findings.equal(names_law, bool(staying), f"{who} names the duty to keep books")
    for place in staying:
        last_year = int(before.documents[place]["invoice_on"][:4]) + _BOOK_YEARS
        findings.expect(
            str(last_year) in player.letter, f"{who} does not say that an invoice stays to {last_year}"
        )
    for marker in player.person.markers:
        findings.expect(marker.lower() not in player.letter.lower(), f"{who} holds {marker!r}")


def totals(before: Holdings, after: Holdings, owners: Owners, databases: Sequence[str]) -> dict[str, int]:
    """Return how many documents, blobs and lines of the systems of record are gone, whoever they were of."""
    systems = [place for place in before.documents if place.database in databases]
    lines = 0
    for container, name in owners.lines:
        was, now = (
            (one.blobs[container, name, ""].data or b"") if (container, name, "") in one.blobs else b""
            for one in (before, after)
        )
        lines += was.count(b"\n") - now.count(b"\n")
    return {
        "documents_erased": sum(place not in after.documents for place in systems),
        "blobs_erased": sum(key[0] in BLOB_CONTAINERS and key not in after.blobs for key in before.blobs),
        "lines_rewritten": lines,
    }


def totals_of(counted: Mapping[str, Mapping[str, Gone]]) -> dict[str, int]:
    """Return the same totals as `totals`, added up from the counts by person and store."""
    files = {store_of(container) for container in BLOB_CONTAINERS} - _LINE_STORES
    sums = {"documents_erased": 0, "blobs_erased": 0, "lines_rewritten": 0}
    for by_store in counted.values():
        for store, one in by_store.items():
            kind = (
                "lines_rewritten"
                if store in _LINE_STORES
                else "blobs_erased"
                if store in files
                else "documents_erased"
            )
            sums[kind] += one.erased
    return sums


def subject_keys(after: Holdings, request_ids: Sequence[str]) -> set[str]:
    """Return the pseudonyms these requests were known by, from the proofs and the register itself."""
    keys: set[str] = set()
    for (container, name, _), blob in after.blobs.items():
        if container == EVIDENCE and name.split("/")[0] in request_ids:
            keys.update(json.loads(blob.data or b"{}").get("subject_keys", ()))
    for body in after.documents.values():
        if body.get("request_id") in request_ids:
            keys.update(body.get("subject_keys", ()))
    return keys


def _proof(player: Player, after: Holdings) -> dict[str, Any] | None:
    found = [
        blob
        for (container, name, _), blob in after.blobs.items()
        if container == EVIDENCE and name.startswith(f"{player.erasure_id}/")
    ]
    return dict(json.loads(found[0].data or b"{}")) if len(found) == 1 else None
