"""What a withdrawal or an objection to marketing does to single records."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.datamap.stopping import stop_record
from shared.datamap.treatment import Verdict
from shared.domain.rights import Right
from tests.factories import people_store, rule
from tests.simulation.rights_world import signups

RECEIVED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(microseconds=1)


def verdict(consented_at, *, right: Right = Right.WITHDRAWAL, **changes) -> Verdict:
    """Return what becomes of a sign-up."""
    record = {"id": "s-1", "email": "ane@people.example", "consented_at": consented_at}
    store = signups().model_copy(update=changes)
    return stop_record(record, store, right, received_at=RECEIVED_AT).verdict


@pytest.mark.clause("4.8", "5.2")
@pytest.mark.parametrize("right", [Right.WITHDRAWAL, Right.MARKETING_OBJECTION])
@pytest.mark.parametrize(
    ("given_at", "expected"),
    [
        (RECEIVED_AT - SECOND, Verdict.ERASE),
        (RECEIVED_AT, Verdict.ERASE),
        (RECEIVED_AT + SECOND, Verdict.KEEP),
    ],
)
def test_a_sign_up_ends_unless_it_was_made_after_the_request_came(right, given_at, expected):
    """To sign up anew is the later word."""
    assert verdict(given_at.isoformat(), right=right) is expected


def test_the_same_moment_in_another_zone_is_the_same_moment():
    """An hour later by the clock on the wall, not by time."""
    assert verdict("2026-03-02T10:00:00+01:00") is Verdict.ERASE
    assert verdict("2026-03-02T10:00:00.000001+01:00") is Verdict.KEEP


@pytest.mark.parametrize("unshown", [None, "", "tomorrow", 1_900_000_000, "2030-01-01T00:00:00"])
def test_a_consent_whose_time_cannot_be_shown_is_none(unshown):
    """The one who relies on a consent shows it; a time without a zone shows nothing."""
    assert verdict(unshown) is Verdict.ERASE


def test_a_store_that_shows_no_consents_loses_every_record():
    """Whatever stands in it."""
    assert verdict("2030-01-01T00:00:00+00:00", consented_at_path=None) is Verdict.ERASE


def test_a_right_that_does_not_end_the_store_leaves_its_records():
    """And a choice that it switches off becomes false, once."""
    store = people_store()
    assert stop_record({"id": "p"}, store, Right.WITHDRAWAL, received_at=RECEIVED_AT).verdict is Verdict.KEEP
    choice = rule("/profiled", type="boolean", off_by=(Right.WITHDRAWAL,))
    store = store.model_copy(update={"fields": (*store.fields, choice)})
    treated = stop_record({"id": "p", "profiled": True}, store, Right.WITHDRAWAL, received_at=RECEIVED_AT)
    assert (treated.verdict, treated.record) == (Verdict.REWRITE, {"id": "p", "profiled": False})
    again = stop_record(treated.record, store, Right.WITHDRAWAL, received_at=RECEIVED_AT)
    assert again.verdict is Verdict.KEEP


@pytest.mark.clause("4.8", "5.2")
@pytest.mark.parametrize(
    ("opted_in", "left"),
    [((), False), (("author_newsletter",), False), (("author_newsletter", "member_newsletter"), True)],
)
def test_a_choice_stays_where_its_own_purpose_was_consented_to_since(opted_in, left):
    """A consent to another purpose says nothing of this one."""
    choice = rule("/newsletter", type="boolean", off_by=(Right.WITHDRAWAL,), choice_of="member_newsletter")
    store = people_store()
    store = store.model_copy(update={"fields": (*store.fields, choice)})
    record = {"id": "p", "newsletter": True}
    treated = stop_record(record, store, Right.WITHDRAWAL, received_at=RECEIVED_AT, opted_in=opted_in)
    assert (treated.record or record)["newsletter"] is left
