"""How recipients answer what they are told: counted from notices, nothing of any person in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from shared.domain.outcomes import Notice
from shared.domain.recipients import NoticeState

_DAY_SECONDS = 86_400
_CONFIRMED = frozenset({NoticeState.TOLD, NoticeState.NOT_HELD})


@dataclass(frozen=True, kw_only=True)
class Score:
    """One recipient. `median_days`: from asking to its confirmation; None: it confirmed nothing yet.

    `asked`: told or instructed, whatever came of it. `to_tell`: a person or a mail still has to tell it.
    `unconfirmed`: asked, and nobody knows yet what it did. `overdue`: of both, what waits for too long.
    """

    recipient_id: str
    asked: int
    confirmed: int
    impossible: int
    to_tell: int
    unconfirmed: int
    overdue: int
    median_days: float | None


def scored(recipient_id: str, notices: Iterable[Notice], *, is_overdue: Callable[[Notice], bool]) -> Score:
    """Return the score of one recipient from all its notices; `is_overdue` judges those not confirmed."""
    told = list(notices)
    waits = [one for one in told if one.is_unconfirmed]
    to_tell = [one for one in waits if one.state is NoticeState.DUE]
    confirmed = [one for one in told if one.state in _CONFIRMED]
    impossible = sum(one.state is NoticeState.IMPOSSIBLE for one in told)
    spans = [_days(one.asked_at, one.at) for one in confirmed if one.asked_at is not None]
    return Score(
        recipient_id=recipient_id,
        asked=len(told) - len(to_tell) - impossible,
        confirmed=len(confirmed),
        impossible=impossible,
        to_tell=len(to_tell),
        unconfirmed=len(waits) - len(to_tell),
        overdue=sum(is_overdue(one) for one in waits),
        median_days=round(median(spans), 1) if spans else None,
    )


def _days(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / _DAY_SECONDS
