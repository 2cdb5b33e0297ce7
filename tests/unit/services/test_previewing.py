"""What scheduled deletion would do by a day: the same as a run does, and nothing is written."""

from datetime import date

import pytest

from shared.domain.errors import Invalid
from shared.domain.retention_runs import Run, Step
from shared.ports.retention_runs import StoredRun
from shared.services.looking_ahead import MONTHS, outlook
from shared.services.previewing import preview
from tests.unit.services.driving import hold, restrict
from tests.unit.services.systems import (
    EMAIL_OF,
    event,
    installation,
    licence,
    link,
    member,
    on,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")
WRITES = ("write", "create", "change", "commit", "send", "record", "upsert", "put", "erase", "watch", "save")


def estate(**changes):
    """Return a World on 2 March 2026 with one person a rule, and what falls due later."""
    world = world_on("2026-03-02", **changes)
    installation(world, "ane", "2025-03-01")
    event(world, "ane", "2025-03-01")
    installation(world, "bo", "2025-06-01")
    member(world, "cia", "2023-03-01")
    link(world, "cia")
    member(world, "dan", "2025-01-01", state="revoked", revoked_at=on("2026-03-01"))
    licence(world, "7", "2021-03-01", "eva")
    return world


async def test_it_counts_people_and_documents_by_rule():
    """With the first day of each."""
    found = await preview(estate().context)
    lines = {one.rule_id: (one.people, one.documents, one.earliest_on) for one in found.rules.values()}
    assert lines == {
        "R1": (1, 2, date(2026, 3, 2)),
        "R2": (0, 0, None),
        "R3": (1, 1, date(2026, 3, 2)),
        "R4a": (1, 2, date(2026, 3, 2)),
        "R4b": (0, 0, None),
        "R4c": (1, 1, date(2026, 3, 1)),
    }
    assert found.is_complete
    assert "content_cloud" in found.undecided
    assert "usage" not in found.undecided


@pytest.mark.parametrize(("day", "people"), [("2026-06-01", 1), ("2026-06-02", 2)])
async def test_a_later_day_shows_what_falls_due_until_then(day, people):
    """Bo last used the application on 1 June."""
    found = await preview(estate().context, date.fromisoformat(day))
    assert found.rules["R1"].people == people


async def test_it_says_what_a_run_then_does():
    """The same people, by the same rules."""
    world = estate()
    found = await preview(world.context)
    assert await run_day(world) == sum(one.people for one in found.rules.values())
    assert sum(one.people for one in (await preview(world.context)).rules.values()) == 0


async def test_it_writes_nothing():
    """No port is asked for anything that could change a record."""
    asked = []

    async def turn(place):
        asked.append(place)

    world = estate(turn=turn)
    await preview(world.context)
    await outlook(world.context)
    assert asked
    done = [place.rpartition(".")[2] for place in asked if not place.endswith(".watched_later")]
    assert [name for name in done if any(word in name for word in WRITES)] == []
    assert world.operators.alarms == []


async def test_holds_and_restrictions_are_named_and_not_counted_as_going():
    """The person of a licence is held, a member restricted."""
    world = estate()
    hold(world, EMAIL_OF.format("eva"))
    restrict(world, EMAIL_OF.format("cia"))
    found = await preview(world.context)
    assert (found.rules["R3"].people, found.rules["R3"].held) == (0, 1)
    assert (found.rules["R4a"].people, found.rules["R4a"].restricted) == (0, 1)


async def test_whom_a_later_use_keeps_is_counted_by_itself():
    """An old record of one installation, and a use of yesterday."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-01-01")
    event(world, "ane", "2026-03-01", where="B")
    found = await preview(world.context)
    assert (found.rules["R1"].people, found.kept_active) == (0, 1)


@pytest.mark.parametrize(("most", "complete"), [(3, False), (4, True), (5, True)])
async def test_more_people_than_wanted_are_said_to_be_left_out(most, complete):
    """Four are due."""
    assert (await preview(estate().context, most=most)).is_complete is complete


@pytest.mark.parametrize("day", ["2026-03-01", "2036-03-03"])
async def test_a_day_that_is_over_or_far_ahead_is_refused(day):
    """Below today, and above ten years."""
    with pytest.raises(Invalid, match="as_of_out_of_range"):
        await preview(estate().context, date.fromisoformat(day))
    await preview(estate().context, date(2036, 3, 2))


async def test_the_estimate_rests_on_runs_that_erased_something():
    """Without one there is none."""
    world = estate()
    assert (await preview(world.context)).erasing_request_units is None
    done = Run(
        day=date(2026, 3, 1),
        started_at=world.clock.now(),
        step=Step.DONE,
        erased={"members": 10},
        request_units=150.0,
    )
    await world.retention_runs.write(StoredRun(run=done, etag=None))
    found = await preview(world.context)
    assert found.erasing_request_units == 15.0 * 6
    assert found.estimated_from == (date(2026, 3, 1),)


async def test_the_outlook_puts_each_record_into_the_month_it_falls_due_in():
    """What is due today stands apart."""
    found = await outlook(estate().context)
    assert len(found.months) == MONTHS
    assert found.months[0] == date(2026, 3, 1)
    assert found.overdue["R1"] == found.overdue["R3"] == found.overdue["R4a"] == found.overdue["R4c"] == 1
    in_june = found.months.index(date(2026, 6, 1))
    assert [number for number, count in enumerate(found.by_rule["R1"]) if count] == [in_june]


@pytest.mark.parametrize(("used", "month"), [("2025-03-30", 0), ("2025-03-31", 1), ("2025-04-29", 1)])
async def test_the_last_day_of_a_month_falls_due_in_the_next(used, month):
    """Last used on 31 March: kept through the 31st, due on 1 April."""
    world = world_on("2026-03-02")
    installation(world, "ane", used)
    assert (await outlook(world.context)).by_rule["R1"][month] == 1
