"""What happens to subscribers, whoever does it, and the events that tell of it.

Source: https://www.campaignmonitor.com/api/v3-3/webhooks/. Whether a deletion is told is not documented, so
it can be switched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from devtools.stand_ins.newsletter_account import (
    ACTIVE,
    DELETED,
    UNCONFIRMED,
    UNSUBSCRIBED,
    NewsletterAccount,
    Subscriber,
    SubscriberList,
    key_of,
)

BY_HAND = "TypeManual"
"""What stands for the network address of somebody who was entered or imported by staff."""

Tell = Callable[[str, dict[str, Any]], None]
"""Gets the id of a list and an event about it, as its webhooks get it."""


class NewsletterChanges:
    """Changes an account and tells each change.

    Attributes:
        tells_deletions: Whether setting somebody to deleted is told.

    Args:
        account: What is changed.
        tell: Who is told.
    """

    def __init__(self, account: NewsletterAccount, tell: Tell) -> None:
        self.account = account
        self.tells_deletions = True
        self._tell = tell

    def enter(
        self,
        found: SubscriberList,
        email: str,
        *,
        name: str = "",
        fields: Iterable[Mapping[str, Any]] = (),
        signed_up_from: str = BY_HAND,
        confirmed: bool = True,
    ) -> Subscriber:
        """Make somebody active who is new or was not, or unconfirmed, which nobody is told."""
        subscriber = found.subscribers.get(key_of(email))
        if subscriber is None:
            subscriber = Subscriber(email=email, joined=self.account.clock.text())
            found.subscribers[key_of(email)] = subscriber
        subscriber.name = name or subscriber.name
        write_fields(subscriber, fields)
        self.account.move(subscriber, ACTIVE if confirmed else UNCONFIRMED)
        if confirmed:
            event = {**self._event("Subscribe", subscriber), "SignupIPAddress": signed_up_from}
            self._tell(found.list_id, event)
        return subscriber

    def edit(
        self,
        found: SubscriberList,
        subscriber: Subscriber,
        *,
        email: str = "",
        name: str = "",
        fields: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Write another address, name or fields; nothing given changes nothing, and is told all the same."""
        old = subscriber.email
        if email:
            found.subscribers[key_of(email)] = found.subscribers.pop(key_of(old))
            subscriber.email = email
        subscriber.name = name or subscriber.name
        write_fields(subscriber, fields)
        event = self._event("Update", subscriber)
        self._tell(found.list_id, {**event, "OldEmailAddress": old, "State": subscriber.state})

    def leave(self, found: SubscriberList, subscriber: Subscriber, state: str = UNSUBSCRIBED) -> None:
        """Set somebody to a state without mail."""
        self.account.move(subscriber, state)
        if state != DELETED or self.tells_deletions:
            self._tell(found.list_id, {**self._event("Deactivate", subscriber), "State": state})

    def complain(self, found: SubscriberList, subscriber: Subscriber) -> None:
        """Let somebody call a newsletter spam: off this list, and on the client's suppression list."""
        self.leave(found, subscriber)
        self.account.suppress(subscriber.email, reason="Spam complaint")

    def _event(self, kind: str, subscriber: Subscriber) -> dict[str, Any]:
        return {
            "Type": kind,
            "Date": self.account.clock.text(),
            "EmailAddress": subscriber.email,
            "Name": subscriber.name,
            "CustomFields": [dict(one) for one in subscriber.fields],
        }


def write_fields(subscriber: Subscriber, given: Iterable[Mapping[str, Any]]) -> None:
    """Write custom fields as the API takes them: an empty value changes nothing, `Clear` takes one away."""
    for one in given:
        rest = [field for field in subscriber.fields if field["Key"] != one["Key"]]
        if one.get("Clear") is True:
            subscriber.fields = rest
        elif one.get("Value"):
            subscriber.fields = [*rest, {"Key": one["Key"], "Value": one["Value"]}]
