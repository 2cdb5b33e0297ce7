"""A processor's times carry no zone: what they show is a span, and a consent lies before, in or behind it."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shared.domain.controls import Consent
from shared.domain.newsletter_leavings import (
    Order,
    Seen,
    is_seen_before,
    order_of,
    span_of,
    tells_one_leaving,
)
from shared.domain.newsletters import MailingList
from tests.fakes.newsletters import NEWS

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
COPENHAGEN, LEFT = "Europe/Copenhagen", "2026-03-02 13:00:00"  # noon in UTC
MEMBERS = "member_newsletter"


def consent(at: datetime, purpose_id: str = MEMBERS) -> Consent:
    """Return a consent of a moment."""
    return Consent(consent_id=f"c{at.timestamp()}", purpose_id=purpose_id, given_at=at, policy_version="1")


def order(at: datetime, *, zone: str = COPENHAGEN, changed: str = LEFT) -> Order:
    """Return the order of the leaving and a consent of a moment."""
    return order_of(consent(at), changed, zone)


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(-121, Order.AFTER), (-120, Order.UNCLEAR), (180, Order.UNCLEAR), (181, Order.BEFORE)],
)
def test_where_the_zone_is_recorded_minutes_are_enough(seconds, wanted):
    """Two for the clocks, one because its times end with the minute."""
    assert order(NOON + timedelta(seconds=seconds)) is wanted


@pytest.mark.parametrize(
    ("minutes", "wanted"),
    [
        (-14 * 60 - 3, Order.AFTER),
        (-14 * 60 - 2, Order.UNCLEAR),
        (12 * 60 + 3, Order.UNCLEAR),
        (12 * 60 + 4, Order.BEFORE),
    ],
)
def test_where_it_is_not_recorded_it_may_be_any_zone(minutes, wanted):
    """From fourteen hours east of Greenwich to twelve west of it."""
    written = datetime.fromisoformat(LEFT).replace(tzinfo=UTC)
    assert order(written + timedelta(minutes=minutes), zone="") is wanted


@pytest.mark.parametrize("changed", ["", "yesterday", "2026-13-01 10:00:00"])
def test_a_time_that_says_nothing_leaves_it_unclear(changed):
    """Nobody comes back by it, however much later they consented."""
    assert order(NOON + timedelta(days=900), changed=changed) is Order.UNCLEAR


@pytest.mark.parametrize("changed", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
@pytest.mark.parametrize("zone", ["", COPENHAGEN])
def test_a_time_at_the_end_of_all_times_does_no_harm(changed, zone):
    """Nor does the answer of somebody who makes one up."""
    span = span_of(changed, zone)
    assert span is None or span.begins < span.ends


def test_an_hour_that_comes_twice_is_both():
    """At the end of summer time."""
    span = span_of("2026-10-25 02:30:00", COPENHAGEN)
    assert span.begins == datetime(2026, 10, 25, 0, 28, tzinfo=UTC)
    assert span.ends == datetime(2026, 10, 25, 1, 33, tzinfo=UTC)


def test_a_time_with_a_zone_is_taken_by_it():
    """Should the processor ever write one."""
    assert order(NOON + timedelta(minutes=10), zone="", changed="2026-03-02T12:00:00+00:00") is Order.BEFORE


@pytest.mark.parametrize(("seconds", "before"), [(-1, True), (0, False), (1, False)])
def test_a_leaving_that_was_seen_before_the_consent_came_before_it(seconds, before):
    """Whoever saw it at that moment or behind it cannot tell."""
    seen = Seen(list_id=NEWS, subject_key="k", changed=LEFT, seen_at=NOON + timedelta(seconds=seconds))
    assert is_seen_before(seen, consent(NOON), LEFT) is before
    assert not is_seen_before(seen, consent(NOON), "2026-03-02 13:01:00")
    assert not is_seen_before(None, consent(NOON), LEFT)


@pytest.mark.parametrize(
    ("changed", "zone", "tells"),
    [
        (LEFT, COPENHAGEN, True),
        (LEFT, "", True),
        ("2026-10-25 01:59:00", COPENHAGEN, True),
        ("2026-10-25 02:00:00", COPENHAGEN, False),
        ("2026-10-25 02:59:00", COPENHAGEN, False),
        ("2026-10-25 03:00:00", COPENHAGEN, True),
        ("2026-10-25T02:30:00+01:00", COPENHAGEN, True),
        ("", COPENHAGEN, False),
        ("yesterday", "", False),
    ],
)
def test_a_time_tells_one_leaving_unless_its_hour_comes_twice(changed, zone, tells):
    """Somebody may leave at half past two, sign up, and leave at half past two."""
    assert tells_one_leaving(changed, zone) is tells


def test_a_zone_nobody_knows_is_no_setting():
    """The app does not start with it."""
    with pytest.raises(ValidationError):
        MailingList(list_id="a" * 32, purpose_ids=(MEMBERS,), time_zone="Europe/Kobenhavn")
