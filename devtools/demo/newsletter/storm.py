"""Thousands of events while people go on living: late, twice, in disorder or never; and an outage."""

from __future__ import annotations

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import Any

from devtools.demo.newsletter.lists import CONFIRMED, OPEN, webhook_url
from devtools.demo.newsletter.scene import Scene
from devtools.demo.newsletter.vendor import OUTAGE

ROUNDS = 4
OUTAGE_IN_ROUND = 2
PEOPLE = {CONFIRMED: 1_200, OPEN: 80}
CHANGES = {CONFIRMED: 1_800, OPEN: 80}
_OPEN_FROM = 100_000  # numbers of the people on the other list
ROUGH = {"batch": 1000, "dropped": 0.01, "repeated": 0.25, "resent": 0.25, "reach": 400, "at_once": 4}
_LARGEST_BYTES = 4 * 1024 * 1024


async def storm(scene: Scene) -> None:
    """Let the crowds live in rounds; what each round brings is told while the app works on the last one."""
    done: Counter[str] = Counter()
    for number in range(1, ROUNDS + 1):
        for list_id, first in ((CONFIRMED, 0), (OPEN, _OPEN_FROM)):
            lived = await scene.vendor.live(
                list_id,
                seed=number,
                people=PEOPLE[list_id],
                changes=CHANGES[list_id],
                first=first,
                step_seconds=0.0,
            )
            done.update(lived)
        if number == OUTAGE_IN_ROUND:
            await scene.vendor.do("PUT", "faults", OUTAGE)
            scene.narrator.step("the processor begins to answer with errors, halves of pages, or nothing")
        await scene.vendor.weather(seed=number, **ROUGH)
        taken = await scene.vendor.deliver()
        scene.narrator.step(f"round {number}: {taken['events']:,} events in {taken['bodies']} bodies")
        await asyncio.sleep(1.0)
    scene.narrator.table(("what people and staff did there", "times"), sorted(done.items()))


async def outage_over(scene: Scene) -> None:
    """Let the processor answer again; what waited for it is taken up by the next sweep."""
    await scene.vendor.do("PUT", "faults", [])
    waiting = len(await scene.kept_bodies())
    scene.narrator.step(f"the processor answers again; {waiting} bodies are kept until their events are done")


KEPT_FOR_STAFF = 3
"""Of the strange bodies: those that nobody can read, and the one with an event of a type nobody knows."""


async def strange_bodies(scene: Scene) -> None:
    """Send what the processor's webhooks should not, and see it taken in or refused as it has to be."""
    url = webhook_url(scene.api_url)
    unknown = {"ListID": CONFIRMED, "Events": [{"Type": "Renamed", "EmailAddress": "a@crowd.example"}]}
    strange = {"ListID": "0" * 32, "Events": [{"Type": "Update", "EmailAddress": "a@crowd.example"}]}
    cases: list[tuple[str, str, dict[str, Any], int]] = [
        ("XML", url, {"content": b"<events><event/></events>"}, HTTPStatus.ACCEPTED),
        ("a wrong charset", url, {"content": '{"ListID": "æ"}'.encode("utf-16")}, HTTPStatus.ACCEPTED),
        ("an unknown type", url, {"json": unknown}, HTTPStatus.ACCEPTED),
        ("an unknown list", url, {"json": strange}, HTTPStatus.ACCEPTED),
        ("too much", url, {"content": b"x" * (_LARGEST_BYTES + 1)}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        ("a wrong secret", url[:-1] + "x", {"json": unknown}, HTTPStatus.NOT_FOUND),
    ]
    for what, target, body, wanted in cases:
        response = await scene.client.post(target, **body)
        scene.findings.equal(response.status_code, int(wanted), f"a body with {what} is answered")
        scene.findings.expect(url.rpartition("/")[2] not in response.text, f"{what}: the secret is repeated")
    scene.narrator.step(f"{len(cases)} strange bodies: {', '.join(what for what, *_ in cases)}")
