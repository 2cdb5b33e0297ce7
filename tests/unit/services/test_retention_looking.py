"""Who is looked at again: nobody whose data is due is lost, and nobody of whom nothing is left stays."""

from datetime import datetime

import pytest

from shared.domain.controls import Hold
from shared.ports.documents import Change
from shared.services import retention_looking
from shared.services.resolving import resolve
from shared.services.retention_looking import Candidate
from tests.factories import KEYS
from tests.unit.services.driving import hold
from tests.unit.services.systems import event, ids, licence, link, member, next_day, put, run_day, world_on

pytestmark = pytest.mark.clause("5.1", "5.3", "5.4")

DUE = "2026-03-02"
LONG_AGO = int(datetime.fromisoformat("2019-01-01T00:00:00+00:00").timestamp())


def written_long_ago(world):
    """Let every document be an old one, and the database's clock be of today."""
    for rows in world.documents.rows.values():
        for _, _, body in rows.values():
            body["_ts"] = LONG_AGO
    put(world, "members", {"id": "somebody", "_ts": int(world.clock.now().timestamp())})


def watched(world):
    """Return who is on watch, but for the one who moves the clock."""
    return [one for one in world.retention_runs.watched() if one.document_id != "somebody"]


@pytest.mark.parametrize("name", ["p1", "p2", "p3", "p4", "p5", "p6"])
async def test_who_is_written_in_two_ways_is_looked_at_in_both(name):
    """A contact person with a space behind the address has the member's pseudonym, and is found apart."""
    world = world_on(DUE)
    member(world, name, "2022-03-01")
    licence(world, "1", "2018-02-01", name)
    for body in world.documents.bodies("licences"):
        body["contacts"][0]["email"] += " "
    hold(world, f"{name}@people.example")
    written_long_ago(world)
    await run_day(world)
    for day in ("2026-03-03", "2026-03-04"):
        await next_day(world, day)
    assert f"member-{name}-1" in ids(world, "members"), "it is held"
    hold(world, f"{name}@people.example", released_at=world.clock.now())
    for day in ("2026-03-05", "2026-03-06"):
        await next_day(world, day)
    assert ids(world, "members") == ["somebody"]
    assert [body["contacts"] for body in world.documents.bodies("licences")] == [[]]
    assert watched(world) == []


async def test_a_record_that_is_gone_is_not_watched_for_another_of_its_kind():
    """It was found twice, and the case of the first look was faster than the second look."""
    world = world_on(DUE)
    member(world, "ane", "2023-03-01")
    link(world, "ane")
    _, store = world.datamap.store("members")
    found = (await world.documents.walk(store, cursor=None, limit=9)).documents[0]
    await run_day(world)
    assert ids(world, "members") == []
    member(world, "ane", "2025-12-01", number=2)
    run = (await world.retention_runs.latest()).run
    await retention_looking.look_at(world.context, run, [Candidate(store=store, document=found)])
    assert world.retention_runs.watched() == []


async def test_somebody_of_whom_only_events_are_left_stays_in_sight_when_one_of_them_is_deleted_by_hand():
    """The event that stands for all of them is gone; the hold is released; all the others go."""
    world = world_on(DUE)
    for day in ("2024-01-01", "2024-01-02", "2024-01-03"):
        event(world, "ane", day)
    one = world.controls.stored(KEYS.subject_key("user_id", "user-ane")).controls
    held = Hold(
        hold_id="h-1",
        activity_id=None,
        ground="legal_claim",
        reason="a dispute",
        placed_at=world.clock.now(),
        review_on=world.clock.now().date(),
    )
    world.controls.put(one.model_copy(update={"holds": (held,)}))
    written_long_ago(world)
    await run_day(world)
    (found,) = watched(world)
    await delete_by_hand(world, found.document_id)
    await next_day(world, "2026-03-03")
    assert len(ids(world, "usage_events")) == 2, "they are held"
    released = held.model_copy(update={"released_at": world.clock.now()})
    world.controls.put(one.model_copy(update={"holds": (released,)}))
    await next_day(world, "2026-03-04")
    assert ids(world, "usage_events") == []
    assert watched(world) == []


async def delete_by_hand(world, document_id):
    """Delete an event as somebody at the database would."""
    _, store = world.datamap.store("usage_events")
    for document in (await world.documents.walk(store, cursor=None, limit=99)).documents:
        if document.document_id == document_id:
            await world.documents.change(store, [Change(document=document, replacement=None)])


async def test_of_whom_too_much_is_known_no_more_is_read():
    """A client that calls itself anew at each start: what single events tell is read until it is too much."""
    world = world_on(DUE)
    for number in range(80):
        event(world, "ane", "2026-02-01", where=f"at-{number:03d}")
    found = await resolve(world.context, {"user_id": ("user-ane",)})
    assert found.problem == "too_many_installation_id"
    assert len(found.identifiers["installation_id"]) == 51
