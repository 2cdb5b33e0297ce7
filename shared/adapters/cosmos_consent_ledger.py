"""The ledger of consents in Cosmos DB, one partition a pseudonym."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from azure.cosmos.exceptions import CosmosResourceExistsError, CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.consent_ledger import ConsentEvent, EventKind
from shared.domain.errors import CannotTell

_CONTAINER = "consent_ledger"


class CosmosConsentLedger:
    """The container `consent_ledger`."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def append(self, event: ConsentEvent) -> ConsentEvent:
        row = {"id": event.event_id, **event.model_dump(mode="json", exclude={"event_id"})}
        with translating("consent_ledger.append"):
            try:
                await self._container.create_item(row)
            except CosmosResourceExistsError:
                return await self._standing(event)
        return event

    async def _standing(self, event: ConsentEvent) -> ConsentEvent:
        try:
            return _event(await self._container.read_item(event.event_id, event.subject_key))
        except CosmosResourceNotFoundError:  # erased meanwhile
            return event

    async def of_person(self, subject_keys: Sequence[str]) -> tuple[ConsentEvent, ...]:
        found: list[ConsentEvent] = []
        with translating("consent_ledger.of_person"):
            for key in dict.fromkeys(subject_keys):
                rows = self._container.query_items("SELECT * FROM c", partition_key=key)
                found += [_event(row) async for row in rows]
        return tuple(found)

    async def forget(self, subject_key: str, event_ids: Iterable[str]) -> None:
        with translating("consent_ledger.forget"):
            for event_id in event_ids:
                try:
                    await self._container.delete_item(event_id, partition_key=subject_key)
                except CosmosResourceNotFoundError:
                    continue

    async def given(self, purpose_id: str) -> AsyncIterator[str]:
        query = "SELECT DISTINCT VALUE c.subject_key FROM c WHERE c.purpose_id = @purpose AND c.kind = @kind"
        parameters = [
            {"name": "@purpose", "value": purpose_id},
            {"name": "@kind", "value": EventKind.GIVEN.value},
        ]
        with translating("consent_ledger.given"):
            async for key in self._container.query_items(query, parameters=parameters):
                yield str(key)

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", _CONTAINER)


def _event(row: dict[str, Any]) -> ConsentEvent:
    known = {name: row[name] for name in ConsentEvent.model_fields if name in row}
    try:
        return ConsentEvent.model_validate({**known, "event_id": row.get("id")})
    except ValidationError:
        raise CannotTell("document_unreadable", _CONTAINER) from None
