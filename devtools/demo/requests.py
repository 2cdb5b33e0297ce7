"""Access and erasure, from a web form's POST to a closed case, and the proof that nothing is left."""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

import httpx

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.mailbox import Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.story import Story
from devtools.demo.stranger import Stranger
from devtools.demo.verdict import Verdict
from devtools.failures import CannotStartError
from devtools.local_platform import Platform
from devtools.provision import provision
from devtools.sample_data import SamplePerson, people
from devtools.sample_data.loading import load
from shared.domain.identifiers import Pseudonymiser
from shared.settings import read

RESULT_KEYS = (
    "requests_completed",
    "documents_erased",
    "blobs_erased",
    "lines_rewritten",
    "residue",
    "package_files",
    "others_untouched",
)
QUEUE_SECONDS = 30.0
_HTTP_SECONDS = 30.0


async def play(
    platform: Platform, narrator: Narrator, findings: Findings, options: argparse.Namespace
) -> dict[str, Any]:
    """Play the scenario on a platform whose stores run and are empty; return the values of `RESULT_KEYS`.

    Raises:
        StoryEndedError: something did not happen that all the rest needs.
        CannotStartError: there cannot be so many people.
    """
    try:
        everyone = people(options.people, seed=options.seed)
    except ValueError as error:
        raise CannotStartError(f"--people {options.people} cannot be: {error}.") from error
    await _prepare(platform, narrator, everyone)
    async with Stores(platform.environment) as stores, httpx.AsyncClient(timeout=_HTTP_SECONDS) as client:
        story = Story(
            everyone,
            narrator,
            findings,
            stranger=Stranger(client, f"{platform.functions_url}/api"),
            mailbox=Mailbox(stores.blobs),
        )
        await story.copies()
        before = await stores.read_all()
        await story.erasures()
        with narrator.waiting("the queues become empty"):
            await _wait_for_quiet(stores, findings)
        after = await stores.read_all(platform.logs)
        erased = [player for player in story.players if player.is_erased]
        return {
            "requests_completed": story.completed,
            "package_files": story.package_files,
            **Verdict(everyone, erased, narrator, findings).judge(before, after),
        }


async def _prepare(platform: Platform, narrator: Narrator, everyone: list[SamplePerson]) -> None:
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
    url = await asyncio.to_thread(platform.start_host)
    narrator.step(f"the app answers on {url}; from here on only HTTP and the people's mail are used")


async def _wait_for_quiet(stores: Stores, findings: Findings) -> None:
    """Wait until every queue is empty: a hidden message could not be searched."""
    deadline = time.monotonic() + QUEUE_SECONDS
    while waiting := await stores.waiting_messages():
        if time.monotonic() > deadline:
            findings.add(f"messages left in queues: {waiting}")
            return
        await asyncio.sleep(0.5)
