"""How near a request is to its dates, and which will be late."""

import math
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ageing import Ageing, LateCase, OpenCase, ageing, forecast
from shared.domain.deadlines import Deadline
from shared.domain.errors import Invalid
from shared.domain.working_days import is_working_day, next_working_day

MONDAY = date(2026, 11, 2)
TARGET_ON = date(2026, 12, 2)
LEGAL_DUE_ON = date(2026, 12, 14)
DEADLINE = Deadline(
    target_on=TARGET_ON,
    legal_due_on=LEGAL_DUE_ON,
    extension_notice_by_on=TARGET_ON,
    pause_days=12,
    is_extended=False,
)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        ("2026-11-24", Ageing.ON_TRACK),
        ("2026-11-25", Ageing.DUE_SOON),  # seven days before
        ("2026-11-26", Ageing.DUE_SOON),
        ("2026-12-02", Ageing.DUE_SOON),  # the day itself is on time
        ("2026-12-03", Ageing.TARGET_PASSED),
        ("2026-12-14", Ageing.TARGET_PASSED),
        ("2026-12-15", Ageing.OVERDUE),
    ],
)
def test_a_request_ages_by_its_two_dates(today, state):
    """The target warns, the legal date decides."""
    assert ageing(DEADLINE, date.fromisoformat(today), due_soon_days=7) is state


@pytest.mark.parametrize(
    ("before", "state"), [(0, Ageing.DUE_SOON), (1, Ageing.ON_TRACK), (-1, Ageing.TARGET_PASSED)]
)
def test_without_days_of_warning_only_the_target_day_is_due_soon(before, state):
    """Neither the day before nor the day after."""
    assert ageing(DEADLINE, TARGET_ON - timedelta(days=before), due_soon_days=0) is state


@pytest.mark.parametrize("answered_on", [MONDAY, TARGET_ON, LEGAL_DUE_ON, date(2026, 12, 15)])
def test_what_is_answered_ages_no_more(answered_on):
    """Even when the answer was late."""
    found = ageing(DEADLINE, date(2027, 1, 4), due_soon_days=7, answered_on=answered_on)
    assert found is Ageing.ANSWERED


def _open(*due):
    return [OpenCase(request_id=f"r{n}", legal_due_on=day) for n, day in enumerate(due)]


def _november(*days):
    return _open(*(date(2026, 11, day) for day in days))


def _late(cases, pace, today=MONDAY):
    return [
        (one.request_id, one.expected_on)
        for one in forecast(cases, answered_per_working_day=pace, today=today)
    ]


@pytest.mark.parametrize(("due", "late"), [(3, True), (4, False), (5, False)])
def test_the_third_case_at_one_a_day_is_answered_on_the_third_day(due, late):
    """Monday, Tuesday, Wednesday."""
    found = _late(_november(2, 3, due), 1)
    assert [one for one, _ in found] == (["r2"] if late else [])


def test_today_answers_too():
    """As many as a day answers, and no more."""
    assert _late(_november(2, 2), 2) == []
    assert _late(_november(2, 2, 2), 2) == [("r2", date(2026, 11, 3))]


def test_the_urgent_come_first_in_whatever_order_they_are_given():
    """Those of one day in the order of their ids."""
    cases = _november(3, 2, 2)
    assert _late(cases, 1) == _late(cases[::-1], 1) == [("r2", date(2026, 11, 3)), ("r0", date(2026, 11, 4))]


def test_a_slow_pace_answers_whole_cases_only():
    """One in three working days: Wednesday, then Monday."""
    assert _late(_november(4, 9), 1 / 3) == []
    assert _late(_november(3, 6), 1 / 3) == [("r0", date(2026, 11, 4)), ("r1", date(2026, 11, 9))]


def test_parts_of_a_day_add_up():
    """A hundred days of 0.29 are 29 cases."""
    due = [MONDAY] * 29
    assert len({day for _, day in _late(_open(*due), 0.29)}) == 29
    last_on = _late(_open(*due), 0.29)[-1][1]
    working = sum(is_working_day(MONDAY + timedelta(days=n)) for n in range((last_on - MONDAY).days + 1))
    assert working == 100


def test_weekends_and_holidays_answer_nothing():
    """From the Wednesday before Easter to the Tuesday after; from a Saturday to Monday."""
    due = [date(2026, 4, 1), date(2026, 4, 6)]
    assert _late(_open(*due), 1, today=date(2026, 4, 1)) == [("r1", date(2026, 4, 7))]
    assert _late(_november(8), 1, today=date(2026, 11, 7)) == [("r0", date(2026, 11, 9))]


def test_what_is_overdue_is_late_and_comes_first():
    """Its date cannot be met any more."""
    cases = _open(date(2026, 10, 30), MONDAY)
    assert forecast(cases, answered_per_working_day=1, today=MONDAY) == (
        LateCase(request_id="r0", legal_due_on=date(2026, 10, 30), expected_on=MONDAY),
        LateCase(request_id="r1", legal_due_on=MONDAY, expected_on=date(2026, 11, 3)),
    )


def test_a_case_whose_clock_does_not_run_is_never_late_and_takes_no_place():
    """Not even when nothing is answered."""
    cases = [OpenCase(request_id="a", legal_due_on=None), *_november(2)]
    assert _late(cases, 1) == []
    assert _late(cases, 0) == [("r0", None)]


def test_at_a_pace_of_nothing_every_case_with_a_date_is_late():
    """However far its date."""
    far = date(2031, 1, 2)
    assert _late(_open(MONDAY, far), 0) == [("r0", None), ("r1", None)]


def test_a_date_years_ahead_is_met_at_the_slowest_pace():
    """The look ahead goes as far as the last date."""
    assert _late(_open(date(2031, 1, 2)), 1 / 500) == []


def test_no_open_case_is_no_late_case():
    """At any pace."""
    assert forecast([], answered_per_working_day=0, today=MONDAY) == ()
    assert _late(_november(2), 1e308) == []


@pytest.mark.parametrize("pace", [-1e-9, -1, math.inf, math.nan])
def test_a_pace_that_is_none_is_refused(pace):
    """Below zero, without end, or no number."""
    with pytest.raises(Invalid) as raised:
        forecast(_november(2), answered_per_working_day=pace, today=MONDAY)
    assert raised.value.code == "pace_impossible"


DUE = st.lists(st.none() | st.dates(MONDAY - timedelta(days=30), MONDAY + timedelta(days=120)), max_size=40)
PACES = st.floats(0, 20, allow_nan=False)


@given(DUE, PACES, PACES)
def test_a_faster_pace_makes_nobody_late(due, one, other):
    """What is late at the faster pace is late at the slower."""
    slow, fast = sorted((one, other))
    assert {name for name, _ in _late(_open(*due), fast)} <= {name for name, _ in _late(_open(*due), slow)}


@given(DUE, PACES)
def test_answers_are_expected_on_working_days_after_the_legal_date(due, pace):
    """None before today."""
    for one in forecast(_open(*due), answered_per_working_day=pace, today=MONDAY):
        if one.expected_on is not None:
            assert one.expected_on > one.legal_due_on
            assert one.expected_on >= next_working_day(MONDAY)
            assert is_working_day(one.expected_on)


@given(DUE, st.integers(1, 5))
def test_no_day_answers_more_than_the_pace(due, pace):
    """Whole numbers a day."""
    days = [day for _, day in _late(_open(*due), pace)]
    assert all(days.count(day) <= pace for day in days)
