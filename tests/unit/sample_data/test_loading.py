"""Loading writes everything, in batches the service takes, and can be repeated."""

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from devtools.azurite import Azurite
from devtools.sample_data import (
    BLOB_CONTAINERS,
    CONTAINERS,
    Role,
    SamplePerson,
    Volume,
    blobs,
    by_role,
    disclosures,
    documents,
    people,
)
from devtools.sample_data.loading import Loaded, _write_documents, load
from shared.adapters.cosmos import create_compliance_database
from shared.domain.identifiers import Pseudonymiser
from tests.contract.conftest import COSMOS_KEY

KEYS = {container.name: container.partition_key for container in CONTAINERS}
PSEUDONYMS = Pseudonymiser(b"a key of a test, thirty-two bytes or more")


class RecordingContainer:
    """A container that keeps what it was given, as the SDK's would be called."""

    def __init__(self, partition_key: str) -> None:
        self.partition_key = partition_key.removeprefix("/")
        self.writes: list[list[dict[str, Any]]] = []
        self.fails = False

    async def upsert_item(self, body: dict[str, Any]) -> None:
        self._write([body])

    async def execute_item_batch(
        self, operations: Sequence[tuple[str, tuple[dict[str, Any]]]], partition_key: str
    ) -> None:
        assert {kind for kind, _ in operations} == {"upsert"}
        bodies = [body for _, (body,) in operations]
        assert {body[self.partition_key] for body in bodies} == {partition_key}
        self._write(bodies)

    def _write(self, bodies: list[dict[str, Any]]) -> None:
        if self.fails:
            raise ConnectionError
        self.writes.append(bodies)


class RecordingDatabase:
    """A database of recording containers."""

    def __init__(self) -> None:
        self.containers = {name: RecordingContainer(key) for name, key in KEYS.items()}

    def get_container_client(self, name: str) -> RecordingContainer:
        return self.containers[name]


async def test_documents_go_in_batches_of_one_partition_and_a_hundred_at_most() -> None:
    everyone = people(9, volume=Volume(usage_events=250))
    database = RecordingDatabase()
    loaded = Loaded()

    await _write_documents(database, documents(everyone), KEYS, loaded)  # type: ignore[arg-type]

    person = by_role(everyone, Role.EVERYTHING)
    sizes = [
        len(bodies)
        for bodies in database.containers["usage_events"].writes
        if bodies[0]["user_id"] == person.user_id
    ]
    assert sorted(sizes) == [50, 100, 100]
    written = Counter(
        (name, body["id"])
        for name, container in database.containers.items()
        for bodies in container.writes
        for body in bodies
    )
    assert written == Counter((record.container, record.body["id"]) for record in documents(everyone))
    assert loaded.documents == written.total()


async def test_failed_write_ends_the_load() -> None:
    database = RecordingDatabase()
    database.containers["members"].fails = True

    with pytest.raises(ExceptionGroup) as raised:
        await _write_documents(database, documents(people(40)), KEYS, Loaded())  # type: ignore[arg-type]

    assert raised.group_contains(ConnectionError)


async def written_documents(
    endpoint: str, database: str, containers: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return what the containers hold, without the service's own fields, ordered by id."""
    found = {}
    async with CosmosClient(endpoint, credential=COSMOS_KEY, enable_endpoint_discovery=False) as client:
        for name in containers:
            container = client.get_database_client(database).get_container_client(name)
            bodies = [
                {key: value for key, value in item.items() if not key.startswith("_")}
                async for item in container.read_all_items()
            ]
            found[name] = sorted(bodies, key=lambda body: body["id"])
    return found


def made_documents(everyone: Sequence[SamplePerson]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*KEYS, "disclosures")}
    for record in (*documents(everyone), *disclosures(everyone, PSEUDONYMS.subject_key)):
        found[record.container].append(record.body)
    return {name: sorted(bodies, key=lambda body: body["id"]) for name, bodies in found.items()}


@pytest.mark.platform
async def test_loading_twice_leaves_exactly_the_sample_data(cosmos: str, azurite: Azurite) -> None:
    everyone = people(30, seed=uuid.uuid4().hex, volume=Volume(usage_events=120))
    database, compliance = f"clicklearn-{uuid.uuid4().hex}", f"compliance-{uuid.uuid4().hex}"
    await create_compliance_database(cosmos, COSMOS_KEY, compliance)

    for _ in range(2):
        loaded = await load(
            endpoint=cosmos,
            key=COSMOS_KEY,
            blob_connection_string=azurite.connection_string,
            people=everyone,
            subject_key=PSEUDONYMS.subject_key,
            database=database,
            compliance_database=compliance,
        )

    made = made_documents(everyone)
    assert await written_documents(cosmos, compliance, ["disclosures"]) == {
        "disclosures": made.pop("disclosures")
    }
    assert await written_documents(cosmos, database, list(KEYS)) == made
    made_blobs = {(blob.container, blob.name): blob.data for blob in blobs(everyone)}
    async with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        for (container, name), data in made_blobs.items():
            stream = await service.get_blob_client(container, name).download_blob()
            assert await stream.readall() == data, name
    assert loaded.blobs == len(made_blobs)
    assert set(BLOB_CONTAINERS) <= set(loaded.by_container)


@pytest.mark.platform
async def test_disclosures_are_not_written_where_our_database_is_missing(
    cosmos: str, azurite: Azurite
) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await load(
            endpoint=cosmos,
            key=COSMOS_KEY,
            blob_connection_string=azurite.connection_string,
            people=people(9),
            subject_key=PSEUDONYMS.subject_key,
            database=f"clicklearn-{uuid.uuid4().hex}",
            compliance_database=f"compliance-{uuid.uuid4().hex}",
        )

    assert raised.group_contains(CosmosResourceNotFoundError)
