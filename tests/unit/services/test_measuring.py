"""What the alarms read is measured from what is there."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from shared.domain.ageing import Ageing
from shared.domain.controls import RETENTION_SWITCH_KEY
from shared.domain.errors import Permanent
from shared.domain.limits import Limits
from shared.domain.messages import QUEUES
from shared.domain.quiet_hours import quiet_hours
from shared.domain.request_states import RequestState
from shared.domain.retention_runs import Run, Step
from shared.domain.rights import Right
from shared.ports.cases import CaseRow
from shared.ports.queue import Depth
from shared.ports.retention_runs import StoredRun
from shared.services import switching
from shared.services.attention import stop
from shared.services.measuring import age, measure, require_retention_on_time, retention_status
from shared.services.sweeping import sweep
from tests.factories import World, contacts
from tests.unit.services.driving import ask

TARGET, LEGAL = date(2026, 3, 20), date(2026, 4, 1)


def _row(**changes) -> CaseRow:
    values = {
        "request_id": "0" * 32,
        "state": RequestState.IN_PROGRESS,
        "rights": (Right.ACCESS,),
        "received_at": datetime(2026, 3, 2, tzinfo=UTC),
        "target_on": TARGET,
        "due_on": LEGAL,
        "attention": None,
        "closed_at": None,
    }
    return CaseRow(**{**values, **changes})


def _values(world: World) -> dict[str, list[tuple[float, dict]]]:
    found: dict[str, list[tuple[float, dict]]] = {}
    for name, value, labels in world.operators.measured:
        found.setdefault(name, []).append((value, labels))
    return found


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 3, 12), Ageing.ON_TRACK),
        (date(2026, 3, 13), Ageing.DUE_SOON),
        (date(2026, 3, 20), Ageing.DUE_SOON),
        (date(2026, 3, 21), Ageing.TARGET_PASSED),
        (date(2026, 4, 1), Ageing.TARGET_PASSED),
        (date(2026, 4, 2), Ageing.OVERDUE),
    ],
)
def test_a_listed_case_is_as_near_to_its_days_as_an_opened_one(today, expected):
    """A week before its target, at it, after it, and after the legal day."""
    assert age(_row(), today, due_soon_days=7) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"target_on": None}, Ageing.DUE_SOON),  # filed before the field was kept: the legal day counts
        ({"state": RequestState.RECEIVED}, Ageing.ON_TRACK),
        ({"state": RequestState.RECEIVED, "question_open": True}, Ageing.TARGET_PASSED),
        ({"channel": "retention"}, Ageing.ON_TRACK),
    ],
)
def test_a_case_whose_clock_does_not_run_is_never_late(changes, expected):
    """Nobody waits for an answer to what nobody confirmed, nor to scheduled deletion."""
    assert age(_row(**changes), date(2026, 3, 31), due_soon_days=7) is expected


async def test_queues_are_measured_with_their_poison_queues():
    """Each by its name."""
    world = World()
    world.queue.depths["request-task"] = Depth(messages=7, oldest_seconds=90.0)
    world.queue.depths["request-task-poison"] = Depth(messages=2, oldest_seconds=3.0)
    await measure(world.context)
    found = _values(world)
    assert {labels["queue"] for _, labels in found["queue.messages"]} == set(QUEUES)
    assert (7, {"queue": "request-task"}) in found["queue.messages"]
    assert (90.0, {"queue": "request-task"}) in found["queue.oldest_seconds"]
    assert (2, {"queue": "request-task"}) in found["queue.poison_messages"]
    assert sum(value for value, _ in found["queue.poison_messages"]) == 2


async def test_open_cases_are_counted_by_how_near_their_days_are():
    """A zero is said, too: it is what ends an alarm."""
    world = World()
    await ask(world, "ane@people.example", Right.ACCESS)
    await measure(world.context)
    found = _values(world)
    assert found["cases.open"] == [(1, {})]
    assert found["cases.overdue"] == [(0, {})]
    world.operators.measured.clear()
    world.clock.advance(days=60)
    await measure(world.context)
    assert _values(world)["cases.overdue"] == [(1, {})]
    assert "ane@" not in str(world.operators.measured)


async def test_a_case_that_waits_for_a_person_is_counted_by_its_reason():
    """As the list of cases names it."""
    world = World()
    request_id = await ask(world, "ane@people.example", Right.ACCESS)
    await stop(world.context, await world.cases.load(request_id), "task_failed")
    await measure(world.context)
    assert _values(world)["cases.waiting"] == [(1, {"code": "task_failed"})]


@pytest.mark.parametrize(
    ("day", "is_done", "unfinished"),
    [
        (None, False, 1),
        (date(2026, 3, 2), False, 0),  # today's is on its way
        (date(2026, 3, 2), True, 0),
        (date(2026, 3, 1), True, 0),  # today's has not begun
        (date(2026, 3, 1), False, 1),  # yesterday's did not end
        (date(2026, 2, 28), True, 1),  # and none came since
    ],
)
async def test_a_retention_run_that_is_late_or_missing_is_seen(day, is_done, unfinished):
    """Counted in Copenhagen days; the clock stands on the second of March."""
    world = World()
    if day is not None:
        step = Step.DONE if is_done else Step.FINDING
        run = Run(day=day, step=step, started_at=world.clock.now())
        await world.retention_runs.write(StoredRun(run=run, etag=None))
    await measure(world.context)
    assert _values(world)["retention.run.unfinished"] == [(unfinished, {})]


async def test_health_is_red_without_contacts():
    """As the door for probes says."""
    world = World()
    await measure(world.context)
    assert _values(world)["app.healthy"] == [(1, {})]
    world.operators.measured.clear()
    await measure(replace(world.context, contacts=contacts(verified_on=None)))
    assert _values(world)["app.healthy"] == [(0, {})]


async def test_the_sweep_says_how_much_it_took_up():
    """Nothing is a figure, too."""
    world = World()
    await sweep(world.context)
    assert _values(world)["sweep.taken_up"] == [(0, {})]


NIGHT = quiet_hours("20:00-06:00")  # of Copenhagen: in winter, 19 to 5 in UTC
DAY = quiet_hours("07:00-18:00")


@pytest.mark.parametrize(
    ("hours", "began", "now", "is_late"),
    [
        (None, "03-02T08:00", "03-02T22:59", False),
        (None, "03-02T08:00", "03-02T23:00", True),  # the day is over in Copenhagen
        (NIGHT, "03-02T08:00", "03-02T23:00", False),  # it has rested since eight
        (NIGHT, "03-02T08:00", "03-03T05:00", False),
        (NIGHT, "03-02T08:00", "03-03T08:59", False),  # ten hours of rest are given back
        (NIGHT, "03-02T08:00", "03-03T09:00", True),
        (DAY, "03-01T23:05", "03-03T09:59", False),  # eleven hours of quiet a day
        (DAY, "03-01T23:05", "03-03T20:59", False),
        (DAY, "03-01T23:05", "03-03T21:00", True),
    ],
)
async def test_a_run_that_has_not_ended_is_not_late_by_quiet_hours_alone(hours, began, now, is_late):
    """It has as much time as without them."""
    world = World(limits=Limits(retention_quiet_hours=hours))
    began_at = datetime.fromisoformat(f"2026-{began}:00+00:00")
    world.clock.moment = began_at
    run = Run(day=date(2026, 3, 2), started_at=began_at)
    await world.retention_runs.write(StoredRun(run=run, etag=None))
    world.clock.moment = datetime.fromisoformat(f"2026-{now}:00+00:00")
    await _is_late(world, expected=is_late)


@pytest.mark.parametrize(
    ("hours", "now", "is_late"),
    [
        (None, "03-03T22:59", False),
        (None, "03-03T23:00", True),
        (NIGHT, "03-03T23:00", False),  # none may begin now
        (NIGHT, "03-04T05:14", False),
        (NIGHT, "03-04T05:15", True),  # a quarter of an hour after they ended none has
        (DAY, "03-03T23:00", True),  # it could have begun at midnight, and in the evening
    ],
)
async def test_a_run_that_did_not_come_is_not_late_while_none_may_begin(hours, now, is_late):
    """The last one was two days ago."""
    world = World(limits=Limits(retention_quiet_hours=hours))
    run = Run(day=date(2026, 3, 2), started_at=world.clock.now(), step=Step.DONE)
    await world.retention_runs.write(StoredRun(run=run, etag=None))
    world.clock.moment = datetime.fromisoformat(f"2026-{now}:00+00:00")
    await _is_late(world, expected=is_late)


@pytest.mark.parametrize(("now", "is_late"), [("03-03T22:59", False), ("03-03T23:00", True)])
async def test_what_is_paused_is_late_once_the_pause_has_to_be_looked_at(now, is_late):
    """The day after it was decided; then health names the day of the pause."""
    world = World()
    run = Run(day=date(2026, 3, 1), started_at=world.clock.now(), step=Step.DONE)
    await world.retention_runs.write(StoredRun(run=run, etag=None))
    await switching.throw(world.context, reason="a rule", decided_by="op", key=RETENTION_SWITCH_KEY)
    world.clock.moment = datetime.fromisoformat(f"2026-{now}:00+00:00")
    detail = await _is_late(world, expected=is_late)
    assert detail == ("2026-03-01, paused on 2026-03-02" if is_late else "")
    assert (await retention_status(world.context)).state == "paused"


async def test_what_is_late_says_what_is_overdue_and_waits():
    """For whoever looks at health first."""
    world = World()
    run = Run(
        day=date(2026, 2, 27), started_at=world.clock.now(), oldest_overdue_on=date(2026, 2, 1), waiting=40
    )
    await world.retention_runs.write(StoredRun(run=run, etag=None))
    detail = await _is_late(world, expected=True)
    assert detail == "2026-02-27, overdue since 2026-02-01, 40 wait"


@pytest.mark.parametrize(("hours", "state"), [(None, "running"), (NIGHT, "running"), (DAY, "quiet_hours")])
async def test_health_says_whether_scheduled_deletion_rests(hours, state):
    """At ten in the morning."""
    world = World(limits=Limits(retention_quiet_hours=hours))
    assert (await retention_status(world.context)).state == state


async def _is_late(world: World, *, expected: bool) -> str:
    """See that health and the figure say the same, and return the detail."""
    world.operators.measured.clear()
    await measure(world.context)
    assert _values(world)["retention.run.unfinished"] == [(int(expected), {})]
    if not expected:
        await require_retention_on_time(world.context)
        return ""
    with pytest.raises(Permanent) as caught:
        await require_retention_on_time(world.context)
    assert caught.value.code == "retention_late"
    return caught.value.detail
