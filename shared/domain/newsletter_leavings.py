"""Whether somebody left at the newsletter processor before a consent was given, or after it. Pure.

Its times carry no zone and may be cut to the minute, so a leaving lies in a span. Where a consent lies in the
same span the order cannot be told, unless our own ledger has that very leaving: it was us, or it was seen
before the consent was given. That a consent ended here at about that time says nothing: there they may have
left once more.
Source: GDPR article 7(3); policy 4.8; https://www.campaignmonitor.com/api/v3-3/subscribers/.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from zoneinfo import ZoneInfo

from shared.domain.consent_ledger import OURS, ConsentEvent, EventKind
from shared.domain.controls import Consent

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


def is_noted(events: Iterable[ConsentEvent], list_id: str, consent: Consent, changed: str) -> bool:
    """Whether the ledger has a leaving as one of before a consent: it was us, or it was seen before that."""
    return any(
        one.kind is EventKind.GONE
        and one.evidence.list_id == list_id
        and one.evidence.processor_time == changed
        and (one.channel == OURS or one.at < consent.given_at)
        for one in events
    )
