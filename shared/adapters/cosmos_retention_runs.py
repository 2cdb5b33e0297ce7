"""Runs of scheduled deletion in Cosmos DB, in one partition, and the watched, one partition a pseudonym."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import Permanent
from shared.domain.retention_runs import Doubt, Run, Watched
from shared.ports.retention_runs import Later, StoredRun, later_of, watch_id, watch_key

_NAME = "retention"
_LATEST = "SELECT * FROM c ORDER BY c.day DESC OFFSET 0 LIMIT @limit"
_KEYS_AT_ONCE = 200
_ROWS_AT_ONCE = 1_000
_DUE = "SELECT * FROM c WHERE c.look_on <= @day AND c.key > @after"
_DUE_IN_ORDER = f"{_DUE} ORDER BY c.key OFFSET 0 LIMIT @limit"
_DOUBTED = "SELECT * FROM c WHERE IS_STRING(c.doubt) AND c.id > @after ORDER BY c.id OFFSET 0 LIMIT @limit"
_DOUBTS = "SELECT VALUE c.doubt FROM c WHERE IS_STRING(c.doubt)"  # a count over partitions takes more calls


class CosmosRetentionRuns:
    """The containers `retention_runs` and `retention_watch`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def latest(self) -> StoredRun | None:
        rows = await self._runs_found(1)
        if not rows:
            return None
        return StoredRun(run=_run(rows[0]), etag=rows[0]["_etag"], saved_seconds=int(rows[0]["_ts"]))

    async def write(self, stored: StoredRun) -> str:
        body = {"id": stored.run.day.isoformat(), "name": _NAME, **stored.run.model_dump(mode="json")}
        with translating("retention_runs.write"):
            if stored.etag is None:
                row = await self._runs.create_item(body)
            else:
                row = await self._runs.replace_item(
                    body["id"], body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return str(row["_etag"])

    async def past(self, *, limit: int) -> Sequence[Run]:
        return [_run(row) for row in await self._runs_found(limit)]

    async def of_day(self, day: date) -> Run | None:
        with translating("retention_runs.of_day"):
            try:
                return _run(await self._runs.read_item(day.isoformat(), _NAME))
            except CosmosResourceNotFoundError:
                return None

    async def watch(self, watched: Watched) -> None:
        body = {"id": watch_id(watched), "key": watch_key(watched), **watched.model_dump(mode="json")}
        with translating("retention_runs.watch"):
            await self._watched.upsert_item(body)

    async def unwatch(self, watched: Watched) -> None:
        with translating("retention_runs.unwatch"):
            try:
                await self._watched.delete_item(watch_id(watched), watched.subject_key)
            except CosmosResourceNotFoundError:
                return

    async def watched_later(
        self, subject_keys: Collection[str], store_ids: Collection[str], day: date
    ) -> Mapping[str, Later]:
        keys, found = sorted(set(subject_keys)), list[tuple[str, bool]]()
        with translating("retention_runs.watched_later"):
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                parameters: list[dict[str, Any]] = [{"name": "@day", "value": day.isoformat()}]
                names: list[str] = []
                for key in keys[start : start + _KEYS_AT_ONCE]:
                    names.append(f"@k{len(names)}")
                    parameters.append({"name": names[-1], "value": key})
                query = (
                    "SELECT c.subject_key, c.store_id, c.by_arrival FROM c "
                    f"WHERE c.subject_key IN ({', '.join(names)}) AND c.look_on > @day"
                )
                rows = self._watched.query_items(query, parameters=parameters)
                found += [
                    (row["subject_key"], bool(row.get("by_arrival")))
                    async for row in rows
                    if row["store_id"] in store_ids
                ]
        return later_of(found)

    async def find(self, wanted: Watched) -> Watched | None:
        with translating("retention_runs.find"):
            try:
                return _of(await self._watched.read_item(watch_id(wanted), wanted.subject_key))
            except CosmosResourceNotFoundError:
                return None

    async def doubted(self, *, after: str, limit: int) -> Sequence[Watched]:
        parameters: list[dict[str, Any]] = [
            {"name": "@after", "value": after},
            {"name": "@limit", "value": limit},
        ]
        with translating("retention_runs.doubted"):
            return [_of(row) async for row in self._watched.query_items(_DOUBTED, parameters=parameters)]

    async def doubts(self) -> Mapping[Doubt, int]:
        found: Counter[str] = Counter()
        with translating("retention_runs.doubts"):
            async for row in self._watched.query_items(_DOUBTS, max_item_count=_ROWS_AT_ONCE):
                found[row] += 1
        return {doubt: found[doubt.value] for doubt in Doubt}

    async def due(self, day: date, *, after: str, limit: int) -> Sequence[Watched]:
        parameters: list[dict[str, Any]] = [
            {"name": "@day", "value": day.isoformat()},
            {"name": "@after", "value": after},
        ]
        with translating("retention_runs.due"):
            pages = self._watched.query_items(_DUE, parameters=parameters, max_item_count=limit).by_page()
            first = await anext(pages, None)
            found = [_of(row) async for row in first] if first is not None else []
            # The first page is all there is: for their order the database would take two calls more.
            if not pages.continuation_token and len(found) < limit:
                return sorted(found, key=watch_key)
            parameters.append({"name": "@limit", "value": limit})
            return [_of(row) async for row in self._watched.query_items(_DUE_IN_ORDER, parameters=parameters)]

    async def _runs_found(self, limit: int) -> list[dict[str, Any]]:
        parameters = [{"name": "@limit", "value": limit}]
        with translating("retention_runs.latest"):
            rows = self._runs.query_items(_LATEST, parameters=parameters, partition_key=_NAME)
            return [row async for row in rows]

    @property
    def _runs(self) -> Any:
        return self._databases.container("compliance", "retention_runs")

    @property
    def _watched(self) -> Any:
        return self._databases.container("compliance", "retention_watch")


def _run(row: dict[str, Any]) -> Run:
    try:
        return Run.model_validate({name: row[name] for name in Run.model_fields if name in row})
    except ValidationError:
        raise Permanent("document_unreadable", "retention_runs") from None


def _of(row: dict[str, Any]) -> Watched:
    try:
        return Watched.model_validate({name: row[name] for name in Watched.model_fields if name in row})
    except ValidationError:
        raise Permanent("document_unreadable", "retention_watch") from None
