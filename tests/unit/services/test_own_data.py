"""Our own data goes when its decided period is over: closed cases whole, single records by their own day."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest

from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.controls import RETENTION_SWITCH_KEY
from shared.domain.errors import Retryable
from shared.domain.identifiers import EMAIL
from shared.domain.quiet_hours import quiet_hours
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.ports.cases import Write
from shared.services import switching
from shared.services.own_data import WALK, delete_due
from shared.services.sweeping import sweep
from tests.factories import KEYS
from tests.unit.services.deciding_periods import decided_world, own_decision
from tests.unit.services.driving import ask, fulfil, hold, rest, restrict
from tests.unit.services.systems import EMAIL_OF, member, on, world_on

THREE_YEARS = own_decision("case_files", "P3Y", "2026-01-01")


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T08:00:00+00:00")


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def left_of(world, *names: str) -> list[str]:
    """Return of whom of these a case is left."""
    return [name for name in names if _id(name) in world.cases.partitions]


async def closed(world, name: str, day: str, **changes) -> str:
    """Put a closed case of a person on file, with a letter and an entry in its trail."""
    request = SubjectRequest(
        **{
            "request_id": _id(name),
            "rights": (Right.ACCESS,),
            "state": RequestState.COMPLETED,
            "language": "en",
            "received_at": at("2020-01-01"),
            "due_on": at("2020-02-01").date(),
            "email": None,
            "subject_keys": (KEYS.subject_key(EMAIL, EMAIL_OF.format(name)),),
            "closed_at": at(day),
            "wake_at": None,
            **changes,
        }
    )
    letter = LetterDocument(
        id="letter-done-0",
        request_id=request.request_id,
        kind="done",
        created_at=at("2020-01-01"),
        sent_at=at("2020-01-01"),
    )
    noted, event = request.noted(at(day), "closed")
    documents = (noted, letter, event)
    await world.cases.commit(request.request_id, [Write(document=one, etag=None) for one in documents])
    return request.request_id


async def go_to(world, day: str):
    """Move the clock to a day and delete what is due."""
    world.clock.moment = at(day)
    return await delete_due(world.context)


async def test_without_a_decision_no_case_ever_goes():
    world = world_on("2099-01-01")
    await closed(world, "ane", "2020-01-01")
    assert await delete_due(world.context) is None
    assert left_of(world, "ane", "bo") == ["ane"]
    assert await world.walks.read(WALK) is None


async def test_a_closed_case_goes_whole_the_day_after_its_last_day():
    """Closed on 2 March 2026: kept through 2 March 2029."""
    world = decided_world("2029-03-01", THREE_YEARS)
    await closed(world, "ane", "2026-03-02")
    await go_to(world, "2029-03-01")
    await go_to(world, "2029-03-02")
    assert left_of(world, "ane", "bo") == ["ane"]
    walk = await go_to(world, "2029-03-03")
    assert world.cases.partitions == {}
    assert (walk.seen, walk.filed, walk.is_done) == (1, 1, True)


async def test_the_day_is_that_of_copenhagen():
    """Closed at half past eleven in the evening of 2 March in UTC: there it was the third."""
    world = decided_world("2029-03-03", THREE_YEARS)
    await closed(world, "ane", "2026-03-02", closed_at=datetime.fromisoformat("2026-03-02T23:30:00+00:00"))
    await go_to(world, "2029-03-03")
    assert world.cases.partitions
    await go_to(world, "2029-03-04")
    assert world.cases.partitions == {}


@pytest.mark.parametrize(("day", "left"), [("2025-12-31", 1), ("2026-01-01", 0), ("2026-01-02", 0)])
async def test_an_old_case_goes_on_the_first_day_of_the_decision(day, left):
    world = decided_world("2025-06-01", THREE_YEARS)
    await closed(world, "ane", "2020-01-01")
    await go_to(world, day)
    assert len(world.cases.partitions) == left


async def test_an_open_case_and_one_with_work_left_stay():
    world = decided_world("2030-01-01", THREE_YEARS)
    await closed(world, "ane", "2020-01-01", wake_at=at("2030-01-02"))
    await closed(world, "bo", "2020-01-01", state=RequestState.STANDING, closed_at=None)
    await delete_due(world.context)
    assert left_of(world, "ane", "bo") == ["ane", "bo"]


@pytest.mark.parametrize("activity_id", [None, "own_records"])
async def test_a_hold_keeps_the_case_until_it_is_released(activity_id):
    world = decided_world("2030-01-01", THREE_YEARS)
    await closed(world, "ane", "2020-01-01")
    await closed(world, "bo", "2020-01-01")
    hold(world, EMAIL_OF.format("ane"), activity_id=activity_id)
    await delete_due(world.context)
    assert left_of(world, "ane", "bo") == ["ane"]

    hold(world, EMAIL_OF.format("ane"), released_at=at("2030-01-01"))
    await go_to(world, "2030-01-02")
    assert world.cases.partitions == {}


async def test_a_hold_on_other_data_keeps_no_case():
    world = decided_world("2030-01-01", THREE_YEARS)
    await closed(world, "ane", "2020-01-01")
    hold(world, EMAIL_OF.format("ane"), activity_id="orders")
    await delete_due(world.context)
    assert world.cases.partitions == {}


async def test_a_restriction_of_everything_keeps_the_case():
    world = decided_world("2030-01-01", THREE_YEARS)
    await closed(world, "ane", "2020-01-01")
    restrict(world, EMAIL_OF.format("ane"))
    await delete_due(world.context)
    assert left_of(world, "ane", "bo") == ["ane"]


async def test_a_day_is_done_once_and_the_next_day_begins_anew():
    world = decided_world("2030-01-01", THREE_YEARS)
    await delete_due(world.context)
    await closed(world, "ane", "2020-01-01")
    await delete_due(world.context)
    assert world.cases.partitions
    await go_to(world, "2030-01-02")
    assert world.cases.partitions == {}


async def test_many_cases_go_page_by_page():
    world = decided_world("2030-01-01", THREE_YEARS)
    for number in range(120):
        await closed(world, f"p{number}", "2020-01-01")
    walk = await delete_due(world.context)
    assert world.cases.partitions == {}
    assert walk.filed == 120


@pytest.mark.parametrize("dies_at", range(1, 12))
async def test_whoever_dies_on_the_way_leaves_a_case_that_goes_the_next_day(dies_at):
    """At each step of the first day; the sweep may have looked at it meanwhile."""
    calls = 0

    async def turn(name: str) -> None:
        nonlocal calls
        calls += name.startswith(("cases.", "walks.", "controls."))
        if calls == dies_at:
            raise Retryable("gone", name)

    world = decided_world("2030-01-01", THREE_YEARS)
    await closed(world, "ane", "2020-01-01")
    world.cases.turn = world.walks.turn = world.controls.turn = turn
    with suppress(Retryable):
        await delete_due(world.context)
    await delete_due(world.context)
    world.clock.advance(hours=2)
    await sweep(world.context)
    await go_to(world, "2030-01-02")
    assert world.cases.partitions == {}


async def test_a_shorter_period_takes_along_the_cases_that_are_there():
    world = decided_world("2027-01-01", THREE_YEARS, own_decision("case_files", "P1Y", "2027-06-01"))
    await closed(world, "ane", "2026-03-01")
    await go_to(world, "2027-05-31")
    assert world.cases.partitions
    await go_to(world, "2027-06-01")
    assert world.cases.partitions == {}


async def test_a_longer_period_is_for_requests_that_came_after_it():
    world = decided_world("2027-01-01", THREE_YEARS, own_decision("case_files", "P5Y", "2027-01-01"))
    await closed(world, "ane", "2027-02-01", received_at=at("2026-12-31"))
    await closed(world, "bo", "2027-02-01", received_at=at("2027-01-01"))
    await go_to(world, "2030-02-02")
    assert left_of(world, "ane", "bo") == ["bo"]
    await go_to(world, "2032-02-01")
    assert left_of(world, "ane", "bo") == ["bo"]
    await go_to(world, "2032-02-02")
    assert world.cases.partitions == {}


async def test_a_request_that_was_answered_goes_when_its_time_is_up():
    """As the services close it: no claim, letter or copy of it is left behind."""
    world = decided_world("2026-03-02", THREE_YEARS)
    member(world, "ane", "2026-01-01")
    request_id = await fulfil(world, EMAIL_OF.format("ane"), Right.ERASURE)
    assert world.cases.request(request_id).is_final
    await go_to(world, "2029-03-02")
    assert world.cases.partitions
    await go_to(world, "2029-03-03")
    assert world.cases.partitions == {}
    assert world.evidence.records  # the proof of the erasure stays


async def test_a_request_that_is_open_is_never_touched():
    world = decided_world("2026-03-02", own_decision("case_files", "P1M", "2026-01-01"))
    member(world, "ane", "2026-01-01")
    await ask(world, EMAIL_OF.format("ane"), Right.ERASURE)
    await go_to(world, "2026-09-01")
    assert len(world.cases.partitions) == 1


def row(world, store_id: str, path: str, name: str, day: str, **changes) -> None:
    """Store one record of our own about a person."""
    _, store = world.datamap.store(store_id)
    body = {
        "id": f"{store_id}-{name}-{day}",
        "subject_key": KEYS.subject_key(EMAIL, EMAIL_OF.format(name)),
        path: on(day),
        **changes,
    }
    world.documents.put(store.container, store.partition_key, body)


def left(world, store_id: str) -> list[str]:
    return sorted(body["id"].split("-", 1)[1] for body in world.documents.bodies(store_id))


@pytest.mark.parametrize(
    ("store_id", "path"),
    [("disclosures", "disclosed_at"), ("lookups", "looked_at"), ("policy_displays", "shown_at")],
)
async def test_single_records_go_the_day_after_their_last_day(store_id, path):
    world = decided_world("2027-03-10", own_decision(store_id, "P1Y", "2026-01-01"))
    row(world, store_id, path, "ane", "2026-03-09")
    row(world, store_id, path, "ane", "2026-03-10")
    row(world, store_id, path, "bo", "2025-01-01")
    hold(world, EMAIL_OF.format("bo"), activity_id="own_records")
    await go_to(world, "2027-03-10")
    assert left(world, store_id) == ["ane-2026-03-10", "bo-2025-01-01"]
    await go_to(world, "2027-03-11")
    assert left(world, store_id) == ["bo-2025-01-01"]


async def test_a_record_without_a_readable_day_stays_and_operators_are_told():
    world = decided_world("2027-03-10", own_decision("lookups", "P1Y", "2026-01-01"))
    row(world, "lookups", "looked_at", "ane", "2020-01-01", looked_at="1999")
    await delete_due(world.context)
    assert left(world, "lookups") == ["ane-2020-01-01"]
    assert "own_data_left" in [one[0] for one in world.operators.alarms]


async def test_who_received_data_stays_known_while_a_request_of_the_person_is_open():
    """It may be what the person asks about."""
    world = decided_world("2026-03-02", own_decision("disclosures", "P1M", "2026-01-01"))
    member(world, "ane", "2026-01-01")
    told = {"recipient": "gls", "fields": ["name"], "purpose": "delivery"}
    row(world, "disclosures", "disclosed_at", "ane", "2025-01-01", **told)
    await ask(world, EMAIL_OF.format("ane"), Right.ACCESS)
    await delete_due(world.context)
    assert left(world, "disclosures") == ["ane-2025-01-01"]
    await rest(world)
    await go_to(world, "2026-03-10")
    assert left(world, "disclosures") == []


async def test_our_own_data_rests_in_the_quiet_hours_and_while_deletion_is_paused():
    """And goes when they are over."""
    world = decided_world("2029-03-03", THREE_YEARS)
    await closed(world, "ane", "2026-03-02")
    quiet = replace(
        world.context, limits=replace(world.limits, retention_quiet_hours=quiet_hours("07:00-18:00"))
    )
    world.clock.moment = at("2029-03-03")
    await delete_due(quiet)
    assert world.cases.partitions
    await switching.throw(world.context, reason="a look", decided_by="op", key=RETENTION_SWITCH_KEY)
    world.clock.advance(seconds=10)
    await delete_due(world.context)
    assert world.cases.partitions
    await switching.reset(world.context, decided_by="op", key=RETENTION_SWITCH_KEY)
    assert (await delete_due(world.context)).is_done
    assert world.cases.partitions == {}
