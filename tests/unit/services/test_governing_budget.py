"""The budget and the pace of scheduled deletion: it takes longer and comes to the same."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.budgets import SLICE_SECONDS, Purses, Tally
from shared.domain.controls import SWITCH_KEY, OpenRequest
from shared.domain.limits import Limits
from shared.domain.messages import TASK_QUEUE
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import switching
from shared.services.governing import Rest
from shared.services.retention import daily, go_on
from shared.services.sweeping import sweep
from tests.factories import KEYS
from tests.unit.services.driving import ENDED, deliver, fulfil, step
from tests.unit.services.governing_world import deliver_now, due
from tests.unit.services.systems import (
    cases,
    event,
    ids,
    installation,
    lines,
    member,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1", "5.4")


UNITS, FEW_UNITS = 100, 10  # a second


EACH = 4.0  # what each call costs in the made-up database


def charging(world, spent: dict[str, dict[int, float]], *, dies_at: int = 0) -> None:
    """Charge each call of a port to the governor, as the database does, and count it by slice."""
    left = dies_at

    async def turn(place: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KilledError
        if world.governor.is_governed and not place.startswith(("governor.", "queue.")):
            container = place.partition(".")[0]
            world.governor.purses.spend(container, EACH)
            number = int(world.clock.now().timestamp() // SLICE_SECONDS)
            of_it = spent.setdefault(container, {})
            of_it[number] = of_it.get(number, 0.0) + EACH

    for fake in vars(world).values():
        if hasattr(fake, "turn"):
            fake.turn = turn


async def _whole_run(world) -> None:
    """Run until all is done, as queue, timer and sweep would."""
    for _ in range(400):
        run = await go_on(world.context)
        world.queue.sent = [one for one in world.queue.sent if one[0] != "retention-run"]
        await deliver(world)
        if run.is_done:
            return
        world.clock.advance(seconds=SLICE_SECONDS)
    raise AssertionError("it never ends")


async def test_a_run_on_a_budget_takes_longer_and_comes_to_the_same():
    """What it spends of a container keeps to the budget, over all the time it takes."""
    worlds = {
        "free": world_on("2026-03-02", limits=Limits(case_people=4)),
        "bound": world_on("2026-03-02", limits=Limits(case_people=4, retention_units_per_second=FEW_UNITS)),
    }
    seconds, overall = {}, {}
    for name, world in worlds.items():
        due(world, *(f"p{number}" for number in range(12)))
        spent: dict[str, dict[int, float]] = {}
        charging(world, spent)
        began = world.clock.now()
        await _whole_run(world)
        assert lines(world) == ids(world, "usage_events") == []
        assert {one.state for one in cases(world)} <= ENDED
        seconds[name] = (world.clock.now() - began).total_seconds()
        overall[name] = {container: sum(slices.values()) for container, slices in spent.items()}
    assert worlds["free"].governor.rows == {}  # nothing to share where nothing is bounded
    assert seconds["bound"] > seconds["free"]
    for container, units in overall["bound"].items():
        assert units <= FEW_UNITS * (seconds["bound"] + SLICE_SECONDS), container
        assert units < 1.5 * overall["free"][container]  # to rest is not to be busy


class KilledError(BaseException):
    """The worker is gone, between two awaits."""


@pytest.mark.parametrize("first", [1, 8, 15])
async def test_a_run_on_a_budget_that_dies_anywhere_ends_as_if_it_had_not(first):
    """A new worker holds no chunk, and what the dead one drew is gone with it."""
    number, is_over = first, False
    while not is_over:
        world = world_on("2026-03-02", limits=Limits(case_people=2, retention_units_per_second=FEW_UNITS))
        due(world, "ane", "bo", "eva")
        charging(world, {}, dies_at=number)
        is_over = not await _run_with_a_death(world)
        assert lines(world) == ids(world, "usage_events") == ids(world, "installations") == []
        assert {one.state for one in cases(world)} <= ENDED
        number += 23


async def _run_with_a_death(world) -> bool:
    """Run to the end; of whoever dies the message comes again. Return whether somebody did."""
    died = False
    for _ in range(600):
        run, message = None, None
        try:
            run = await go_on(world.context)
            world.queue.sent = [one for one in world.queue.sent if one[0] != "retention-run"]
            while world.queue.sent:
                message = world.queue.sent[0]
                world.clock.advance(seconds=message[2])
                await step(world)
        except KilledError:
            died = True
            world.governor.purses = Purses()
            if message is not None:
                world.queue.sent.insert(0, message)
            world.clock.advance(seconds=world.limits.lease_seconds)
        if run is not None and run.is_done and not world.queue.sent:
            return died
        world.clock.advance(seconds=SLICE_SECONDS)
        await sweep(world.context)
    raise AssertionError("it never ends")


async def _exhausted(world) -> None:
    """Let every container be owed for a long time."""
    number = int(world.clock.now().timestamp() // SLICE_SECONDS)
    for name in ("documents", "cases"):
        tally = Tally(container=name, slice=number, request_units=1_000_000.0)
        world.governor.rows[name] = ("1", tally.model_dump_json())
        world.governor.purses.spend(name, 1.0)


async def test_a_persons_own_request_asks_for_no_budget():
    """Used up or not: it is neither slowed nor counted."""
    world = world_on("2026-03-02", limits=Limits(retention_units_per_second=UNITS))
    member(world, "ane", "2025-12-01")
    await _exhausted(world)
    rows, began = dict(world.governor.rows), world.clock.now()
    asked = await fulfil(world, "ane@people.example", Right.ERASURE)
    assert world.cases.request(asked).state in ENDED
    assert world.clock.now() - began < timedelta(seconds=30)
    assert world.governor.rows == rows


async def test_without_budget_a_run_and_its_cases_come_again_later():
    """Each message sends itself with a delay, and nothing is filed."""
    world = world_on("2026-03-02", limits=Limits(retention_units_per_second=UNITS))
    due(world, "ane")
    await _exhausted(world)
    run = await go_on(world.context)
    assert cases(world) == []
    assert (run.waits_for, run.rests) == (Rest.BUDGET, {"budget": 1})
    ((queue, _, delay),) = world.queue.sent
    assert queue == "retention-run"
    assert 1 < delay <= 61


async def test_a_case_on_whom_a_person_waits_goes_on_without_budget():
    """It has the claims that the person's request needs."""
    world = world_on("2026-03-02", limits=Limits(retention_units_per_second=UNITS))
    member(world, "ane", "2020-01-01")
    await daily(world.context)
    await deliver(world, until=TASK_QUEUE)
    await _exhausted(world)
    world.queue.sent, message = [], world.queue.sent[0]
    world.queue.sent.append(message)
    await step(world)
    ((_, _, delay),) = world.queue.sent
    assert delay > 1
    assert len(ids(world, "members")) == 1
    key = KEYS.subject_key("email", "ane@people.example")
    stored = world.controls.stored(key)
    waiting = OpenRequest(request_id="f" * 32, rights=(Right.ACCESS,))
    world.controls.put(stored.controls.model_copy(update={"open_requests": (waiting,)}))
    await step(world)
    assert ids(world, "members") == []


@pytest.mark.parametrize(
    ("pace", "cap", "begun"), [(2, 2, 2), (3, 3, 3), (2, 3, 2), (1, 3, 2), (1, 4, 2), (1, 5, 3)]
)
async def test_what_rested_begins_at_the_pace_of_the_hour(pace, cap, begun):
    """Below the cap that would stop everybody's erasures; the rest begins in the next hour."""
    world = world_on("2026-03-02", limits=Limits(case_people=1))
    due(world, "ane", "bo", "eva")
    await daily(world.context)
    hurried = replace(world.limits, deletions_per_hour=pace, erasures_per_hour=cap)
    world.context = replace(world.context, limits=hurried)
    world.clock.advance(hours=1)
    began = world.clock.now()
    for _ in range(20):
        await deliver_now(world)
    assert sum(one.state in ENDED for one in cases(world)) == begun
    assert world.clock.now() == began
    await deliver(world)
    assert {one.state for one in cases(world)} <= ENDED
    assert (world.clock.now() - began).total_seconds() in ((3601,) if begun < 3 else (0,))
    assert not switching.is_thrown(world.controls.stored(SWITCH_KEY).controls)


@pytest.mark.parametrize(("filed", "begun"), [(0, 2), (1, 1), (2, 1), (9, 1)])
async def test_what_is_filed_in_the_hour_leaves_less_for_what_rested(filed, begun):
    """At most the pace of it counts; the first of an hour begins in any case."""
    world = world_on("2026-03-02", limits=Limits(case_people=1))
    due(world, "ane", "bo", "eva")
    await daily(world.context)
    world.context = replace(
        world.context, limits=replace(world.limits, deletions_per_hour=1, erasures_per_hour=4)
    )
    world.clock.advance(hours=1)
    for _ in range(filed):
        await world.rate_limits.hit("deletions", window_seconds=3600)
    for _ in range(20):
        await deliver_now(world)
    assert sum(one.state in ENDED for one in cases(world)) == begun


async def test_what_is_filed_begins_at_once():
    """Its hour is counted already, when it is filed."""
    world = world_on("2026-03-02", limits=Limits(deletions_per_hour=3, erasures_per_hour=3, case_people=1))
    due(world, "ane", "bo", "eva")
    await daily(world.context)
    await deliver(world)
    assert {one.state for one in cases(world)} <= ENDED
    assert not any(bucket == "deletions_begun" for bucket, _ in world.rate_limits.hits)


@pytest.mark.parametrize("per_hour", [3, 2])
async def test_a_case_of_more_people_than_the_pace_begins_as_the_first_of_an_hour(per_hour):
    """Otherwise it never would."""
    world = world_on("2026-03-02")
    due(world, "ane", "bo", "eva")
    await daily(world.context)
    (one,) = cases(world)
    assert one.subject_count == 3
    hurried = replace(world.limits, deletions_per_hour=per_hour, erasures_per_hour=3)
    world.context = replace(world.context, limits=hurried)
    world.clock.advance(hours=1)
    await deliver_now(world)
    assert cases(world)[0].state is RequestState.IN_PROGRESS


async def test_a_page_of_single_events_is_no_larger_than_the_budget_allows(monkeypatch):
    """What is read goes next: a hold that comes meanwhile would be asked for after all of it."""
    world = world_on("2026-03-02", limits=Limits(retention_units_per_second=FEW_UNITS))
    installation(world, "ane", "2024-05-10")
    for day in range(1, 31):
        event(world, "ane", f"2024-04-{day:02d}")
    asked = []
    page = world.documents.page

    async def noted(store, *known, limit, keys_only=False, **more):
        if keys_only and store.id == "usage_events":
            asked.append(limit)
        return await page(store, *known, limit=limit, keys_only=keys_only, **more)

    monkeypatch.setattr(world.documents, "page", noted)
    await run_day(world)
    assert ids(world, "usage_events") == []
    assert set(asked) == {10}
