"""What the products tell of use moves a clock, at most once, and a clock only ever makes data go later."""

import asyncio

import pytest

from shared.domain.activity import ActivityEvent, EventVerdict
from shared.domain.retention import Fact
from shared.services import activity
from shared.services.activity import take_in
from tests.factories import KEYS
from tests.unit.services.systems import (
    archived,
    event,
    ids,
    installation,
    lines,
    next_day,
    on,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1")
ANE = KEYS.subject_key("user_id", "user-ane")


def told(at: object, number: int = 1, **changes) -> ActivityEvent:
    """Return an event of ane on installation A."""
    return ActivityEvent(
        **{
            "event_id": f"event-{number}",
            "user_id": "user-ane",
            "installation_id": "A",
            "customer_id": "c-1",
            "kind": "feature",
            "at": at,
            **changes,
        }
    )


def known(day: str = "2026-03-02"):
    """Return a World, at nine in the morning of a day, in whose directory ane is."""
    world = world_on(day)
    installation(world, "ane", "2025-03-01")
    return world


def days(world) -> list[str]:
    """Return the day of every clock."""
    return sorted(str(one.last_used_at.date()) for one in world.activity.clocks())


async def test_a_use_moves_the_clock_and_an_older_one_does_not():
    """Whatever order they come in."""
    world = known()
    assert await take_in(world.context, [told(on("2026-02-01"))]) == (EventVerdict.ACCEPTED,)
    assert await take_in(world.context, [told(on("2026-01-01"), 2)]) == (EventVerdict.ACCEPTED,)
    assert days(world) == ["2026-02-01"]
    assert await take_in(world.context, [told(on("2026-02-02"), 3)]) == (EventVerdict.ACCEPTED,)
    assert days(world) == ["2026-02-02"]


async def test_further_uses_of_a_day_write_nothing():
    """Only the day counts."""
    world = known()
    await take_in(world.context, [told("2026-02-01T10:00:00Z")])
    await take_in(world.context, [told("2026-02-01T20:00:00Z", 2), told("2026-02-01T10:00:00Z")])
    assert world.activity.writes == 1


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        ("2025-03-01T11:00:00Z", EventVerdict.DROPPED_PAST_LAST_DAY),  # its last day was yesterday
        ("2025-03-02T11:00:00Z", EventVerdict.ACCEPTED),  # its last day is today
        ("2026-03-02T07:59:59Z", EventVerdict.ACCEPTED),
        ("2026-03-02T08:00:00Z", EventVerdict.ACCEPTED),  # now
        ("2026-03-02T08:00:01Z", EventVerdict.CAPPED),
        ("2031-01-01T00:00:00Z", EventVerdict.CAPPED),
        ("1999-12-31T11:00:00Z", EventVerdict.AT_INVALID),
        ("9999-12-31T23:59:59Z", EventVerdict.AT_INVALID),
        ("2026-02-01T10:00:00", EventVerdict.AT_INVALID),  # no zone
        ("yesterday", EventVerdict.AT_INVALID),
        ("", EventVerdict.AT_INVALID),
        (1769940000, EventVerdict.AT_INVALID),
        (None, EventVerdict.AT_INVALID),
    ],
)
async def test_a_date_is_taken_capped_or_refused(at, verdict):
    """One by one: the event beside it counts."""
    world = known()
    assert await take_in(world.context, [told(at), told(on("2026-02-01"), 2)]) == (
        verdict,
        EventVerdict.ACCEPTED,
    )
    moved = {EventVerdict.CAPPED: "2026-03-02"}.get(verdict, "2026-02-01")
    if at not in ("2026-03-02T07:59:59Z", "2026-03-02T08:00:00Z"):
        assert days(world) == [moved]


@pytest.mark.parametrize("kind", ["heartbeat", "ping", "sync", "cloud_login", "login", "mail_open"])
async def test_what_no_person_did_in_the_application_is_no_use(kind):
    """Nor what staff did in the person's name."""
    world = known()
    given = [told(on("2026-02-01"), kind=kind), told(on("2026-02-01"), 2, by_staff=True)]
    assert await take_in(world.context, given) == (EventVerdict.NOT_USE, EventVerdict.NOT_USE)
    assert days(world) == []


async def test_an_event_from_ahead_that_comes_again_counts_from_its_first_arrival():
    """Though it would be capped to a later day by then, and others came between."""
    world = known()
    ahead = told("2027-01-01T00:00:00Z")
    assert await take_in(world.context, [ahead]) == (EventVerdict.CAPPED,)
    world.clock.advance(days=3)
    await take_in(world.context, [told(on("2026-03-04"), 2)])
    assert await take_in(world.context, [ahead]) == (EventVerdict.REPEATED,)
    assert days(world) == ["2026-03-04"]


async def test_an_event_that_comes_twice_in_a_call_counts_once():
    """And says so."""
    world = known()
    assert await take_in(world.context, [told(on("2026-02-01"))] * 2) == (
        EventVerdict.ACCEPTED,
        EventVerdict.REPEATED,
    )


async def test_somebody_the_directory_does_not_know_gets_no_clock():
    """Nothing would ever find it to erase it."""
    world = known()
    assert await take_in(world.context, [told(on("2026-02-01"), user_id="user-bo")]) == (
        EventVerdict.UNKNOWN_PERSON,
    )
    assert days(world) == []


async def test_two_calls_at_once_lose_no_use():
    """The later day stands, whoever writes first."""
    world = known()
    given = [[told(on(f"2026-02-{day:02}"), day)] for day in range(1, 6)]
    await asyncio.gather(*(take_in(world.context, events) for events in given))
    assert days(world) == ["2026-02-05"]


async def test_a_clock_keeps_what_the_records_alone_would_let_go():
    """And when its own day is over it goes with the rest."""
    world = known("2026-03-01")
    event(world, "ane", "2025-03-01")
    archived(world, "ane", "2025-03-01")
    await take_in(world.context, [told(on("2026-03-01"))])

    assert await next_day(world, "2026-03-02") == 0
    assert await next_day(world, "2027-03-01") == 0
    assert lines(world) == ["user-ane"]

    assert await next_day(world, "2027-03-02") == 1
    assert ids(world, "installations") == ids(world, "usage_events") == lines(world) == []
    assert days(world) == []


async def test_without_any_call_the_events_alone_tell():
    """Nobody has to call."""
    world = known("2026-03-02")
    event(world, "ane", "2025-06-01")
    assert await run_day(world) == 0
    assert await next_day(world, "2026-06-02") == 1


async def test_last_use_tells_the_day_of_each_installation():
    """In Copenhagen."""
    world = known()
    await take_in(
        world.context, [told("2026-02-01T23:30:00Z"), told(on("2026-01-01"), 2, installation_id="B")]
    )
    found = await activity.last_use(world.context, (ANE,))
    assert {one.group: str(one.on) for one in found} == {"A": "2026-02-02", "B": "2026-01-01"}
    assert all(isinstance(one, Fact) for one in found)


async def test_a_clock_alone_leads_to_nobody():
    """It lies under a pseudonym: a run neither finds people by it nor calls it unclear."""
    world = known("2026-03-02")
    await take_in(world.context, [told(on("2026-03-01"))])
    world.clock.advance(days=400)
    await run_day(world)
    (run,) = await world.retention_runs.past(limit=1)
    assert (run.unclear, run.failed) == (0, 0)
