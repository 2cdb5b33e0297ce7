"""Warnings of members in Cosmos DB, one partition a pseudonym."""

from typing import Any

from azure.core import MatchConditions
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from pydantic import ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import CannotTell
from shared.domain.membership_warnings import MembershipWarning
from shared.ports.membership_warnings import StoredWarning


class CosmosMembershipWarnings:
    """The `membership_warnings` container."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def read(self, subject_key: str, warning_id: str) -> StoredWarning | None:
        with translating("membership_warnings.read"):
            try:
                row = await self._container.read_item(warning_id, subject_key)
            except CosmosResourceNotFoundError:
                return None
        return StoredWarning(warning=_warning(row), etag=row["_etag"])

    async def write(self, stored: StoredWarning) -> str:
        body = {"id": stored.warning.warning_id, **stored.warning.model_dump(mode="json")}
        with translating("membership_warnings.write"):
            if stored.etag is None:
                row = await self._container.create_item(body)
            else:
                row = await self._container.replace_item(
                    body["id"], body, etag=stored.etag, match_condition=MatchConditions.IfNotModified
                )
        return str(row["_etag"])

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "membership_warnings")


def _warning(row: dict[str, Any]) -> MembershipWarning:
    try:
        return MembershipWarning.model_validate(
            {name: row.get(name) for name in MembershipWarning.model_fields}
        )
    except ValidationError:
        raise CannotTell("document_unreadable", "membership_warnings") from None
