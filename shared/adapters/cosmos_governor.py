"""The tallies of scheduled deletion in Cosmos DB, among the counters; gone an hour after use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.adapters.paid_requests import charging
from shared.domain.budgets import Purses, Tally
from shared.ports.governor import StoredTally

_TTL_SECONDS = 3600


class CosmosGovernor:
    """One document a container in `limits`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases
        self._purses = Purses()

    @property
    def purses(self) -> Purses:
        return self._purses

    @contextmanager
    def governed(self) -> Iterator[None]:
        with charging(self._purses.spend):
            yield

    async def read(self, container: str) -> StoredTally:
        name = _name(container)
        with translating("governor.read"), charging(None):
            try:
                row = await self._container.read_item(name, name)
            except CosmosResourceNotFoundError:
                return StoredTally(tally=Tally(container=container), etag=None)
        try:
            return StoredTally(tally=Tally.model_validate(row["tally"]), etag=row["_etag"])
        except (KeyError, ValidationError):  # of another version: nothing of it is worth a stop
            return StoredTally(tally=Tally(container=container), etag=row["_etag"])

    async def write(self, stored: StoredTally) -> None:
        name = _name(stored.tally.container)
        body = {
            "id": name,
            "bucket": name,
            "tally": stored.tally.model_dump(mode="json"),
            "ttl": _TTL_SECONDS,
        }
        with translating("governor.write"), charging(None):
            if stored.etag is None:
                await self._container.create_item(body)
            else:
                await self._container.replace_item(
                    name, body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "limits")


def _name(container: str) -> str:
    return f"retention-{container}"
