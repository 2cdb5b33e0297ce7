"""Records that nobody can judge: never deleted on doubt, never lost from sight, and told of without noise."""

from datetime import date

import pytest

from shared.domain.errors import CannotTell
from shared.domain.limits import Limits
from shared.domain.retention_runs import Doubt
from shared.services import retention_cases
from shared.services.retention import daily
from shared.services.retention_doubts import doubts
from tests.unit.services.systems import (
    contacts,
    event,
    ids,
    installation,
    licence,
    member,
    next_day,
    on,
    put,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1", "5.3", "5.4")
TEXT_WITHOUT_A_ZONE = "2021-03-01T11:00:00"  # as old as what is due, so that only one search comes upon it
ALARM = "retention_left_records"


async def listed(world) -> dict[str, tuple[str, date]]:
    """Return what staff are shown: reason and day by place."""
    page = await doubts(world.context, after="", limit=100)
    assert page.cursor is None
    return {one.place: (one.reason.value, one.since_on) for one in page.found}


async def counts(world) -> tuple[int, int, int]:
    """Return what the day's run says of records in doubt."""
    run = await daily(world.context)
    return run.undated, run.unclear, run.failed


def alarms(world) -> list[str]:
    """Return what was told of records in doubt."""
    return [details for code, _, details in world.operators.alarms if code == ALARM]


async def test_a_record_that_names_nobody_is_looked_at_day_by_day_and_goes_once_it_does():
    """Its day is behind the searches of all later runs."""
    world = world_on("2026-03-02")
    licence(world, "7", "2021-03-01", "ane")
    named = next(iter(world.documents.bodies("licences")))
    put(world, "licences", {**named, "contacts": [{"name": "Ane"}]})
    for day in ("2026-03-02", "2026-03-03", "2026-03-09"):
        assert await next_day(world, day) == 0
        assert await counts(world) == (0, 1, 0)
        assert await listed(world) == {"licences/licence-7": ("unclear", date(2026, 3, 2))}
    put(world, "licences", {**named, "_ts": int(world.clock.now().timestamp()) - 86_400})
    assert await next_day(world, "2026-03-10") == 1
    assert contacts(world, "7") == []
    assert await counts(world) == (0, 0, 0)
    assert await listed(world) == {}
    assert await next_day(world, "2026-03-11") == 0
    assert world.retention_runs.watched() == []


@pytest.mark.parametrize(
    ("ends", "left"),
    [("2021-03-02", []), ("2021-03-10", []), ("2021-03-11", ["ane"]), ("2026-01-01", ["ane"])],
)
async def test_a_record_that_nothing_dates_goes_by_the_day_it_is_given(ends, left):
    """Below, at and above the day of the next run."""
    world = world_on("2026-03-02")
    licence(world, "7", TEXT_WITHOUT_A_ZONE, "ane")
    await run_day(world)
    await next_day(world, "2026-03-03")
    assert await listed(world) == {"licences/licence-7": ("undated", date(2026, 3, 2))}
    licence(world, "7", ends, "ane")
    await next_day(world, "2026-03-11")
    assert contacts(world, "7") == left
    assert await listed(world) == {}
    assert await counts(world) == (0, 0, 0)


async def test_a_contact_without_an_address_keeps_no_other_contact():
    """The others go, and the record stays in doubt for the one."""
    world = world_on("2026-03-02")
    licence(world, "7", "2021-03-01", "ane", "bo")
    body = next(iter(world.documents.bodies("licences")))
    put(world, "licences", {**body, "contacts": [*body["contacts"], {"name": "Cia"}]})
    assert await run_day(world) == 2
    kept = next(iter(world.documents.bodies("licences")))["contacts"]
    assert kept == [{"name": "Cia"}]
    await next_day(world, "2026-03-03")
    assert await listed(world) == {"licences/licence-7": ("unclear", date(2026, 3, 2))}


async def test_events_that_name_nobody_are_found_each():
    """However many stand together where no person's partition is."""
    world = world_on("2026-03-02")
    for number in range(3):
        body = {"id": f"e-{number}", "installation_id": "A", "kind": "start", "at": on("2024-01-01")}
        put(world, "usage_events", body)
    await run_day(world)
    assert set(await listed(world)) == {f"usage_events/e-{number}" for number in range(3)}
    put(world, "usage_events", {"id": "e-1", "user_id": "user-ane", "kind": "start", "at": on("2024-01-01")})
    world.documents.rows["usage_events"].pop(("", "e-1"))
    await next_day(world, "2026-03-03")
    assert set(await listed(world)) == {"usage_events/e-0", "usage_events/e-2"}


async def test_what_is_repaired_and_not_due_is_let_go_until_its_day():
    """And is no longer counted."""
    world = world_on("2026-03-02")
    licence(world, "7", TEXT_WITHOUT_A_ZONE, "ane")
    await run_day(world)
    licence(world, "7", "2026-01-01", "ane")
    await next_day(world, "2026-03-03")
    assert await counts(world) == (0, 0, 0)
    await next_day(world, "2031-01-01")
    assert contacts(world, "7") == ["ane"]
    await next_day(world, "2031-01-02")
    assert contacts(world, "7") == []


async def test_a_record_whose_time_is_not_over_is_watched_though_it_names_nobody():
    """It counts from when it came, for nobody can read its day."""
    world = world_on("2026-03-02")
    came_in = int(world.clock.now().timestamp())
    installation(world, "", "2023-03-01", last_used_at="2022-03-01T11:00:00", user_id=None, _ts=came_in)
    await run_day(world)
    assert await counts(world) == (0, 0, 0)
    await next_day(world, "2027-03-02")
    assert await listed(world) == {}
    await next_day(world, "2027-03-03")
    assert await listed(world) == {"installations/A-": ("unclear", date(2027, 3, 3))}


async def test_somebody_who_may_be_several_people_is_in_doubt_and_goes_when_it_is_clear():
    """Three memberships under one address, where a person has two."""
    world = world_on("2026-03-02")
    for number in range(1, 4):
        member(world, "ane", "2023-03-01", number=number)
    await run_day(world)
    assert {reason for reason, _ in (await listed(world)).values()} == {"unclear"}
    assert ("retention_person_unclear", None, "too_many_member_id") in world.operators.alarms
    told = len(world.operators.alarms)
    await next_day(world, "2026-03-03")
    assert len(world.operators.alarms) == told
    world.documents.rows["members"].pop(('"member-ane-3"', "member-ane-3"))
    await next_day(world, "2026-03-04")
    assert ids(world, "members") == []
    await next_day(world, "2026-03-05")
    assert await listed(world) == {}


async def test_a_record_that_is_gone_is_in_doubt_no_more():
    """Somebody deleted it by hand."""
    world = world_on("2026-03-02")
    licence(world, "7", None)
    await run_day(world)
    world.documents.rows["licences"].clear()
    await next_day(world, "2026-03-03")
    assert await listed(world) == {}


async def test_staff_are_told_when_there_is_more_and_not_each_day_of_the_same():
    """And again once it was repaired and came back, or waited for a week: one day below, at and above."""
    world = world_on("2026-03-02", limits=Limits(retention_doubt_reminder_days=7))
    licence(world, "1", None, "ane")
    await run_day(world)
    assert alarms(world) == ["undated 1, unclear 0, failed 0"]
    await next_day(world, "2026-03-03")
    assert len(alarms(world)) == 1
    licence(world, "2", None, "ane")
    await next_day(world, "2026-03-04")
    assert alarms(world)[1:] == ["undated 2, unclear 0, failed 0"]
    licence(world, "2", "2030-01-01", "ane")
    await next_day(world, "2026-03-05")
    await next_day(world, "2026-03-10")
    assert len(alarms(world)) == 2
    await next_day(world, "2026-03-11")
    assert alarms(world)[2:] == ["undated 1, unclear 0, failed 0"]
    await next_day(world, "2026-03-12")
    assert len(alarms(world)) == 3
    licence(world, "2", None, "ane")
    await next_day(world, "2026-03-13")
    assert alarms(world)[3:] == ["undated 2, unclear 0, failed 0"]
    licence(world, "1", "2030-01-01", "ane")
    licence(world, "2", "2030-01-01", "ane")
    await next_day(world, "2026-03-14")
    licence(world, "1", None, "ane")
    await next_day(world, "2026-03-15")
    assert alarms(world)[4:] == ["undated 1, unclear 0, failed 0"]


async def test_a_record_that_fails_each_day_is_told_of_once(monkeypatch):
    """Also when it names nobody who could be watched."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2024-01-01")
    event(world, "ane", "2024-01-01")
    licence(world, "7", "2021-03-01", "ane")
    found = retention_cases.resolve_people

    async def resolve(*args, **options):
        raise CannotTell("answer_unreadable")

    monkeypatch.setattr(retention_cases, "resolve_people", resolve)
    await run_day(world)
    assert {one.doubt for one in world.retention_runs.watched()} == {Doubt.FAILED}
    told = [one for one in world.operators.alarms if one[0] == "retention_record_failed"]
    assert {details for *_, details in told} >= {
        "licences answer_unreadable",
        "installations answer_unreadable",
    }
    await next_day(world, "2026-03-03")
    assert [one for one in world.operators.alarms if one[0] == "retention_record_failed"] == told
    monkeypatch.setattr(retention_cases, "resolve_people", found)
    assert await next_day(world, "2026-03-04") == 2
    assert await listed(world) == {}
