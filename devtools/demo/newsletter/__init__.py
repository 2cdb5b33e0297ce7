"""Newsletters: thousands of webhook events with duplicates, disorder and losses, and both sides agree at last."""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import httpx

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.narration import Narrator
from devtools.demo.newsletter import lists
from devtools.demo.newsletter.reading import read_evidence
from devtools.demo.newsletter.vendor import OUTAGE, Vendor
from devtools.demo.newsletter.verdict import Judge, accepted, duplicates
from devtools.demo.preparing import HTTP_SECONDS, made_up, prepare, wait_for_quiet
from devtools.demo.rights.days import Days
from devtools.demo.rights.staff import Staff
from devtools.local_platform import Platform
from shared.domain.identifiers import EMAIL, Pseudonymiser
from shared.settings import read

RESULT_KEYS = (
    "webhook_events",
    "lost",
    "duplicates_without_effect",
    "diverging_after_reconciliation",
    "re_added_by_import",
)


async def play(
    platform: Platform, narrator: Narrator, findings: Findings, options: argparse.Namespace
) -> dict[str, Any]:
    environment = platform.environment
    api_url = f"{platform.functions_url}/api"
    await prepare(platform, narrator, made_up(options))
    keys = Pseudonymiser(read(environment).pseudonym_key_bytes)
    judge = Judge(key_of=lambda address: keys.subject_key(EMAIL, address), purposes=lists.PURPOSES)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(Stores(environment))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
        vendor = Vendor(client, platform.campaign_monitor_url)
        staff = Staff(client, api_url, platform.issuer_url)
        days = Days(platform, client, narrator, staff, lists.settings())
        await vendor.weather(
            automatic=False, seed=1, batch=1000, dropped=0.01, repeated=0.1, resent=0.2, reach=400, at_once=4
        )
        await vendor.open(lists.webhook_url(api_url))
        await days.begin()
        await vendor.test_webhooks()
        done = await vendor.live(lists.CONFIRMED, seed=1, people=3000, changes=9000)
        narrator.step(f"confirmed: {done}")
        done = await vendor.live(lists.OPEN, seed=2, people=200, changes=300, first=100000)
        narrator.step(f"open: {done}")
        began = time.monotonic()
        narrator.step(f"taken {await vendor.deliver()} in {time.monotonic() - began:.1f} s")
        while waiting := await stores.waiting_messages():
            await asyncio.sleep(3)
            narrator.step(f"{waiting} {await vendor.calls()}")
        await vendor.deliver()
        await wait_for_quiet(stores, findings)
        evidence = await read_evidence(stores.cosmos, environment["COSMOS_COMPLIANCE_DATABASE"], vendor)
        narrator.step(
            f"accepted {accepted(evidence)} duplicates {duplicates(evidence)} diverging {len(judge.diverging(evidence))} lost {len(judge.lost(evidence))} twice {judge.said_twice(evidence)} gates {len(judge.gates_that_differ(evidence))}"
        )
        for one in judge.lost(evidence)[:20]:
            narrator.step(
                f"{one} {evidence.states.get(one)} {evidence.ledger.get(judge.key_of(one.address))} {[t for t in evidence.told if one.address in (t.address, t.old_address)]}"
            )
        import shutil

        shutil.copytree(platform.logs, "/tmp/nd-logs", dirs_exist_ok=True)
        return {"webhook_events": accepted(evidence)}
