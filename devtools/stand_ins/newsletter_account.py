"""What a newsletter account holds: lists of subscribers, each in a state, and the suppression list.

The API removes nothing: deleting a subscriber is a state, as with the vendor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from devtools.stand_ins.newsletter_clock import NewsletterClock

CLIENT_ID = "c1" * 16
API_KEY = "made-up-key-of-a-stand-in"
ACTIVE, UNCONFIRMED, UNSUBSCRIBED = "Active", "Unconfirmed", "Unsubscribed"
BOUNCED, DELETED = "Bounced", "Deleted"
STATES = (ACTIVE, UNCONFIRMED, UNSUBSCRIBED, BOUNCED, DELETED)


def key_of(email: str) -> str:
    """Return the form in which addresses are compared."""
    return email.strip().lower()


@dataclass(kw_only=True)
class Subscriber:
    """One address in one list. `fields` and `history` are in the vendor's own form.

    `changed` grows with each change of state, which orders those of one second; `date` is when that was,
    `joined` since when the list has the address.
    """

    email: str
    name: str = ""
    state: str = ACTIVE
    changed: int = 0
    date: str = ""
    joined: str = ""
    tracking: str = "Unchanged"
    fields: list[dict[str, str]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    def wire(self, *, with_tracking: bool = False) -> dict[str, Any]:
        """Return it as the API shows it."""
        shown = {
            "EmailAddress": self.email,
            "Name": self.name,
            "Date": self.date,
            "ListJoinedDate": self.joined,
            "State": self.state,
            "CustomFields": self.fields,
            "ReadsEmailWith": "",
        }
        return {**shown, "ConsentToTrack": self.tracking} if with_tracking else shown


@dataclass(kw_only=True)
class SubscriberList:
    """One list of the client. `confirms`: nobody is active on it before a mailed link was opened."""

    list_id: str
    title: str
    confirms: bool = False
    subscribers: dict[str, Subscriber] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Suppressed:
    """One address that gets no mail of any list, as it was written, since when and why."""

    email: str
    date: str
    reason: str = "Unsubscribed"


class NewsletterAccount:
    """One client of an account.

    Attributes:
        clock: Its time.
        lists: Lists by id, 32 hex digits.
        suppressed: Addresses that get no mail, oldest first, by their compared form.

    Args:
        data: JSON file that keeps everything between runs; None keeps nothing.
    """

    def __init__(self, data: Path | None = None) -> None:
        self.clock = NewsletterClock()
        self.lists: dict[str, SubscriberList] = {}
        self.suppressed: dict[str, Suppressed] = {}
        self._changes = 0
        self._data = data
        if data is not None and data.exists():
            self._load(json.loads(data.read_text(encoding="utf-8")))

    def list_of(self, list_id: str, *, title: str = "") -> SubscriberList:
        """Return a list, made if it is not there."""
        return self.lists.setdefault(list_id, SubscriberList(list_id=list_id, title=title))

    def put(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write subscribers, and the lists they are in; one that is there already is written over.

        Each is an object of `ListID` and `EmailAddress`, and may have `ListName`, `Name`, `State`,
        `CustomFields` and `History`. No webhook tells of it: it is how things were before.
        """
        for row in rows:
            found = self.list_of(row["ListID"], title=row.get("ListName", ""))
            subscriber = Subscriber(
                email=row["EmailAddress"],
                name=row.get("Name", ""),
                joined=self.clock.text(),
                fields=list(row.get("CustomFields", ())),
                history=list(row.get("History", ())),
            )
            self.move(subscriber, row.get("State", ACTIVE))
            found.subscribers[key_of(subscriber.email)] = subscriber

    def move(self, subscriber: Subscriber, state: str) -> None:
        """Set a subscriber to a state, from now on.

        Raises:
            ValueError: There is no such state.
        """
        if state not in STATES:
            raise ValueError(f"no such state: {state}")
        self._changes += 1
        subscriber.state = state
        subscriber.changed = self._changes
        subscriber.date = self.clock.text()

    def of(self, email: str) -> Iterator[tuple[str, SubscriberList, Subscriber]]:
        """Yield the lists that hold an address in any state."""
        for list_id, found in self.lists.items():
            subscriber = found.subscribers.get(key_of(email))
            if subscriber is not None:
                yield list_id, found, subscriber

    def suppress(self, email: str, *, reason: str = "Unsubscribed") -> None:
        """Put an address on the suppression list, where it stays in its place if it is there."""
        entry = Suppressed(email=email, date=self.clock.text(), reason=reason)
        self.suppressed.setdefault(key_of(email), entry)

    def remove_for_good(self, email: str) -> None:
        """Do what staff do by hand in the vendor's own pages."""
        for _, found, _ in list(self.of(email)):
            del found.subscribers[key_of(email)]
        self.suppressed.pop(key_of(email), None)

    def everything(self) -> dict[str, Any]:
        """Return all of it, for a file or a test."""
        lists = {list_id: asdict(found) for list_id, found in self.lists.items()}
        suppressed = {key: asdict(entry) for key, entry in self.suppressed.items()}
        return {"lists": lists, "suppressed": suppressed, "changes": self._changes}

    def save(self) -> None:
        """Write the file, if there is one."""
        if self._data is not None:
            self._data.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._data.with_suffix(".new")
            fresh.write_text(json.dumps(self.everything()), encoding="utf-8")
            fresh.replace(self._data)

    def _load(self, kept: dict[str, Any]) -> None:
        self._changes = kept["changes"]
        self.suppressed = {key: Suppressed(**entry) for key, entry in kept["suppressed"].items()}
        for list_id, found in kept["lists"].items():
            subscribers = {key: Subscriber(**one) for key, one in found["subscribers"].items()}
            self.lists[list_id] = SubscriberList(**{**found, "subscribers": subscribers})
