"""Telemetry of which no use is known, such as heartbeats alone: it goes a year after the last of it came."""

from datetime import date, datetime, timedelta

import pytest

from shared.domain.limits import Limits
from shared.services.previewing import preview
from shared.services.retention import daily
from tests.unit.services.driving import rest, step
from tests.unit.services.systems import (
    archived,
    event,
    ids,
    installation,
    lines,
    next_day,
    on,
    put,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("5.1")


def came(day: str) -> int:
    """Return a day as the database notes when it wrote a record."""
    return int(datetime.fromisoformat(f"{day}T08:00:00+00:00").timestamp())


def heartbeat(world, name: str, day: str, *, at: object = None, **changes) -> None:
    """Store a heartbeat that came in on a day; `at` None: it happened then."""
    put(
        world,
        "usage_events",
        {
            "id": f"h-{name}-{day}",
            "user_id": f"user-{name}",
            "installation_id": "A",
            "kind": "heartbeat",
            "at": on(day) if at is None else at,
            "_ts": came(day),
            **changes,
        },
    )


@pytest.mark.parametrize(("day", "left"), [("2026-03-01", 2), ("2026-03-02", 0), ("2026-03-03", 0)])
async def test_heartbeats_alone_go_a_year_after_the_last_came(day, left):
    """The day before, the day, the day after; no installation is known of."""
    world = world_on(day)
    heartbeat(world, "ane", "2024-12-01")
    heartbeat(world, "ane", "2025-03-01")
    archived(world, "ane", "2020-01-01")
    assert (await preview(world.context)).rules["R1"].people == (left == 0)
    await run_day(world)
    assert len(ids(world, "usage_events")) == left
    assert lines(world) == (["user-ane"] if left else [])


async def test_they_go_on_their_day_though_a_run_looked_at_them_before():
    """Found once by its old event, and watched until then."""
    world = world_on("2026-02-01")
    heartbeat(world, "ane", "2024-12-01")
    heartbeat(world, "ane", "2025-03-01")
    await run_day(world)
    await next_day(world, "2026-03-01")
    assert len(ids(world, "usage_events")) == 2
    await next_day(world, "2026-03-02")
    assert ids(world, "usage_events") == []


async def test_what_was_imported_counts_from_when_it_came():
    """Nobody knows whether the application was used until then."""
    world = world_on("2026-03-02")
    heartbeat(world, "ane", "2025-03-02", at=on("2019-01-01"))
    await run_day(world)
    assert len(ids(world, "usage_events")) == 1
    await next_day(world, "2026-03-03")
    assert ids(world, "usage_events") == []


@pytest.mark.parametrize("at", [None, "", "yesterday", 7, "2999-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
@pytest.mark.parametrize("kind", ["start", "heartbeat"])
async def test_an_event_whose_day_nobody_can_read_leads_to_its_person_too(kind, at):
    """And counts from when it came; the first run finds it, and a later one what came since."""
    world = world_on("2026-03-01")
    heartbeat(world, "ane", "2025-03-01", kind=kind)
    world.documents.bodies("usage_events")[0]["at"] = at
    await run_day(world)
    assert len(ids(world, "usage_events")) == 1
    heartbeat(world, "bo", "2026-03-01", kind=kind, _ts=came("2026-03-02"))
    world.documents.bodies("usage_events")[1]["at"] = at
    await next_day(world, "2026-03-02")
    assert len(ids(world, "usage_events")) == 1
    await next_day(world, "2027-03-02")
    assert len(ids(world, "usage_events")) == 1
    await next_day(world, "2027-03-03")
    assert ids(world, "usage_events") == []


async def test_a_known_use_counts_and_not_what_runs_by_itself_since():
    """Also where it stands behind a whole page of heartbeats."""
    world = world_on("2026-03-02", limits=Limits(page_documents=2, page_keys=2))
    for number in range(1, 6):
        heartbeat(world, "ane", f"2026-02-0{number}")
    event(world, "ane", "2025-03-01")
    await run_day(world)
    assert ids(world, "usage_events") == []


async def test_a_use_on_another_installation_keeps_what_runs_by_itself():
    """Where one use keeps all of a person's data."""
    world = world_on("2026-03-02")
    heartbeat(world, "ane", "2024-03-01", installation_id="B")
    installation(world, "ane", "2026-01-01")
    await run_day(world)
    assert len(ids(world, "usage_events")) == 1


@pytest.mark.parametrize(("seconds", "left"), [(899, []), (900, []), (901, ["A-ane"])])
async def test_a_use_that_no_directory_knows_of_keeps_what_is_destroyed_late(seconds, left):
    """As after a kill switch: single events are asked again; below, at and above a quarter of an hour."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-03-01")
    await daily(world.context)
    await step(world)
    event(world, "ane", "2026-03-02", where="B")
    world.clock.advance(seconds=seconds)
    await rest(world)
    assert ids(world, "installations") == left


async def test_what_a_deletion_left_of_somebody_goes_with_it_though_no_use_is_known_any_more():
    """It was interrupted for an hour, and the heartbeats that are left came in yesterday."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-03-01")
    heartbeat(world, "ane", "2026-03-01")
    await daily(world.context)
    await step(world)
    world.documents.rows["installations"].clear()
    world.clock.advance(hours=1)
    await rest(world)
    assert ids(world, "usage_events") == []


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1999-12-31T12:00:00Z"])
async def test_a_use_with_the_day_of_a_default_counts_from_when_it_came(at):
    """Though a directory tells of an old use: nothing goes on doubt."""
    world = world_on("2026-03-02")
    installation(world, "ane", "2025-03-01")
    heartbeat(world, "ane", "2026-03-01", kind="start", at=at)
    await run_day(world)
    assert ids(world, "installations") == ["A-ane"]


@pytest.mark.parametrize("first", ["heartbeat", "feature"])
async def test_a_use_that_is_told_late_counts_though_heartbeats_come_with_it(first):
    """Whichever stands first: of heartbeats alone the day was by when they came in."""
    world = world_on("2026-03-02")
    heartbeat(world, "ane", "2026-02-01", at=on("2025-01-31"))
    await run_day(world)
    world.clock.advance(days=1)
    for kind in sorted(("heartbeat", "feature"), key=lambda one: one != first):
        told = {"id": kind, "kind": kind, "_ts": came("2026-03-03")}
        heartbeat(world, "ane", "2026-03-03", at=on("2025-02-01"), **told)
    assert (await preview(world.context)).rules["R1"].people == 1
    await run_day(world)
    assert ids(world, "usage_events") == []


async def test_heartbeats_alone_are_read_once_and_not_every_day(monkeypatch):
    """A year of them, of which one falls due every day, and one more comes in."""
    world = world_on("2026-03-02")
    for day in range(400):
        heartbeat(world, "ane", f"{date(2025, 1, 20) + timedelta(days=day)}")
    pages, page = [], world.documents.page

    async def counted(store, *args, **changes):
        pages.append(store.id)
        return await page(store, *args, **changes)

    monkeypatch.setattr(world.documents, "page", counted)
    await run_day(world)
    assert "usage_events" in pages
    pages.clear()
    for _ in range(3):
        world.clock.advance(days=1)
        heartbeat(world, "ane", f"{world.clock.now().date()}")
        await run_day(world)
    assert "usage_events" not in pages
