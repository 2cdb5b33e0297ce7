"""Nobody who does not answer is called again and again, and whoever is up again is found out soon."""

import pytest

from shared.adapters.circuit_breaker import CircuitBreaker
from shared.domain.errors import Retryable


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """One of them."""
    return Seconds()


@pytest.fixture
def breaker(clock):
    """Closed."""
    return CircuitBreaker("processor_unreachable", "somebody", clock=clock)


def is_open(breaker) -> int:
    """Return for how long it is open; 0: it lets a call through."""
    try:
        breaker.check()
    except Retryable as error:
        return error.retry_after_seconds
    return 0


def fail(breaker, times: int) -> None:
    """Let calls fail."""
    for _ in range(times):
        breaker.check()
        breaker.failed()


def test_it_says_who_cannot_be_called(breaker):
    """By code and name."""
    fail(breaker, 5)
    with pytest.raises(Retryable, match=r"^processor_unreachable: somebody$"):
        breaker.check()


@pytest.mark.parametrize(("failures", "seconds"), [(4, 0), (5, 30)])
def test_it_opens_after_five_failures_in_a_row(breaker, failures, seconds):
    """And not before."""
    fail(breaker, failures)
    assert is_open(breaker) == seconds


def test_a_success_between_begins_the_count_anew(breaker):
    """It is one in a row that counts."""
    fail(breaker, 4)
    breaker.succeeded()
    fail(breaker, 4)
    assert is_open(breaker) == 0


@pytest.mark.parametrize(("passed", "seconds"), [(29.5, 1), (30, 0), (31, 0)])
def test_after_a_while_a_call_is_let_through(breaker, clock, passed, seconds):
    """To see."""
    fail(breaker, 5)
    clock.now += passed
    assert is_open(breaker) == seconds


def test_only_one_call_looks_whether_somebody_is_there(breaker, clock):
    """The others wait for what comes of it, or until it was given up."""
    fail(breaker, 5)
    clock.now += 30
    assert is_open(breaker) == 0
    assert is_open(breaker) == 60
    clock.now += 60
    assert is_open(breaker) == 0


def test_its_success_closes_it(breaker, clock):
    """As if nothing had been."""
    fail(breaker, 5)
    clock.now += 30
    breaker.check()
    breaker.succeeded()
    fail(breaker, 4)
    assert is_open(breaker) == 0


def test_its_failure_opens_it_for_twice_as_long_up_to_ten_minutes(breaker, clock):
    """A long outage is asked about ever less often."""
    fail(breaker, 5)
    found = []
    for _ in range(6):
        clock.now += is_open(breaker)
        breaker.check()
        breaker.failed()
        found.append(is_open(breaker))
    assert found == [60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize(("asked", "seconds"), [(6, 6), (3600, 3600), (3601, 3600)])
def test_whoever_asks_to_be_left_alone_is(breaker, asked, seconds):
    """For an hour at most."""
    breaker.asked_to_wait(asked)
    assert is_open(breaker) == seconds
