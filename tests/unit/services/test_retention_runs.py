"""Runs of scheduled deletion: twice a day, dead half way, with a backlog, and the day after."""

import json
from datetime import datetime

import pytest

from shared.domain.errors import CannotTell
from shared.domain.identifiers import EMAIL
from shared.domain.request_states import RequestState
from shared.services import retention, retention_cases
from tests.unit.services.driving import rest
from tests.unit.services.systems import (
    cases,
    ids,
    link,
    member,
    next_day,
    on,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")


async def test_a_second_run_of_the_day_changes_nothing():
    """Also when the first one was not seen through yet."""
    world = world_on("2026-03-02")
    member(world, "ane", "2023-03-01")
    known = {EMAIL: ("ane@people.example",)}
    assert await retention_cases.run_person(world.context, known) == 1
    assert await retention_cases.run_person(world.context, known) == 0
    await rest(world)
    assert await retention_cases.run_person(world.context, known) == 0
    assert await run_day(world) == 0
    assert len(cases(world)) == 1
    assert len(world.evidence.records) == 1


async def test_nobody_gets_a_letter_and_nothing_of_the_person_stays_in_the_case():
    """Nobody asked."""
    world = world_on("2026-03-02")
    member(world, "mikkel", "2023-03-01")
    await run_day(world)
    (case,) = cases(world)
    assert case.state is RequestState.COMPLETED
    assert world.notifier.mails == {}
    assert "mikkel" not in json.dumps([row for _, row in world.cases.partitions[case.request_id].values()])


async def test_a_walk_that_dies_goes_on_and_deletes_all_the_same():
    """At every place where it gives way, also between filing a case and saving where it stands."""
    for place_no in range(400):
        world = world_on("2026-03-02")
        for name in ("ane", "bo"):
            member(world, name, "2023-03-01")
            link(world, name)
        died = False
        _die_at(world, place_no)
        try:
            await run_day(world)
        except _DeadError:
            died = True
            _die_at(world, None)
            await rest(world)
            world.clock.advance(seconds=world.limits.lease_seconds)
            await run_day(world)
            await rest(world)
        assert ids(world, "members") == ids(world, "usage_links") == [], place_no
        assert len(world.evidence.records) == len(cases(world)), place_no
        if not died:
            break
    assert place_no > 20


class _DeadError(Exception):
    """The worker was killed."""


def _die_at(world, number):
    """Let the worker die at the n-th place at which it gives way."""
    left = number

    async def turn(place):
        nonlocal left
        if left is None:
            return
        left -= 1
        if left < 0:
            raise _DeadError(place)

    for fake in (
        *(world.cases, world.controls, world.queue, world.documents),
        *(world.retention_runs, world.evidence, world.rate_limits),
    ):
        fake.turn = turn


async def test_a_backlog_is_worked_off_hour_by_hour_and_stops_nobody_elses_request():
    """The cap of the kill switch is never reached."""
    world = world_on("2026-03-02")
    for number in range(250):
        member(world, f"p{number}", "2023-03-01")
    for _ in range(4):
        await retention.daily(world.context)
        await rest(world)
        world.clock.advance(hours=1)
    assert ids(world, "members") == []
    assert not any(code == "erasures_over_cap" for code, _, _ in world.operators.alarms)


async def test_who_is_active_is_not_looked_at_and_only_one_run_is_made_a_day():
    """A run says where it stands; the next one begins on the next day."""
    world = world_on("2026-03-02")
    for number in range(130):
        member(world, f"p{number}", "2026-01-01")
    for number in range(3):
        member(world, f"old{number}", "2023-03-01")
    await run_day(world)
    first = await retention.daily(world.context)
    assert (first.seen, first.is_done, first.day.isoformat()) == (3, True, "2026-03-02")
    assert first.by_rule == {"R4a": 3}
    assert first.erased == {"members": 3}
    world.clock.advance(hours=14)  # still the same day in Copenhagen
    assert (await retention.daily(world.context)).day == first.day
    world.clock.advance(hours=2)
    assert (await retention.daily(world.context)).day.isoformat() == "2026-03-03"


async def test_a_record_that_failed_on_its_day_is_looked_at_again_the_next():
    """The searches of the next run begin behind its day."""
    world = world_on("2027-03-01")
    came_in = int(datetime.fromisoformat("2024-05-10T08:00:00+00:00").timestamp())
    member(world, "ane", "2024-05-10", suspended_at=on("2024-05-10"), state="suspended", _ts=came_in)
    member(world, "bo", "2027-02-28", _ts=int(world.clock.now().timestamp()))
    await run_day(world)
    found, broken = retention_cases.resolve_people, True

    async def resolved_or_not(*args, **options):
        if broken:
            raise CannotTell("answer_unreadable")
        return await found(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention_cases, "resolve_people", resolved_or_not)
        assert await next_day(world, "2027-05-11") == 0
        assert await next_day(world, "2027-05-12") == 0
        broken = False
        assert await next_day(world, "2027-05-13") == 1
    assert ids(world, "members") == ["member-bo-1"]
    assert ("retention_record_failed", None, "members answer_unreadable") in world.operators.alarms
