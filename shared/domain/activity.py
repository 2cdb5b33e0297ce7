"""When somebody last used the application, as the products tell it: what an event comes to. Pure.

Only the day counts. Source: policy 5.1.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.domain.retention import FIRST_CREDIBLE, NEVER, counts_as_use, is_accepted
from shared.domain.times import UtcTime, copenhagen_day, moment_of

_MOST_CAPPED = 100  # of one installation: a wrong clock there sends many


class EventVerdict(StrEnum):
    """What came of one event."""

    ACCEPTED = "accepted"
    CAPPED = "capped"  # it lies ahead of its arrival, and counts from then
    REPEATED = "repeated"  # it came before, in this call or an earlier one
    NOT_USE = "not_use"  # a heartbeat, an update, a login elsewhere, or staff in the person's name
    DROPPED_PAST_LAST_DAY = (
        "dropped_past_last_day"  # so late that its own period is over: it rebuilds nothing
    )
    UNKNOWN_PERSON = "unknown_person"  # the directory of installations has no such user
    AT_INVALID = "at_invalid"  # no date, no zone, or a day that the products have not seen


class ActivityEvent(BaseModel):
    """An event of the application. `at`: as it was sent. `by_staff`: staff acted in the person's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    event_id: str
    user_id: str
    installation_id: str
    customer_id: str = ""
    kind: str
    at: object = None
    by_staff: bool = False


class ActivityClock(BaseModel):
    """The last use of one person on one installation. `last_used_at`: the first we heard of that day.

    `capped`: digests of events that lay ahead when they came: one that is repeated counts from no later day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject_key: str
    installation_id: str
    customer_id: str = ""
    last_used_at: UtcTime
    capped: tuple[str, ...] = ()


def read_event(
    event: ActivityEvent, arrived_at: datetime, period: str
) -> tuple[EventVerdict, datetime | None]:
    """Return what an event that arrives now says, and the moment it counts from. None: it is no use."""
    if not counts_as_use(event.kind, by_staff=event.by_staff):
        return EventVerdict.NOT_USE, None
    happened_at = moment_of(event.at)
    if happened_at is None or happened_at >= NEVER or copenhagen_day(happened_at) < FIRST_CREDIBLE:
        return EventVerdict.AT_INVALID, None
    if not is_accepted(happened_at, arrived_at, period):
        return EventVerdict.DROPPED_PAST_LAST_DAY, None
    if happened_at > arrived_at:
        return EventVerdict.CAPPED, arrived_at
    return EventVerdict.ACCEPTED, happened_at


def moved(
    clock: ActivityClock | None, first: ActivityClock, uses: Iterable[tuple[datetime, str]]
) -> ActivityClock | None:
    """Return a clock after some uses, each with its digest where it was capped. None: nothing changed.

    `first`: what the clock is like where there is none yet. A capped use that it knows counts no second time.
    """
    known = clock
    for used_at, digest in uses:
        if known is None:
            known = first.model_copy(update={"last_used_at": used_at, "capped": (digest,) if digest else ()})
            continue
        if digest and digest in known.capped:
            continue
        changes: dict[str, object] = {}
        if digest:
            changes["capped"] = (*known.capped, digest)[-_MOST_CAPPED:]
        if copenhagen_day(used_at) > copenhagen_day(known.last_used_at):
            changes["last_used_at"] = used_at
        known = known.model_copy(update=changes) if changes else known
    return None if known == clock else known
