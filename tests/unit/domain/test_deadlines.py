"""Pauses, extensions and the two dates of a request. The numbered cases are those of the requirements."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.deadlines import (
    Extension,
    Pause,
    deadline,
    due_on,
    require_extendable,
    require_receivable,
)
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.times import copenhagen_day
from shared.domain.working_days import is_working_day

RECEIVED_AT = datetime(2026, 11, 2, 11, tzinfo=UTC)  # a Monday
LAST_DAY_OF_2026 = datetime(2026, 12, 31, 11, tzinfo=UTC)


def _noon(text):
    return datetime.fromisoformat(f"{text}T11:00:00+00:00")


def _day(text):
    return date.fromisoformat(text)


def _pause(asked, answered=None, kind="identity"):
    return Pause(kind=kind, asked_at=_noon(asked), answered_at=_noon(answered) if answered else None)


def _paused(*pauses, today="2026-11-02", **options):
    return deadline(RECEIVED_AT, pauses=pauses, today=_day(today), **options)


def _extension(notified_at, *, months=2, reason="many records in many stores"):
    return Extension(months=months, reason=reason, notified_at=notified_at)


def _extended(extension, received_at=LAST_DAY_OF_2026, **options):
    return deadline(received_at, extension=extension, today=_day("2027-01-04"), **options)


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("received_at", "due"),
    [
        pytest.param(_noon("2026-08-31"), "2026-09-30", id="case 1", marks=pytest.mark.case(1)),
        pytest.param(_noon("2027-03-05"), "2027-04-05", id="case 2", marks=pytest.mark.case(2)),
        pytest.param(_noon("2026-11-25"), "2026-12-28", id="case 3", marks=pytest.mark.case(3)),
        pytest.param(
            datetime(2026, 10, 31, 23, 30, tzinfo=UTC), "2026-12-01", id="case 4", marks=pytest.mark.case(4)
        ),
    ],
)
def test_cases_1_to_4_end_on_the_day_of_the_calendar(received_at, due):
    """The month's last day, the same day number, after the holidays, by Copenhagen's day."""
    found = deadline(received_at, today=copenhagen_day(received_at))
    assert found.target_on == found.legal_due_on == found.extension_notice_by_on == _day(due)
    assert (found.pause_days, found.is_extended) == (0, False)


@pytest.mark.case(5)
@pytest.mark.parametrize(
    ("notified_at", "due", "counts"),
    [
        ("2027-01-29T11:00:00+00:00", "2027-03-31", True),
        ("2027-02-01T11:00:00+00:00", "2027-03-31", True),  # 31 January is a Sunday
        ("2027-02-01T22:59:59+00:00", "2027-03-31", True),  # the last second of that day
        ("2027-02-01T23:00:00+00:00", "2027-02-01", False),
        ("2027-02-02T11:00:00+00:00", "2027-02-01", False),
        (None, "2027-02-01", False),
    ],
)
def test_case_5_an_extension_counts_when_its_notice_left_in_the_first_month(notified_at, due, counts):
    """Counted from receipt; the first date stands otherwise."""
    found = _extended(_extension(notified_at and datetime.fromisoformat(notified_at)))
    assert found.extension_notice_by_on == _day("2027-02-01")
    assert (found.legal_due_on, found.target_on, found.is_extended) == (_day(due), _day(due), counts)


@pytest.mark.case(5)
def test_case_5_an_extension_without_a_reason_does_not_count():
    """The model takes none, and one that lost its reason changes nothing."""
    for reason in ("", " \n"):
        with pytest.raises(ValidationError):
            _extension(_noon("2027-01-29"), reason=reason)
        lost = _extension(_noon("2027-01-29")).model_copy(update={"reason": reason})
        assert not _extended(lost).is_extended


@pytest.mark.case(6)
@pytest.mark.parametrize(
    ("asked", "answered", "legal_due"),
    [
        ("2026-11-04", "2026-11-16", "2026-12-14"),
        ("2026-11-25", "2026-12-04", "2026-12-02"),
    ],
)
def test_case_6_a_question_pauses_when_it_was_asked_without_delay(asked, answered, legal_due):
    """The target never waits."""
    found = _paused(_pause(asked, answered))
    assert (found.target_on, found.legal_due_on) == (_day("2026-12-02"), _day(legal_due))


@pytest.mark.parametrize(
    ("asked", "days"), [("2026-11-04", 2), ("2026-11-05", 1), ("2026-11-06", 0), ("2026-11-09", 0)]
)
def test_the_first_question_comes_within_three_working_days(asked, days):
    """Received on a Monday: Thursday is in time, Friday is not."""
    assert _paused(_pause(asked, "2026-11-06")).pause_days == days


@pytest.mark.parametrize(
    ("received", "asked", "counts"),
    [
        ("2026-11-06", "2026-11-11", True),  # Friday to Wednesday
        ("2026-11-06", "2026-11-12", False),
        ("2026-11-07", "2026-11-11", True),  # Saturday
        ("2026-11-07", "2026-11-12", False),
        ("2026-04-01", "2026-04-09", True),  # the Wednesday before Easter
        ("2026-04-01", "2026-04-10", False),
        ("2026-12-23", "2026-12-29", True),  # Christmas Eve is a working day
        ("2026-12-23", "2026-12-30", False),
    ],
)
def test_only_working_days_count_towards_the_first_question(received, asked, counts):
    """Weekends and holidays give time."""
    answered_at = _noon(asked) + timedelta(days=4)
    pause = Pause(kind="clarification", asked_at=_noon(asked), answered_at=answered_at)
    found = deadline(_noon(received), pauses=[pause], today=_day(asked))
    assert found.pause_days == (4 if counts else 0)


@pytest.mark.parametrize(("within", "days"), [(0, 0), (1, 0), (2, 2), (3, 2)])
def test_how_soon_to_ask_is_the_controllers_decision(within, days):
    """Asked on the second working day."""
    found = _paused(_pause("2026-11-04", "2026-11-06"), ask_within_working_days=within)
    assert found.pause_days == days


def test_a_question_of_the_same_day_is_never_too_late():
    """Not even where none may come later."""
    assert _paused(_pause("2026-11-02", "2026-11-04"), ask_within_working_days=0).pause_days == 2


@pytest.mark.parametrize(
    ("second", "days"),
    [
        (("2026-11-06", "2026-11-08"), 12),  # within
        (("2026-11-10", "2026-11-20"), 16),  # overlaps
        (("2026-11-16", "2026-11-20"), 16),  # follows at once
        (("2026-11-17", "2026-11-20"), 15),  # a day between
        (("2026-11-02", "2026-11-04"), 14),  # before
        (("2026-11-04", "2026-11-16"), 12),  # the same
    ],
)
def test_days_with_two_open_questions_count_once(second, days):
    """In whatever order they are given."""
    one, other = _pause("2026-11-04", "2026-11-16"), _pause(*second, kind="clarification")
    assert _paused(one, other).pause_days == _paused(other, one).pause_days == days


def test_a_later_question_pauses_when_the_first_was_in_time():
    """It does not have to come within three days itself."""
    first, second = _pause("2026-11-03", "2026-11-04"), _pause("2026-11-20", "2026-11-25")
    assert _paused(first, second).pause_days == 6
    assert _paused(second).pause_days == 0


@pytest.mark.parametrize(
    ("today", "days"), [("2026-11-03", 0), ("2026-11-04", 0), ("2026-11-05", 1), ("2027-01-04", 61)]
)
def test_an_open_question_counts_up_to_today(today, days):
    """The legal date moves with every day of silence."""
    assert _paused(_pause("2026-11-04"), today=today).pause_days == days


def test_a_question_answered_on_its_day_pauses_nothing():
    """And neither does an answer that is older than its question."""
    assert _paused(_pause("2026-11-04", "2026-11-04")).pause_days == 0
    assert _paused(_pause("2026-11-04", "2026-11-03")).pause_days == 0


def test_pauses_are_counted_in_copenhagen_days():
    """Half past eleven at night in UTC is tomorrow."""
    asked_at = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    answered_at = datetime(2026, 11, 5, 22, 30, tzinfo=UTC)
    assert _paused(Pause(kind="identity", asked_at=asked_at, answered_at=answered_at)).pause_days == 1


def test_days_before_receipt_pause_nothing():
    """The day of receipt may be corrected after a question was asked."""
    assert _paused(_pause("2026-10-30", "2026-11-04")).pause_days == 2
    assert _paused(_pause("2026-10-28", "2026-10-30")).pause_days == 0


@pytest.mark.parametrize(("asked", "days"), [("2026-12-02", 1 + 7), ("2026-12-03", 1 + 7), ("2026-12-04", 1)])
def test_a_question_does_not_revive_what_is_already_late(asked, days):
    """A first question of one day moved the date from 2 to 3 December."""
    answered = (_day(asked) + timedelta(days=7)).isoformat()
    assert _paused(_pause("2026-11-03", "2026-11-04"), _pause(asked, answered)).pause_days == days


def test_a_question_beside_an_open_one_counts_whenever_it_was_asked():
    """The clock stands still already."""
    waiting = _pause("2026-11-30", "2026-12-20")
    assert (
        _paused(_pause("2026-11-03", "2026-11-04"), waiting, _pause("2026-12-19", "2026-12-23")).pause_days
        == 24
    )


def test_a_pause_that_ends_on_a_weekend_ends_on_the_working_day_after():
    """2 December and ten days is a Saturday."""
    assert _paused(_pause("2026-11-04", "2026-11-14")).legal_due_on == _day("2026-12-14")


@pytest.mark.parametrize(("months", "due"), [(1, "2027-03-01"), (2, "2027-03-31")])
def test_an_extension_is_one_or_two_months(months, due):
    """28 February 2027 is a Sunday."""
    assert _extended(_extension(_noon("2027-01-05"), months=months)).legal_due_on == _day(due)


@pytest.mark.parametrize("months", [-1, 0, 3, 12])
def test_no_other_extension_can_be_written_down(months):
    """The law knows two further months."""
    with pytest.raises(ValidationError):
        _extension(None, months=months)


def test_a_pause_moves_the_date_of_an_extended_answer_and_not_its_target():
    """And it gives no more time for the notice."""
    pause = _pause("2027-01-04", "2027-01-14")
    found = _extended(_extension(_noon("2027-01-05")), pauses=[pause])
    assert (found.target_on, found.legal_due_on) == (_day("2027-03-31"), _day("2027-04-12"))  # a Saturday
    late = _extended(_extension(_noon("2027-02-02")), pauses=[pause])
    assert (late.is_extended, late.legal_due_on) == (False, _day("2027-02-10"))


@pytest.mark.parametrize(
    ("received_at", "code"),
    [
        (datetime(2026, 11, 2, 11, 0, 0, 1, tzinfo=UTC), "received_in_future"),
        (_noon("2026-11-03"), "received_in_future"),
        (datetime(2018, 5, 24, 21, 59, 59, tzinfo=UTC), "received_impossible"),
        (datetime(1, 1, 2, tzinfo=UTC), "received_impossible"),
        (datetime.fromisoformat("0001-01-01T00:00:00+14:00"), "received_impossible"),
    ],
)
def test_a_request_cannot_have_come_tomorrow_or_before_the_law(received_at, code):
    """The one who enters it is asked for the true day."""
    with pytest.raises(Invalid) as raised:
        require_receivable(received_at, RECEIVED_AT)
    assert (raised.value.code, raised.value.field) == (code, "received_at")


@pytest.mark.parametrize(
    "received_at",
    [RECEIVED_AT, RECEIVED_AT - timedelta(microseconds=1), datetime(2018, 5, 24, 22, tzinfo=UTC)],
)
def test_a_request_may_have_come_now_or_on_the_first_day(received_at):
    """25 May 2018 began at ten in the evening, UTC."""
    require_receivable(received_at, RECEIVED_AT)


def _extend(*, months=2, reason="many records", today="2027-02-01", extension=None):
    require_extendable(LAST_DAY_OF_2026, months=months, reason=reason, today=_day(today), extension=extension)


@pytest.mark.parametrize("today", ["2026-12-31", "2027-01-31", "2027-02-01"])
@pytest.mark.parametrize("months", [1, 2])
def test_a_request_can_be_extended_in_its_first_month(months, today):
    """Up to the day the answer is due."""
    _extend(months=months, today=today)


@pytest.mark.parametrize(
    ("wrong", "error", "code"),
    [
        ({"months": 0}, Invalid, "extension_months"),
        ({"months": 3}, Invalid, "extension_months"),
        ({"reason": ""}, Invalid, "extension_reason_missing"),
        ({"reason": " \t\n"}, Invalid, "extension_reason_missing"),
        ({"today": "2027-02-02"}, NotAllowed, "extension_too_late"),
        ({"extension": _extension(None)}, NotAllowed, "extended_already"),
        ({"extension": _extension(_noon("2027-01-05"), months=1)}, NotAllowed, "extended_already"),
    ],
)
def test_an_extension_needs_months_a_reason_and_time_and_comes_once(wrong, error, code):
    """What cannot be extended keeps its date."""
    with pytest.raises(error) as raised:
        _extend(**wrong)
    assert raised.value.code == code


@pytest.mark.parametrize(
    "written",
    [
        _pause("2026-11-04"),
        _pause("2026-11-04", "2026-11-16", kind="clarification"),
        _extension(None),
        _extension(_noon("2026-12-01"), months=1),
    ],
)
def test_what_is_written_down_reads_back_the_same(written):
    """As part of a case."""
    assert type(written).model_validate_json(written.model_dump_json()) == written


@pytest.mark.parametrize("wrong", [{"kind": "curiosity"}, {"asked_at": "2026-11-04T10:00:00"}, {"who": "x"}])
def test_a_pause_that_is_none_is_not_read(wrong):
    """Unknown kinds, times without a zone, unknown fields."""
    with pytest.raises(ValidationError):
        Pause.model_validate({"kind": "identity", "asked_at": "2026-11-04T10:00:00Z"} | wrong)


MOMENTS = st.integers(0, 60 * 24 * 3650).map(
    lambda m: datetime(2018, 6, 1, tzinfo=UTC) + timedelta(minutes=m)
)


@st.composite
def _requests(draw):
    received_at = draw(MOMENTS)
    minutes = st.integers(-60 * 24 * 5, 60 * 24 * 120)
    moments = minutes.map(lambda passed: received_at + timedelta(minutes=passed))
    kinds = st.sampled_from(["identity", "clarification"])
    pauses = st.builds(Pause, kind=kinds, asked_at=moments, answered_at=st.none() | moments)
    extensions = st.builds(
        Extension, months=st.integers(1, 2), reason=st.just("many records"), notified_at=st.none() | moments
    )
    return {
        "received_at": received_at,
        "pauses": tuple(draw(st.lists(pauses, max_size=5))),
        "extension": draw(st.none() | extensions),
        "today": copenhagen_day(draw(moments)),
        "ask_within_working_days": draw(st.integers(0, 90)),
    }


@given(_requests())
def test_every_date_is_a_working_day_and_the_law_is_never_before_the_target(request_):
    """Whatever was asked, answered and extended."""
    found = deadline(**request_)
    assert is_working_day(found.target_on)
    assert is_working_day(found.legal_due_on)
    assert is_working_day(found.extension_notice_by_on)
    assert found.extension_notice_by_on <= found.target_on <= found.legal_due_on
    assert found.extension_notice_by_on == due_on(request_["received_at"])


@given(_requests())
def test_pauses_together_are_never_more_than_their_sum(request_):
    """Nor less than nothing, nor more than the time that passed."""
    ends = [
        (
            copenhagen_day(one.asked_at),
            copenhagen_day(one.answered_at) if one.answered_at else request_["today"],
        )
        for one in request_["pauses"]
    ]
    days = deadline(**request_).pause_days
    assert 0 <= days <= sum(max(0, (end - start).days) for start, end in ends)
    received_on = copenhagen_day(request_["received_at"])
    assert days <= max([0, *((end - received_on).days for _, end in ends)])


@given(_requests())
def test_one_more_question_never_shortens_the_time(request_):
    """Every pause but the last, then all of them."""
    fewer = request_ | {"pauses": request_["pauses"][:-1]}
    assert deadline(**fewer).legal_due_on <= deadline(**request_).legal_due_on


@given(_requests(), st.randoms(use_true_random=False))
def test_the_order_of_the_questions_changes_nothing(request_, random):
    """A case may have saved them in any."""
    shuffled = list(request_["pauses"])
    random.shuffle(shuffled)
    assert deadline(**request_ | {"pauses": shuffled}) == deadline(**request_)


@given(_requests())
def test_another_day_never_shortens_the_time(request_):
    """An open question only gives more."""
    later = request_ | {"today": request_["today"] + timedelta(days=1)}
    assert deadline(**request_).legal_due_on <= deadline(**later).legal_due_on


@given(_requests())
def test_an_extension_never_shortens_the_time(request_):
    """In time or not."""
    plain = request_ | {"extension": None}
    assert deadline(**plain).legal_due_on <= deadline(**request_).legal_due_on
