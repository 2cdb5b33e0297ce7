"""The whole stack with made-up people in it, and the means of a stranger: HTTP and mail."""

import asyncio

import httpx
import pytest
from azure.storage.blob.aio import BlobServiceClient

from devtools.demo.mailbox import Mailbox
from devtools.demo.stranger import Stranger
from devtools.sample_data import people
from devtools.sample_data.loading import load
from shared.domain.identifiers import Pseudonymiser
from shared.settings import read

PEOPLE = 24


@pytest.fixture(scope="session")
def everyone(running_platform):
    """Made-up people, loaded into every system."""
    return populated(running_platform)


def populated(platform):
    """Load made-up people into every system of a platform and return them."""
    settings = read(platform.environment)
    made_up = people(PEOPLE, seed=7)
    asyncio.run(
        load(
            endpoint=settings.cosmos_endpoint,
            key=settings.cosmos_key,
            blob_connection_string=settings.storage_connection,
            people=made_up,
            subject_key=Pseudonymiser(settings.pseudonym_key_bytes).subject_key,
        )
    )
    return made_up


@pytest.fixture
async def http():
    """A client that follows nothing by itself."""
    async with httpx.AsyncClient(timeout=30.0) as client:
        yield client


@pytest.fixture
def api(running_platform):
    """Where the doors are."""
    return f"{running_platform.functions_url}/api"


@pytest.fixture
def stranger(http, api, everyone):
    """Somebody on the other side of the network."""
    return Stranger(http, api)


@pytest.fixture
async def mailbox(running_platform):
    """Everybody's mail."""
    settings = read(running_platform.environment)
    async with BlobServiceClient.from_connection_string(settings.storage_connection) as service:
        yield Mailbox(service)
