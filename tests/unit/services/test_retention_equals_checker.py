"""For any history the engine does what the slow checker says, on every day around every boundary."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from devtools.demo.retention.checker import compare
from devtools.demo.retention.civil import day_in, gone_from, local_day, moment_at, years_later
from shared.domain.periods import add_period
from shared.domain.retention import erase_from
from shared.domain.times import copenhagen_day, moment_of
from tests.factories import World
from tests.unit.services.retention_histories import (
    BAD_DATES,
    History,
    boundaries,
    estate_of,
    histories,
    moments,
    world_of,
)
from tests.unit.services.retention_stories import Delays, act, steps
from tests.unit.services.systems import next_day

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")
FIRST = date(2026, 3, 1)
UNTIL = date(2031, 1, 1)
OLD = "2020-02-29T11:00:00Z"
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2095, 12, 31))
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2095, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


# --- two calendars


@given(DAYS, st.sampled_from([1, 3, 5]))
def test_both_calendars_count_years_alike(day, years):
    """The app's and the checker's, which share nothing."""
    assert add_period(day, f"P{years}Y") == years_later(day, years)
    assert erase_from(day, f"P{years}Y") == gone_from(day, years)


@given(MOMENTS | moments().map(datetime.fromisoformat))
def test_both_know_the_day_in_copenhagen(moment):
    """Also in the nights in which the clock is changed."""
    assert copenhagen_day(moment) == local_day(moment)


def test_each_hour_of_the_two_nights_belongs_to_the_same_day_for_both():
    """Hour by hour through the changes of ten years."""
    for year in range(2024, 2034):
        for month in (3, 10):
            start = datetime(year, month, 24, tzinfo=UTC)
            for hour in range(9 * 24):
                moment = start + timedelta(hours=hour)
                assert copenhagen_day(moment) == local_day(moment)


@given(MOMENTS)
def test_what_a_product_writes_means_the_same_day_to_both(moment):
    """With `Z`, with an offset, with parts of a second."""
    for text in (moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.isoformat(timespec="milliseconds")):
        assert day_in(text) == copenhagen_day(moment_of(text))


@pytest.mark.parametrize("text", BAD_DATES)
def test_what_says_no_day_says_none_to_both(text):
    """Neither guesses."""
    assert day_in(text) is None
    assert moment_of(text) is None


@given(DAYS, st.integers(4, 23), st.integers(0, 59))
def test_the_checkers_wall_clock_runs_both_ways(day, hour, minute):
    """From a day and an hour to a moment and back."""
    assert local_day(moment_at(day, hour, minute)) == day


# --- one history, each boundary


async def judged(world: World, day: date, delays=(), *, is_again: bool = False) -> None:
    """Run a day and let the checker say what it thinks of it.

    `is_again`: that day or a later one had its run, so what fell due since may wait for the next.
    """
    before = estate_of(world)
    known = tuple(delays)
    await next_day(world, day.isoformat())
    found = compare(before, estate_of(world), today=day, delays=known)
    found.overdue = [] if is_again else found.overdue
    assert found.is_right, "\n".join(
        [f"on {day}:", *(f"  too early {one}" for one in found.too_early)]
        + [f"  overdue {one}" for one in found.overdue]
        + [f"  altered {one}" for one in found.altered]
    )


ZONELESS = "2024-05-10T11:00:00"
AN_UNREADABLE_LOGIN_BEFORE_AN_OLD_DAY = History(
    memberships=[{"joined_at": "2023-03-25T23:00:00Z", "last_login_at": ZONELESS, "state": "active"}]
)
NOTHING_READABLE = History(
    installations=[{"installation_id": "A", "last_used_at": ZONELESS, "first_seen_at": ZONELESS}],
    memberships=[{"joined_at": ZONELESS, "last_login_at": "yesterday", "state": "active"}],
)


@settings(SLOW, max_examples=60)
@given(histories)
@example(AN_UNREADABLE_LOGIN_BEFORE_AN_OLD_DAY)
@example(NOTHING_READABLE)
def test_the_engine_equals_the_checker_on_every_day_around_every_boundary(history):
    """The day before, the day itself, the day after, one run a day from the first to the last."""

    async def play():
        world = world_of(history)
        await judged(world, FIRST)
        for day in boundaries(world, FIRST, UNTIL):
            await judged(world, day)

    asyncio.run(play())


# --- stories: things happen between the runs

HEARTBEATS_ALONE = History(events=[{"installation_id": "A", "at": "", "kind": "heartbeat"}])
A_USE_IS_TOLD_LATE = [(1, [], False), (1, [("late event", 366)], False)]


@settings(SLOW, max_examples=60)
@given(histories, st.lists(steps, max_size=6))
@example(HEARTBEATS_ALONE, A_USE_IS_TOLD_LATE)
def test_the_engine_equals_the_checker_whatever_happens_between_the_runs(history, story):
    """Uses, logins, suspensions, renewals, holds and restrictions, and a clock that is set back."""

    async def play():
        world = world_of(history)
        delays = Delays(world)
        latest, ran = world.clock.now().date(), False
        for days, happenings, exactly in story:
            day = latest + timedelta(days=days)
            near = boundaries(world, latest, UNTIL)
            day = min(near, key=lambda one: abs(one - day)) if exactly and near else day
            world.clock.moment = moment_at(day, 7)
            # Only the app's clock is ever wrong: what products write is dated by the database.
            for name, value in sorted(happenings, key=lambda one: one[0] == "go back"):
                await act(world, delays, name, value)
            day = world.clock.now().date()
            await judged(world, day, delays, is_again=day < latest or (day == latest and ran))
            latest, ran = max(day, latest), True

    asyncio.run(play())


async def test_an_event_that_comes_long_after_its_own_time_goes_with_the_next_run():
    """Of a device that was offline, after everything else of the person was erased."""
    world = world_of(
        History(installations=[{"installation_id": "A", "last_used_at": OLD, "first_seen_at": OLD}])
    )
    await judged(world, FIRST)
    world.clock.moment = moment_at(date(2026, 6, 1), 7)
    await act(world, Delays(world), "late event", 700)
    await judged(world, date(2026, 6, 1))
