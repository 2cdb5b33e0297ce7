"""What the products write as the years go by, each record dated by the database at its own moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from azure.core.exceptions import ResourceNotFoundError
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from devtools.demo.holdings import Stores
from devtools.sample_data import CONTAINERS
from devtools.sample_data.containers import DATABASE, USAGE_ARCHIVE

_KEYS = {container.name: container.partition_key.removeprefix("/") for container in CONTAINERS}


@dataclass(frozen=True, kw_only=True)
class Act:
    """One write of a product.

    Attributes:
        at: When it is written, in UTC; the database dates the record then.
        container: Where; the blob container of the archive for a line.
        body: The whole record, or its id, its partition and what changes in it.
        adds: Whether a record that is not there is made; else nothing happens to what is gone.
        blob: Name of the archive's blob that gets the line.
    """

    at: datetime
    container: str
    body: Mapping[str, Any] = field(repr=False)
    adds: bool = True
    blob: str = ""


def written(at: datetime) -> str:
    """Return a moment as products write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Products:
    """The products' own access to their systems, through the vendors' SDKs.

    Args:
        stores: Open clients.
        client: Connection for the emulator's clock.
        cosmos_endpoint: URL of the emulator with a slash at its end.
    """

    def __init__(self, stores: Stores, client: httpx.AsyncClient, cosmos_endpoint: str) -> None:
        self._database = stores.cosmos.get_database_client(DATABASE)
        self._blobs = stores.blobs
        self._client = client
        self._clock_url = f"{cosmos_endpoint}_emulator/clock"
        self._done = 0

    async def set_clock(self, now: datetime, *, frozen: bool = False) -> None:
        """Let the database believe that it is now."""
        body = {"now": now.timestamp(), "frozen": frozen}
        (await self._client.post(self._clock_url, json=body)).raise_for_status()

    async def do(self, acts: Iterable[Act], *, until: datetime) -> int:
        """Do what has not been done and was to be done until then, in the order of time; return how much.

        The acts have to be the same at each call, in the order of time.
        """
        due = [act for act in acts if act.at <= until]
        for act in due[self._done :]:
            await self.set_clock(act.at, frozen=True)
            await (self._add_line(act) if act.blob else self._write(act))
        done = len(due) - self._done
        self._done = len(due)
        await self.set_clock(until)
        return done

    async def _write(self, act: Act) -> None:
        container = self._database.get_container_client(act.container)
        body = dict(act.body)
        if not act.adds:
            try:
                found = await container.read_item(body["id"], partition_key=body[_KEYS[act.container]])
            except CosmosResourceNotFoundError:
                return
            body = {**found, **body}
        await container.upsert_item(body)

    async def _add_line(self, act: Act) -> None:
        client = self._blobs.get_blob_client(USAGE_ARCHIVE, act.blob)
        try:
            old = await (await client.download_blob()).readall()
        except ResourceNotFoundError:
            old = b""
        line = json.dumps(act.body, ensure_ascii=False).encode() + b"\n"
        await client.upload_blob(old + line, overwrite=True)
