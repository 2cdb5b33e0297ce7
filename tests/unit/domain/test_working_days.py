"""Danish working days, pinned year by year."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.working_days import is_working_day, next_working_day, working_days_from, working_days_later

EASTER_SUNDAYS = ["2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05"]
EASTER_SUNDAYS += ["2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21"]
DAYS = st.dates(min_value=date(2018, 1, 1), max_value=date(2100, 1, 1))


@pytest.mark.parametrize("easter", EASTER_SUNDAYS)
def test_the_holidays_of_a_year_are_those_set_by_law_and_no_others(easter):
    """Every weekday of the year that is no working day is one of them."""
    easter_on = date.fromisoformat(easter)
    year = easter_on.year
    # Maundy Thursday, Good Friday, Easter, Ascension, Whitsun; Great Prayer Day for the last time in 2023.
    moving = [-3, -2, 0, 1, 39, 49, 50, *([26] if year == 2023 else [])]
    fixed = [date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)]
    holidays = {*fixed, *(easter_on + timedelta(days=days) for days in moving)}
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)] + [date(year, 12, 31)]
    assert {day for day in days if not is_working_day(day)} == {
        day for day in days if day.weekday() >= 5 or day in holidays
    }


@pytest.mark.parametrize("year", range(2023, 2031))
@pytest.mark.parametrize(("month", "day"), [(5, 1), (6, 5), (12, 24), (12, 31)])
def test_days_off_by_custom_extend_nothing(year, month, day):
    """Workers' Day, Constitution Day, Christmas Eve, New Year's Eve: early is always safe."""
    one = date(year, month, day)
    is_whit_monday = one == date(2028, 6, 5)
    assert is_working_day(one) is (one.weekday() < 5 and not is_whit_monday)


@pytest.mark.parametrize(
    ("day", "working_days", "later"),
    [
        ("2026-11-02", 0, "2026-11-02"),
        ("2026-11-02", 1, "2026-11-03"),
        ("2026-11-02", 4, "2026-11-06"),
        ("2026-11-02", 5, "2026-11-09"),
        ("2026-11-07", 0, "2026-11-07"),  # a Saturday counts from Monday
        ("2026-11-07", 1, "2026-11-09"),
        ("2026-04-01", 1, "2026-04-07"),  # over Easter
        ("2026-12-24", 1, "2026-12-28"),
    ],
)
def test_working_days_are_counted_from_the_day_after(day, working_days, later):
    """Weekends and holidays are passed over."""
    assert working_days_later(date.fromisoformat(day), working_days) == date.fromisoformat(later)


@given(DAYS, st.integers(0, 30))
def test_counting_working_days_leaves_none_out(day, working_days):
    """As many lie after the day, up to and with the one found."""
    found = working_days_later(day, working_days)
    after_it = (day + timedelta(days=n + 1) for n in range((found - day).days))
    assert sum(map(is_working_day, after_it)) == working_days


@given(DAYS)
def test_working_days_follow_each_other(day):
    """The first is the day itself where it is one."""
    first, *following = itertools.islice(working_days_from(day), 6)
    assert first == next_working_day(day)
    assert following == [working_days_later(first, n) for n in range(1, 6)]
