"""Runs that die at any step, that run twice at once, or that somebody uses the product under: same end."""

import asyncio
from datetime import date

import pytest

from devtools.demo.retention.checker import compare
from shared.services.retention import daily
from tests.factories import World
from tests.fakes.turns import no_turn
from tests.unit.services.driving import rest, step
from tests.unit.services.retention_histories import History, estate_of, world_of
from tests.unit.services.retention_stories import Delays
from tests.unit.services.systems import next_day

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")
DUE = date(2026, 3, 1)
OLD = "2020-02-29T11:00:00Z"
RICH = History(
    installations=[{"installation_id": one, "last_used_at": OLD, "first_seen_at": OLD} for one in ("A", "B")],
    events=[{"installation_id": "A", "at": OLD, "kind": kind} for kind in ("start", "heartbeat")],
    memberships=[{"joined_at": OLD, "last_login_at": OLD, "state": "active"}],
    sign_ups=["withdrawn", "subscribed"],
    licences=["2020-02-29", "2026-02-28"],
    is_linked=True,
    is_archived=True,
)
_STRIDE = 5  # every fifth place a worker gives way at: a run has hundreds


class KilledError(BaseException):
    """The worker is gone, between two awaits."""


def fakes(world: World) -> list:
    """Return every fake that gives way."""
    return [one for one in vars(world).values() if hasattr(one, "turn")]


def kill_at(world: World, number: int) -> list[str]:
    """Let the n-th place from now on be the last of its worker; the list then says which it was."""
    places: list[str] = []
    left = number

    async def turn(place: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            places.append(place)
            raise KilledError

    for fake in fakes(world):
        fake.turn = turn
    return places


async def run_with_deaths(world: World) -> None:
    """Run the timer and deliver; what died with its message is delivered again, as the queue does."""
    for _ in range(50):
        try:
            walk = await daily(world.context)
        except KilledError:
            continue
        while world.queue.sent:
            message = world.queue.sent[0]
            try:
                await step(world)
            except KilledError:
                world.queue.sent.insert(0, message)
        if walk.is_done:
            break
    for fake in fakes(world):
        fake.turn = no_turn
    await rest(world)


async def test_a_run_that_dies_anywhere_ends_as_if_it_had_not():
    """At every fifth place there is: the message comes again, and the next day's run sees to the rest."""
    number = 1
    died: list[str] = []
    while True:
        world = world_of(RICH)
        before = estate_of(world)
        places = kill_at(world, number)
        await run_with_deaths(world)
        early = compare(before, estate_of(world), today=DUE)
        assert not early.too_early + early.altered, (number, places)
        await next_day(world, "2026-03-02")
        found = compare(before, estate_of(world), today=DUE)
        assert found.is_right, (number, places, found)
        went = {rule: len(gone) for rule, gone in found.erased.items() if gone}
        assert went == {"R1": 1, "R2": 1, "R3": 2, "R4a": 1}
        if not places:
            break
        died += places
        number += _STRIDE
    assert len(died) > 20
    assert len({one.partition(".")[0] for one in died}) > 3


async def test_two_timers_at_once_and_a_third_end_as_one():
    """Each gives way to the others at every step."""
    world = world_of(RICH)
    before = estate_of(world)

    async def turn(_: str) -> None:
        await asyncio.sleep(0)

    for fake in fakes(world):
        fake.turn = turn
    await asyncio.gather(*(daily(world.context) for _ in range(3)))
    await rest(world)
    found = compare(before, estate_of(world), today=DUE)
    assert found.is_right, found


@pytest.mark.parametrize("back_to", ["2026-02-28", "2025-01-01", "2019-01-01"])
async def test_a_clock_that_is_set_back_deletes_nothing_and_later_days_go_on(back_to):
    """After a run, and before one."""
    world = world_of(RICH)
    before = estate_of(world)
    await next_day(world, back_to)
    found = compare(before, estate_of(world), today=date.fromisoformat(back_to))
    assert not found.too_early + found.altered, found
    await next_day(world, "2026-03-01")
    assert compare(before, estate_of(world), today=DUE).is_right
    left = estate_of(world)
    await next_day(world, back_to)
    assert estate_of(world).items() == left.items()


async def test_what_is_restricted_is_neither_used_nor_deleted_and_goes_when_it_is_lifted():
    """By the next run."""
    world = world_of(RICH)
    delays = Delays(world)
    await delays.restrict()
    before = estate_of(world)
    await next_day(world, "2026-03-01")
    found = compare(before, estate_of(world), today=DUE, delays=delays)
    assert found.is_right
    assert found.held
    await delays.lift()
    before = estate_of(world)
    await next_day(world, "2026-03-02")
    assert compare(before, estate_of(world), today=DUE).is_right
