"""What the parts of the newsletter scenario share."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.narration import Narrator
from devtools.demo.newsletter.evidence import Evidence
from devtools.demo.newsletter.reading import read_evidence, rows_of
from devtools.demo.newsletter.vendor import Vendor
from devtools.demo.newsletter.verdict import Judge
from devtools.demo.preparing import wait_for_quiet
from devtools.demo.rights.days import DAY_SECONDS, Days

_PATIENCE_SECONDS = 600.0


@dataclass(kw_only=True)
class Scene:
    """Everybody and everything on stage.

    Attributes:
        api_url: Where the app's doors are.
        database: Name of our own database.
        logs: Directory of the programs' log files.
        said_no: Addresses of whom no import may bring back.
    """

    narrator: Narrator
    findings: Findings
    stores: Stores
    client: httpx.AsyncClient
    vendor: Vendor
    days: Days
    judge: Judge
    api_url: str
    database: str
    logs: Path
    said_no: set[str] = field(default_factory=set)

    async def quiet(self) -> None:
        """Wait until the app has done all it has to do now, what that made the processor tell included."""
        began = time.monotonic()
        with self.narrator.waiting("the queues become empty"):
            while True:
                await wait_for_quiet(self.stores, self.findings, patience_seconds=_PATIENCE_SECONDS)
                if not (await self.vendor.deliver())["bodies"]:
                    break
        self.narrator.step(f"the app came to rest after {time.monotonic() - began:.1f} s")

    async def evidence(self) -> Evidence:
        """Return what both sides hold now."""
        return await read_evidence(self.stores.cosmos, self.database, self.vendor)

    async def kept_bodies(self) -> list[str]:
        """Return the names of the bodies of webhooks that the app keeps."""
        container = self.stores.blobs.get_container_client("webhooks")
        return [name async for name in container.list_blob_names()]

    async def receipts(self, body_ids: Collection[str]) -> list[str]:
        """Return how far the app is with each of these bodies, as it says itself."""
        rows = await rows_of(self.stores.cosmos, self.database, "webhook_receipts")
        shown = ("state", "next_event", "events", "set_aside", "poisonings", "received_at", "wake_at")
        return [
            f"{row['id'][:8]} { ({name: row.get(name) for name in shown}) }"
            for row in rows
            if row["id"] in body_ids
        ]

    async def move_to(self, days: int) -> None:
        """Let it be so many days later on both sides, and let the app take up what is due."""
        await self.vendor.do("PUT", "clock", {"ahead_seconds": days * DAY_SECONDS})
        await self.days.move_to(days)
