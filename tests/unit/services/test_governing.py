"""When scheduled deletion rests: quiet hours, a pause, its budget, its pace. What people ask for does not."""

from datetime import UTC, datetime

import pytest

from shared.domain.budgets import SLICE_SECONDS
from shared.domain.controls import RETENTION_SWITCH_KEY
from shared.domain.limits import Limits
from shared.domain.messages import TASK_QUEUE
from shared.domain.quiet_hours import quiet_hours
from shared.domain.request_states import RequestState
from shared.domain.retention_runs import Run
from shared.domain.rights import Right
from shared.domain.wishes import Requester
from shared.services import switching
from shared.services.filing import Filing, put_on_file
from shared.services.governing import Rest
from shared.services.holding import in_force
from shared.services.retention import daily
from shared.services.sweeping import sweep
from tests.unit.services.driving import ENDED, deliver, fulfil
from tests.unit.services.governing_world import deliver_now, due
from tests.unit.services.systems import (
    cases,
    ids,
    licence,
    lines,
    member,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1", "5.4")


BUSINESS = quiet_hours("07:00-18:00")


def at(world, moment: str) -> None:
    """Move the clock to a moment in UTC."""
    world.clock.moment = datetime.fromisoformat(moment).astimezone(UTC)


async def pause(world) -> None:
    """Stop scheduled deletion alone."""
    await switching.throw(
        world.context, reason="a rule is looked at", decided_by="op", key=RETENTION_SWITCH_KEY
    )


async def resume(world) -> None:
    """Let it go on."""
    await switching.reset(world.context, reason="it is right", decided_by="op", key=RETENTION_SWITCH_KEY)


def run_of(world) -> Run:
    """Return the run as it is saved."""
    _, text = world.retention_runs.rows[max(world.retention_runs.rows)]
    return Run.model_validate_json(text)


@pytest.mark.parametrize(
    ("moment", "filed"),
    [
        ("2026-03-02T05:59:00+00:00", 1),
        ("2026-03-02T06:00:00+00:00", 0),
        ("2026-03-02T06:01:00+00:00", 0),
        ("2026-03-02T16:59:00+00:00", 0),
        ("2026-03-02T17:00:00+00:00", 1),
        ("2026-07-02T05:00:00+00:00", 0),  # summer: seven there
        ("2026-07-02T16:00:00+00:00", 1),
    ],
)
async def test_no_case_begins_in_the_quiet_hours(moment, filed):
    """By the clocks of Copenhagen; the run says why and until when it waits."""
    world = world_on("2026-03-02", limits=Limits(retention_quiet_hours=BUSINESS))
    at(world, moment)
    due(world, "ane")
    await daily(world.context)
    assert len(cases(world)) == filed
    run = run_of(world)
    if filed:
        assert (run.waits_for, run.waits_until) == ("", None)
        return
    assert (run.waits_for, run.rests) == (Rest.QUIET_HOURS, {"quiet_hours": 1})
    assert run.waits_until.astimezone(UTC) == BUSINESS.end_of(world.clock.now())
    await daily(world.context)
    assert run_of(world).rests == {"quiet_hours": 1}  # a look of the timer writes nothing


async def test_what_has_begun_rests_in_the_quiet_hours_and_ends_after_them():
    """Its lanes go on with nothing, and give the person back."""
    world = world_on("2026-03-02", limits=Limits(retention_quiet_hours=BUSINESS))
    at(world, "2026-03-02T05:58:00+00:00")
    due(world, "ane", "bo")
    licence(world, "7", "2030-01-01", "ane")
    await daily(world.context)
    await deliver(world, until=TASK_QUEUE)
    begun = [one for one in cases(world) if one.state is RequestState.IN_PROGRESS]
    assert begun
    before = lines(world)

    at(world, "2026-03-02T06:00:00+00:00")
    for _ in range(4):  # lanes, and what they send
        await deliver_now(world)
    assert lines(world) == before
    assert {one.state for one in cases(world)} <= {RequestState.VERIFIED, *ENDED}
    held = [one for key in world.controls.rows for one in world.controls.stored(key).controls.claims]
    assert held == []

    at(world, "2026-03-02T12:00:00+00:00")
    await sweep(world.context)
    assert not [one for one in world.queue.sent if one[2] == 0]  # the sweep leaves them until then
    await deliver(world)
    assert world.clock.now() >= datetime(2026, 3, 2, 17, tzinfo=UTC)
    assert lines(world) == []
    assert {one.state for one in cases(world)} <= ENDED


async def test_several_people_rest_together():
    """Nothing stands in the way of one of them: the case stays one."""
    world = world_on("2026-03-02", limits=Limits(retention_quiet_hours=BUSINESS))
    at(world, "2026-03-02T05:58:00+00:00")
    due(world, "ane", "bo", "eva")
    await daily(world.context)
    await deliver(world, until=TASK_QUEUE)
    at(world, "2026-03-02T06:00:00+00:00")
    await deliver(world)
    (one,) = cases(world)
    assert (one.subject_count, one.state) == (3, RequestState.COMPLETED)
    assert lines(world) == []
    assert world.clock.now() >= datetime(2026, 3, 2, 17, tzinfo=UTC)


async def test_a_person_who_asks_in_the_quiet_hours_waits_for_no_resting_case():
    """The retention case has given its claims back, and does its part when it may."""
    world = world_on("2026-03-02", limits=Limits(retention_quiet_hours=BUSINESS))
    at(world, "2026-03-02T05:58:00+00:00")
    member(world, "ane", "2020-01-01")
    await daily(world.context)
    await deliver(world, until=TASK_QUEUE)
    at(world, "2026-03-02T06:00:00+00:00")
    for _ in range(3):
        await deliver_now(world)
    resting, world.queue.sent = list(world.queue.sent), []
    asked = await fulfil(world, "ane@people.example", Right.ERASURE)
    assert world.cases.request(asked).state in ENDED
    assert world.clock.now() < datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert ids(world, "members") == []
    world.queue.sent = resting
    await deliver(world)
    assert {one.state for one in cases(world)} <= ENDED


async def test_a_pause_stops_scheduled_deletion_alone():
    """What people ask for goes on; the run says it is paused, and goes on when somebody resumes it."""
    world = world_on("2026-03-02")
    due(world, "ane")
    member(world, "bo", "2025-12-01")
    await pause(world)
    run = await daily(world.context)
    assert cases(world) == []
    assert (run.waits_for, run.waits_until, run.rests) == (Rest.PAUSED, None, {"paused": 1})
    asked = await fulfil(world, "bo@people.example", Right.ERASURE)
    assert world.cases.request(asked).state in ENDED
    assert await in_force(world.context) == ()  # it is no hold on anybody
    await resume(world)
    assert await run_day(world) == 1
    assert lines(world) == []
    (hold,) = world.controls.stored(RETENTION_SWITCH_KEY).controls.holds
    assert (hold.reason, hold.placed_by) == ("a rule is looked at", "op")
    assert (hold.release_reason, hold.released_by) == ("it is right", "op")


async def test_a_pause_stops_cases_that_have_begun_and_the_sweep_takes_them_up():
    """No message goes round meanwhile."""
    world = world_on("2026-03-02")
    due(world, "ane")
    await daily(world.context)
    await deliver(world, until=TASK_QUEUE)
    await pause(world)
    world.clock.advance(seconds=SLICE_SECONDS)
    await deliver(world)
    assert world.queue.sent == []
    assert lines(world) == ["user-ane"]
    for _ in range(3):
        world.clock.advance(seconds=1000)
        await sweep(world.context)
        await deliver(world)
    assert lines(world) == ["user-ane"]
    await resume(world)
    world.clock.advance(seconds=900)
    await sweep(world.context)
    await deliver(world)
    assert lines(world) == []
    assert {one.state for one in cases(world)} <= ENDED


@pytest.mark.parametrize("is_paused", [True, False])
async def test_what_is_erased_again_after_a_restore_rests_for_no_quiet_hours_and_no_pause(is_paused):
    """It is gone already, for whoever asked for it."""
    world = world_on("2026-03-02", limits=Limits(retention_quiet_hours=None if is_paused else BUSINESS))
    member(world, "ane", "2025-12-01")
    if is_paused:
        await pause(world)
    again = Filing(
        request_id="a" * 32,
        rights=(Right.ERASURE,),
        language="en",
        channel="retention",
        email=None,
        received_at=world.clock.now(),
        identifiers={"email": ("ane@people.example",)},
        requester=Requester(kind="controller"),
        is_known=True,
    )
    await put_on_file(world.context, again)
    await deliver(world)
    assert ids(world, "members") == []


async def test_the_kill_switch_and_the_pause_are_two():
    """One resumed does not resume the other."""
    world = world_on("2026-03-02")
    await switching.throw(world.context, reason="everything", decided_by="op")
    await pause(world)
    await switching.reset(world.context, decided_by="op")
    assert (await daily(world.context)).waits_for == Rest.PAUSED
