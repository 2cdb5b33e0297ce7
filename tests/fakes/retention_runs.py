"""Runs of scheduled deletion in memory, and the watched in the container the map reads."""

import json
from contextlib import contextmanager

from shared.domain.errors import Conflict
from shared.domain.retention_runs import Doubt, Run, Watched
from shared.ports.retention_runs import StoredRun, later_of, watch_id, watch_key
from tests.fakes.turns import Turn, no_turn

WATCH = "retention_watch"


class MemoryRetentionRuns:
    """One run a day, guarded by ETags."""

    def __init__(self, documents, turn: Turn = no_turn):
        self.documents = documents
        self.turn = turn
        self.rows: dict[str, tuple[str, str]] = {}
        self._writes = 0

    async def latest(self):
        await self.turn("retention_runs.latest")
        if not self.rows:
            return None
        etag, text = self.rows[max(self.rows)]
        dated = [row.get("_ts", 0) for rows in self.documents.rows.values() for *_, row in rows.values()]
        return StoredRun(run=Run.model_validate_json(text), etag=etag, saved_seconds=max([0, *dated]))

    async def write(self, stored):
        await self.turn("retention_runs.write")
        day = stored.run.day.isoformat()
        old = self.rows.get(day)
        if (old is None) != (stored.etag is None) or (old and old[0] != stored.etag):
            raise Conflict("changed_meanwhile", "retention_runs.write")
        self._writes += 1
        self.rows[day] = (f'"{self._writes}"', stored.run.model_dump_json())
        await self.turn("retention_runs.write!")
        return f'"{self._writes}"'

    async def past(self, *, limit):
        await self.turn("retention_runs.past")
        return [Run.model_validate_json(self.rows[day][1]) for day in sorted(self.rows, reverse=True)][:limit]

    async def of_day(self, day):
        await self.turn("retention_runs.of_day")
        row = self.rows.get(day.isoformat())
        return None if row is None else Run.model_validate_json(row[1])

    async def watch(self, watched):
        await self.turn("retention_runs.watch")
        body = {"id": watch_key(watched), "key": watch_key(watched), **watched.model_dump(mode="json")}
        self.documents.put(WATCH, "/subject_key", body)
        await self.turn("retention_runs.watch!")

    async def unwatch(self, watched):
        await self.turn("retention_runs.unwatch")
        rows = self.documents.rows.get(WATCH, {})
        rows.pop((json.dumps(watched.subject_key), watch_key(watched)), None)
        await self.turn("retention_runs.unwatch!")

    async def watched_later(self, subject_keys, store_ids, day):
        await self.turn("retention_runs.watched_later")
        return later_of(
            (one.subject_key, one.by_arrival)
            for one in self.watched()
            if one.subject_key in subject_keys and one.store_id in store_ids and one.look_on > day
        )

    async def find(self, wanted):
        await self.turn("retention_runs.find")
        return next((one for one in self.watched() if watch_key(one) == watch_key(wanted)), None)

    async def doubted(self, *, after, limit):
        await self.turn("retention_runs.doubted")
        found = [one for one in self.watched() if one.doubt is not None and watch_id(one) > after]
        return sorted(found, key=watch_id)[:limit]

    async def doubts(self):
        await self.turn("retention_runs.doubts")
        return {doubt: sum(one.doubt is doubt for one in self.watched()) for doubt in Doubt}

    async def due(self, day, *, after, limit):
        await self.turn("retention_runs.due")
        found = [one for one in self.watched() if one.look_on <= day and watch_key(one) > after]
        return sorted(found, key=watch_key)[:limit]

    def watched(self):
        """Return everybody on watch."""
        return [
            Watched.model_validate({name: row[name] for name in Watched.model_fields})
            for row in self.documents.bodies(WATCH)
        ]


class MemoryMeter:
    """Counts nothing: memory is free."""

    @contextmanager
    def measured(self):
        yield self

    def take(self):
        return 0.0
