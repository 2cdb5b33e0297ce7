"""When data falls due: the calendar, the clocks, and what delays them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.controls import Controls, Hold, Restriction
from shared.domain.retention import (
    DueState,
    Fact,
    RunningClock,
    Term,
    UseScope,
    counts_as_use,
    earliest,
    erase_from,
    erase_on_by,
    event_day,
    is_accepted,
    judge,
    last_day,
    latest_by_group,
    term_on,
)

DAYS = st.dates(min_value=date(2018, 1, 1), max_value=date(2100, 12, 31))
NOW = datetime(2027, 5, 11, 6, tzinfo=UTC)


def day(text):
    return date.fromisoformat(text)


def clock(rule_id, trigger_on, period="P3Y", ended_on=None):
    return RunningClock(
        rule_id=rule_id,
        trigger_on=day(trigger_on),
        terms=(Term(period=period),),
        ended_on=day(ended_on) if ended_on else None,
    )


def hold(**changes):
    return Hold(
        **{
            "hold_id": "h-1",
            "activity_id": "licences",
            "ground": "policy_5_3",
            "reason": "an open question about the fee",
            "placed_at": NOW,
            "review_on": day("2027-12-01"),
            **changes,
        }
    )


def restriction(**changes):
    return Restriction(**{"restriction_id": "r-1", "ground": "claims", "placed_at": NOW, **changes})


def verdict(clocks, today, *, activity_id="usage", holds=(), restrictions=()):
    controls = Controls(subject_key="k1-x", holds=holds, restrictions=restrictions)
    return judge(clocks, today=day(today), activity_id=activity_id, controls=(controls,))


@pytest.mark.case(18)
@pytest.mark.clause("5.1")
@pytest.mark.case(18)
def test_case_18_the_last_use_on_a_leap_day_ends_on_the_last_of_february():
    """Kept through 28 February 2029, gone from 1 March."""
    assert last_day(day("2028-02-29"), "P1Y") == day("2029-02-28")
    assert erase_from(day("2028-02-29"), "P1Y") == day("2029-03-01")


@pytest.mark.parametrize(
    ("trigger", "period", "gone"),
    [
        ("2025-03-10", "P1Y", "2026-03-11"),
        ("2027-02-28", "P1Y", "2028-02-29"),  # the day after the 28th of a leap year
        ("2024-12-31", "P1Y", "2026-01-01"),
        ("2025-12-25", "P1Y", "2026-12-26"),  # a holiday moves nothing
        ("2025-05-08", "P1Y", "2026-05-09"),  # nor does a Saturday
        ("2024-02-29", "P3Y", "2027-03-01"),
        ("2021-12-31", "P5Y", "2027-01-01"),
    ],
)
def test_data_goes_on_the_day_after_its_last_day(trigger, period, gone):
    """By calendar years, never by 365 days, and never moved by a weekend."""
    assert erase_from(day(trigger), period) == day(gone)


@pytest.mark.parametrize(
    ("today", "state"),
    [("2026-03-10", DueState.NOT_DUE), ("2026-03-11", DueState.DUE), ("2026-03-12", DueState.DUE)],
)
def test_data_is_due_from_its_day_on(today, state):
    """The day before, the day itself and the day after."""
    assert verdict([clock("R1", "2025-03-10", "P1Y")], today).state is state


@given(DAYS, DAYS, st.sampled_from(["P1Y", "P3Y", "P5Y"]))
def test_later_use_never_makes_data_go_earlier(one, other, period):
    """Order is kept, and the period is never shorter than its years less a day."""
    first, second = sorted((one, other))
    assert erase_from(first, period) <= erase_from(second, period)
    assert erase_from(first, period) >= first + timedelta(days=365)


@pytest.mark.case(19)
@pytest.mark.clause("5.1")
@pytest.mark.parametrize(
    ("scope", "first", "second"),
    [
        (UseScope.PERSON, "2026-12-02", "2026-12-02"),
        (UseScope.PERSON_CUSTOMER, "2026-12-02", "2026-12-02"),
        (UseScope.PERSON_INSTALLATION, "2026-02-02", "2026-12-02"),
    ],
)
@pytest.mark.case(19)
def test_case_19_a_scope_says_whose_use_keeps_whose_data(scope, first, second):
    """Installation A used on 1 February, B of the same customer on 1 December 2025."""
    facts = [
        Fact(group="A", on=day("2025-02-01"), customer_id="c-1"),
        Fact(group="B", on=day("2025-12-01"), customer_id="c-1"),
    ]

    found = latest_by_group(facts, scope)

    assert erase_from(found["A"], "P1Y") == day(first)
    assert erase_from(found["B"], "P1Y") == day(second)


def test_another_customers_installation_keeps_nothing_where_customers_are_kept_apart():
    """Use at one customer is no use at the other."""
    facts = [
        Fact(group="A", on=day("2025-02-01"), customer_id="c-1"),
        Fact(group="B", on=day("2025-12-01"), customer_id="c-2"),
        Fact(group="A", on=day("2025-01-01"), customer_id="c-1"),
    ]
    assert latest_by_group(facts, UseScope.PERSON_CUSTOMER) == {
        "A": day("2025-02-01"),
        "B": day("2025-12-01"),
    }
    assert latest_by_group([], UseScope.PERSON) == {}


@pytest.mark.clause("5.1")
@pytest.mark.parametrize("kind", ["start", "stop", "feature"])
def test_starts_stops_and_features_are_use(kind):
    """But not what staff do in the person's name."""
    assert counts_as_use(kind)
    assert not counts_as_use(kind, by_staff=True)


@pytest.mark.parametrize(
    "kind",
    ["heartbeat", "update_ping", "background_sync", "mail_open", "member_login", "self_service_login", ""],
)
def test_nothing_else_is_use(kind):
    """Whatever runs by itself, or happens elsewhere."""
    assert not counts_as_use(kind)
    assert not counts_as_use(kind, cloud_login_counts=True)


def test_a_login_to_the_cloud_is_use_only_where_that_was_decided():
    """The policy names the application."""
    assert not counts_as_use("cloud_login")
    assert counts_as_use("cloud_login", cloud_login_counts=True)
    assert not counts_as_use("cloud_login", cloud_login_counts=True, by_staff=True)


def test_an_event_counts_when_it_happened_and_never_after_it_came_in():
    """A device with a wrong clock cannot keep data for ever."""
    arrived = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert event_day(datetime(2026, 2, 1, tzinfo=UTC), arrived) == day("2026-02-01")
    assert event_day(datetime(2999, 1, 1, tzinfo=UTC), arrived) == day("2026-03-01")
    assert event_day(datetime(2026, 2, 28, 23, 30, tzinfo=UTC), None) == day("2026-03-01")  # Copenhagen


@pytest.mark.parametrize(
    ("arrived", "accepted"), [("2026-02-27", True), ("2026-02-28", True), ("2026-03-01", False)]
)
def test_an_event_that_comes_after_its_own_last_day_rebuilds_nothing(arrived, accepted):
    """One of 28 February 2025, delivered a year later."""
    happened = datetime(2025, 2, 28, 12, tzinfo=UTC)
    assert is_accepted(happened, datetime.fromisoformat(f"{arrived}T12:00:00+00:00"), "P1Y") is accepted


@pytest.mark.case(20)
@pytest.mark.clause("5.4")
@pytest.mark.parametrize(
    ("reactivated", "gone"),
    [("2027-05-09", None), ("2027-05-10", None), ("2027-05-11", "2027-05-11"), (None, "2027-05-11")],
)
@pytest.mark.case(20)
def test_case_20_a_reactivation_in_time_keeps_a_suspended_membership(reactivated, gone):
    """Suspended on 10 May 2024."""
    found = clock("R4b", "2024-05-10", ended_on=reactivated).erase_on
    assert found == (day(gone) if gone else None)


def test_a_reactivation_of_before_the_suspension_ends_nothing():
    """It ended an earlier one."""
    assert clock("R4b", "2024-05-10", ended_on="2024-05-09").erase_on == day("2027-05-11")


def test_a_login_alone_does_not_end_a_suspension():
    """The clock of the suspension runs beside that of the login, and the earlier one wins."""
    clocks = [clock("R4a", "2026-01-01"), clock("R4b", "2024-05-10")]
    assert earliest(clocks) == (day("2027-05-11"), "R4b")
    assert verdict(clocks, "2027-05-10").state is DueState.NOT_DUE
    assert verdict(clocks, "2027-05-11").state is DueState.DUE


@pytest.mark.case(21)
@pytest.mark.clause("5.4")
@pytest.mark.case(21)
def test_case_21_a_revoked_membership_goes_with_the_next_run():
    """Whatever the other clocks say."""
    clocks = [clock("R4a", "2027-05-01"), clock("R4c", "2027-05-11", None)]
    assert verdict(clocks, "2027-05-11").state is DueState.DUE
    assert verdict(clocks, "2027-05-11").rule_id == "R4c"


@pytest.mark.case(22)
@pytest.mark.clause("5.3")
@pytest.mark.case(22)
def test_case_22_a_hold_keeps_licence_data_until_it_is_released():
    """The day stays the same, so the next run erases."""
    clocks = [clock("R3", "2022-05-10", "P5Y")]
    held = verdict(clocks, "2027-05-11", activity_id="licences", holds=(hold(),))
    assert (held.state, held.erase_on) == (DueState.HELD, day("2027-05-11"))
    assert held.hold == hold()

    released = hold(released_at=NOW)
    assert verdict(clocks, "2027-05-11", activity_id="licences", holds=(released,)).state is DueState.DUE
    assert verdict(clocks, "2027-05-11", activity_id="orders", holds=(hold(),)).state is DueState.DUE
    assert verdict(clocks, "2027-05-10", activity_id="licences", holds=(hold(),)).state is DueState.NOT_DUE


@pytest.mark.clause("5.3")
@pytest.mark.parametrize(
    ("today", "state"),
    [("2027-05-10", DueState.NOT_DUE), ("2027-05-11", DueState.DUE), ("2032-05-11", DueState.DUE)],
)
def test_a_licence_is_due_five_years_after_its_own_maintenance(today, state):
    """Maintenance ended on 10 May 2022; renewing it gives another end, and so another clock."""
    assert verdict([clock("R3", "2022-05-10", "P5Y")], today, activity_id="licences").state is state
    assert verdict([clock("R3", "2027-05-10", "P5Y")], today, activity_id="licences").state is (
        DueState.DUE if today == "2032-05-11" else DueState.NOT_DUE
    )


@pytest.mark.case(23)
@pytest.mark.clause("4.5")
@pytest.mark.case(23)
def test_case_23_a_restriction_defers_and_lifting_it_makes_the_data_due_at_once():
    """Neither used nor deleted meanwhile."""
    clocks = [clock("R1", "2025-03-10", "P1Y")]
    assert verdict(clocks, "2026-03-11", restrictions=(restriction(),)).state is DueState.RESTRICTED
    lifted = restriction(lifted_at=NOW)
    assert verdict(clocks, "2026-03-11", restrictions=(lifted,)).state is DueState.DUE
    elsewhere = restriction(activity_ids=("orders",))
    assert verdict(clocks, "2026-03-11", restrictions=(elsewhere,)).state is DueState.DUE


def test_what_has_no_day_to_start_from_is_reported_and_never_deleted():
    """And never taken for "no limit": it is a state of its own."""
    assert verdict([], "2099-01-01").state is DueState.UNDATED
    stopped = clock("R4b", "2024-05-10", ended_on="2024-06-01")
    assert verdict([stopped], "2099-01-01").state is DueState.UNDATED


FIVE = Term(period="P5Y")
YEAR_FROM_2027 = Term(period="P1Y", valid_from=day("2027-01-01"))
TWO_FROM_2027 = Term(period="P2Y", valid_from=day("2027-01-01"))


@pytest.mark.parametrize(
    ("terms", "trigger", "collected", "gone"),
    [
        # a shorter period takes along what is there, from its first day and not before
        ((FIVE, TWO_FROM_2027), "2022-06-01", "2022-06-01", "2027-01-01"),
        ((FIVE, TWO_FROM_2027), "2024-12-31", "2024-12-31", "2027-01-01"),
        ((FIVE, TWO_FROM_2027), "2025-01-01", "2025-01-01", "2027-01-02"),
        ((FIVE, TWO_FROM_2027), "2021-12-30", "2021-12-30", "2026-12-31"),  # gone by then under the old one
        ((FIVE, TWO_FROM_2027), "2028-05-05", "2028-05-05", "2030-05-06"),
        # a longer one is for what is collected from its first day on
        ((Term(period="P1Y"), TWO_FROM_2027), "2026-12-31", "2026-12-31", "2028-01-01"),
        ((Term(period="P1Y"), TWO_FROM_2027), "2027-01-01", "2027-01-01", "2029-01-02"),
        ((Term(period="P1Y"), TWO_FROM_2027), "2028-03-01", "2026-12-31", "2029-03-02"),  # used since
        # the same in other words changes nothing
        ((Term(period="P12M"), YEAR_FROM_2027), "2026-05-01", "2026-05-01", "2027-05-02"),
    ],
)
def test_a_version_applies_to_what_is_there_only_if_it_is_shorter(terms, trigger, collected, gone):
    """Below, at and above its first day."""
    assert erase_on_by(terms, day(trigger), day(collected)) == day(gone)


@pytest.mark.parametrize(
    ("trigger", "gone"),
    [
        ("2025-12-30", "2026-12-31"),
        ("2025-12-31", "2027-01-01"),  # it is due on the first day of the longer one
        ("2026-01-01", "2028-01-02"),
        ("2026-12-31", "2029-01-01"),
    ],
)
def test_a_longer_period_with_a_basis_of_its_own_keeps_what_is_not_due_by_then(trigger, gone):
    """Nothing that was due comes back to life."""
    longer = Term(period="P2Y", valid_from=day("2027-01-01"), applies_to_existing=True)
    assert erase_on_by((Term(period="P1Y"), longer), day(trigger), day(trigger)) == day(gone)


def test_a_decision_erases_nothing_before_it_holds():
    """What is long past its period goes on the first day."""
    terms = (Term(period="P1Y", valid_from=day("2027-01-01")),)
    assert erase_on_by(terms, day("2019-01-01"), day("2019-01-01")) == day("2027-01-01")
    assert erase_on_by(terms, day("2026-01-01"), day("2026-01-01")) == day("2027-01-02")


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), DAYS, DAYS)
def test_no_version_without_a_basis_ever_keeps_what_is_there_longer(periods, one, other):
    """Whatever comes later, in any order of periods."""
    collected, trigger = sorted((one, other))
    firsts = [None, *(date(2020, 1, 1) + timedelta(days=700 * number) for number in range(3))]
    terms = tuple(
        Term(period=f"P{months}M", valid_from=valid_from)
        for months, valid_from in zip(periods, firsts, strict=False)
    )
    under = term_on(terms, collected)
    assert under is not None
    assert erase_on_by(terms, trigger, collected) <= under.erase_on(trigger)


@given(st.integers(1, 60), st.integers(1, 60), DAYS, DAYS, DAYS, st.booleans())
def test_two_versions_equal_a_walk_through_the_days(first, second, trigger, other, valid_from, basis):
    """Each day is asked whether the data has to be gone, by what holds for it on that day."""
    collected = min(trigger, other)
    terms = (
        Term(period=f"P{first}M"),
        Term(period=f"P{second}M", valid_from=valid_from, applies_to_existing=basis),
    )
    by_first, by_second = (erase_from(trigger, one.period) for one in terms)

    def is_gone(today):
        if collected >= valid_from:
            return today >= max(by_second, valid_from)
        if today < valid_from or by_first <= valid_from:
            return today >= by_first
        shorter = by_second < by_first
        return today >= (by_second if shorter or basis else by_first)

    gone = erase_on_by(terms, trigger, collected)
    assert is_gone(gone)
    assert not is_gone(gone - timedelta(days=1))
