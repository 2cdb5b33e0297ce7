"""Section 5 runs by itself: four years in a minute, and a checker that trusts nobody beside it."""

from __future__ import annotations

import argparse
from contextlib import AsyncExitStack
from typing import Any

import httpx

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.mailbox import Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.preparing import HTTP_SECONDS, prepare
from devtools.demo.retention.acts import Products
from devtools.demo.retention.clockwork import Clockwork
from devtools.demo.retention.delays import Delayed
from devtools.demo.retention.edges import edges
from devtools.demo.retention.journey import STOPS
from devtools.demo.retention.lives import lives
from devtools.demo.retention.story import Story
from devtools.demo.rights.staff import Staff
from devtools.demo.stranger import Stranger
from devtools.failures import CannotStartError
from devtools.local_platform import Platform
from devtools.sample_data import AS_OF, Volume, people

RESULT_KEYS = ("by_rule", "held", "erased_too_early", "overdue")
_VOLUME = Volume(
    usage_events=3, archive_lines=2, cloud_activity=1, log_lines=1, author_behaviour=1, author_files=1
)


async def play(
    platform: Platform, narrator: Narrator, findings: Findings, options: argparse.Namespace
) -> dict[str, Any]:
    """Play the scenario on a platform whose stores run and are empty; return the values of `RESULT_KEYS`.

    Raises:
        StoryEndedError: something did not happen that all the rest needs.
        CannotStartError: there cannot be so many people.
    """
    try:
        everyone = people(options.people, seed=options.seed, volume=_VOLUME)
    except ValueError as error:
        raise CannotStartError(f"--people {options.people} cannot be: {error}.") from error
    acts = sorted([*lives(everyone), *edges()], key=lambda act: act.at)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(Stores(platform.environment))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
        products = Products(stores, client, platform.environment["COSMOS_ENDPOINT"])
        await products.set_clock(AS_OF)
        await prepare(platform, narrator, everyone)
        api_url = f"{platform.functions_url}/api"
        staff = Staff(client, api_url, platform.issuer_url)
        story = Story(
            clockwork=Clockwork(platform, client, stores, staff),
            delayed=Delayed(staff, Stranger(client, api_url), Mailbox(stores.blobs)),
            products=products,
            stores=stores,
            acts=acts,
            narrator=narrator,
            findings=findings,
        )
        for stop in STOPS:
            await story.visit(stop)
        await story.last_look(platform.logs)
        return story.result()
