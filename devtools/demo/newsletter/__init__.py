"""Newsletters: thousands of webhook events with duplicates, disorder and losses; both sides agree at last."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.mailbox import Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.newsletter import lists
from devtools.demo.newsletter.forms import Forms
from devtools.demo.newsletter.old_list import import_again
from devtools.demo.newsletter.outcome import RESULT_KEYS, outcome
from devtools.demo.newsletter.recipients import Recipients, a_buyer
from devtools.demo.newsletter.recorded import copy_with_facts
from devtools.demo.newsletter.scene import Scene
from devtools.demo.newsletter.storm import KEPT_FOR_STAFF, outage_over, storm, strange_bodies
from devtools.demo.newsletter.vendor import Vendor
from devtools.demo.newsletter.verdict import Judge
from devtools.demo.preparing import HTTP_SECONDS, made_up, prepare
from devtools.demo.rights.days import Days
from devtools.demo.rights.staff import Staff
from devtools.demo.rights.systems import Systems
from devtools.demo.stranger import Stranger
from devtools.local_platform import Platform
from shared.domain.identifiers import EMAIL, Pseudonymiser
from shared.settings import read

__all__ = ["RESULT_KEYS", "play"]
RETURNING = 3
DOMAINS = ("crowd.example", "forms.example")


async def play(
    platform: Platform, narrator: Narrator, findings: Findings, options: argparse.Namespace
) -> dict[str, Any]:
    """Play the scenario on a platform whose stores run and are empty; return the values of `RESULT_KEYS`.

    The platform needs its stand-in for the newsletter's processor and its issuer of staff tokens.

    Raises:
        StoryEndedError: something did not happen that all the rest needs.
        CannotStartError: there cannot be so many people.
    """
    everyone = made_up(options)
    await asyncio.to_thread(platform.start_analytics)
    await prepare(platform, narrator, everyone)
    environment = platform.environment
    keys = Pseudonymiser(read(environment).pseudonym_key_bytes)
    api_url = f"{platform.functions_url}/api"
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="app-")))
        copy_with_facts(platform.root, folder)
        platform.app_root = folder
        stores = await stack.enter_async_context(Stores(environment))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
        staff = Staff(client, api_url, platform.issuer_url)
        scene = Scene(
            narrator=narrator,
            findings=findings,
            stores=stores,
            client=client,
            vendor=Vendor(client, platform.campaign_monitor_url),
            days=Days(platform, client, narrator, staff, lists.settings()),
            judge=Judge(key_of=lambda address: keys.subject_key(EMAIL, address), purposes=lists.PURPOSES),
            api_url=api_url,
            database=environment["COSMOS_COMPLIANCE_DATABASE"],
            logs=platform.logs,
        )
        await scene.vendor.open(lists.webhook_url(api_url))
        await scene.days.begin()
        await scene.vendor.test_webhooks()
        narrator.step(f"the app answers on {api_url}; the processor's webhooks are registered and tested")
        mailbox, stranger = Mailbox(stores.blobs), Stranger(client, api_url)
        systems = Systems(client, api_url)
        forms = Forms(scene=scene, mailbox=mailbox, stranger=stranger, systems=systems)
        recipients = Recipients(
            scene=scene,
            mailbox=mailbox,
            stranger=stranger,
            systems=systems,
            staff=staff,
            buyer=a_buyer(everyone),
            analytics_url=platform.google_analytics_url,
        )
        return await _days(scene, forms, recipients)


async def _days(scene: Scene, forms: Forms, recipients: Recipients) -> dict[str, Any]:
    narrator = scene.narrator
    narrator.chapter("Our own forms")
    await forms.come()
    await scene.quiet()
    await forms.go_on()
    narrator.chapter("Who else received somebody's data")
    await recipients.play()
    narrator.chapter("The first day: people come and go at the processor, which tells of it badly")
    await storm(scene)
    await strange_bodies(scene)
    await scene.quiet()
    await outage_over(scene)
    await scene.move_to(1)
    await scene.quiet()
    before = await scene.evidence()
    narrator.step(
        f"before reconciliation both sides differ on {len(scene.judge.diverging(before))} addresses"
    )
    await scene.days.run_timer("reconciliation")
    await scene.quiet()
    repaired = await scene.evidence()
    narrator.step(f"after it they differ on {len(scene.judge.diverging(repaired))}")
    await import_again(scene, repaired)
    known = {one.address for one in repaired.states} - repaired.suppressed
    await forms.come_back(sorted(scene.said_no & known)[:RETURNING])
    await scene.quiet()
    await scene.move_to(2)
    await scene.days.run_timer("reconciliation")
    await scene.quiet()
    narrator.chapter("The proof: both sides side by side, read with the bare SDKs")
    after = await scene.evidence()
    forms.judge(after)
    await _judge_traces(scene)
    found = dict(outcome(scene.judge, scene.findings, before=before, after=after, said_no=scene.said_no))
    narrator.step(
        f"{len(after.states)} places in the lists beside {sum(map(len, after.ledger.values()))} words in the "
        f"ledger: {found['lost']} lost, {found['diverging_after_reconciliation']} differ, "
        f"{found['re_added_by_import']} added by an old list"
    )
    return found


async def _judge_traces(scene: Scene) -> None:
    """Note addresses and the secret in logs and queues, and bodies that are kept without a reason."""
    holdings = await scene.stores.read_all(scene.logs)
    texts = {
        **holdings.logs,
        **{f"queue {name} {number}": text for number, (name, text) in enumerate(holdings.messages)},
    }
    for where, text in texts.items():
        for secret in (lists.PATH_END, *DOMAINS):
            scene.findings.expect(secret not in text, f"{where} holds {secret}")
    kept = [name for container, name, _ in holdings.blobs if container == "webhooks"]
    if not scene.findings.equal(len(kept), KEPT_FOR_STAFF, "bodies of webhooks that are kept"):
        for one in await scene.receipts(kept):
            scene.findings.add(f"kept: {one}")
