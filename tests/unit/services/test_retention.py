"""Scheduled deletion through the services: cases 18 to 23, what delays it, and what must not stop it."""

import asyncio
import json
from datetime import datetime

import pytest

from shared.domain.controls import Restriction
from shared.domain.identifiers import EMAIL
from shared.domain.request_states import RequestState
from shared.domain.retention import DueState
from shared.domain.rights import Right
from shared.services import retention
from shared.services.due import due_of_person
from shared.services.holding import PlaceHold, place, release
from shared.services.lifting import announce_lifting
from shared.services.resolving import resolve
from shared.services.sweeping import sweep
from tests.factories import KEYS
from tests.unit.services.driving import deliver, fulfil, hold, opened, rest, restrict, step
from tests.unit.services.systems import (
    archived,
    cases,
    contacts,
    event,
    ids,
    installation,
    licence,
    lines,
    link,
    member,
    next_day,
    on,
    put,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")


def add_user(world, name, used, where="A"):
    """Store everything 2.1 holds of a person on one installation."""
    installation(world, name, used, where=where)
    event(world, name, used, where=where)
    archived(world, name, used, where=where)


@pytest.mark.case(18)
async def test_case_18_use_on_a_leap_day_is_kept_through_february_and_gone_in_march():
    """Last used on 29 February 2028."""
    world = world_on("2029-02-28")
    add_user(world, "ane", "2028-02-29")

    assert await run_day(world) == 0
    assert lines(world) == ["user-ane"]

    assert await next_day(world, "2029-03-01") == 1
    assert ids(world, "usage_events") == ids(world, "installations") == lines(world) == []


@pytest.mark.case(19)
@pytest.mark.parametrize(
    ("scope", "left_in_february"), [("person", ["A", "B"]), ("person_installation", ["B"])]
)
async def test_case_19_a_use_of_one_installation_keeps_the_others_as_the_scope_says(scope, left_in_february):
    """A used on 1 February 2025, B on 1 December 2025."""
    world = _with_scope(world_on("2026-02-02"), scope)
    add_user(world, "ane", "2025-02-01", where="A")
    add_user(world, "ane", "2025-12-01", where="B")
    add_user(world, "bo", "2026-01-01", where="A")

    await run_day(world)
    assert [one for one in ("A", "B") if "user-ane" in lines(world, one)] == left_in_february
    assert "user-bo" in lines(world, "A")
    assert {name.split("-")[2] for name in ids(world, "usage_events") if "ane" in name} == {*left_in_february}

    await next_day(world, "2026-12-01")
    assert "user-ane" in lines(world, "B")
    await next_day(world, "2026-12-02")
    assert "user-ane" not in lines(world, "A") + lines(world, "B")
    assert lines(world, "A") == ["user-bo"]


def _with_scope(world, scope):
    """Return a World in which the controller decided for another scope."""
    rules = tuple(
        rule.model_copy(update={"scope": type(rule.scope)(scope)}) if rule.id == "R1" else rule
        for rule in world.datamap.policy.retention_rules
    )
    policy = world.datamap.policy.model_copy(update={"retention_rules": rules})
    return type(world)(datamap=world.datamap.model_copy(update={"policy": policy}), clock=world.clock)


@pytest.mark.case(20)
async def test_case_20_a_suspended_member_who_comes_back_in_time_is_kept():
    """Suspended, and last logged in, on 10 May 2024; one of two comes back on the last day."""
    world = world_on("2027-05-10")
    member(world, "ane", "2024-05-10", suspended_at=on("2024-05-10"), state="suspended")
    member(world, "bo", "2024-05-10", suspended_at=on("2024-05-10"), state="suspended")
    assert await run_day(world) == 0

    member(world, "ane", "2024-05-10", suspended_at=on("2024-05-10"), reactivated_at=on("2027-05-10"))
    assert await next_day(world, "2027-05-11") == 1
    assert ids(world, "members") == ["member-ane-1"]


async def test_a_login_alone_does_not_keep_a_suspended_membership():
    """The earlier of the two clocks wins."""
    world = world_on("2027-05-11")
    member(world, "ane", "2027-01-01", suspended_at=on("2024-05-10"), state="suspended")
    await run_day(world)
    assert ids(world, "members") == []


@pytest.mark.case(21)
async def test_case_21_a_revoked_membership_goes_with_its_link_and_leaves_the_licence_contact():
    """And what the person joined again with is a new record."""
    world = world_on("2026-03-02")
    member(world, "ane", "2026-03-01", state="revoked", revoked_at=on("2026-03-01"))
    member(world, "ane", "2026-03-02", number=2)
    link(world, "ane")
    link(world, "ane", number=2)
    add_user(world, "ane", "2026-03-01")
    licence(world, "7", "2026-12-31", "ane")

    assert await run_day(world) == 1

    assert ids(world, "members") == ["member-ane-2"]
    assert ids(world, "usage_links") == ["link-ane-2"]
    assert contacts(world, "7") == ["ane"]
    assert lines(world) == ["user-ane"]
    proof = next(iter(world.evidence.records.values()))
    assert proof["scope"]["rule_ids"] == ["R4a", "R4b", "R4c"]
    assert proof["erased_by_store"] == {"members": 1, "usage_links": 1}
    assert "ane" not in json.dumps(proof)


@pytest.mark.case(22)
@pytest.mark.clause("5.3")
async def test_case_22_a_hold_keeps_a_licence_contact_and_its_release_lets_it_go():
    """Shown in the person's access answer meanwhile, and erased by the run after the release."""
    world = world_on("2026-03-02")
    licence(world, "7", "2021-03-01", "ane", "bo")
    placed = await place(
        world.context,
        PlaceHold(
            identifiers={EMAIL: ("ane@people.example",)},
            activity_id="licences",
            ground="policy_5_3",
            reason="the last fee is disputed",
            review_on=world.clock.now().date().replace(year=2027),
            placed_by="staff-1",
        ),
    )

    assert await run_day(world) == 1
    assert contacts(world, "7") == ["ane"]
    found = await _due(world, "ane@people.example")
    assert found["licences"].due.state is DueState.HELD
    assert found["licences"].due.hold.hold_id == placed.hold_id
    copy = opened(world, await fulfil(world, "ane@people.example", Right.ACCESS))
    (shown,) = json.loads(copy["about.json"])["holds"]
    assert (shown["activity_id"], shown["review_on"]) == ("licences", "2027-03-02")

    await release(world.context, placed.hold_id, released_by="staff-1")
    assert await next_day(world, "2026-03-03") == 1
    assert contacts(world, "7") == []


@pytest.mark.parametrize(("today", "left"), [("2026-03-01", ["ane"]), ("2026-03-02", [])])
async def test_a_licence_contact_goes_the_day_after_five_years(today, left):
    """Maintenance ended on 1 March 2021; the licence that was renewed keeps its contact."""
    world = world_on(today)
    licence(world, "7", "2021-03-01", "ane")
    licence(world, "8", "2026-12-31", "ane")
    await run_day(world)
    assert contacts(world, "7") == left
    assert contacts(world, "8") == ["ane"]


@pytest.mark.case(23)
@pytest.mark.clause("4.5")
async def test_case_23_what_fell_due_under_a_restriction_goes_when_it_is_lifted():
    """The person is told first; neither used nor deleted until then."""
    world = world_on("2026-03-01")
    member(world, "ane", "2026-02-01")
    link(world, "ane")
    add_user(world, "ane", "2025-03-05")
    request_id = await fulfil(world, "ane@people.example", Right.RESTRICTION)
    assert await next_day(world, "2026-03-06") == 0
    assert lines(world) == ["user-ane"]

    ends_on = await announce_lifting(world.context, request_id, reason="settled", decided_by="staff-1")
    await deliver(world)
    assert lines(world) == ["user-ane"]
    world.clock.moment = world.clock.moment.replace(month=ends_on.month, day=ends_on.day)
    await sweep(world.context)
    await deliver(world)

    assert ids(world, "usage_events") == lines(world) == ids(world, "usage_links") == []
    assert ids(world, "members") == ["member-ane-1"]


@pytest.mark.parametrize("delay", [hold, restrict])
@pytest.mark.parametrize("place_after", [0, 1])
async def test_what_is_placed_between_filing_and_destruction_keeps_everything(delay, place_after):
    """Before the plan, and after it; when it ends, a later run deletes."""
    world = world_on("2026-03-02")
    member(world, "ane", "2023-03-01")
    await retention.daily(world.context)
    for _ in range(place_after):
        await step(world)
    delay(world, "ane@people.example")
    await rest(world)

    assert ids(world, "members") == ["member-ane-1"]
    (case,) = cases(world)
    assert case.state is RequestState.COMPLETED_WITH_RETENTION
    assert await next_day(world, "2026-03-03") == 0

    _forget_controls(world)
    assert await next_day(world, "2026-03-04") == 1
    assert ids(world, "members") == []


def _forget_controls(world):
    for key in list(world.controls.rows):
        stored = world.controls.stored(key).controls
        world.controls.put(stored.model_copy(update={"holds": (), "restrictions": ()}))


async def test_a_restriction_placed_anywhere_keeps_what_was_there_then():
    """At every place where a worker gives way, but for the moment of the deletion itself."""
    for number in range(400):
        world = world_on("2026-03-02")
        member(world, "ane", "2023-03-01")
        link(world, "ane")
        there = _restrict_at(world, number)
        await run_day(world)
        await rest(world)
        if not there:
            break
        left = {store_id: ids(world, store_id) for store_id in there[0]}
        assert left == there[0], f"placed at {number}"
    assert number > 20


def _restrict_at(world, number):
    """Restrict at the n-th place, and return what was stored then once that place is reached."""
    there = []
    left = number

    async def turn(place):
        nonlocal left
        left -= place != "documents.change"
        if left < 0 and not there and place != "documents.change":
            there.append({one: ids(world, one) for one in ("members", "usage_links")})
            restrict(world, "ane@people.example")

    for fake in (world.cases, world.controls, world.queue, world.documents, world.walks):
        fake.turn = turn
    return there


async def test_two_workers_at_once_file_each_erasure_once():
    """Two clocks of two deployments, or a late one. The three are in one case."""
    world = world_on("2026-03-02")
    for name in ("ane", "bo", "kim"):
        member(world, name, "2023-03-01")

    async def turn(place):
        await asyncio.sleep(0)

    for fake in (world.cases, world.controls, world.queue, world.documents, world.walks):
        fake.turn = turn
    await asyncio.gather(*(retention.daily(world.context) for _ in range(3)))
    await rest(world)
    (case,) = cases(world)
    assert case.outcomes[Right.ERASURE].by_store["members"] == case.subject_count == 3
    assert len(world.evidence.records) == 1
    assert ids(world, "members") == []


async def test_a_restriction_of_another_activity_delays_nothing():
    """It is limited to what it names."""
    world = world_on("2026-03-02")
    member(world, "ane", "2023-03-01")
    key = KEYS.subject_key(EMAIL, "ane@people.example")
    placed = Restriction(
        restriction_id="r-1", ground="claims", activity_ids=("orders",), placed_at=world.clock.now()
    )
    stored = world.controls.stored(key).controls
    world.controls.put(stored.model_copy(update={"restrictions": (placed,)}))
    assert await run_day(world) == 1
    assert ids(world, "members") == []


@pytest.mark.parametrize("used_after", [0, 1])
async def test_a_login_between_filing_and_destruction_keeps_the_membership(used_after):
    """Asked again when it is planned and at the moment of destruction."""
    world = world_on("2026-03-02")
    member(world, "ane", "2023-03-01")
    await retention.daily(world.context)
    for _ in range(used_after):
        await step(world)
    member(world, "ane", "2026-03-02")
    await rest(world)
    assert ids(world, "members") == ["member-ane-1"]
    assert [one.state for one in cases(world)] == [RequestState.COMPLETED]


async def test_a_late_event_of_within_the_year_counts_and_what_runs_by_itself_does_not():
    """An event that the summary of the installation does not know."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-02-01")
    event(world, "ane", "2025-12-24", kind="stop")
    installation(world, "bo", "2025-02-01")
    event(world, "bo", "2026-02-01", kind="heartbeat")
    await run_day(world)
    assert ids(world, "installations") == ["A-ane"]
    assert {name for name in ids(world, "usage_events") if "-bo-" in name} == set()


async def test_a_wrong_clock_of_a_device_keeps_nothing_for_ever():
    """A last use in the year 2999 counts from the day its record came in."""
    world = world_on("2026-03-02")
    came_in = int(world.clock.now().replace(year=2025, month=3, day=1).timestamp())
    installation(world, "ane", "2999-01-01", _ts=came_in)
    installation(world, "bo", "2999-01-01", _ts=came_in + 3 * 86_400)
    await run_day(world)
    assert ids(world, "installations") == ["A-bo"]


@pytest.mark.parametrize(
    "unread", ["1999-12-31", "1970-01-01T00:00:00Z", "2024-05-10T11:00:00", "long ago", 7]
)
@pytest.mark.parametrize(("came_in", "left"), [("2025-03-02", ["A-ane"]), ("2025-03-01", [])])
async def test_what_nobody_can_read_counts_from_the_day_it_was_written(unread, came_in, left):
    """Not from an earlier day of the same record: something happened after it, and nobody knows when."""
    world = world_on("2026-03-02")
    written_at = int(datetime.fromisoformat(f"{came_in}T08:00:00+00:00").timestamp())
    installation(world, "ane", came_in, last_used_at=unread, _ts=written_at)
    licence(world, "7", "1970-01-01", "ane")
    await run_day(world)
    assert ids(world, "installations") == left
    assert contacts(world, "7") == ["ane"]


@pytest.mark.parametrize("never", ["9999-12-31", "9999-12-31T23:59:59Z", "9998-06-01T00:00:00+01:00"])
async def test_a_day_that_stands_for_never_stops_nobody_elses_deletion(never):
    """Counting years from it would leave the calendar."""
    world = world_on("2026-03-02")
    licence(world, "6", never, "ane")
    member(world, "ane", "2020-01-01", last_login_at=never, suspended_at=never, reactivated_at=never)
    licence(world, "7", "2021-03-01", "bo")
    await run_day(world)
    assert (contacts(world, "6"), contacts(world, "7")) == (["ane"], [])


async def test_an_imported_record_without_a_last_use_counts_from_its_creation():
    """Never from never."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-01-01", last_used_at=None, first_seen_at=on("2025-03-01"))
    installation(world, "bo", "2025-01-01", last_used_at=None, first_seen_at=on("2025-03-02"))
    await run_day(world)
    assert ids(world, "installations") == ["A-bo"]


async def test_what_nothing_dates_is_told_to_an_operator_and_not_deleted():
    """A licence without an end of its maintenance."""
    world = world_on("2026-03-02")
    licence(world, "7", None, "ane")
    assert await run_day(world) == 0
    assert contacts(world, "7") == ["ane"]
    assert ("retention_left_records", None, "undated 1, unclear 0, failed 0") in world.operators.alarms


async def test_what_has_no_stated_period_is_never_due():
    """Orders and authors: reported as such."""
    world = world_on("2099-01-01")
    put(world, "authors", {"id": "author-1", "email": "ane@people.example", "name": "Ane"})
    found = await _due(world, "ane@people.example")
    assert found["authors"].due.state is found["orders"].due.state is DueState.NOT_STATED
    assert await run_day(world) == 0
    assert ids(world, "authors") == ["author-1"]


async def test_a_withdrawn_sign_up_that_was_left_goes_with_the_next_run():
    """R2: at once, at the latest within a day; a sign-up in force stays, and so does the list entry."""
    world = world_on("2026-03-02", connected=("campaign_monitor",))
    for number, state in enumerate(("withdrawn", "subscribed")):
        put(
            world,
            "newsletter_signups",
            {"id": f"s-{number}", "email": "ane@people.example", "state": state},
        )
    await run_day(world)
    assert ids(world, "newsletter_signups") == ["s-1"]
    assert world.processors.told == []


async def _due(world, email):
    """Return what is due of a person by activity."""
    resolved = await resolve(world.context, {EMAIL: (email,)})
    keys = resolved.identifiers["subject_key"]
    controls = [one.controls for one in await world.controls.read(keys)]
    found = await due_of_person(world.context, resolved.identifiers, controls)
    return {one.activity_id: one for one in found}
