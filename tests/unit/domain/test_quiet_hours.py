"""Hours in which scheduled deletion rests, on ordinary days and on those on which the clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.quiet_hours import quiet_hours
from shared.domain.times import COPENHAGEN

DAY = quiet_hours("07:00-18:00")
NIGHT = quiet_hours("22:00-06:00")
WINTER_BEGINS, SUMMER_BEGINS = (2026, 10, 25), (2026, 3, 29)


def local(*parts: int, fold: int = 0) -> datetime:
    """Return a moment as clocks in Copenhagen show it. `fold` 1: the second time they do."""
    return datetime(*parts, tzinfo=COPENHAGEN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "ends"),
    [
        (DAY, (2026, 3, 2, 6, 59), None),
        (DAY, (2026, 3, 2, 7, 0), (2026, 3, 2, 18, 0)),
        (DAY, (2026, 3, 2, 7, 1), (2026, 3, 2, 18, 0)),
        (DAY, (2026, 3, 2, 17, 59), (2026, 3, 2, 18, 0)),
        (DAY, (2026, 3, 2, 18, 0), None),
        (DAY, (2026, 7, 1, 7, 0), (2026, 7, 1, 18, 0)),  # in summer another hour of UTC
        (NIGHT, (2026, 3, 2, 21, 59), None),
        (NIGHT, (2026, 3, 2, 22, 0), (2026, 3, 3, 6, 0)),
        (NIGHT, (2026, 3, 3, 0, 0), (2026, 3, 3, 6, 0)),
        (NIGHT, (2026, 3, 3, 5, 59), (2026, 3, 3, 6, 0)),
        (NIGHT, (2026, 3, 3, 6, 0), None),
        (NIGHT, (*SUMMER_BEGINS, 1, 0), (*SUMMER_BEGINS, 6, 0)),
        (NIGHT, (*WINTER_BEGINS, 1, 0), (*WINTER_BEGINS, 6, 0)),
    ],
)
def test_hours_are_those_of_copenhagen(hours, moment, ends):
    """A minute before, at, and after each end; over midnight, and on days of change."""
    found = hours.end_of(local(*moment))
    assert found == (None if ends is None else local(*ends))
    assert hours.has(local(*moment)) is (ends is not None)


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 2), 8), (SUMMER_BEGINS, 7), (WINTER_BEGINS, 9), ((2026, 7, 2), 8)]
)
def test_a_night_is_as_long_as_it_really_is(day, hours):
    """An hour shorter when summer time begins, an hour longer when it ends."""
    begins = local(*day, 12) - timedelta(days=1)
    assert NIGHT.minutes_within(begins, local(*day, 12)) == hours * 60


def test_hours_the_clocks_jump_over_end_at_the_jump():
    """At two it is three."""
    hours = quiet_hours("01:00-02:30")
    assert hours.end_of(local(*SUMMER_BEGINS, 1, 30)) == local(*SUMMER_BEGINS, 3, 0)


def test_hours_the_clocks_show_twice_are_quiet_twice():
    """At three it is two again."""
    hours = quiet_hours("02:00-02:30")
    for fold in (0, 1):
        assert hours.end_of(local(*WINTER_BEGINS, 2, 10, fold=fold)) == local(
            *WINTER_BEGINS, 2, 30, fold=fold
        )
    assert hours.end_of(local(*WINTER_BEGINS, 2, 30)) is None
    across = quiet_hours("01:00-02:30")
    assert across.end_of(local(*WINTER_BEGINS, 2, 45)) is None
    assert across.has(local(*WINTER_BEGINS, 2, 15, fold=1))


@pytest.mark.parametrize("text", ["7:00-18:00", "07:00", "07:00-24:00", "07:60-08:00", "07:00-07:00", "x"])
def test_what_is_no_hours_is_refused(text):
    """A whole day as well: nothing would ever go."""
    with pytest.raises(ValueError, match="must"):
        quiet_hours(text)


def test_no_text_is_no_quiet_hours():
    """As where nobody sets any."""
    assert quiet_hours("") is None
