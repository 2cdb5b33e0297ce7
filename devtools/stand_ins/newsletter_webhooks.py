"""Webhooks of lists, what they are told, and a journal of every event: which came through, how often.

Source: https://www.campaignmonitor.com/api/v3-3/webhooks/ for calls, codes and the form of an event; what a
webhook that was switched off is called is not documented.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

ON, OFF = "Active", "Deactivated"
EVENT_TYPES = ("Subscribe", "Update", "Deactivate")
GIVES_UP_AFTER = timedelta(days=7)
RETRY_AFTER = timedelta(minutes=1)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(kw_only=True)
class Event:
    """One event as a webhook gets it, and what became of it.

    Attributes:
        number: Its place in the order of things, from 1.
        list_id: Whose it is.
        body: The event in the vendor's form.
        dropped: Lost on purpose; nobody ever hears of it.
        untold: No webhook of the list was on long enough, or wanted its type.
        accepted: How often it was in a body that was answered 2xx.
        refused: How often it was in one that was not.
    """

    number: int
    list_id: str
    body: dict[str, Any]
    dropped: bool = False
    untold: bool = False
    accepted: int = 0
    refused: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it for a test that wants to know."""
        return {
            "number": self.number,
            "list_id": self.list_id,
            "event": self.body,
            "dropped": self.dropped,
            "untold": self.untold,
            "accepted": self.accepted,
            "refused": self.refused,
        }


@dataclass(kw_only=True)
class Waiting:
    """A body that was not taken, to be sent again."""

    events: list[Event]
    due_at: datetime


@dataclass(kw_only=True)
class Webhook:
    """One registration of a list. `failing_since` None: what was sent last was taken."""

    webhook_id: str
    list_id: str
    url: str
    events: tuple[str, ...]
    status: str = ON
    failing_since: datetime | None = None
    pending: list[Event] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)

    def wire(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        return {
            "WebhookID": self.webhook_id,
            "Events": list(self.events),
            "Url": self.url,
            "Status": self.status,
            "PayloadFormat": "Json",
        }

    def failed(self, events: list[Event], now: datetime) -> None:
        """Keep a body for later, or switch the webhook off if it has failed for more than a week."""
        self.failing_since = self.failing_since or now
        self.waiting.append(Waiting(events=events, due_at=now + RETRY_AFTER))
        if now - self.failing_since > GIVES_UP_AFTER:
            self.switch_off()

    def switch_on(self) -> None:
        """Let it be told again from now on."""
        self.status, self.failing_since = ON, None

    def switch_off(self) -> None:
        """Tell it nothing any more; what waits for it is lost."""
        self.status = OFF
        for event in (*self.pending, *(event for one in self.waiting for event in one.events)):
            event.untold = not event.accepted
        self.pending.clear()
        self.waiting.clear()

    def take_due(self, now: datetime) -> list[Waiting]:
        """Return the bodies to send again now; they wait no longer."""
        due = [one for one in self.waiting if one.due_at <= now]
        self.waiting = [one for one in self.waiting if one.due_at > now]
        return due


class Webhooks:
    """All webhooks of one client, and the journal."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.journal: list[Event] = []
        self.now = now
        self._webhooks: dict[str, Webhook] = {}

    def __iter__(self) -> Iterator[Webhook]:
        return iter(self._webhooks.values())

    def tell(self, list_id: str, body: dict[str, Any]) -> None:
        """Note an event, and let those wait for delivery who want it."""
        event = Event(number=len(self.journal) + 1, list_id=list_id, body=body)
        self.journal.append(event)
        wanting = [
            one
            for one in self._webhooks.values()
            if one.list_id == list_id and one.status == ON and body["Type"] in one.events
        ]
        event.untold = not wanting
        for webhook in wanting:
            webhook.pending.append(event)

    def create(self, list_id: str, url: str, events: Sequence[str]) -> str:
        """Register a URL and return the webhook's id."""
        webhook_id = secrets.token_hex(16)
        self._webhooks[webhook_id] = Webhook(
            webhook_id=webhook_id, list_id=list_id, url=url, events=tuple(dict.fromkeys(events))
        )
        return webhook_id

    def of(self, list_id: str) -> list[Webhook]:
        """Return the webhooks of a list, oldest first."""
        return [one for one in self._webhooks.values() if one.list_id == list_id]

    def get(self, list_id: str, webhook_id: str) -> Webhook | None:
        """Return one webhook; None: the list has none of this id."""
        found = self._webhooks.get(webhook_id)
        return found if found is not None and found.list_id == list_id else None

    def delete(self, webhook: Webhook) -> None:
        """Forget a webhook and what waits for it."""
        self._webhooks.pop(webhook.webhook_id, None)


def is_acceptable(url: object) -> bool:
    """Whether a webhook may go there. Nothing leaves this machine."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK
