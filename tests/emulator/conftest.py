"""An emulator inside the test process and the unmodified SDK in front of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy

from devtools.cosmos_emulator import EMULATOR_KEY, CosmosEmulator
from tests.emulator.raw_requests import RawClient

MakeContainer = Callable[..., Awaitable[ContainerProxy]]


@pytest.fixture
async def emulator() -> AsyncIterator[CosmosEmulator]:
    async with CosmosEmulator() as running:
        yield running


@pytest.fixture
async def client(emulator: CosmosEmulator) -> AsyncIterator[CosmosClient]:
    async with CosmosClient(emulator.endpoint, EMULATOR_KEY) as opened:
        yield opened


@pytest.fixture
async def database(client: CosmosClient) -> DatabaseProxy:
    return await client.create_database("shop")


@pytest.fixture
def make_container(database: DatabaseProxy) -> MakeContainer:
    async def make(name: str = "things", path: Any = "/pk", **settings: Any) -> ContainerProxy:
        return await database.create_container(name, PartitionKey(path), **settings)

    return make


@pytest.fixture
async def container(make_container: MakeContainer) -> ContainerProxy:
    return await make_container()


@pytest.fixture
async def raw(emulator: CosmosEmulator) -> AsyncIterator[RawClient]:
    async with aiohttp.ClientSession() as session:
        yield RawClient(session, emulator.endpoint)
