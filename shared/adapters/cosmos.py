"""The Cosmos DB client and the containers of our own database, built on first use and kept for the worker."""

from typing import Any

from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosResourceExistsError

from shared.adapters.cosmos_meter import note_charge
from shared.adapters.credentials import Credentials
from shared.adapters.proxies import through_proxy
from shared.settings import Settings

COMPLIANCE_CONTAINERS: dict[str, tuple[str, int | None]] = {
    # container: partition key, default time to live in seconds (None: off; -1: per item)
    "requests": ("/request_id", None),
    "controls": ("/subject_key", None),
    "disclosures": ("/subject_key", None),
    "lookups": ("/subject_key", None),
    "notes": ("/subject_key", None),
    "policy_displays": ("/subject_key", None),
    "consent_ledger": ("/subject_key", None),
    "pending_sign_ups": ("/id", None),
    "newsletter_changes": ("/subject_key", None),
    "newsletter_leavings": ("/subject_key", -1),
    "webhook_receipts": ("/body_id", -1),
    "reconciliations": ("/kind", -1),
    "limits": ("/bucket", -1),
    "walks": ("/name", None),
    "retention_runs": ("/name", None),
    "retention_watch": ("/subject_key", None),
    "activity_clocks": ("/subject_key", None),
    "membership_warnings": ("/subject_key", None),
}


class CosmosDatabases:
    """Both databases of one account."""

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self._settings = settings
        self._credentials = credentials
        self._client: CosmosClient | None = None
        self._containers: dict[tuple[str, str], ContainerProxy] = {}

    def container(self, database: str, name: str) -> ContainerProxy:
        """Return a container of `clicklearn` or `compliance`, under the database names settings give."""
        key = (database, name)
        if key not in self._containers:
            names = {
                "clicklearn": self._settings.cosmos_systems_database,
                "compliance": self._settings.cosmos_compliance_database,
            }
            proxy = self._connected().get_database_client(names[database]).get_container_client(name)
            self._containers[key] = proxy
        return self._containers[key]

    def _connected(self) -> CosmosClient:
        if self._client is None:
            credential: Any = self._settings.cosmos_key or self._credentials.token()
            # One worker writes and reads its own data; sessions of other workers are not waited for, and
            # every decision is guarded by an ETag.
            self._client = CosmosClient(
                self._settings.cosmos_endpoint,
                credential=credential,
                enable_endpoint_discovery=not self._settings.cosmos_key,
                transport=AioHttpTransport(use_env_settings=through_proxy()),
                raw_response_hook=note_charge,
            )
        return self._client

    async def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._client is not None:
            await self._client.close()
            self._client, self._containers = None, {}


async def create_compliance_database(endpoint: str, key: str, database: str) -> None:
    """Create our database on an emulator. In Azure, Bicep does it: data roles cannot create containers."""
    async with CosmosClient(endpoint, credential=key) as client:
        created = await client.create_database_if_not_exists(database)
        for name, (partition_key, default_ttl) in COMPLIANCE_CONTAINERS.items():
            options: dict[str, Any] = {} if default_ttl is None else {"default_ttl": default_ttl}
            try:
                await created.create_container(
                    name, partition_key=PartitionKey(path=partition_key), **options
                )
            except CosmosResourceExistsError:
                continue
