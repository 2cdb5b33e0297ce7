"""Read mail where local runs put it, the `outbox` container, as somebody's mailbox would show it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default

from azure.storage.blob.aio import BlobServiceClient

from devtools.demo.findings import StoryEndedError

OUTBOX = "outbox"
LOOK_SECONDS = 0.25
_SIGN_UP = re.compile(r"https?://\S+/subscriptions/[0-9a-f]{32}/confirmation\?token=\S+")
_LINK = re.compile(r"https?://\S+/requests/([0-9a-f]{32})(?:/([a-z]+)\?token=\S+)?")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail.

    `links` go by what they are for: `verification`, `cancellation`, `package`, `answer`, `status`, `sign_up`.
    `request_id` is empty in a mail that asks to confirm a newsletter sign-up, or that goes to a recipient.
    """

    to: str
    subject: str
    text: str
    links: dict[str, str]
    request_id: str
    message_id: str = ""


class Mailbox:
    """Everybody's mail; nobody looks at anybody else's here either, since each asks by address.

    Args:
        service: The storage account that holds the outbox.
        patience_seconds: How long somebody waits for one mail.
    """

    def __init__(self, service: BlobServiceClient, *, patience_seconds: float = 60.0) -> None:
        self._container = service.get_container_client(OUTBOX)
        self._patience_seconds = patience_seconds
        self._mails: dict[str, Mail] = {}
        self._looking = asyncio.Lock()
        self._looked_at = 0.0

    async def wait(self, address: str, wanted: Callable[[Mail], bool], *, what: str) -> Mail:
        """Return the first mail to an address that is as wanted, once it is there.

        Raises:
            StoryEndedError: it did not come in time; `what` names it.
        """
        deadline = time.monotonic() + self._patience_seconds
        while True:
            for mail in self._mails.values():
                if mail.to.lower() == address.lower() and wanted(mail):
                    return mail
            if time.monotonic() > deadline:
                raise StoryEndedError(f"{what} did not arrive in {self._patience_seconds:.0f} seconds")
            await self._look()

    async def _look(self) -> None:
        """Fetch what is new; many who wait share one look."""
        seen = self._looked_at
        async with self._looking:
            if self._looked_at != seen:
                return
            await asyncio.sleep(LOOK_SECONDS)
            names = [name async for name in self._container.list_blob_names()]
            for name in names:
                if name not in self._mails:
                    stream = await self._container.download_blob(name)
                    self._mails[name] = read_mail(await stream.readall())
            self._looked_at = time.monotonic()


def read_mail(data: bytes) -> Mail:
    """Return a mail from its file.

    Raises:
        StoryEndedError: it has no plain text.
    """
    message = message_from_bytes(data, policy=default)
    body = message.get_body(preferencelist=("plain",))
    if body is None:
        raise StoryEndedError("a mail has no plain text")
    text = body.get_content()
    links: dict[str, str] = {}
    request_id = ""
    for found in _LINK.finditer(text):
        request_id = found[1]
        links[found[2] or "status"] = found[0].rstrip(".")
    if sign_up := _SIGN_UP.search(text):
        links["sign_up"] = sign_up[0]
    return Mail(
        to=str(message["To"]),
        subject=str(message["Subject"]).strip(),
        text=text,
        links=links,
        request_id=request_id,
        message_id=str(message["Message-ID"] or ""),
    )
