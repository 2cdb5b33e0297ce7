"""Access and erasure, from a web form's POST to a closed case, and the proof that nothing is left."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import httpx

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.mailbox import Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.preparing import HTTP_SECONDS, WITHOUT_RETENTION, made_up, prepare, wait_for_quiet
from devtools.demo.story import Story
from devtools.demo.stranger import Stranger
from devtools.demo.verdict import Verdict
from devtools.local_platform import Platform

RESULT_KEYS = (
    "requests_completed",
    "documents_erased",
    "blobs_erased",
    "lines_rewritten",
    "residue",
    "package_files",
    "others_untouched",
)


async def play(
    platform: Platform, narrator: Narrator, findings: Findings, options: argparse.Namespace
) -> dict[str, Any]:
    """Play the scenario on a platform whose stores run and are empty; return the values of `RESULT_KEYS`.

    Raises:
        StoryEndedError: something did not happen that all the rest needs.
        CannotStartError: there cannot be so many people.
    """
    everyone = made_up(options)
    await prepare(platform, narrator, everyone)
    url = await asyncio.to_thread(platform.start_host, settings=WITHOUT_RETENTION)
    narrator.step(f"the app answers on {url}; from here on only HTTP and the people's mail are used")
    async with Stores(platform.environment) as stores, httpx.AsyncClient(timeout=HTTP_SECONDS) as client:
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
            await wait_for_quiet(stores, findings)
        after = await stores.read_all(platform.logs)
        erased = [player for player in story.players if player.is_erased]
        return {
            "requests_completed": story.completed,
            "package_files": story.package_files,
            **Verdict(everyone, erased, narrator, findings).judge(before, after),
        }
