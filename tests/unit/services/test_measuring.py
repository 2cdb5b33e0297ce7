"""What the alarms read is measured from what is there."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from shared.domain.ageing import Ageing
from shared.domain.messages import QUEUES
from shared.domain.request_states import RequestState
from shared.domain.retention_runs import Run, Step
from shared.domain.rights import Right
from shared.ports.cases import CaseRow
from shared.ports.queue import Depth
from shared.ports.retention_runs import StoredRun
from shared.services.attention import stop
from shared.services.measuring import age, measure
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
