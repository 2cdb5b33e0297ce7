"""Signed requests without an SDK, for what no SDK would send."""

import base64
import hmac
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import aiohttp

from devtools.cosmos_emulator import EMULATOR_KEY


@dataclass(frozen=True)
class RawReply:
    status: int
    headers: Any
    text: str


def signature(verb: str, kind: str, link: str, date: str, key: str = EMULATOR_KEY) -> str:
    text = f"{verb.lower()}\n{kind}\n{link}\n{date.lower()}\n\n"
    signed = base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), "sha256")).decode()
    return quote(f"type=master&ver=1.0&sig={signed}", safe="")


class RawClient:
    def __init__(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        self._session = session
        self.endpoint = endpoint

    async def send(
        self,
        verb: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
    ) -> RawReply:
        parts = path.strip("/").split("/")
        if len(parts) % 2:
            kind, link = parts[-1], "/".join(parts[:-1])
        else:
            kind, link = parts[-2], parts[1] if parts[0] == "offers" else "/".join(parts)
        date = formatdate(usegmt=True)
        sent = {
            "x-ms-date": date,
            "authorization": signature(verb, kind, link, date),
            "x-ms-version": "2020-07-15",
        }
        sent.update(headers or {})
        url = f"{self.endpoint}/{path.strip('/')}"
        options: dict[str, Any] = (
            {"data": data} if data is not None else {"json": body} if body is not None else {}
        )
        async with self._session.request(verb, url, headers=sent, **options) as reply:
            return RawReply(reply.status, reply.headers, await reply.text())

    async def admin(self, verb: str, topic: str, body: Any = None) -> Any:
        options = {} if body is None else {"json": body}
        async with self._session.request(verb, f"{self.endpoint}/_emulator/{topic}", **options) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()
