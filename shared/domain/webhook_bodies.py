"""Bodies of the newsletter processor's webhooks: what they say, and how far each was worked through.

Source: https://www.campaignmonitor.com/api/v3-3/webhooks/. The layout of XML bodies and of the test call is
not documented; dates carry no zone and are evidence only.
"""

import ipaddress
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.errors import Invalid
from shared.domain.times import UtcTime

SUBSCRIBE, UPDATE, DEACTIVATE = "Subscribe", "Update", "Deactivate"
TYPES = frozenset({SUBSCRIBE, UPDATE, DEACTIVATE})
MOST_EVENTS = 1_000
MOST_SET_ASIDE = 1_000
"""Of one body: as many as it can hold."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SetAside(_Frozen):
    """An event that could not be worked on. It is in the stored body still, at this place."""

    place: int
    code: str


class Receipt(_Frozen):
    """How far one body is. Named by the body's hash, so that the same body again finds it done.

    `unreadable`: it could not be read or worked on at all; the body is kept for staff.
    """

    body_id: str
    received_at: UtcTime
    state: Literal["open", "done", "unreadable"] = "open"
    next_event: int = 0
    events: int = 0
    set_aside: tuple[SetAside, ...] = ()
    unreadable_since: UtcTime | None = None  # the processor's answer about the event at hand; None: it is not
    counts: Mapping[str, int] = {}  # what came of the events, by verdict
    poisonings: int = 0  # how often its message failed too often
    wake_at: UtcTime

    @property
    def keeps_body(self) -> bool:
        """Whether the body is still of use: for work to do, or for a person to look at."""
        return self.state != "done" or bool(self.set_aside)


class ProcessorEvent(_Frozen):
    """One event: somebody's state in a list may have changed. `old_email` empty: the address is the same.

    `by_person`: the processor names the network address of whoever signed up. Of people whom staff entered or
    imported it says something else there, and nobody asked them to confirm. The network address is not kept.
    """

    type: str
    email: str
    old_email: str = ""
    name: str = ""
    by_person: bool = False


def envelope(data: bytes) -> tuple[str, list[Any]]:
    """Return the list a body is about and its events, unread.

    Raises:
        Invalid: `webhook_unreadable`: not JSON in UTF-8, no object, no list of events, or too many.
    """
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Invalid("webhook_unreadable", "not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise Invalid("webhook_unreadable", "not an object")
    list_id, events = found.get("ListID", ""), found.get("Events", [])
    if not isinstance(list_id, str) or not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise Invalid("webhook_unreadable", f"ListID and at most {MOST_EVENTS} Events are needed")
    return list_id, events


def read_event(found: object) -> ProcessorEvent:
    """Return one event.

    Raises:
        Invalid: `event_unreadable`, or `event_type_unknown`: a person has to look, the others go on.
    """
    if not isinstance(found, dict):
        raise Invalid("event_unreadable", "not an object")
    texts = {key: found.get(key, "") for key in ("Type", "EmailAddress", "OldEmailAddress", "Name")}
    if not all(isinstance(value, str) or value is None for value in texts.values()):
        raise Invalid("event_unreadable", "not texts")
    if texts["Type"] not in TYPES:
        raise Invalid("event_type_unknown", "a type that is not documented")
    return ProcessorEvent(
        type=texts["Type"],
        email=texts["EmailAddress"] or "",
        old_email=texts["OldEmailAddress"] or "",
        name=texts["Name"] or "",
        by_person=_is_network_address(found.get("SignupIPAddress")),
    )


def _is_network_address(text: object) -> bool:
    if not isinstance(text, str):  # a number would be one, too
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
