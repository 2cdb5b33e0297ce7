"""Comparisons with the newsletter processor in Cosmos DB: one partition of each kind of record, few rows."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import BaseModel, ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import CannotTell
from shared.domain.reconciliations import Reconciliation, Watch
from shared.ports.reconciliations import StoredRun

_CONTAINER = "reconciliations"
_RUN, _WATCH = "run", "watch"  # the partition key tells the kind
_RUN_SECONDS = 35 * 86_400  # five of the weekly ones
_LATEST = "SELECT * FROM c ORDER BY c.id DESC OFFSET 0 LIMIT @limit"

_M = TypeVar("_M", bound=BaseModel)


class CosmosReconciliations:
    """The container `reconciliations`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, run_id: str) -> StoredRun | None:
        with translating("reconciliations.read"):
            try:
                return _stored(await self._container.read_item(run_id, _RUN))
            except CosmosResourceNotFoundError:
                return None

    async def write(self, stored: StoredRun) -> str:
        run = stored.run
        body = {"id": run.run_id, "kind": _RUN, "ttl": _RUN_SECONDS, **run.model_dump(mode="json")}
        with translating("reconciliations.write"):
            if stored.etag is None:
                row = await self._container.create_item(body)
            else:
                row = await self._container.replace_item(
                    run.run_id, body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return str(row["_etag"])

    async def latest(self, *, limit: int) -> Sequence[StoredRun]:
        parameters = [{"name": "@limit", "value": limit}]
        with translating("reconciliations.latest"):
            rows = self._container.query_items(_LATEST, parameters=parameters, partition_key=_RUN)
            return [_stored(row) async for row in rows]

    async def watched(self) -> Watch | None:
        with translating("reconciliations.watched"):
            try:
                return _read(Watch, await self._container.read_item(_WATCH, _WATCH))
            except CosmosResourceNotFoundError:
                return None

    async def keep_watch(self, watch: Watch) -> None:
        with translating("reconciliations.keep_watch"):
            await self._container.upsert_item({"id": _WATCH, "kind": _WATCH, **watch.model_dump(mode="json")})

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", _CONTAINER)


def _stored(row: Mapping[str, Any]) -> StoredRun:
    return StoredRun(run=_read(Reconciliation, row), etag=row["_etag"])


def _read(model: type[_M], row: Mapping[str, Any]) -> _M:
    try:
        return model.model_validate({name: row[name] for name in model.model_fields if name in row})
    except ValidationError:
        raise CannotTell("document_unreadable", _CONTAINER) from None
