"""What a worker erased before it died is counted as it was, and what it only claimed is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.controls import Hold
from shared.domain.errors import Retryable
from shared.domain.limits import Limits
from shared.services.retention import daily
from shared.services.sweeping import sweep
from tests.factories import KEYS
from tests.unit.services.driving import deliver
from tests.unit.services.systems import archived, cases, event, ids, lines, world_on

EVENTS = 30


def dying(**changes):
    """Return a world, and the list of places at which the next worker dies."""
    places: list[str] = []

    async def turn(place):
        if place in places:
            places.clear()
            raise Retryable("died", place)

    return world_on("2026-03-02", turn=turn, **changes), places


async def die_at(world, places, place: str) -> None:
    """Let the erasure that is due be filed, and its worker die."""
    await daily(world.context)
    places.append(place)
    with pytest.raises(Retryable):
        await deliver(world)


def hold_ane(world) -> None:
    """Hold everything of Ane's."""
    stored = world.controls.stored(KEYS.subject_key("user_id", "user-ane")).controls
    now = world.clock.now()
    hold = Hold(
        hold_id="h-1",
        activity_id=None,
        ground="legal_claim",
        reason="a dispute about a fee",
        placed_at=now,
        review_on=now.date() + timedelta(days=30),
    )
    world.controls.put(stored.model_copy(update={"holds": (hold,)}))


async def finished(world):
    """Let others go on until the case has ended; return it."""
    (filed,) = cases(world)
    for _ in range(60):
        world.clock.advance(seconds=world.limits.wake_seconds)
        await sweep(world.context)
        await deliver(world)
        found = world.cases.request(filed.request_id)
        if found.is_final:
            return found
    raise AssertionError("the case does not end")


@pytest.mark.parametrize("is_held", [False, True])
@pytest.mark.parametrize("page", [1, 7, EVENTS - 1, EVENTS, EVENTS + 1])
async def test_pages_that_became_smaller_count_nothing_that_is_still_there(page, is_held):
    """A budget was set, or another version deployed, while the claim of a dead worker stood."""
    world, places = dying()
    for day in range(EVENTS):
        event(world, "ane", f"2024-04-{day + 1:02d}")
    await die_at(world, places, "documents.change")
    world.context = replace(
        world.context, limits=replace(world.context.limits, page_keys=page, page_documents=page)
    )
    if is_held:
        hold_ane(world)
    case = await finished(world)
    counted = sum(one.by_store.get("usage_events", 0) for one in case.outcomes.values())
    assert counted + len(ids(world, "usage_events")) == EVENTS
    assert counted == (0 if is_held else EVENTS)


@pytest.mark.parametrize("read_bytes", [200, 4_194_304])
@pytest.mark.parametrize(("place", "gone"), [("blobs.commit", 0), ("blobs.commit!", 5)])
async def test_lines_are_counted_under_a_hold_and_stay(place, gone, read_bytes):
    """Of a blob in one piece, and of one in many."""
    world, places = dying(limits=Limits(read_bytes=read_bytes))
    event(world, "ane", "2024-04-01")
    for day in range(1, 6):
        archived(world, "ane", f"2024-04-{day:02d}")
        archived(world, "bo", f"2026-02-{day:02d}")
    before = lines(world)
    await die_at(world, places, place)
    hold_ane(world)
    case = await finished(world)
    counted = sum(one.by_store.get("usage_archive", 0) for one in case.outcomes.values())
    assert counted == gone
    assert len(lines(world)) == len(before) - gone
    assert lines(world).count("user-bo") == 5
