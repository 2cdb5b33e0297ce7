"""When an answer is due, by the European calendar rules: pauses, an extension, and the two dates.

Days are calendar days in Copenhagen. Nothing here reads a clock: the caller passes the day or the moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.errors import Invalid, NotAllowed
from shared.domain.periods import add_months
from shared.domain.times import UtcTime, copenhagen_day, start_of
from shared.domain.working_days import next_working_day, working_days_later

LAW_APPLIES_FROM = date(2018, 5, 25)
"""Nobody could use these rights before. Source: GDPR article 99(2)."""

_MOST_EXTRA_MONTHS = 2


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Pause(_Frozen):
    """The time in which a question to the person was open; `answered_at` None: it still is.

    An answer that is older than its question pauses nothing. Source: GDPR recital 63, article 12(6).
    """

    kind: Literal["identity", "clarification"]
    asked_at: UtcTime
    answered_at: UtcTime | None = None


class Extension(_Frozen):
    """One or two more months, and the reason the person is told; `notified_at` None: not told yet.

    It counts only once the person was told, in time. Source: GDPR article 12(3).
    """

    months: Annotated[int, Field(ge=1, le=_MOST_EXTRA_MONTHS)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    notified_at: UtcTime | None = None


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """The days that matter to a request.

    `target_on` drives alarms and knows no pause; `legal_due_on` is the last day on which the answer is on
    time, never before the target. An extension that counts moves both, because the person was told so.
    `extension_notice_by_on` is the last day on which the notice of an extension may leave.
    """

    target_on: date
    legal_due_on: date
    extension_notice_by_on: date
    pause_days: int
    is_extended: bool


def due_on(received_at: datetime, *, months: int = 1) -> date:
    """Return the last day on which an answer is on time when the clock never stopped.

    The day of receipt does not count; the period ends on the same day number `months` later.
    Source: GDPR article 12(3); Regulation 1182/71 article 3(2)(c) and 3(4).
    """
    return next_working_day(add_months(copenhagen_day(received_at), months))


def deadline(
    received_at: datetime,
    *,
    pauses: Sequence[Pause] = (),
    extension: Extension | None = None,
    today: date,
    ask_within_working_days: int = 3,
) -> Deadline:
    """Return the days of a request as they stand `today`; for an answered request, the day of its answer.

    A question pauses the clock from the day it was asked to the day before its answer; days on which two
    questions were open count once, and an open question counts up to `today`. Nothing is paused when the
    first question came later than `ask_within_working_days` Danish working days after receipt; days before
    receipt pause nothing, and neither does a question that was asked when the answer was already late.
    An extension is counted from receipt; one whose notice left late, or has not left, changes nothing.

    Source: GDPR article 12(3) and recital 63; Regulation 1182/71 article 3.
    """
    notice_by_on = due_on(received_at)
    is_extended = extension is not None and _was_told_in_time(extension, notice_by_on)
    months = 1 + extension.months if extension and is_extended else 1
    unpaused_on = add_months(copenhagen_day(received_at), months)
    spans = _open_spans(copenhagen_day(received_at), pauses, today, ask_within_working_days)
    pause_days = _pause_days(spans, unpaused_on)
    return Deadline(
        target_on=next_working_day(unpaused_on),
        legal_due_on=next_working_day(unpaused_on + timedelta(days=pause_days)),
        extension_notice_by_on=notice_by_on,
        pause_days=pause_days,
        is_extended=is_extended,
    )


def _was_told_in_time(extension: Extension, notice_by_on: date) -> bool:
    told_at = extension.notified_at
    return told_at is not None and bool(extension.reason.strip()) and copenhagen_day(told_at) <= notice_by_on


def _open_spans(
    received_on: date, pauses: Iterable[Pause], today: date, ask_within_working_days: int
) -> list[tuple[date, date]]:
    """Return the days of each question, first and first after, in order; empty when asked too late."""
    asked = [copenhagen_day(pause.asked_at) for pause in pauses]
    if not asked or min(asked) > working_days_later(received_on, ask_within_working_days):
        return []
    ends = (copenhagen_day(pause.answered_at) if pause.answered_at else today for pause in pauses)
    return sorted((max(start, received_on), end) for start, end in zip(asked, ends, strict=True))


def _pause_days(spans: Iterable[tuple[date, date]], unpaused_on: date) -> int:
    """Return how many days the spans cover together, up to the first that began when it was too late."""
    days = 0
    covered_to = date.min
    for start, end in spans:
        if start > max(covered_to, next_working_day(unpaused_on + timedelta(days=days))):
            break  # a clock that ran out is not wound up again, unless an earlier question still stops it
        days += max(0, (end - max(start, covered_to)).days)
        covered_to = max(covered_to, end)
    return days


def require_receivable(received_at: datetime, now: datetime) -> None:
    """Make sure that a request can have been received at this moment.

    Raises:
        Invalid: `received_in_future`, or `received_impossible` for a day before the law applied; enter the
            true moment of receipt. For a day without an hour that is its start in Copenhagen.
    """
    if received_at > now:
        raise Invalid("received_in_future", field="received_at")
    if received_at < start_of(LAW_APPLIES_FROM):  # compared as moments: a day before year 1 is none
        raise Invalid("received_impossible", field="received_at")


def require_extendable(
    received_at: datetime, *, months: int, reason: str, today: date, extension: Extension | None = None
) -> None:
    """Make sure that a request, with the extension it has so far, can be extended `today`.

    Raises:
        Invalid: `extension_months` or `extension_reason_missing`; correct it and ask again.
        NotAllowed: `extended_already`, or `extension_too_late`: answer by the date that stands.

    Source: GDPR article 12(3).
    """
    if not 1 <= months <= _MOST_EXTRA_MONTHS:
        raise Invalid("extension_months", field="months")
    if not reason.strip():
        raise Invalid("extension_reason_missing", field="reason")
    if extension is not None:
        raise NotAllowed("extended_already")
    if today > due_on(received_at):
        raise NotAllowed("extension_too_late")
