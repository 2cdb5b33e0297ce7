"""Judge the app's own records: cases closed, controls as the cases left them, a proof of each erasure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from devtools.demo.findings import Findings
from devtools.demo.holdings import Holdings
from devtools.sample_data import SamplePerson
from shared.domain.identifiers import Pseudonymiser

COMPLIANCE = "compliance"
EVIDENCE = "evidence"
ORDERS = "orders"
CLOSED = frozenset({"completed", "completed_with_retention", "rejected"})
_PROVEN = frozenset({"erasure", "objection", "withdrawal", "marketing_objection"})


def subject_keys(person: SamplePerson, keys: Pseudonymiser) -> dict[str, str]:
    """Return every pseudonym of a person by what it is of: each address, and each id the person has."""
    ids = {"user_id": person.user_id, "author_id": person.author_id, "member_id": person.member_id}
    known = [("email", email) for email in person.emails]
    known += [(kind, value) for kind, value in ids.items() if value is not None]
    return {f"{kind} {value}": keys.subject_key(kind, value) for kind, value in known}


def requests_of(holdings: Holdings, pseudonyms: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the bodies of all requests about these pseudonyms, by id; those nobody asked for too."""
    return {
        body["request_id"]: body
        for body in holdings.documents.values()
        if body.get("type") == "request" and not set(body["subject_keys"]).isdisjoint(pseudonyms)
    }


def check_closed(requests: Mapping[str, Mapping[str, Any]], findings: Findings) -> None:
    """Note each case that is open, or still holds an address or what the person was found by."""
    for request_id, body in requests.items():
        what = f"request {request_id} ({', '.join(body['rights'])})"
        findings.expect(body["state"] in CLOSED, f"{what} is {body['state']} at the end")
        holds = body["email"] or body["identifiers"] or body["wishes"].get("corrections")
        findings.expect(not holds, f"{what} still holds personal data")


def check_proofs(requests: Mapping[str, Mapping[str, Any]], holdings: Holdings, findings: Findings) -> int:
    """Note each erasing right without a proof for each of its lives, and return how many proofs there are."""
    proofs = [
        json.loads(blob.data or b"{}")
        for (container, name, _), blob in holdings.blobs.items()
        if container == EVIDENCE and name.split("/")[0] in requests
    ]
    for request_id, body in requests.items():
        for right, outcome in body["outcomes"].items():
            lives = 1 + body.get("revivals", 0)
            wanted = lives if right in _PROVEN and outcome["result"] != "refused" else 0
            found = sum((one["request_id"], one["right"]) == (request_id, right) for one in proofs)
            findings.equal(found, wanted, f"proofs of {right} of request {request_id}")
    return len(proofs)


def check_controls(
    case: str, person: SamplePerson, keys: Pseudonymiser, holdings: Holdings, findings: Findings
) -> None:
    """Note controls that are not as the case leaves them, under the address the person asked from."""
    found = _controls(holdings)
    key = keys.subject_key("email", person.asks_as)
    for pseudonym in subject_keys(person, keys).values():
        controls = found.get(pseudonym, {})
        for name in ("claims", "open_requests"):
            findings.expect(not controls.get(name), f"{name} are left of the case {case}")
        standing = [one for one in controls.get("restrictions", ()) if not one["lifted_at"]]
        findings.expect(not standing, f"a restriction is left of the case {case}")
        held = [one for one in controls.get("holds", ()) if not one["released_at"]]
        findings.expect(not held, f"a hold is left of the case {case}")
    controls = found.get(key, {})
    objections = sorted(one["kind"] for one in controls.get("objections", ()) if not one["ended_at"])
    findings.equal(objections, _OBJECTIONS.get(case, []), f"objections in force of the case {case}")
    withdrawn = bool(controls.get("withdrawn_at"))
    findings.equal(withdrawn, case in _WITHDRAWN, f"whether consent is withdrawn in the case {case}")


def check_note(
    person: SamplePerson, name: str, keys: Pseudonymiser, holdings: Holdings, findings: Findings
) -> None:
    """Note where no correction note with the right name stands beside a person's invoices."""
    pseudonyms = set(subject_keys(person, keys).values())
    found = any(
        place.container == "notes"
        and body["subject_key"] in pseudonyms
        and body["corrections"].get("name") == name
        and ORDERS in body["stores"]
        for place, body in holdings.documents.items()
        if place.database == COMPLIANCE
    )
    findings.expect(found, f"no note of the right name stands beside the invoices of {person.key}")


_OBJECTIONS = {"objection": ["general"], "extension": ["general"], "marketing_objection": ["marketing"]}
_WITHDRAWN = frozenset({"withdrawal", "several", "erasure"})  # an erasure ends consents: article 17(1)(b)


def _controls(holdings: Holdings) -> dict[str, dict[str, Any]]:
    return {
        body["subject_key"]: body
        for place, body in holdings.documents.items()
        if place.database == COMPLIANCE and place.container == "controls"
    }
