"""Fixtures that start the local platform, one of each per xdist worker and only when a test asks."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.azurite import Azurite, running_azurite
from devtools.azurite_install import ensure_azurite
from devtools.local_platform import Platform

_FAST = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.200"}
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite with empty storage in memory; tests share it and use names of their own."""
    log = tmp_path_factory.mktemp("azurite") / "azurite.log"
    with running_azurite(ensure_azurite(ROOT), log=log) as running:
        yield running


@pytest.fixture(scope="session")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an empty Cosmos DB emulator; tests share it and use databases of their own."""
    platform = Platform(ROOT, logs=tmp_path_factory.mktemp("cosmos"))
    try:
        platform.start_cosmos()
        yield platform.cosmos_endpoint
    finally:
        platform.stop()


@pytest.fixture(scope="session")
def running_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform with the app served by the functions host, on stores of its own."""
    from devtools.provision import provision

    logs = tmp_path_factory.mktemp("platform")
    with Platform(ROOT, logs=logs, overrides=_FAST, with_staff=True) as platform:
        asyncio.run(provision(ROOT, platform.environment))
        platform.start_host()
        yield platform
