"""After days without a run: the longest overdue first, at the hour's pace, nobody lost; one bad record."""

from datetime import date, datetime

import pytest

from shared.domain.errors import Permanent
from shared.domain.limits import Limits
from shared.domain.retention_runs import Source, parts_of
from shared.domain.times import copenhagen_day
from shared.services.governing import Rest
from shared.services.measuring import require_retention_on_time, retention_status
from shared.services.poison import put_aside
from shared.services.retention import daily
from tests.unit.services.driving import deliver, step
from tests.unit.services.systems import ids, installation, next_day, run_day, world_on

pytestmark = pytest.mark.clause("5.1", "5.4")
PER_HOUR = 100
MISSED = {"2026-03-03": 90, "2026-03-04": 80, "2026-03-05": 80}  # day on which so many fall due
LAST_USE = {"2026-03-03": "2025-03-02", "2026-03-04": "2025-03-03", "2026-03-05": "2025-03-04"}


def left(world) -> dict[str, int]:
    """Return how many are still there, by the day on which they fell due."""
    found = dict.fromkeys(MISSED, 0)
    for body in world.documents.bodies("installations"):
        day = next(day for day, used in LAST_USE.items() if body["last_used_at"].startswith(used))
        found[day] += 1
    return found


async def hour(world) -> None:
    """Let the timer tick and the queue deliver, until the hour is over."""
    ends = world.clock.now().timestamp() // 3600 * 3600 + 3600
    for _ in range(3):
        await daily(world.context)
        await deliver(world)
    world.clock.advance(seconds=ends - world.clock.now().timestamp())


async def test_three_days_of_downtime_are_worked_off_oldest_first_at_the_hours_pace():
    """250 people, 100 an hour; the run says how many wait, and health what is overdue."""
    world = world_on("2026-03-02", limits=Limits(deletions_per_hour=PER_HOUR))
    assert await run_day(world) == 0
    for day in sorted(MISSED, reverse=True):  # the latest were stored first
        for number in range(MISSED[day]):
            installation(world, f"{day}-{number}", LAST_USE[day])
    world.clock.moment = datetime.fromisoformat("2026-03-05T08:00:00+00:00")
    with pytest.raises(Permanent, match="2026-03-02"):
        await require_retention_on_time(world.context)

    await hour(world)
    assert left(world) == {"2026-03-03": 0, "2026-03-04": 70, "2026-03-05": 80}
    run = (await world.retention_runs.latest()).run
    assert (run.waits_for, run.waits_until) == (Rest.PACE, world.clock.now())
    assert run.filed == PER_HOUR
    assert 150 <= run.waiting <= 250
    await require_retention_on_time(world.context)  # a run is there
    status = await retention_status(world.context)
    assert (status.state, status.overdue_since) == ("running", date(2026, 3, 3))
    assert status.waiting == run.waiting

    await hour(world)
    assert left(world) == {"2026-03-03": 0, "2026-03-04": 0, "2026-03-05": 50}
    await hour(world)
    assert ids(world, "installations") == []
    world.clock.advance(hours=1)
    run = await daily(world.context)
    assert run.is_done
    assert (run.filed, sum(run.erased.values()), run.waiting, run.waits_for) == (250, 250, 0, "")
    assert run.rests == {"pace": 2}


async def test_a_run_that_has_used_up_its_hour_looks_at_nobody_until_the_next():
    """The timer asks every five minutes, and nothing would come of it."""
    world = world_on("2026-03-02", limits=Limits(deletions_per_hour=2))
    for number in range(4):
        installation(world, f"p{number}", "2024-05-10")
    await daily(world.context)
    looked: list[str] = []

    async def turn(place: str) -> None:
        looked.append(place)

    world.documents.turn = turn
    world.clock.advance(minutes=59)
    run = await daily(world.context)
    assert (looked, run.filed) == ([], 2)
    world.clock.advance(minutes=1)
    await daily(world.context)
    assert looked


@pytest.mark.parametrize(
    ("last", "parts"),
    [
        ("2026-03-05", [(None, None)]),
        ("2026-03-04", [(None, None)]),  # of every day
        ("2026-03-03", [(None, "2026-03-04"), ("2026-03-04", None)]),
        ("2026-03-02", [(None, "2026-03-03"), ("2026-03-03", "2026-03-04"), ("2026-03-04", None)]),
    ],
)
def test_a_missed_day_is_a_part_of_the_search(last, parts):
    """None, one and two of them."""
    found = parts_of(date.fromisoformat(last), date(2026, 3, 5))
    assert [tuple(one and one.isoformat() for one in part) for part in found] == parts


@pytest.mark.parametrize(("missed", "parts"), [(29, 30), (30, 31), (31, 31), (1_000, 31)])
def test_a_long_downtime_has_a_bounded_number_of_parts(missed, parts):
    """The first of them takes everything older."""
    today = date(2026, 3, 5)
    found = parts_of(date.fromordinal(today.toordinal() - missed - 1), today)
    assert (len(found), found[0][0], found[-1][1]) == (parts, None, None)


@pytest.mark.parametrize(
    ("used", "is_first"), [("2024-02-29", True), ("2024-03-01", True), ("2024-03-02", False)]
)
async def test_the_first_run_begins_with_what_has_been_overdue_for_a_year(used, is_first):
    """Nothing says how long nobody ran it. The other one is stored first, and was due in 2025."""
    world = world_on("2026-03-02", limits=Limits(deletions_per_hour=1))
    installation(world, "later", "2024-05-01")
    installation(world, "older", used)
    await hour(world)
    assert ids(world, "installations") == ["A-later" if is_first else "A-older"]


async def test_a_person_whose_case_fails_stops_nobody_elses_and_staff_are_told():
    """Put aside alone; the run ends, counts it as kept, and the next day's run files no second case."""
    world = world_on("2026-03-02")
    for name in ("ane", "bo", "eva"):
        installation(world, name, "2024-05-10")
    await daily(world.context)
    erase = world.documents.change

    async def change(store, changes):
        if any("bo" in one.document.document_id for one in changes):
            raise Permanent("service_refused", "documents.change 400")
        return await erase(store, changes)

    world.documents.change = change
    await _deliver_with_poison(world)
    assert ids(world, "installations") == ["A-bo"]
    ((code, request_id, _),) = [one for one in world.operators.alarms if one[0] == "task_poisoned"]
    assert world.cases.request(request_id).attention == code
    world.clock.advance(hours=5)
    run = await daily(world.context)
    assert run.is_done
    assert (run.erased, run.kept) == ({"installations": 2}, {"at_work": 1})
    filed = len(world.cases.partitions)
    assert await next_day(world, "2026-03-03") == 0
    assert len(world.cases.partitions) == filed
    assert copenhagen_day(world.clock.now()) == date(2026, 3, 3)


async def _deliver_with_poison(world) -> None:
    """Deliver; a message that fails five times is put aside, as the queue does."""
    failures: dict[bytes, int] = {}
    while world.queue.sent:
        message = world.queue.sent[0]
        try:
            await step(world)
        except Permanent:
            failures[message[1]] = failures.get(message[1], 0) + 1
            if failures[message[1]] < 5:
                world.queue.sent.insert(0, message)
            else:
                await put_aside(world.context, message[0], message[1])


def test_a_part_names_the_days_it_is_about():
    """So that a run that goes on after a restart searches the same."""
    part = Source(rule_id="R1", store_id="installations", search="newly_old", path="/last_used_at")
    dated = part.model_copy(update={"by": date(2026, 3, 3)})
    assert Source.model_validate_json(dated.model_dump_json()) == dated
