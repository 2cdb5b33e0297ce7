"""The budget of scheduled deletion: what is drawn of a slice, what is owed, what throttling takes away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.budgets import (
    LEAST_LEVEL,
    NOTHING,
    RECOVERY,
    SLICE_SECONDS,
    Amount,
    Purses,
    Tally,
    slice_of,
)

BUDGET = Amount(request_units=400, requests=40)  # a second
UNLIMITED = NOTHING
WHOLE = 400 * SLICE_SECONDS


def tally(**changes) -> Tally:
    """Return the tally of a container in slice 100."""
    return Tally(**{"container": "db.events", "slice": 100, **changes})


@pytest.mark.parametrize(("seconds", "number"), [(9.999, 0), (10, 1), (10.001, 1), (19.999, 1), (20, 2)])
def test_a_slice_is_ten_seconds(seconds, number):
    """Its first moment is its own."""
    assert slice_of(seconds) == number


def test_a_slice_is_drawn_in_four_chunks_and_then_is_empty():
    """So that several workers have some of it."""
    found, chunks = tally(), []
    for _ in range(5):
        found, chunk = found.draw(BUDGET)
        chunks.append(chunk.request_units)
    assert chunks == [1000, 1000, 1000, 1000, 0]
    assert found.request_units == WHOLE


@pytest.mark.parametrize(("drawn", "chunk"), [(WHOLE - 1, 1), (WHOLE, 0), (WHOLE + 1, 0)])
def test_the_last_chunk_is_what_is_left(drawn, chunk):
    """One below the budget, at it, and above."""
    _, found = tally(request_units=drawn).draw(BUDGET)
    assert found.request_units == chunk


@pytest.mark.parametrize(("drawn", "chunk"), [(399, 1), (400, 0), (401, 0)])
def test_requests_bound_it_as_well(drawn, chunk):
    """Whichever ends first."""
    _, found = tally(requests=drawn).draw(BUDGET)
    assert found.requests == chunk


@pytest.mark.parametrize(("a_second", "chunk"), [(199, 500), (200, 500), (201, 502.5), (10, 100)])
def test_a_chunk_is_not_so_small_that_drawing_it_costs_as_much(a_second, chunk):
    """A quarter of the slice or 500 request units, and never more than there is."""
    _, found = tally().draw(Amount(request_units=a_second))
    assert found.request_units == chunk


@pytest.mark.parametrize(
    ("owed", "slices", "left"),
    [(WHOLE - 1, 1, 0), (WHOLE, 1, 0), (WHOLE + 1, 1, 1), (3 * WHOLE, 1, 2 * WHOLE), (3 * WHOLE, 3, 0)],
)
def test_what_was_spent_beyond_is_paid_by_the_slices_to_come(owed, slices, left):
    """Each pays as much as it has."""
    found = tally(request_units=owed).at(100 + slices, BUDGET)
    assert (found.slice, found.request_units) == (100 + slices, left)


def test_a_worker_whose_clock_is_behind_draws_from_the_slice_of_the_others():
    """So that no slice is drawn twice."""
    assert tally(request_units=7).at(99, BUDGET) == tally(request_units=7)


@pytest.mark.parametrize(
    ("owed", "slices"), [(WHOLE, 1), (2 * WHOLE - 1, 1), (2 * WHOLE, 2), (90 * WHOLE, 6)]
)
def test_whoever_is_refused_knows_when_there_is_some_again(owed, slices):
    """And asks after a minute in any case."""
    assert tally(request_units=owed).slices_to_wait(BUDGET) == slices


def test_throttling_halves_the_budget_for_everybody_and_ends_the_slice():
    """It comes back by a twentieth each slice."""
    found = tally(request_units=100).throttled(BUDGET)
    assert found.draw(BUDGET)[1] == NOTHING
    assert found.at(101, BUDGET).request_units == 0
    assert found.capacity(101, BUDGET).request_units == pytest.approx(WHOLE * (0.5 + RECOVERY))
    assert found.capacity(109, BUDGET).request_units == pytest.approx(WHOLE * 0.95)
    assert found.capacity(110, BUDGET).request_units == WHOLE
    assert found.capacity(111, BUDGET).request_units == WHOLE


def test_several_workers_that_tell_of_one_throttling_halve_the_budget_once():
    """In one slice; in the next it is another."""
    once = tally().throttled(BUDGET)
    assert once.throttled(BUDGET) == once
    assert once.at(101, BUDGET).throttled(BUDGET).level == pytest.approx((0.5 + RECOVERY) / 2)


def test_the_budget_never_falls_below_its_floor():
    """However often the database throttles."""
    found = tally()
    for number in range(100, 120):
        found = found.at(number, BUDGET).throttled(BUDGET)
        assert found.level >= LEAST_LEVEL
    assert found.level == LEAST_LEVEL
    assert found.at(121, BUDGET).draw(BUDGET)[1].request_units > 0


def test_what_is_owed_stays_owed_when_the_budget_is_halved():
    """Throttling forgives nothing."""
    found = tally(request_units=WHOLE + 300).throttled(BUDGET)
    assert found.at(101, BUDGET).request_units == 300


@pytest.mark.parametrize(("level", "rests"), [(1, 0), (0.5, 1), (0.25, 3), (0.125, 7)])
def test_without_a_budget_work_rests_after_throttling(level, rests):
    """Nothing can be halved; the longer it goes on, the longer it rests."""
    found = tally(level=level, level_slice=100)
    resting = [number for number in range(100, 120) if found.at(number, UNLIMITED).is_resting(UNLIMITED)]
    assert resting == ([] if level == 1 else list(range(100, 101 + rests)))


def test_without_a_budget_everything_may_be_drawn_and_nothing_is_counted():
    """As in a local run."""
    found, chunk = tally().draw(UNLIMITED)
    assert chunk.of_it_is_left
    assert found == tally()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("draw"), st.just(0)),
        st.tuples(st.just("later"), st.integers(1, 30)),
        st.tuples(st.just("owe"), st.integers(1, 20_000)),
        st.tuples(st.just("throttled"), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 2_000), st.integers(0, 200))
def test_no_slice_gives_more_than_its_budget(steps, units, requests):
    """Whatever happens, in any order: chunks and debts together."""
    budget = Amount(request_units=units, requests=requests)
    found, given_out, spent, number = tally(), {}, 0.0, 100
    for step, amount in steps:
        if step == "later":
            number += amount
        found = found.at(number, budget)
        if step == "owe":
            found = found.with_drawn(Amount(request_units=amount, requests=1))
            spent += amount
        elif step == "throttled":
            found = found.throttled(budget)
        elif step == "draw":
            found, chunk = found.draw(budget)
            given_out[number] = given_out.get(number, 0.0) + chunk.request_units
            spent += chunk.request_units
    assert all(total <= units * SLICE_SECONDS + 1e-6 for total in given_out.values())
    slices = number - 100 + 1
    owed = found.left(budget).owed.request_units
    assert spent <= slices * units * SLICE_SECONDS + owed + 1e-6


def test_a_purse_knows_what_was_spent_beyond_it():
    """And that somebody was throttled meanwhile."""
    purses = Purses()
    purses.spend("db.events", 5.0)
    purses.spend("db.events", 2.5, is_throttled=True)
    purses.spend("db.events", 1.0)
    purse = purses.by_container["db.events"]
    assert purse.left.owed == Amount(request_units=8.5, requests=3)
    assert purse.is_throttled
