"""Whether somebody left at the newsletter processor before a consent was given, or after it. Pure.

Its times carry no zone and may be cut to the minute, so a leaving lies in a span. Where a consent lies in the
same span the order cannot be told, unless that very leaving was seen and noted before the consent was given.
That a consent ended here at about that time says nothing: there they may have left once more.
Source: GDPR article 7(3); policy 4.8; https://www.campaignmonitor.com/api/v3-3/subscribers/.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from shared.domain.controls import Consent
from shared.domain.times import UtcTime

_SKEW = timedelta(minutes=2)  # between its clock and ours
_STEP = timedelta(minutes=1)  # what its times are cut to, as far as is known
_FARTHEST_WEST, _FARTHEST_EAST = timedelta(hours=12), timedelta(hours=14)


class Order(Enum):
    """When somebody left, beside a consent."""

    BEFORE = auto()
    AFTER = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, kw_only=True)
class Span:
    """A change of state there happened from `begins` to `ends`."""

    begins: datetime
    ends: datetime


def span_of(changed: str, zone: str) -> Span | None:
    """Return when a state changed, as the processor writes it. None: it does not say.

    `zone`: the account's, by its name in the time zone database; empty: not recorded, so it may be any.
    """
    try:
        written = datetime.fromisoformat(changed)
        if written.tzinfo is not None or not zone:
            local = written.replace(tzinfo=written.tzinfo or UTC)
            east, west = (timedelta(), timedelta()) if written.tzinfo else (_FARTHEST_EAST, _FARTHEST_WEST)
            begins, ends = local - east, local + west
        else:  # an hour that comes twice is both
            read = [written.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)]
            begins, ends = min(read), max(read)
        return Span(begins=begins - _SKEW, ends=ends + _STEP + _SKEW)
    except (ValueError, OverflowError):
        return None


def latest(changed: str, zone: str, told_at: datetime) -> datetime:
    """Return as late as a state can have changed, of which we were told at a time."""
    span = span_of(changed, zone)
    return told_at if span is None else min(told_at, span.ends)


def order_of(consent: Consent, changed: str, zone: str) -> Order:
    """Return whether whoever is shown as having left did so before a consent was given, or after it."""
    span = span_of(changed, zone)
    if span is None:
        return Order.UNCLEAR
    if span.ends < consent.given_at:
        return Order.BEFORE
    return Order.AFTER if span.begins > consent.given_at else Order.UNCLEAR


class Seen(BaseModel):
    """Somebody was seen to be gone from a list while nothing was consented to.

    `changed`: when they went, as the processor writes it. It is compared as it is written, since it may be of
    any zone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    list_id: str
    subject_key: str
    changed: str
    seen_at: UtcTime


def tells_one_leaving(changed: str, zone: str) -> bool:
    """Whether a time as the processor writes it is one: it can be read, and is in no hour that comes twice.

    Where the zone is not recorded, nobody knows which hours those are.
    """
    span = span_of(changed, zone)
    return span is not None and (not zone or span.ends - span.begins == _STEP + 2 * _SKEW)


def is_seen_before(seen: Seen | None, consent: Consent, changed: str) -> bool:
    """Whether whoever is shown as having left then was seen so before a consent was given."""
    return seen is not None and seen.changed == changed and seen.seen_at < consent.given_at
