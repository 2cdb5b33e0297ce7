"""Calendar periods and the days answers are due."""

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deadlines import due_on
from shared.domain.periods import add_months, add_period, last_day_kept
from shared.domain.times import after, copenhagen_day, utc_text
from shared.domain.working_days import next_working_day

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2200, 12, 31))
MOMENTS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=365 * 70)).map(
    lambda passed: datetime(2018, 1, 1, tzinfo=UTC) + passed
)


def _noon(text):
    return datetime.fromisoformat(f"{text}T11:00:00+00:00")


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("received_at", "due"),
    [
        (_noon("2026-08-31"), "2026-09-30"),  # September has no 31st
        (_noon("2027-03-05"), "2027-04-05"),  # the same day number
        (_noon("2026-11-25"), "2026-12-28"),  # two holidays, then a Sunday
        (datetime(2026, 10, 31, 23, 30, tzinfo=UTC), "2026-12-01"),  # already November in Copenhagen
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "2027-02-01"),  # 31 January is a Sunday
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "2027-02-01"),  # New Year's Day in Copenhagen
        (_noon("2028-01-31"), "2028-02-29"),  # leap year
        (_noon("2027-01-29"), "2027-03-01"),  # 28 February 2027 is a Sunday
        (_noon("2026-02-27"), "2026-03-27"),
        (_noon("2026-03-03"), "2026-04-07"),  # Good Friday to Easter Monday
    ],
)
def test_an_answer_is_due_a_calendar_month_later(received_at, due):
    """By Copenhagen days, and on a working day."""
    assert due_on(received_at) == date.fromisoformat(due)


def test_an_extended_answer_is_due_three_months_after_receipt():
    """Counted from receipt, not from the first date."""
    assert due_on(_noon("2026-12-31"), months=3) == date(2027, 3, 31)


def test_days_that_are_no_public_holiday_extend_nothing():
    """Constitution Day, Christmas Eve and New Year's Eve."""
    for day in (date(2026, 6, 5), date(2026, 12, 24), date(2026, 12, 31)):
        assert next_working_day(day) == day


@pytest.mark.parametrize(("year", "extends"), [(2023, True), (2024, False)])
def test_great_prayer_day_counts_up_to_2023(year, extends):
    """It is the fourth Friday after Easter and was abolished from 2024."""
    day = {2023: date(2023, 5, 5), 2024: date(2024, 4, 26)}[year]
    assert (next_working_day(day) != day) is extends


@given(DAYS)
def test_the_next_working_day_is_one_and_none_lies_before_it(day):
    """Asking again changes nothing; a week with every holiday in it is the longest wait."""
    found = next_working_day(day)
    assert found.weekday() < 5
    assert timedelta(0) <= found - day <= timedelta(days=7)
    assert next_working_day(found) == found


@given(MOMENTS, MOMENTS)
def test_who_asks_later_is_never_answered_earlier(one, other):
    """Due days keep the order of receipt."""
    first, second = sorted((one, other))
    assert due_on(first) <= due_on(second)


@given(MOMENTS)
def test_a_due_day_is_never_more_than_a_month_and_a_week_away(moment):
    """And never before the month is over."""
    day = copenhagen_day(moment)
    assert day + timedelta(days=28) <= due_on(moment) <= day + timedelta(days=31 + 7)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-01-15", 0, "2026-01-15"),
        ("2026-01-31", -1, "2025-12-31"),
    ],
)
def test_months_are_added_by_day_number(day, months, later):
    """Leap years and year ends."""
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(later)


@given(DAYS, st.integers(min_value=0, max_value=600))
def test_added_months_keep_the_day_number_where_the_month_has_it(day, months):
    """Otherwise it is that month's last day."""
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    last = calendar.monthrange(later.year, later.month)[1]
    assert later.day == min(day.day, last)


@given(DAYS, DAYS, st.integers(min_value=0, max_value=600))
def test_adding_months_keeps_the_order_of_days(one, other, months):
    """A later start never ends earlier."""
    first, second = sorted((one, other))
    assert add_months(first, months) <= add_months(second, months)


@given(DAYS, st.integers(min_value=0, max_value=40))
def test_a_year_is_twelve_months(day, years):
    """Both ways to write a period agree."""
    assert add_period(day, f"P{years}Y") == add_period(day, f"P{years * 12}M")


@pytest.mark.parametrize(
    "period", ["", "P1", "1Y", "P1D", "P1W", "P-1Y", "P1Y2M", "p1y", "P1.5Y", "PT1M", "P1Y\n"]
)
def test_any_other_period_is_refused(period):
    """Days and weeks are not what the policy counts in."""
    with pytest.raises(ValueError, match=r"^"):
        add_period(date(2026, 1, 1), period)


@pytest.mark.clause("5.1")
def test_last_use_on_a_leap_day_ends_on_the_last_of_february():
    """29 February 2028 and one year: kept through 28 February 2029."""
    assert last_day_kept(date(2028, 2, 29), "P1Y") == date(2029, 2, 28)


@pytest.mark.parametrize("day", ["2026-01-01", "2026-03-10", "2026-12-31"])
def test_bookkeeping_is_kept_five_years_from_the_end_of_the_year(day):
    """Whatever the day in the year."""
    kept = last_day_kept(date.fromisoformat(day), "P5Y", counted_from="end_of_calendar_year")
    assert kept == date(2031, 12, 31)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-28T22:59:59+00:00", "2026-03-28"),
        ("2026-03-28T23:00:00+00:00", "2026-03-29"),
        ("2026-07-01T21:59:59+00:00", "2026-07-01"),
        ("2026-07-01T22:00:00+00:00", "2026-07-02"),
        ("2026-07-01T22:00:00-05:00", "2026-07-02"),
    ],
)
def test_the_day_is_copenhagens_in_summer_and_winter(moment, day):
    """One or two hours before UTC's."""
    assert copenhagen_day(datetime.fromisoformat(moment)) == date.fromisoformat(day)


@given(MOMENTS, MOMENTS, st.timezones())
def test_moments_written_down_sort_as_they_pass(one, other, zone):
    """Text order is time order, whatever zone they were told in."""
    one = one.astimezone(zone)
    assert (utc_text(one) < utc_text(other)) == (one < other)


def test_a_moment_is_written_in_fixed_width():
    """Microseconds are always there."""
    assert utc_text(datetime(2026, 11, 23, 10, 15, tzinfo=UTC)) == "2026-11-23T10:15:00.000000Z"
    assert after(datetime(2026, 11, 23, tzinfo=UTC), seconds=90, days=1).minute == 1
