"""Newsletters: thousands of webhook events with duplicates, disorder and losses; both sides agree at last."""

from __future__ import annotations

import argparse
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
from devtools.demo.newsletter.recorded import copy_with_contract
from devtools.demo.newsletter.scene import Scene
from devtools.demo.newsletter.storm import KEPT_FOR_STAFF, outage_over, storm, strange_bodies
from devtools.demo.newsletter.vendor import Vendor
from devtools.demo.newsletter.verdict import Judge, accepted, duplicates
from devtools.demo.preparing import HTTP_SECONDS, made_up, prepare
from devtools.demo.rights.days import Days
from devtools.demo.rights.staff import Staff
from devtools.demo.rights.systems import Systems
from devtools.demo.stranger import Stranger
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
LEAST_EVENTS = 10_000
RETURNING = 3
DOMAINS = ("crowd.example", "forms.example")
_SHOWN = 10


async def play(
    platform: Platform, narrator: Narrator, findings: Findings, options: argparse.Namespace
) -> dict[str, Any]:
    """Play the scenario on a platform whose stores run and are empty; return the values of `RESULT_KEYS`.

    The platform needs its stand-in for the newsletter's processor and its issuer of staff tokens.

    Raises:
        StoryEndedError: something did not happen that all the rest needs.
        CannotStartError: there cannot be so many people.
    """
    await prepare(platform, narrator, made_up(options))
    environment = platform.environment
    keys = Pseudonymiser(read(environment).pseudonym_key_bytes)
    api_url = f"{platform.functions_url}/api"
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="app-")))
        copy_with_contract(platform.root, folder)
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
        forms = Forms(
            scene=scene,
            mailbox=Mailbox(stores.blobs),
            stranger=Stranger(client, api_url),
            systems=Systems(client, api_url),
        )
        return await _days(scene, forms)


async def _days(scene: Scene, forms: Forms) -> dict[str, Any]:
    narrator = scene.narrator
    narrator.chapter("Our own forms")
    await forms.come()
    await scene.quiet()
    await forms.go_on()
    narrator.chapter("The first day: people come and go at the processor, which tells of it badly")
    await storm(scene)
    await strange_bodies(scene)
    await scene.quiet()
    await outage_over(scene)
    await scene.move_to(1)
    await scene.quiet()
    before = await scene.evidence()
    lost = scene.judge.lost(before)
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
    return await _judged(scene, forms, lost_before=[str(one) for one in lost])


async def _judged(scene: Scene, forms: Forms, *, lost_before: list[str]) -> dict[str, Any]:
    """Note everything that is not as it should be, and return the values of `RESULT_KEYS`."""
    scene.narrator.chapter("The proof: both sides side by side, read with the bare SDKs")
    evidence, judge, findings = await scene.evidence(), scene.judge, scene.findings
    diverging = judge.diverging(evidence)
    re_added = judge.re_added(evidence, scene.said_no)
    forms.judge(evidence)
    twice, repeated = judge.said_twice(evidence), duplicates(evidence)
    for what, found in (
        ("an accepted event had no effect", lost_before),
        ("both sides differ after reconciliation", diverging),
        ("added by an import", re_added),
        ("the gate says something else than the ledger", judge.gates_that_differ(evidence)),
    ):
        for one in found[:_SHOWN]:
            findings.add(f"{what}: {one}")
    findings.equal(twice, 0, "words that the ledger says twice")
    import json

    Path("/tmp/nd-ledger.json").write_text(json.dumps(evidence.ledger))
    await _judge_traces(scene)
    events = accepted(evidence)
    findings.expect(events >= LEAST_EVENTS, f"only {events} events were accepted")
    findings.expect(repeated > 0, "no event came twice")
    return {
        "webhook_events": events,
        "lost": len(lost_before),
        "duplicates_without_effect": repeated - twice,
        "diverging_after_reconciliation": len(diverging),
        "re_added_by_import": len(re_added),
    }


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
    scene.findings.equal(len(kept), KEPT_FOR_STAFF, "bodies of webhooks that are kept")
