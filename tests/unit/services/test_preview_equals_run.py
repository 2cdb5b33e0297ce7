"""What the preview says of a day is what the run of that day does: whose data goes, and whose is kept."""

import asyncio
from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from devtools.demo.retention.civil import moment_at
from shared.domain.identifiers import SUBJECT_KEY
from shared.domain.retention import DueState
from shared.services import retention_cases
from shared.services.due import due_of_people
from shared.services.previewing import preview
from shared.services.retention import daily
from tests.factories import World
from tests.unit.services.retention_histories import History, boundaries, estate_of, histories, world_of
from tests.unit.services.retention_stories import Delays, act, steps
from tests.unit.services.systems import event, next_day, world_on

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")
FIRST = date(2026, 3, 1)
UNTIL = date(2031, 1, 1)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEPT = (DueState.HELD, DueState.RESTRICTED)


@contextmanager
def verdicts_of_the_run():
    """Note what the run comes to about each person, by rule; who is found twice counts once."""
    found: set[tuple[tuple[str, ...], str, DueState]] = set()

    async def noted(context, people, controls, **options):
        each = await due_of_people(context, people, controls, **options)
        found.update(
            (identifiers[SUBJECT_KEY], one.due.rule_id, one.due.state)
            for identifiers, verdicts in zip(people, each, strict=True)
            for one in verdicts
            if one.due.rule_id
        )
        return each

    with patch.object(retention_cases, "due_of_people", noted):
        yield found


async def agree(world: World, day: date) -> None:
    """Preview a day from where the clock stands, run it, and hold the two against each other."""
    before = estate_of(world).items()
    said = await preview(world.context, day)
    assert estate_of(world).items() == before
    with verdicts_of_the_run() as verdicts:
        await next_day(world, day.isoformat())
    run = await daily(world.context)
    assert run.day == day
    assert said.is_complete
    assert {one.rule_id: one.people for one in said.rules.values() if one.people} == dict(run.by_rule), day
    kept = Counter((rule, state) for _, rule, state in verdicts if state in KEPT)
    told = {
        (one.rule_id, state): number
        for one in said.rules.values()
        for state, number in zip(KEPT, (one.held, one.restricted), strict=True)
        if number
    }
    assert told == kept, day
    assert (said.undated, said.unclear) == (run.undated, run.unclear), day
    assert {state.value for _, state in kept} == set(run.kept) & set(KEPT)


ONLY_EVENTS = History(events=[{"installation_id": "A", "at": "2024-02-29T12:00:00Z", "kind": "start"}])


@settings(SLOW, max_examples=40)
@given(histories, st.integers(0, 40))
@example(ONLY_EVENTS, 0)
def test_the_preview_of_any_day_says_what_the_first_run_does(history, number):
    """Of today, and of a day on which something falls due."""

    async def play():
        world = world_of(history)
        days = [FIRST, *(one for one in boundaries(world, FIRST, UNTIL) if one > FIRST)]
        await agree(world, days[number % len(days)])

    asyncio.run(play())


@settings(SLOW, max_examples=40)
@given(histories, st.lists(steps, max_size=4), st.integers(0, 40))
@example(ONLY_EVENTS, [(1, [("late event", 700)], False)], 0)
def test_the_preview_says_what_a_later_run_does_whatever_was_held_meanwhile(history, story, number):
    """Runs went before; people used, held and restricted. Nobody does anything between preview and run."""

    async def play():
        world = world_of(history)
        delays = Delays(world)
        await next_day(world, FIRST.isoformat())
        day = FIRST
        for days, happenings, _ in story:
            day += timedelta(days=days)
            world.clock.moment = moment_at(day, 7)
            for name, value in happenings:
                if name != "go back":
                    await act(world, delays, name, value)
            await agree(world, day)
        ahead = [day + timedelta(days=1), *(one for one in boundaries(world, day, UNTIL) if one > day)]
        await agree(world, ahead[number % len(ahead)])

    asyncio.run(play())


async def test_people_whom_only_old_events_lead_to_are_seen():
    """No installation is left that knows of them; one who was active since stays."""
    world = world_on("2026-03-02")
    event(world, "ane", "2025-03-01")
    event(world, "bo", "2025-03-01")
    event(world, "bo", "2025-03-02")
    said = await preview(world.context)
    line = said.rules["R1"]
    assert (line.people, line.documents, line.earliest_on) == (1, 1, date(2026, 3, 2))
    assert said.kept_active == 1
