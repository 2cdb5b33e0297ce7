"""What a newsletter account holds: lists of subscribers, each in a state, and the suppression list.

The API removes nothing: deleting a subscriber is a state, as with the vendor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CLIENT_ID = "c1" * 16
API_KEY = "made-up-key-of-a-stand-in"
DELETED = "Deleted"
STATES = ("Active", "Unconfirmed", "Unsubscribed", "Bounced", DELETED)


def key_of(email: str) -> str:
    """Return the form in which addresses are compared."""
    return email.strip().lower()


@dataclass(kw_only=True)
class Subscriber:
    """One address in one list. `fields` and `history` are in the vendor's own form."""

    email: str
    name: str = ""
    state: str = "Active"
    changed: int = 0  # grows with each change of state: what "date" orders by
    tracking: str = "Unchanged"
    fields: list[dict[str, str]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    def wire(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        date = f"2026-01-01 00:{self.changed // 60 % 60:02d}:{self.changed % 60:02d}"
        return {
            "EmailAddress": self.email,
            "Name": self.name,
            "Date": date,
            "ListJoinedDate": "2026-01-01 00:00:00",
            "State": self.state,
            "CustomFields": self.fields,
            "ReadsEmailWith": "",
        }


@dataclass(kw_only=True)
class SubscriberList:
    """One list of the client."""

    title: str
    subscribers: dict[str, Subscriber] = field(default_factory=dict)


class NewsletterAccount:
    """One client of an account.

    Attributes:
        lists: Lists by id, 32 hex digits.
        suppressed: Addresses that get no mail, oldest first, as they were written, by their compared form.

    Args:
        data: JSON file that keeps everything between runs; None keeps nothing.
    """

    def __init__(self, data: Path | None = None) -> None:
        self.lists: dict[str, SubscriberList] = {}
        self.suppressed: dict[str, str] = {}
        self._changes = 0
        self._data = data
        if data is not None and data.exists():
            self._load(json.loads(data.read_text(encoding="utf-8")))

    def put(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write subscribers, and the lists they are in; one that is there already is written over.

        Each is an object of `ListID` and `EmailAddress`, and may have `ListName`, `Name`, `State`,
        `CustomFields` and `History`.
        """
        for row in rows:
            found = self.lists.setdefault(row["ListID"], SubscriberList(title=row.get("ListName", "")))
            subscriber = Subscriber(
                email=row["EmailAddress"],
                name=row.get("Name", ""),
                fields=list(row.get("CustomFields", ())),
                history=list(row.get("History", ())),
            )
            self.move(subscriber, row.get("State", "Active"))
            found.subscribers[key_of(subscriber.email)] = subscriber

    def move(self, subscriber: Subscriber, state: str) -> None:
        """Set a subscriber to a state.

        Raises:
            ValueError: There is no such state.
        """
        if state not in STATES:
            raise ValueError(f"no such state: {state}")
        self._changes += 1
        subscriber.state = state
        subscriber.changed = self._changes

    def of(self, email: str) -> Iterator[tuple[str, SubscriberList, Subscriber]]:
        """Yield the lists that hold an address in any state."""
        for list_id, found in self.lists.items():
            subscriber = found.subscribers.get(key_of(email))
            if subscriber is not None:
                yield list_id, found, subscriber

    def suppress(self, email: str) -> None:
        """Put an address on the suppression list, where it stays in its place if it is there."""
        self.suppressed.setdefault(key_of(email), email)

    def remove_for_good(self, email: str) -> None:
        """Do what staff do by hand in the vendor's own pages."""
        for _, found, _ in list(self.of(email)):
            del found.subscribers[key_of(email)]
        self.suppressed.pop(key_of(email), None)

    def everything(self) -> dict[str, Any]:
        """Return all of it, for a file or a test."""
        lists = {list_id: asdict(found) for list_id, found in self.lists.items()}
        return {"lists": lists, "suppressed": self.suppressed, "changes": self._changes}

    def save(self) -> None:
        """Write the file, if there is one."""
        if self._data is not None:
            self._data.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._data.with_suffix(".new")
            fresh.write_text(json.dumps(self.everything()), encoding="utf-8")
            fresh.replace(self._data)

    def _load(self, kept: dict[str, Any]) -> None:
        self._changes = kept["changes"]
        self.suppressed = kept["suppressed"]
        for list_id, found in kept["lists"].items():
            subscribers = {key: Subscriber(**one) for key, one in found["subscribers"].items()}
            self.lists[list_id] = SubscriberList(title=found["title"], subscribers=subscribers)
