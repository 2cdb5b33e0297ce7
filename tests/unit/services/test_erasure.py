"""The erasure of a person's data, from the form to the letter that names what stayed."""

import json
from dataclasses import replace
from datetime import date

import pytest

from shared.domain.errors import Permanent
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import downloads
from shared.services.attention import retry
from shared.services.links import PACKAGE
from shared.services.sending import send_letter
from tests.factories import World, contacts, kept, rule, small_map, small_stores
from tests.unit.services.driving import (
    ERASED_RECORDS,
    ask,
    confirm,
    deliver,
    fulfil,
    letters,
    marked,
    opened,
    step,
    stored,
    submit,
    token,
    traces,
)

SMALL = Limits(page_documents=2, page_keys=2, read_bytes=120, message_documents=3, lanes=2, blobs_per_page=1)
INVOICE_ENDS = date(2029, 12, 31)


def _world(**changes) -> tuple[World, dict[str, str], dict[str, str]]:
    world = World(**changes)
    return world, world.add_person("ane"), world.add_person("bo")


@pytest.mark.clause("4.4")
@pytest.mark.parametrize("limits", [Limits(), SMALL], ids=["one message", "many messages"])
async def test_an_erasure_takes_what_must_go_and_leaves_the_rest(limits):
    """The invoice stays, cut down, until its day; everybody else's data is as it was."""
    world, ane, bo = _world(limits=limits)
    before = traces(world, bo)
    request_id = await fulfil(world, "ANE@people.example", Right.ERASURE)
    request = world.cases.request(request_id)
    outcome = request.outcomes[Right.ERASURE]
    assert request.state is RequestState.COMPLETED_WITH_RETENTION
    assert (outcome.result, outcome.records) == ("erased_with_retention", ERASED_RECORDS)
    (invoice,) = traces(world, ane)
    assert json.loads(invoice.removeprefix("invoices ")) == {
        "id": "i-ane",
        "customer_id": "c-1",
        "name": ane["name"],
        "invoice_on": "2024-03-10",
    }
    assert traces(world, bo) == before


@pytest.mark.clause("4.4")
async def test_the_letter_names_what_stayed_and_until_when():
    """In the person's language, with the law and whom to complain to."""
    world, ane, _ = _world()
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    (one,) = world.cases.request(request_id).outcomes[Right.ERASURE].kept
    assert (one.store_id, one.reason, one.until, one.records) == ("invoices", "bookkeeping", INVOICE_ENDS, 1)
    mail = letters(world, request_id)["letter-erased-0"]
    for part in (
        "Invoices",
        "bookkeeping",
        "Bookkeeping Act",
        "31 December 2029",
        "Test Authority",
        "A host",
    ):
        assert part in " ".join(mail.text.split()), part
        assert part in mail.html, part
    assert mail.to == ane["email"]
    assert not marked(mail.subject + mail.text + mail.html, [ane["name"], ane["phone"], ane["user_id"]])


async def test_the_letter_is_in_the_language_of_the_request():
    """Danish where it was asked for."""
    world, ane, _ = _world()
    request_id = await fulfil(world, ane["email"], Right.ERASURE, language="da")
    assert "31. december 2029" in " ".join(letters(world, request_id)["letter-erased-0"].text.split())


async def test_an_erasure_that_finds_nothing_says_so():
    """A case, a proof, a letter, an end."""
    world, _, _ = _world()
    request_id = await fulfil(world, "nobody@people.example", Right.ERASURE)
    request = world.cases.request(request_id)
    assert request.state is RequestState.COMPLETED
    assert request.outcomes[Right.ERASURE].result == "nothing_held"
    assert set(letters(world, request_id)) == {"letter-verify-0", "letter-nothing_held-0"}


async def test_a_second_erasure_finds_only_what_had_to_stay():
    """Nothing is erased twice; what stays is named again."""
    world, ane, _ = _world()
    await fulfil(world, ane["email"], Right.ERASURE)
    left = traces(world, ane)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert traces(world, ane) == left
    assert world.cases.request(request_id).outcomes[Right.ERASURE].records == 0


@pytest.mark.parametrize(("day", "left"), [("2029-12-31", 1), ("2030-01-01", 0)])
async def test_a_kept_record_is_erased_once_its_last_day_is_over(day, left):
    """Not on the day, and not a day later."""
    world, ane, _ = _world()
    for body in world.documents.bodies("invoices"):
        world.documents.put("invoices", "/customer_id", {**body, "email": ane["email"]})
    world.clock.moment = world.clock.moment.replace(
        year=int(day[:4]), month=int(day[5:7]), day=int(day[8:]), hour=12
    )
    await fulfil(world, ane["email"], Right.ERASURE)
    assert len([one for one in traces(world, ane) if one.startswith("invoices")]) == left


@pytest.mark.clause("4.4")
async def test_the_proof_tells_what_was_done_and_nothing_of_the_person():
    """Counts, times, rules and keyed pseudonyms."""
    world, ane, _ = _world()
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    ((name, proof),) = world.evidence.records.items()
    assert name == f"{request_id}/erasure-0.json"
    assert proof["erased_by_store"] == {
        "people": 1,
        "events": 3,
        "invoices": 1,
        "teams": 1,
        "log": 2,
        "files": 1,
    }
    assert proof["kept"][0]["until"] == "2029-12-31"
    assert len(proof["plan_digest"]) == 64
    assert proof["received_at"] <= proof["begun_at"] <= proof["proved_at"]
    assert not marked(json.dumps(proof), list(ane.values()))


async def test_a_closed_case_holds_no_personal_data():
    """Nor do alarms, controls, queues and the names of files and mails."""
    world, ane, _ = _world(limits=SMALL)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    places = [
        stored(world, request_id),
        json.dumps(list(world.controls.rows.items())),
        json.dumps(world.operators.alarms),
        json.dumps(list(world.notifier.mails)),
        json.dumps(world.evidence.records),
        str(list(world.rate_limits.hits)),
    ]
    assert not marked("\n".join(places), list(ane.values()))
    claims = [json.loads(text) for _, text in world.controls.rows.values()]
    assert all(one["claims"] == one["open_requests"] == [] for one in claims)


async def test_a_copy_and_an_erasure_in_one_message_come_in_that_order():
    """One case, one outcome each; the copy holds what the erasure then takes and survives it."""
    world, ane, _ = _world()
    request_id = await fulfil(world, ane["email"], Right.ACCESS, Right.ERASURE)
    request = world.cases.request(request_id)
    assert request.outcomes[Right.ACCESS].records == ERASED_RECORDS
    assert request.outcomes[Right.ERASURE].records == ERASED_RECORDS
    assert set(letters(world, request_id)) == {
        "letter-verify-0",
        "letter-package_ready-0",
        "letter-erased-1",
    }
    assert ane["name"].encode() in b"".join(opened(world, request_id).values())
    named = {one.store_id for one in request.outcomes[Right.ERASURE].kept}
    assert named == {"invoices", "packages"}
    assert [one for one in traces(world, ane) if not one.startswith("invoices")] == []


async def test_an_erasure_deletes_earlier_copies_that_were_fetched():
    """One that waits to be fetched is the person's to fetch, and named."""
    world, ane, _ = _world()
    fetched = await fulfil(world, ane["email"], Right.ACCESS)
    await downloads.download_url(world.context, fetched, token(world, fetched, PACKAGE))
    waiting = await fulfil(world, ane["email"], Right.ACCESS)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert set(world.packages.contents) == {waiting}
    assert world.cases.request(fetched).package.deleted_at is not None
    kept_copies = [
        one
        for one in world.cases.request(request_id).outcomes[Right.ERASURE].kept
        if one.store_id == "packages"
    ]
    assert kept_copies[0].until is not None


async def test_records_reached_only_by_another_of_the_person_s_identifiers_go_too():
    """Address to person to user to second address."""
    world, ane, _ = _world()
    world.documents.put(
        "people",
        "/id",
        {"id": "person-ane-2", "email": "other@people.example", "user_id": ane["user_id"], "name": "A"},
    )
    request_id = await fulfil(world, "other@people.example", Right.ERASURE)
    assert [one for one in traces(world, ane) if not one.startswith("invoices")] == []
    assert len(world.cases.request(request_id).subject_keys) >= 5


async def test_data_that_comes_back_while_it_is_erased_is_found_by_the_second_look():
    """A product writes one more event after the events were erased."""
    world, ane, _ = _world(limits=SMALL)
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await deliver(world, until="request-finish")
    world.documents.put("events", "/user_id", {"id": "late", "user_id": ane["user_id"], "what": "x"})
    await deliver(world)
    assert [one for one in traces(world, ane) if not one.startswith("invoices")] == []
    assert world.cases.request(request_id).outcomes[Right.ERASURE].by_store["events"] == 4
    assert world.cases.request(request_id).looks == 2


async def test_data_that_keeps_coming_back_stops_the_request():
    """Not complete, not silent: an operator is told, and takes it up when the cause is gone."""
    world, ane, _ = _world()
    request_id = await ask(world, ane["email"], Right.ERASURE)
    for number in range(200):
        if not world.queue.sent:
            break
        body = {"id": f"late-{number}", "user_id": ane["user_id"], "what": "x"}
        world.documents.put("events", "/user_id", body)
        await step(world)
    request = world.cases.request(request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "residue_left")
    assert ("residue_left", request_id, "") in world.operators.alarms
    assert "letter-erased-0" not in letters(world, request_id)
    await retry(world.context, request_id, decided_by="operator-1")
    await deliver(world)
    assert [one for one in traces(world, ane) if not one.startswith("invoices")] == []
    assert world.cases.request(request_id).is_final


@pytest.mark.parametrize(
    ("container", "partition_key", "body"),
    [
        (
            "invoices",
            "/customer_id",
            {
                "id": "i-x",
                "customer_id": "c",
                "email": "ane@people.example",
                "name": "A",
                "invoice_on": 20240310,
            },
        ),
        (
            "invoices",
            "/customer_id",
            {
                "id": "i-x",
                "customer_id": "c",
                "email": "ane@people.example",
                "name": "A",
                "invoice_on": "2024-03-10",
                "nickname": "?",
            },
        ),
    ],
    ids=["unreadable date", "unmapped field"],
)
async def test_a_record_that_cannot_be_judged_stops_completion(container, partition_key, body):
    """It stays as it is, an operator sees it, the rest is erased; corrected, the request ends."""
    world, ane, _ = _world()
    world.documents.put(container, partition_key, body)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    request = world.cases.request(request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "records_undecidable")
    assert body in world.documents.bodies(container)
    assert world.documents.bodies("events") != []
    assert not [one for one in traces(world, ane) if one.startswith("events")]
    (finding,) = [row for _, row in world.cases.partitions[request_id].values() if row["type"] == "finding"]
    assert finding["place"] == "invoices/i-x"
    assert [code for code, _, _ in world.operators.alarms].count("record_undecidable") == 1
    world.documents.put(container, partition_key, {**body, "nickname": "", "invoice_on": "2024-03-10"})
    corrected = {name: value for name, value in body.items() if name != "nickname"}
    world.documents.put(container, partition_key, {**corrected, "invoice_on": "2024-03-10"})
    await retry(world.context, request_id, decided_by="operator-1")
    await deliver(world)
    assert world.cases.request(request_id).state is RequestState.COMPLETED_WITH_RETENTION
    assert '"finding"' not in stored(world, request_id)


async def test_an_identifier_of_the_wrong_type_stops_the_request_before_anything_goes():
    """Where it should have led nobody can tell, so nothing may be called complete."""
    world, ane, _ = _world()
    world.documents.put(
        "people",
        "/id",
        {"id": "person-ane", "email": ane["email"], "user_id": 17, "name": ane["name"]},
    )
    before = traces(world, ane)
    for right in (Right.ERASURE, Right.ACCESS):
        request_id = await fulfil(world, ane["email"], right)
        request = world.cases.request(request_id)
        assert request.state is RequestState.NEEDS_ATTENTION
        assert request.attention == "identifier_unreadable"
    assert traces(world, ane) == before


async def test_too_many_people_by_one_address_stop_the_request():
    """The map allows two persons to an address; three are somebody else's, too."""
    world, ane, _ = _world()
    for number in range(2):
        world.documents.put(
            "people",
            "/id",
            {"id": f"p-{number}", "email": ane["email"], "user_id": f"u-{number}", "name": "x"},
        )
    before = traces(world, ane)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    request = world.cases.request(request_id)
    assert request.state is RequestState.NEEDS_ATTENTION
    assert request.attention in ("too_many_person_id", "too_many_user_id")
    assert traces(world, ane) == before


async def test_as_many_people_as_one_has_do_not_stop_it():
    """At the bound."""
    world, ane, _ = _world()
    second = {"id": "p-2", "email": ane["email"], "user_id": "u-2", "name": "x"}
    world.documents.put("people", "/id", second)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).is_final
    assert second not in world.documents.bodies("people")


@pytest.mark.clause("4.9")
async def test_no_answer_leaves_while_a_contact_is_missing():
    """The address check does; the answer waits for an operator and then goes."""
    world, ane, _ = _world()
    world.context = replace(world.context, contacts=contacts(authority_email=""))
    request_id = await submit(world, ane["email"], Right.ERASURE)
    await deliver(world)
    assert set(letters(world, request_id)) == {"letter-verify-0"}
    await confirm(world, request_id)
    with pytest.raises(Permanent) as caught:
        await deliver(world)
    assert (caught.value.code, caught.value.detail) == ("contacts_incomplete", "authority_email")
    assert world.cases.request(request_id).state is RequestState.ANSWERING
    world.context = replace(world.context, contacts=contacts())
    await send_letter(world.context, request_id, "letter-erased-0")
    assert world.cases.request(request_id).state is RequestState.COMPLETED_WITH_RETENTION


async def test_lines_that_must_stay_in_part_are_named_like_documents():
    """What is kept is named wherever it lies."""
    stores = [store for store in small_stores() if store.id != "log"]
    log = next(store for store in small_stores() if store.id == "log")
    fields = (rule("/user_id", on_erasure="follow"), rule("/what"), kept("/invoice_on", type="date"))
    world = World(datamap=small_map((*stores, log.model_copy(update={"fields": fields}))))
    ane = world.add_person("ane")
    lines = [{"user_id": ane["user_id"], "what": "paid", "invoice_on": f"202{n}-01-01"} for n in (2, 4)]
    world.blobs.put("log", "2026/01.ndjson", "".join(json.dumps(one) + "\n" for one in lines).encode())
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    outcome = world.cases.request(request_id).outcomes[Right.ERASURE]
    assert b"paid" not in world.blobs.current["log", "2026/01.ndjson"][1]
    named = {one.until: one.records for one in outcome.kept if one.store_id == "log"}
    assert named == {date(2027, 12, 31): 1, date(2029, 12, 31): 1}
