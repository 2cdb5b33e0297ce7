"""The demo's own checks must be able to fail: tests spoil a perfect erasure and expect to hear of it."""

import io
import zipfile
from collections.abc import Callable

import pytest

from devtools.demo.bystanders import differences, digest_of
from devtools.demo.findings import Findings
from devtools.demo.holdings import Holdings
from devtools.demo.narration import Narrator
from devtools.demo.owners import Gone, gone
from devtools.demo.package_check import PackageJudge
from devtools.demo.proof_check import totals, totals_of
from devtools.demo.residue import Hit, Search, kept_by_law
from devtools.sample_data import Expectations, Role, by_role
from tests.devtools.demo_world import (
    ERASED,
    EVERYONE,
    OTHERS,
    OWNERS,
    after,
    before,
    kept_places,
    places_in,
    put,
    text_of,
)

EVERYTHING, CONSULTANT, LOG_ONLY = ERASED
SEARCH = Search(ERASED, EVERYONE)


def residue(holdings: Holdings) -> set[Hit]:
    expectations = Expectations(EVERYONE)
    allowed = kept_by_law(
        ERASED,
        {person.key: expectations.kept_values(person) for person in ERASED},
        {person.key: kept_places(holdings, person) for person in ERASED},
    )
    hits = set(SEARCH.everywhere(holdings))
    assert allowed <= hits, "what the law keeps has to be there"
    return hits - allowed


def changed(holdings: Holdings) -> list[str]:
    was, now = OTHERS.pieces(before(), OWNERS), OTHERS.pieces(holdings, OWNERS)
    found = differences(was, now)
    assert bool(found) == (digest_of(was) != digest_of(now))
    return found


def test_perfect_erasure_leaves_nothing_and_touches_nobody():
    holdings = after()
    assert residue(holdings) == set()
    assert changed(holdings) == []


def test_search_finds_everybody_before_the_erasure():
    assert {hit.person for hit in residue(before())} == {person.key for person in ERASED}


def leftover_document(holdings: Holdings) -> None:
    place = places_in("members", EVERYTHING, mine=True)[0]
    holdings.documents[place] = {"id": EVERYTHING.member_id}


def leftover_line(holdings: Holdings) -> None:
    name = next(key for key in holdings.blobs if key[0] == "cloud-access-log")
    put(holdings, name[0], name[1], text_of({"email": LOG_ONLY.email.upper()}) + b"\n")


def leftover_element(holdings: Holdings) -> None:
    place = places_in("licences", CONSULTANT, mine=True)[0]
    holdings.documents[place]["contacts"].append({"phone": CONSULTANT.phone})


def leftover_blob_name(holdings: Holdings) -> None:
    put(holdings, "author-files", f"{EVERYTHING.author_id}/empty", b"")


def leftover_metadata(holdings: Holdings) -> None:
    put(holdings, "quarantine", "one", b"")
    blob = holdings.blobs["quarantine", "one", ""]
    object.__setattr__(blob, "metadata", {"by": EVERYTHING.email})


def queue_message(holdings: Holdings) -> None:
    holdings.messages.append(("request-task-poison", f'{{"who": "{CONSULTANT.user_id}"}}'))


def hidden_message(holdings: Holdings) -> None:
    holdings.unseen_messages["request-task"] = 1


def log_line(holdings: Holdings) -> None:
    holdings.logs["functions.log"] = f"could not write to {LOG_ONLY.email.replace('@', '%40')}"


def evidence_with_name(holdings: Holdings) -> None:
    put(holdings, "evidence", "r1/erasure-0.json", text_of({"name": EVERYTHING.name}))


def evidence_with_unkeyed_hash(holdings: Holdings) -> None:
    import hashlib

    digest = hashlib.sha256(LOG_ONLY.asks_as.encode()).hexdigest()
    put(holdings, "evidence", "r1/erasure-0.json", text_of({"subject": digest}))


def copy_in_an_archive(holdings: Holdings) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/members.json", text_of([{"email": EVERYTHING.email}]))
    put(holdings, "packages", "r1.zip", buffer.getvalue())


def staged_blocks(holdings: Holdings) -> None:
    put(holdings, "packages", "r1.zip", None)


def phone_kept_on_invoice(holdings: Holdings) -> None:
    holdings.documents[kept_places(holdings, EVERYTHING)[0]]["addressee"]["phone"] = EVERYTHING.phone


@pytest.mark.parametrize(
    "plant",
    [
        leftover_document,
        leftover_line,
        leftover_element,
        leftover_blob_name,
        leftover_metadata,
        queue_message,
        hidden_message,
        log_line,
        evidence_with_name,
        evidence_with_unkeyed_hash,
        copy_in_an_archive,
        staged_blocks,
        phone_kept_on_invoice,
    ],
)
def test_planted_leftover_is_found(plant: Callable[[Holdings], None]):
    holdings = after()
    plant(holdings)
    assert residue(holdings)


def test_mailbox_of_the_people_is_not_searched():
    holdings = after()
    put(holdings, "outbox", "one.eml", EVERYTHING.email.encode())
    assert residue(holdings) == set()


def test_longer_name_of_somebody_else_is_no_hit():
    longer = EVERYONE[-1].__class__(**{**vars(EVERYONE[-1]), "name": f"{EVERYTHING.name}-Example"})
    search = Search(ERASED, [*EVERYONE, longer])
    assert list(search.within("there", f"by {longer.name}")) == []
    assert list(search.within("there", f"by {longer.name} and {EVERYTHING.name}"))


def others_document_changed(holdings: Holdings) -> None:
    holdings.documents[places_in("usage_events", EVERYTHING, mine=False)[0]]["kind"] = "stop"


def others_document_written_again(holdings: Holdings) -> None:
    place = next(one for one in places_in("members", EVERYTHING, mine=False) if one in holdings.documents)
    holdings.documents[place]["_etag"] = "2"


def others_document_gone(holdings: Holdings) -> None:
    del holdings.documents[places_in("orders", EVERYTHING, mine=False)[0]]


def others_element_gone(holdings: Holdings) -> None:
    place = places_in("licences", CONSULTANT, mine=True)[0]
    holdings.documents[place]["contacts"].pop()


def licence_number_changed(holdings: Holdings) -> None:
    holdings.documents[places_in("licences", CONSULTANT, mine=True)[0]]["licence_no"] = "L-0"


def others_line_gone(holdings: Holdings) -> None:
    key = next(key for key in OWNERS.lines if any(owner == LOG_ONLY.key for _, owner in OWNERS.lines[key]))
    data = holdings.blobs[*key, ""].data or b""
    put(holdings, *key, data.partition(b"\n")[2], etag="2")


def others_file_written_again(holdings: Holdings) -> None:
    key = next(key for key in holdings.blobs if key[0] == "author-files")
    put(holdings, key[0], key[1], holdings.blobs[key].data, etag="2")


def shared_blob_lost_its_type(holdings: Holdings) -> None:
    key = next(key for key in OWNERS.lines if any(owner == LOG_ONLY.key for _, owner in OWNERS.lines[key]))
    object.__setattr__(holdings.blobs[*key, ""], "content_type", "application/x-other")


def others_copy_deleted(holdings: Holdings) -> None:
    del holdings.blobs["packages", "r9.zip", ""]


def others_request_reopened(holdings: Holdings) -> None:
    next(body for body in holdings.documents.values() if body.get("request_id") == "r9")["state"] = "verified"


def new_document_of_nobody(holdings: Holdings) -> None:
    place = next(iter(holdings.documents))
    holdings.documents[place.__class__(**{**vars(place), "document_id": "new"})] = {"id": "new"}


@pytest.mark.parametrize(
    "spoil",
    [
        others_document_changed,
        others_document_written_again,
        others_document_gone,
        others_element_gone,
        licence_number_changed,
        others_line_gone,
        others_file_written_again,
        shared_blob_lost_its_type,
        others_copy_deleted,
        others_request_reopened,
        new_document_of_nobody,
    ],
)
def test_touched_bystander_is_named(spoil: Callable[[Holdings], None]):
    holdings = after()
    spoil(holdings)
    assert len(changed(holdings)) == 1


def test_erased_peoples_own_request_may_change():
    holdings = after()
    next(body for body in holdings.documents.values() if body.get("request_id") == "r1")["state"] = "joined"
    assert changed(holdings) == []


def test_what_is_gone_agrees_with_the_generator():
    was, now = before(), after()
    counted = {person.key: gone(person, OWNERS, was, now) for person in ERASED}
    expectations = Expectations(EVERYONE)
    for person in ERASED:
        for store, one in expectations.of(person).items():
            if store == "disclosures":
                continue
            found = counted[person.key].get(store, Gone())
            assert found.erased == one.erased, store
            if store not in ("usage_archive", "cloud_access_log"):
                assert found.rewritten == one.rewritten, store
    assert totals_of(counted) == totals(was, now, OWNERS, ["clicklearn"])


def test_document_nobody_should_lose_shows_in_the_totals():
    was, now = before(), after()
    others_document_gone(now)
    counted = {person.key: gone(person, OWNERS, was, now) for person in ERASED}
    assert totals_of(counted) != totals(was, now, OWNERS, ["clicklearn"])


def package(entries: dict[str, bytes], *, manifest: bytes | None = None) -> bytes:
    import hashlib

    listed = [
        {"name": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in entries.items()
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", manifest or text_of({"entries": listed}))
    return buffer.getvalue()


ENTRIES = {
    "index.html": b"<p>",
    "about.json": b"{}",
    "README.txt": b"",
    "data/cloud_access_log/one.json": text_of([{"email": LOG_ONLY.email}] * 3),
}


def judged(data: bytes) -> list[str]:
    findings = Findings(Narrator())
    PackageJudge(EVERYONE, findings).judge(LOG_ONLY, data)
    return findings.all


def test_sound_copy_passes():
    assert judged(package(ENTRIES)) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no archive", "no sound ZIP"),
        (package({name: data for name, data in ENTRIES.items() if name != "index.html"}), "index.html"),
        (package(ENTRIES, manifest=text_of({"entries": []})), "manifest"),
        (package({**ENTRIES, "data/cloud_access_log/two.json": b"[{}]"}), "records by store"),
        (package({**ENTRIES, "data/cloud_access_log/one.json": b"[{}, {}, {}]"}), "lacks"),
        (package({**ENTRIES, "about.json": text_of(by_role(EVERYONE, Role.CAPITALS).name)}), "somebody else"),
    ],
)
def test_faulty_copy_is_named(data: bytes, said: str):
    assert any(said in finding for finding in judged(data))
