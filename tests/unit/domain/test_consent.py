"""What an opt-in leaves behind, and when it counts."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.consent import consent_in_force, opted_in
from shared.domain.controls import Consent, Controls, Objection

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
EMPTY = Controls(subject_key="k1-a")


def consent(given_at=NOW, **changes) -> Consent:
    fields = {"consent_id": f"c-{given_at.isoformat()}", "purpose_id": "news", "policy_version": "1"}
    return Consent(**{**fields, "given_at": given_at, **changes})


def objected(at, **changes) -> Controls:
    mark = Objection(objection_id="o", kind="marketing", placed_at=at, **changes)
    return EMPTY.model_copy(update={"objections": (mark,)})


@pytest.mark.clause("5.2")
def test_a_first_opt_in_is_noted_once():
    """The same message again adds nothing."""
    found = opted_in(EMPTY, consent(), now=NOW)
    assert found.consents == (consent(),)
    assert opted_in(found, consent(), now=NOW) is found


def test_of_opt_ins_to_the_same_text_the_first_and_the_last_are_kept():
    """Somebody who signs up a thousand times fills no register; a newer text is a record of its own."""
    found = opted_in(EMPTY, consent(NOW - 4 * DAY), now=NOW)
    for days in (2, 1, 3):
        found = opted_in(found, consent(NOW - days * DAY), now=NOW)
    assert [one.given_at for one in found.consents] == [NOW - 4 * DAY, NOW - DAY]
    assert len(opted_in(found, consent(policy_version="2"), now=NOW).consents) == 3
    assert len(opted_in(found, consent(purpose_id="other"), now=NOW).consents) == 3


@pytest.mark.clause("4.8")
def test_after_a_withdrawal_a_new_opt_in_is_a_new_record():
    """The old one stays withdrawn."""
    old = consent(NOW - 2 * DAY, withdrawn_at=NOW - DAY)
    before = EMPTY.model_copy(update={"consents": (old,), "withdrawn_at": NOW - DAY})
    found = opted_in(before, consent(), now=NOW)
    assert found.consents == (old, consent())
    assert consent_in_force(found, "news", now=NOW) == consent()


@pytest.mark.parametrize(("later", "is_noted"), [(-1, False), (0, False), (1, True)])
@pytest.mark.parametrize("said_no", [EMPTY.model_copy(update={"withdrawn_at": NOW}), objected(NOW)])
def test_an_opt_in_that_was_overtaken_is_not_noted(said_no, later, is_noted):
    """At the same moment the no counts."""
    given_at = NOW + timedelta(microseconds=later)
    found = opted_in(said_no, consent(given_at), now=given_at)
    assert bool(found.consents) is is_noted
    assert (consent_in_force(found, "news", now=given_at) is not None) is is_noted


@pytest.mark.clause("4.7.1")
def test_an_older_objection_goes_on_for_everything_else():
    """Who signs up for one newsletter has not agreed to the others."""
    found = opted_in(objected(NOW - DAY), consent(), now=NOW)
    assert found.stops_marketing
    assert consent_in_force(found, "news", now=NOW) == consent()
    assert consent_in_force(found, "other", now=NOW) is None


def test_an_objection_that_ended_stands_in_no_way():
    """Nor does one that is not about marketing."""
    ended = objected(NOW, ended_at=NOW)
    general = EMPTY.model_copy(
        update={"objections": (Objection(objection_id="o", kind="general", placed_at=NOW),)}
    )
    for before in (ended, general):
        assert opted_in(before, consent(NOW - DAY), now=NOW).consents


def test_the_newest_of_several_consents_is_the_one_in_force():
    """Whatever their order."""
    old, new = consent(NOW - DAY), consent(policy_version="2")
    for both in ((old, new), (new, old)):
        found = EMPTY.model_copy(update={"consents": both})
        assert consent_in_force(found, "news", now=NOW) == new
