"""What every store of runs and of the watched must do."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.errors import Conflict
from shared.domain.retention_runs import Doubt, Run, Search, Source, Step, Watched
from shared.ports.retention_runs import Later, StoredRun, watch_id, watch_key

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def run(day: date, **changes) -> StoredRun:
    """Return a run that begins."""
    source = Source(rule_id="R1", store_id="installations", search=Search.NEWLY_OLD, path="/last_used_at")
    made = Run(**{"day": day, "started_at": NOW, "sources": (source,), "bounds": {"a": "b"}, **changes})
    return StoredRun(run=made, etag=None)


def watched(look_on: date, **changes) -> Watched:
    """Return somebody on watch whom nobody else knows."""
    return Watched(
        **{
            "subject_key": f"k1-{uuid.uuid4().hex}",
            "store_id": "members",
            "document_id": "m-1",
            "partition": '"m-1"',
            "look_on": look_on,
            **changes,
        }
    )


async def test_the_latest_run_is_that_of_the_latest_day(retention_runs):
    """Whenever it was written; those before it stay to be read."""
    assert await retention_runs.latest() is None
    await retention_runs.write(run(date(2026, 3, 2), seen=7))
    etag = await retention_runs.write(run(date(2026, 3, 3), by_rule={"R1": 2}, request_units=1.5))
    await retention_runs.write(run(date(2026, 3, 1)))
    latest = await retention_runs.latest()
    assert latest.run == run(date(2026, 3, 3), by_rule={"R1": 2}, request_units=1.5).run
    assert latest.etag == etag
    past = await retention_runs.past(limit=2)
    assert [one.day.day for one in past] == [3, 2]
    assert past[1].seen == 7
    assert await retention_runs.of_day(date(2026, 3, 2)) == past[1]
    assert await retention_runs.of_day(date(2026, 2, 28)) is None


async def test_of_two_workers_at_a_run_one_gives_way(retention_runs):
    """Both begin it, or both go on."""
    await retention_runs.write(run(date(2026, 3, 2)))
    with pytest.raises(Conflict):
        await retention_runs.write(run(date(2026, 3, 2)))
    stored = await retention_runs.latest()
    done = stored.run.model_copy(update={"step": Step.DONE})
    await retention_runs.write(StoredRun(run=done, etag=stored.etag))
    with pytest.raises(Conflict):
        await retention_runs.write(stored)


async def test_the_watched_come_on_their_day_in_order_page_by_page(retention_runs):
    """One below, at and above the day."""
    today = date(2026, 3, 2)
    keys = [f"k1-{number:032x}" for number in (9, 7, 5, 3)]  # stored against their order
    wanted = [watched(today - timedelta(days=n), subject_key=key) for n, key in enumerate(keys)]
    for one in (*wanted, watched(today + timedelta(days=1))):
        await retention_runs.watch(one)
    found, place = [], ""
    while page := await retention_runs.due(today, after=place, limit=3):
        found += page
        place = watch_key(page[-1])
    assert found == sorted(wanted, key=watch_key)


async def test_a_later_word_about_a_record_takes_the_place_of_the_first(retention_runs):
    """And who is no longer watched does not come."""
    today = date(2026, 3, 2)
    one = watched(today, request_ids=("a" * 32,))
    await retention_runs.watch(one)
    later = one.model_copy(update={"look_on": today + timedelta(days=9), "request_ids": ()})
    await retention_runs.watch(later)
    assert list(await retention_runs.due(today, after="", limit=5)) == []
    assert list(await retention_runs.due(later.look_on, after="", limit=5)) == [later]
    for _ in range(2):
        await retention_runs.unwatch(later)
    assert list(await retention_runs.due(later.look_on, after="", limit=5)) == []


async def test_whoever_is_watched_is_known_until_the_day(retention_runs):
    """By records of the stores that are asked about."""
    today = date(2026, 3, 2)
    one = watched(today + timedelta(days=1), store_id="usage_events", for_all=True)
    await retention_runs.watch(one)
    key = one.subject_key
    nobody = f"k1-{uuid.uuid4().hex}"
    both = (key, nobody)
    later = retention_runs.watched_later
    assert await later(both, {"usage_events", "installations"}, today) == {key: Later.BY_USE}
    assert await later(both, {"usage_events"}, today + timedelta(days=1)) == {}
    assert await later(both, {"members"}, today) == {}
    assert await later([nobody], {"usage_events"}, today) == {}


async def test_whoever_is_watched_by_arrival_is_told_apart(retention_runs):
    """Unless a use of another record says until when."""
    today = date(2026, 3, 2)
    one = watched(today + timedelta(days=1), store_id="usage_events", for_all=True, by_arrival=True)
    await retention_runs.watch(one)
    asked = ((one.subject_key,), {"usage_events", "installations"}, today)
    assert await retention_runs.watched_later(*asked) == {one.subject_key: Later.BY_ARRIVAL}
    used = one.model_copy(update={"store_id": "installations", "by_arrival": False, "for_all": False})
    await retention_runs.watch(used)
    assert await retention_runs.watched_later(*asked) == {one.subject_key: Later.BY_USE}


async def test_what_is_in_doubt_is_found_and_counted_until_it_is_not(retention_runs):
    """In pages, whenever it is looked at again; a later word without a doubt ends it."""
    today = date(2026, 3, 2)
    before = await retention_runs.doubts()
    rows = [
        watched(today + timedelta(days=400), doubt=doubt, doubted_on=today)
        for doubt in (Doubt.UNDATED, Doubt.UNCLEAR, Doubt.UNCLEAR)
    ]
    for one in (*rows, watched(today)):
        await retention_runs.watch(one)
    found, place = [], ""
    while page := await retention_runs.doubted(after=place, limit=2):
        assert len(found) < 20, (place, [watch_id(one) for one in page])
        found += page
        place = watch_id(page[-1])
    assert sorted(found, key=watch_id) == found
    assert [one for one in found if one in rows] == sorted(rows, key=watch_id)
    assert await retention_runs.find(rows[0]) == rows[0]
    counted = await retention_runs.doubts()
    assert [counted[one] - before[one] for one in Doubt] == [1, 2, 0]
    await retention_runs.watch(rows[1].model_copy(update={"doubt": None, "doubted_on": None}))
    await retention_runs.unwatch(rows[2])
    assert (await retention_runs.doubts())[Doubt.UNCLEAR] == before[Doubt.UNCLEAR]
    assert await retention_runs.find(rows[2]) is None
