"""Create on empty local stores what Bicep creates in Azure: our database, blob containers and queues."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from devtools.functions_host.functions import QUEUE_TRIGGER
from devtools.functions_host.loading import load_functions
from devtools.functions_host.settings import load_settings
from devtools.functions_host.validation import queue_name
from shared.adapters.cosmos import create_compliance_database
from shared.adapters.storage import OWN_CONTAINERS


async def provision(root: Path, environment: Mapping[str, str]) -> None:
    """Create everything that the app expects to find. What exists already stays as it is.

    Args:
        root: The repository root; the queues are read from the app's own triggers.
        environment: The app's settings.

    Raises:
        HostRefusedError: The app would not start.
    """
    await asyncio.gather(
        create_compliance_database(
            environment["COSMOS_ENDPOINT"],
            environment["COSMOS_KEY"],
            environment["COSMOS_COMPLIANCE_DATABASE"],
        ),
        _create_containers(environment["STORAGE_CONNECTION"]),
        _create_queues(environment["AzureWebJobsStorage"], trigger_queues(root, environment)),
    )


def trigger_queues(root: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the names of the queues that the app listens to.

    Raises:
        HostRefusedError: The app would not start.
    """
    settings = load_settings(root, environment)
    functions = load_functions(root, settings)
    return sorted(
        {
            queue_name(function.trigger, settings)
            for function in functions
            if function.trigger_type == QUEUE_TRIGGER
        }
    )


async def _create_containers(connection_string: str) -> None:
    async with BlobServiceClient.from_connection_string(connection_string) as service:
        for name in OWN_CONTAINERS:
            try:
                await service.create_container(name)
            except ResourceExistsError:
                continue


async def _create_queues(connection_string: str, names: list[str]) -> None:
    async with QueueServiceClient.from_connection_string(connection_string) as service:
        for name in names:
            try:
                await service.create_queue(name)
            except ResourceExistsError:
                continue
