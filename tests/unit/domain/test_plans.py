"""Plans and the hash that binds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.plans import Action, Plan, PlanEntry
from shared.domain.rights import Right

ENTRY = PlanEntry(
    store_id="events", activity_id="usage", action=Action.ERASE, records=3, treatment=("erase", "keep")
)
PLAN = Plan(right=Right.ERASURE, revision=1, map_digest="0" * 64, entries=(ENTRY,)).sealed()


@pytest.mark.parametrize(
    "changes",
    [
        {"right": Right.ACCESS},
        {"map_digest": "1" * 64},
        {"entries": ()},
        {"entries": (ENTRY, ENTRY)},
        {"needs_decision": ("restricted",)},
        {"entries": (ENTRY.model_copy(update={"records": 4}),)},
        {"entries": (ENTRY.model_copy(update={"action": Action.HOLD}),)},
        {"entries": (ENTRY.model_copy(update={"store_id": "log"}),)},
        {"entries": (ENTRY.model_copy(update={"activity_id": "orders"}),)},
        {"entries": (ENTRY.model_copy(update={"treatment": ("erase",)}),)},
        {"entries": (ENTRY.model_copy(update={"held_by": "h-1"}),)},
    ],
)
def test_a_digest_binds_everything_a_plan_will_do(changes):
    """Whoever approved the one has not approved the other."""
    assert PLAN.model_copy(update=changes).sealed().digest != PLAN.digest


@given(st.integers(min_value=1, max_value=99), st.text(max_size=9))
def test_a_digest_does_not_bind_how_often_it_was_planned(revision, digest):
    """The same plan made again is the same plan."""
    again = PLAN.model_copy(update={"revision": revision, "digest": digest}).sealed()
    assert again.digest == PLAN.digest


def test_a_digest_binds_the_order_of_stores():
    """What runs first is part of what was decided."""
    other = ENTRY.model_copy(update={"store_id": "log"})
    one = PLAN.model_copy(update={"entries": (ENTRY, other)}).sealed()
    assert PLAN.model_copy(update={"entries": (other, ENTRY)}).sealed().digest != one.digest


def test_a_plan_survives_storage_with_its_digest():
    """Read again and sealed again it is the same."""
    stored = Plan.model_validate_json(PLAN.model_dump_json())
    assert stored == PLAN
    assert stored.sealed().digest == PLAN.digest


def test_a_plan_counts_over_all_stores():
    """And nothing for an empty one."""
    assert PLAN.model_copy(update={"entries": (ENTRY, ENTRY)}).records == 6
    assert PLAN.model_copy(update={"entries": ()}).records == 0
