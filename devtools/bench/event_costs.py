"""What an event of a webhook costs: requests to our stores, request units, calls to the processor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx

from devtools.bench.figures import Figure
from devtools.bench.in_process import LocalApp, local_app
from devtools.bench.scale import Scale
from devtools.bench.traffic import counted
from devtools.demo.narration import Narrator
from devtools.demo.newsletter import lists
from devtools.demo.newsletter.vendor import Vendor
from devtools.local_platform import Platform

_ADDRESS = "person{}@costs.example"


async def measure_costs(platform: Platform, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return the cost of each kind of event, over people who sign up, are told of again, and leave."""
    figures: list[Figure] = []
    people = range(scale.webhook_people)
    async with (
        httpx.AsyncClient(timeout=60) as client,
        local_app(platform.environment) as app,
    ):
        vendor = Vendor(client, platform.campaign_monitor_url)
        await vendor.do("PUT", "lists", [{"list_id": lists.CONFIRMED, "confirms": True}])
        for what, kind, state in (
            ("sign-up", "Subscribe", "Active"),
            ("event that changes nothing", "Update", "Active"),
            ("leaving", "Deactivate", "Unsubscribed"),
            ("event that changes nothing, of somebody who left", "Deactivate", "Unsubscribed"),
        ):
            await vendor.do("PUT", "subscribers", [_row(number, state) for number in people])
            figures += await _cost(app, vendor, what, [_event(number, kind) for number in people])
            narrator.step(f"{len(people)} times: {what}")
    return figures


async def _cost(app: LocalApp, vendor: Vendor, what: str, events: Sequence[dict[str, Any]]) -> list[Figure]:
    body = json.dumps({"ListID": lists.CONFIRMED, "Events": list(events)}).encode()
    before = sum((await vendor.calls()).values())
    with counted() as traffic:
        await app.take_in(body)
        await app.work()
    calls = sum((await vendor.calls()).values()) - before
    requests = sum(traffic.requests.values())
    return [
        Figure(what=f"{what}: requests to our stores", value=requests / len(events), unit="an event"),
        Figure(what=f"{what}: calls to the processor", value=calls / len(events), unit="an event"),
        Figure(what=f"{what}: request units", value=traffic.request_units / len(events), unit="RU an event"),
    ]


def _row(number: int, state: str) -> dict[str, Any]:
    return {"ListID": lists.CONFIRMED, "EmailAddress": _ADDRESS.format(number), "State": state}


def _event(number: int, kind: str) -> dict[str, Any]:
    address = _ADDRESS.format(number)
    return {
        "Type": kind,
        "Date": "2026-01-31 09:15:00",
        "EmailAddress": address,
        "OldEmailAddress": address,
        "Name": "Made Up",
        "SignupIPAddress": "192.0.2.10",
        "CustomFields": [],
    }
