"""Claims, holds and restrictions on one pseudonym."""

from datetime import UTC, date, datetime

import pytest

from shared.domain.controls import EXCLUSIVE, UNFENCED, Claim, Controls, Hold, Restriction
from shared.domain.rights import Right

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CHANGING = {
    Right.ERASURE,
    Right.RECTIFICATION,
    Right.OBJECTION,  # upheld, it erases
    Right.MARKETING_OBJECTION,
    Right.WITHDRAWAL,
}


@pytest.mark.parametrize("held", list(Right))
@pytest.mark.parametrize("asked", list(Right))
def test_claims_conflict_when_one_of_them_changes_data(held, asked):
    """A copy beside a copy is fine; beside a right that erases or rewrites something nothing is."""
    claim = Claim(request_id="a" * 32, right=held, since=NOW)
    assert claim.conflicts(asked) == bool({held, asked} & CHANGING)


def test_conflicts_go_both_ways():
    """Whoever came first, the other waits."""
    for one in Right:
        for other in Right:
            first = Claim(request_id="a" * 32, right=one, since=NOW)
            second = Claim(request_id="b" * 32, right=other, since=NOW)
            assert first.conflicts(other) == second.conflicts(one)
    assert frozenset(CHANGING) == EXCLUSIVE


def test_only_rights_that_change_no_record_pass_the_fence():
    """A copy reads records, so it waits, and its work is waited for; a mark and an information do not."""
    assert frozenset({Right.RESTRICTION, Right.COMPLAINT}) == UNFENCED
    assert not UNFENCED & EXCLUSIVE


def _hold(**changes):
    return Hold(
        **{
            "hold_id": "h-1",
            "activity_id": None,
            "ground": "legal_claim",
            "reason": "a dispute",
            "placed_at": NOW,
            "review_on": date(2026, 9, 1),
        }
        | changes
    )


@pytest.mark.clause("5.3")
def test_a_hold_covers_its_activity_or_all():
    """Until it is released."""
    assert _hold().covers("orders")
    assert _hold(activity_id="orders").covers("orders")
    assert not _hold(activity_id="orders").covers("usage")
    assert not _hold(released_at=NOW).covers("orders")
    assert not _hold(activity_id="orders", released_at=NOW).covers("orders")


@pytest.mark.parametrize("past", ["2020-01-01", "2026-03-01"])
def test_a_hold_past_its_review_still_covers(past):
    """Only a person releases it."""
    assert _hold(review_on=date.fromisoformat(past)).covers("orders")


@pytest.mark.clause("4.5.1")
@pytest.mark.parametrize("ground", ["accuracy", "unlawful", "claims", "objection"])
def test_each_ground_of_the_law_restricts(ground):
    """The policy names one as an example; the law has four."""
    placed = Restriction(restriction_id="r-1", ground=ground, placed_at=NOW)
    assert Controls(subject_key="k1-0", restrictions=(placed,)).is_restricted


def test_a_person_is_restricted_while_one_restriction_is_in_force():
    """Lifting one of two frees nothing."""
    placed = Restriction(restriction_id="r-1", ground="accuracy", placed_at=NOW)
    lifted = Restriction(restriction_id="r-2", ground="objection", placed_at=NOW, lifted_at=NOW)
    assert not Controls(subject_key="k1-0").is_restricted
    assert not Controls(subject_key="k1-0", restrictions=(lifted,)).is_restricted
    assert Controls(subject_key="k1-0", restrictions=(lifted, placed)).is_restricted
