"""Every right, a customer, a refusal, an extension and a missed day, with the clock moved on between."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.mailbox import Mailbox
from devtools.demo.narration import Narrator
from devtools.demo.package_check import PackageJudge
from devtools.demo.preparing import HTTP_SECONDS, made_up, prepare, wait_for_quiet
from devtools.demo.proof_check import today_in_copenhagen
from devtools.demo.rights import decided, first_day, receiver
from devtools.demo.rights.cast import cast
from devtools.demo.rights.changes import changes_of
from devtools.demo.rights.days import Days
from devtools.demo.rights.letters import Letters
from devtools.demo.rights.scene import Scene
from devtools.demo.rights.staff import Staff, administers
from devtools.demo.rights.systems import Newsletter, Systems
from devtools.demo.rights.verdict import Verdict
from devtools.demo.stranger import Stranger
from devtools.demo.together import all_at_once
from devtools.local_platform import Platform
from devtools.sample_data.loading import load_subscribers
from shared.domain.identifiers import Pseudonymiser
from shared.settings import read

RESULT_KEYS = ("cases", "denied_after_restriction", "letters")
NOTICE_DAYS = 8  # the notice that a restriction ends gives seven
LATE_DAYS = 40  # longer than any month, with the holidays after it


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
    chosen = cast(everyone)
    await prepare(platform, narrator, everyone)
    subscribers = await load_subscribers(url=platform.campaign_monitor_url, people=everyone)
    narrator.step(f"{subscribers} sign-ups at the newsletter's processor")
    environment = platform.environment
    api_url = f"{platform.functions_url}/api"
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="receiver-")))
        other = await stack.enter_async_context(receiver.running(folder))
        stores = await stack.enter_async_context(Stores(environment))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
        staff = Staff(client, api_url, platform.issuer_url)
        scene = Scene(
            cast=chosen,
            narrator=narrator,
            findings=findings,
            stranger=Stranger(client, api_url),
            mailbox=Mailbox(stores.blobs),
            letters=Letters.of(environment),
            packages=PackageJudge(everyone, findings),
            staff=staff,
            systems=Systems(client, api_url),
            newsletter=Newsletter(client, platform.campaign_monitor_url),
            receiver=other,
        )
        customer = chosen["access"].customers[0].customer_id
        days = Days(platform, client, narrator, staff, {**other.settings, **administers(customer)})
        before = await stores.read_all()
        await days.begin()
        narrator.step(f"the app answers on {api_url}; from here on only HTTP and mail are used")
        narrator.chapter("The first day: every right, in one's own name and in somebody else's")
        await all_at_once(case(scene) for case in (*first_day.CASES, *decided.CASES))
        await wait_for_quiet(stores, findings)
        await days.move_to(NOTICE_DAYS)
        await wait_for_quiet(stores, findings)
        await all_at_once(case(scene) for case in (decided.restriction_lifted, decided.erasure_released))
        await wait_for_quiet(stores, findings)
        await days.move_to(LATE_DAYS)
        await wait_for_quiet(stores, findings)
        log = days.log()
        await all_at_once(case(scene, log) for case in (decided.extension_used, decided.deadline_passed))
        await wait_for_quiet(stores, findings)
        after = await stores.read_all(platform.logs)
    keys = Pseudonymiser(read(environment).pseudonym_key_bytes)
    changes = changes_of(chosen, lifted_on=today_in_copenhagen() + timedelta(days=NOTICE_DAYS))
    verdict = Verdict(everyone, chosen, changes, keys, scene.letters, narrator, findings)
    letters = verdict.judge(before, after)
    return {
        "cases": dict(sorted(scene.outcomes.items())),
        "denied_after_restriction": scene.denied_after_restriction,
        "letters": letters,
    }
