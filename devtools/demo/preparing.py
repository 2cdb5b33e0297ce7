"""What every scenario begins and ends with: made-up people in every system, and queues that are empty."""

from __future__ import annotations

import argparse
import asyncio
import time

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.narration import Narrator
from devtools.failures import CannotStartError
from devtools.local_platform import Platform
from devtools.provision import provision
from devtools.sample_data import SamplePerson, people
from devtools.sample_data.loading import load
from shared.domain.identifiers import Pseudonymiser
from shared.settings import read

HTTP_SECONDS = 30.0
WITHOUT_RETENTION = {"AzureWebJobs_retention_Disabled": "true"}
"""Settings of the host: what is due of others, too, would go at some minute, as if by mistake."""
_QUEUE_SECONDS = 30.0


def made_up(options: argparse.Namespace) -> list[SamplePerson]:
    """Return the people that the command line asks for.

    Raises:
        CannotStartError: there cannot be so many.
    """
    try:
        return people(options.people, seed=options.seed)
    except ValueError as error:
        raise CannotStartError(f"--people {options.people} cannot be: {error}.") from error


async def prepare(platform: Platform, narrator: Narrator, everyone: list[SamplePerson]) -> None:
    """Put the made-up people into the systems of record; the host is not started yet."""
    narrator.chapter("The platform: Azurite, the Cosmos DB emulator and the functions host, all empty")
    environment = platform.environment
    await provision(platform.root, environment)
    with narrator.waiting("loading sample people"):
        loaded = await load(
            endpoint=environment["COSMOS_ENDPOINT"],
            key=environment["COSMOS_KEY"],
            blob_connection_string=environment["STORAGE_CONNECTION"],
            people=everyone,
            subject_key=Pseudonymiser(read(environment).pseudonym_key_bytes).subject_key,
            database=environment["COSMOS_SYSTEMS_DATABASE"],
            compliance_database=environment["COSMOS_COMPLIANCE_DATABASE"],
        )
    narrator.step(
        f"{len(everyone)} made-up people: {loaded.documents} documents and {loaded.blobs} blobs "
        "in the systems of record"
    )


async def wait_for_quiet(
    stores: Stores, findings: Findings, *, patience_seconds: float = _QUEUE_SECONDS
) -> None:
    """Wait until every queue is empty: a hidden message could not be searched."""
    deadline = time.monotonic() + patience_seconds
    while waiting := await stores.waiting_messages():
        if time.monotonic() > deadline:
            findings.add(f"messages left in queues: {waiting}")
            return
        await asyncio.sleep(0.5)
