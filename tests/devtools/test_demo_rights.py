"""What judges the scenario of the rights must be able to fail: tests spoil it and expect to hear of it."""

import io
import json
import ssl
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from devtools.demo.bystanders import Others, differences
from devtools.demo.findings import Findings, StoryEndedError
from devtools.demo.holdings import Holdings, Place
from devtools.demo.mailbox import Mail
from devtools.demo.narration import Narrator
from devtools.demo.residue import Hit
from devtools.demo.rights import archives, receiver
from devtools.demo.rights.cast import cast
from devtools.demo.rights.changes import CHANGES, EVERYWHERE, Change, Judge, changes_of
from devtools.demo.rights.decided import CASES as DECIDED
from devtools.demo.rights.first_day import CASES as ANSWERED
from devtools.demo.rights.letters import OUTCOMES, Letters
from devtools.demo.rights.register import (
    check_closed,
    check_controls,
    check_note,
    check_proofs,
    requests_of,
    subject_keys,
)
from devtools.demo.rights.verdict import is_out_of_place
from devtools.sample_data import AS_OF, Expectations, Role, by_role, people
from devtools.sample_data.records import own_documents
from shared.rendering.letters import LetterKind
from tests.devtools.demo_world import ERASED, EVERYONE, OWNERS, after, before, places_in, put, text_of
from tests.factories import KEYS

EVERYTHING, CONSULTANT, LOG_ONLY = ERASED
CAPITALS = by_role(EVERYONE, Role.CAPITALS)
CONTACTS = {
    "CONTROLLER_NAME": "Example Controller",
    "CONTROLLER_ADDRESS": "Example Street 1",
    "CONTROLLER_EMAIL": "privacy@controller.example",
    "AUTHORITY_NAME": "Example Authority",
    "AUTHORITY_ADDRESS": "Example Road 35",
    "AUTHORITY_EMAIL": "authority@example.org",
    "AUTHORITY_URL": "https://authority.example",
}
LETTERS = Letters.of(CONTACTS)


def found_by(act: Callable[[Findings], object]) -> list[str]:
    findings = Findings(Narrator())
    act(findings)
    return findings.all


# --- letters


def mail(subject: str, *, request_id: str = "r1", text: str | None = None) -> Mail:
    said = "\n".join(CONTACTS.values()) if text is None else text
    return Mail(to="a@example.org", subject=subject, text=said, links={}, request_id=request_id)


def answered_request(request_id: str = "r1", *, revivals: int = 0, **outcomes: str) -> dict[str, Any]:
    told = {right: {"result": result} for right, result in outcomes.items()}
    return {"request_id": request_id, "outcomes": told, "revivals": revivals}


ERASED_LETTER = mail("Erased from our systems: answer to your request")
DANISH_LETTER = mail("Slettet i vores systemer: svar på din anmodning")


def test_each_answer_is_known_by_its_subject_in_both_languages():
    assert LETTERS.kind(ERASED_LETTER) == LETTERS.kind(DANISH_LETTER) == "erased"
    assert LETTERS.kind(mail("Please confirm your request to Example Controller")) == "verify"
    assert set(OUTCOMES) - {"erased_with_retention", "erased_nothing"} <= set(LetterKind)


def test_each_right_is_answered_once_in_each_life():
    once = answered_request(erasure="erased")
    twice = answered_request("r2", revivals=1, erasure="erased")
    mails = [ERASED_LETTER, *(mail(ERASED_LETTER.subject, request_id="r2") for _ in range(2))]
    counted = []
    assert found_by(lambda findings: counted.append(LETTERS.judge(mails, [once, twice], findings))) == []
    assert counted == [3]


@pytest.mark.parametrize(
    ("mails", "requests", "said"),
    [
        ([ERASED_LETTER, DANISH_LETTER], [answered_request(erasure="erased")], "letters that answer"),
        ([], [answered_request(erasure="erased")], "letters that answer"),
        ([ERASED_LETTER], [answered_request(revivals=1, erasure="erased")], "letters that answer"),
        ([mail("Something else")], [], "no known kind"),
        ([mail(ERASED_LETTER.subject, text="Example Controller")], [], "does not name"),
    ],
)
def test_missing_double_unknown_and_bare_letters_are_named(mails, requests, said):
    findings = found_by(lambda findings: LETTERS.judge(mails, requests, findings))
    assert any(said in one for one in findings)


def test_a_letter_that_asks_to_confirm_need_not_name_the_authority():
    verify = mail("Please confirm your request to Example Controller", text="")
    assert found_by(lambda findings: LETTERS.judge([verify], [], findings)) == []


# --- what changed


def judged(holdings: Holdings, person, change: Change, *, new_name: str = "") -> list[str]:
    def act(findings: Findings) -> None:
        judge = Judge(
            owners=OWNERS,
            expectations=Expectations(EVERYONE),
            before=before(),
            after=holdings,
            findings=findings,
        )
        judge.judge("a case", person, change, new_name=new_name)

    return found_by(act)


def test_a_whole_erasure_is_as_it_should_be():
    assert judged(after(), CONSULTANT, Change(erased=EVERYWHERE)) == []


def test_an_erasure_that_took_nothing_or_too_much_is_named():
    assert judged(before(), CONSULTANT, Change(erased=EVERYWHERE))
    assert judged(after(), CONSULTANT, Change(erased=frozenset({"members"})))


def corrected(holdings: Holdings, name: str) -> Holdings:
    change = CHANGES["rectification"]
    for place, keys in OWNERS.documents.items():
        if place.container in change.renamed and EVERYTHING.key in keys:
            text = json.dumps(holdings.documents[place])
            old, new = json.dumps(EVERYTHING.name), json.dumps(name)
            holdings.documents[place] = json.loads(text.replace(old, new))
    return holdings


def test_a_corrected_name_is_seen_in_own_and_in_shared_records():
    change = CHANGES["rectification"]
    assert judged(corrected(before(), "Right Name"), EVERYTHING, change, new_name="Right Name") == []
    wrong = judged(before(), EVERYTHING, change, new_name="Right Name")
    assert {place.container for place in OWNERS.documents if any(str(place) in one for one in wrong)} == set(
        change.renamed
    )


def test_a_choice_is_switched_off_and_nothing_else():
    change = Change(switched_off=frozenset({"members"}))
    holdings = before()
    (place,) = places_in("members", CAPITALS, mine=True)
    holdings.documents[place]["newsletter"] = False
    assert judged(holdings, CAPITALS, change) == []
    holdings.documents[place]["phone"] = ""
    assert judged(holdings, CAPITALS, change)


def test_data_of_the_same_person_in_another_system_is_not_free_to_change():
    others = Others(
        erased=[CAPITALS],
        request_ids=(),
        subject_keys=(),
        containers={CAPITALS.key: frozenset({"members", "usage-archive"})},
    )
    holdings = before()
    for container in ("members", "authors"):
        (place,) = places_in(container, CAPITALS, mine=True)
        holdings.documents[place]["name"] = "Somebody"
    was, now = others.pieces(before(), OWNERS), others.pieces(holdings, OWNERS)
    (difference,) = differences(was, now)
    assert "clicklearn/authors/" in difference


@pytest.mark.parametrize(
    ("where", "is_out"),
    [
        ("queue request-plan", True),
        ("log functions.log", True),
        ("blob evidence/r1/erasure-0.json", True),
        ("blob packages/r1.zip", True),
        ('document compliance/requests/request of partition "r1"', True),
        ('document compliance/notes/n1 of partition "k"', False),
        ('document clicklearn/members/m1 of partition "m1"', False),
        ("blob author-files/a1/one.txt", False),
    ],
)
def test_values_of_the_living_belong_into_the_systems_of_record_alone(where, is_out):
    assert is_out_of_place(Hit(where=where, person="p", value="v")) == is_out


# --- the register


def record(container: str, document_id: str, **body: Any) -> tuple[Place, dict[str, Any]]:
    place = Place(database="compliance", container=container, partition='"p"', document_id=document_id)
    return place, {"id": document_id, **body}


CLOSED: dict[str, Any] = {
    "type": "request",
    "request_id": "r5",
    "rights": ["erasure"],
    "state": "completed",
    "subject_keys": ["k5"],
    "email": None,
    "identifiers": {},
    "wishes": {"corrections": {}},
    "outcomes": {"erasure": {"result": "erased"}},
    "revivals": 0,
}


@pytest.mark.parametrize(
    "spoil",
    [
        {"state": "standing"},
        {"state": "awaiting_approval"},
        {"email": "a@example.org"},
        {"identifiers": {"user_id": ["u"]}},
        {"wishes": {"corrections": {"name": "n"}}},
    ],
)
def test_an_open_case_and_one_that_still_knows_the_person_are_named(spoil):
    assert found_by(lambda findings: check_closed({"r5": CLOSED}, findings)) == []
    assert len(found_by(lambda findings: check_closed({"r5": {**CLOSED, **spoil}}, findings))) == 1


def test_every_request_about_a_person_is_found_by_pseudonym():
    holdings = Holdings(documents=dict([record("requests", "request", **CLOSED)]))
    assert list(requests_of(holdings, ["k5"])) == ["r5"]
    assert requests_of(holdings, ["k6"]) == {}


def test_each_life_of_an_erasure_needs_its_proof():
    holdings = Holdings()
    put(holdings, "evidence", "r5/erasure-0.json", text_of({"request_id": "r5", "right": "erasure"}))
    assert found_by(lambda findings: check_proofs({"r5": CLOSED}, holdings, findings)) == []
    revived = {**CLOSED, "revivals": 1}
    assert found_by(lambda findings: check_proofs({"r5": revived}, holdings, findings))
    refused = {**CLOSED, "outcomes": {"erasure": {"result": "refused"}}}
    assert found_by(lambda findings: check_proofs({"r5": refused}, holdings, findings))


def checked_controls(case: str, **controls: Any) -> list[str]:
    key = KEYS.subject_key("email", CAPITALS.asks_as)
    holdings = Holdings(documents=dict([record("controls", "controls", subject_key=key, **controls)]))
    return found_by(lambda findings: check_controls(case, CAPITALS, KEYS, holdings, findings))


MARKETING = {"kind": "marketing", "ended_at": None}


def test_controls_are_as_each_case_leaves_them():
    assert checked_controls("access") == []
    assert checked_controls("access", restrictions=[{"lifted_at": "2026-12-01"}]) == []
    assert checked_controls("marketing_objection", objections=[MARKETING]) == []
    assert checked_controls("withdrawal", withdrawn_at="2026-12-01") == []


@pytest.mark.parametrize(
    ("case", "controls"),
    [
        ("access", {"claims": [{}]}),
        ("access", {"open_requests": [{}]}),
        ("access", {"restrictions": [{"lifted_at": None}]}),
        ("access", {"holds": [{"released_at": None}]}),
        ("access", {"objections": [MARKETING]}),
        ("access", {"withdrawn_at": "2026-12-01"}),
        ("marketing_objection", {}),
        ("objection", {"objections": [MARKETING]}),
        ("withdrawal", {}),
    ],
)
def test_what_is_left_or_lacks_in_controls_is_named(case, controls):
    assert checked_controls(case, **controls)


@pytest.mark.parametrize(
    ("changes", "is_good"),
    [
        ({}, True),
        ({"stores": ["usage_events"]}, False),
        ({"corrections": {"name": "Wrong Name"}}, False),
        ({"subject_key": "k1-other"}, False),
    ],
)
def test_the_right_name_stands_beside_the_invoices(changes, is_good):
    note = {
        "subject_key": KEYS.subject_key("email", CAPITALS.email),
        "corrections": {"name": "Right Name"},
        "stores": ["orders"],
    }
    holdings = Holdings(documents=dict([record("notes", "n1", **{**note, **changes})]))
    found = found_by(lambda findings: check_note(CAPITALS, "Right Name", KEYS, holdings, findings))
    assert (found == []) == is_good


def test_every_id_of_a_person_has_a_pseudonym():
    known = subject_keys(EVERYTHING, KEYS)
    assert known[f"user_id {EVERYTHING.user_id}"] == KEYS.subject_key("user_id", EVERYTHING.user_id or "")
    assert len(set(known.values())) == 4  # an address and three ids
    assert len(subject_keys(LOG_ONLY, KEYS)) == 1


# --- archives


def archive(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return buffer.getvalue()


def portable() -> dict[str, bytes]:
    entries = {"portability.json": b"{}"}
    for record in own_documents(CAPITALS):
        if record.container in ("members", "newsletter_signups", "orders"):
            kept = {name: value for name, value in record.body.items() if name not in ("id", "user_id")}
            entries[f"data/{record.container}/1.json"] = text_of([kept])
            entries[f"data/{record.container}/1.csv"] = b"x"
            entries[f"schema/{record.container}.schema.json"] = b"{}"
    return {**entries, "manifest.json": text_of({"entries": []})}


def judged_portable(entries: dict[str, bytes]) -> list[str]:
    return found_by(lambda findings: archives.judge_portable(archive(entries), CAPITALS, findings))


def test_data_to_take_along_is_whole_and_holds_nothing_else():
    assert judged_portable(portable()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data/orders/1.json": None}, "records by store"),
        ({"data/orders/1.csv": None}, "no CSV"),
        ({"schema/orders.schema.json": None}, "no schema"),
        ({"portability.json": None}, "no package"),
        ({"more.json": str(CAPITALS.user_id).encode()}, "not portable"),
        (
            {"manifest.json": text_of({"entries": [{"name": "portability.json", "sha256": "0"}]})},
            "what the manifest says",
        ),
    ],
)
def test_data_to_take_along_that_lacks_or_leaks_is_named(changes, said):
    entries = {**portable(), **changes}
    found = judged_portable({name: content for name, content in entries.items() if content is not None})
    assert any(said in one for one in found)


def test_what_is_no_archive_is_named():
    assert found_by(lambda findings: archives.judge_portable(b"no zip", CAPITALS, findings))


def of_customer() -> dict[str, bytes]:
    theirs = CONSULTANT.customers[0].customer_id
    counted = [
        {
            "id": name,
            "records": sum(
                one.container == name and one.body["customer_id"] == theirs
                for one in own_documents(CONSULTANT)
            ),
        }
        for name in ("usage_events", "installations", "cloud_activity")
    ]
    return {"about.json": text_of({"activities": [{"stores": counted}]})}


def judged_customers(entries: dict[str, bytes]) -> list[str]:
    return found_by(
        lambda findings: archives.judge_customers(
            archive(entries), CONSULTANT, *CONSULTANT.customers, findings
        )
    )


def test_a_customer_learns_counts_of_its_installation():
    assert judged_customers(of_customer()) == []


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"about.json": text_of({"activities": []})},
        {**of_customer(), "data/usage_events/1.json": b"[]"},
        {**of_customer(), "index.html": CONSULTANT.email.encode()},
        {**of_customer(), "index.html": CONSULTANT.customers[1].customer_id.encode()},
    ],
)
def test_a_customer_that_gets_less_or_more_is_named(entries):
    assert judged_customers(entries)


def test_a_disclosure_to_a_customer_is_counted_in_a_copy():
    row = {"id": "d1", "recipient": "customer", "reference": "cust-1"}
    data = archive({"data/disclosures/1.json": text_of([row, row, {**row, "recipient": "dhl"}])})
    assert archives.disclosed_to(data, "cust-1") == ["d1", "d1"]
    assert archives.disclosed_to(data, "cust-2") == []


# --- who plays


def test_nobody_plays_twice_and_every_change_has_somebody():
    everyone = people(200)
    chosen = cast(everyone)
    assert len({person.key for person in chosen.values()}) == len(chosen)
    assert set(CHANGES) <= set(chosen)
    assert cast(people(200)) == chosen
    assert len(chosen) == len(ANSWERED) + len(DECIDED)


def test_too_few_people_are_one_sentence():
    with pytest.raises(StoryEndedError, match="load more people"):
        cast(people(24))


def test_use_of_the_product_goes_with_the_membership_a_year_after_it():
    chosen = cast(people(200))
    container = "usage_events"
    early = changes_of(chosen, lifted_on=AS_OF.date())
    late = changes_of(chosen, lifted_on=AS_OF.date() + timedelta(days=366))
    assert container not in early["restriction"].erased
    assert container in late["restriction"].erased
    assert early.keys() == late.keys() == CHANGES.keys()


async def test_the_other_controller_speaks_tls_that_only_its_own_certificate_proves(tmp_path):
    async with receiver.running(tmp_path) as server:
        assert server.settings["TRANSFER_LOCAL_RECEIVER"] == server.origin
        trusting = ssl.create_default_context(cafile=str(server.certificate))
        async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
            answer = await client.put(f"{server.origin}/inbox/1", content=b"data", headers={"X-One": "1"})
        assert answer.status_code == 201
        body, headers = server.received["/inbox/1"]
        assert (body, headers["x-one"]) == (b"data", "1")
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.put(f"{server.origin}/inbox/2", content=b"data")
    assert (tmp_path / "receiver-with-key.pem").stat().st_mode & 0o077 == 0
