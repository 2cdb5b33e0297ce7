"""A day's run of scheduled deletion: what it looks for, how far it is, and what came of it. Pure.

What falls due is found by the day that started its period, between the last run's bound and today's: whoever
stays active is not looked at again each day. Source: policy section 5; GDPR article 5(1)(e).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shared.domain.retention import Term, erase_from
from shared.domain.times import UtcTime, start_of, utc_text

_A_YEAR, _MOST_PARTS = timedelta(days=365), 30
_DAYS_OF_A_YEAR, _SLACK_DAYS = 365.25, 4  # the search for the bound begins a little too late


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Search(StrEnum):
    """Ways to find records whose time may be over."""

    NEWLY_OLD = "newly_old"  # the day that starts the period passed the bound since the last run
    WRITTEN_LATE = "written_late"  # written since the last run, with a day from before its bound
    AHEAD = "ahead"  # a day that lies ahead, or is none: such a record counts from when it came
    UNDATED = "undated"  # nothing says when its period began
    OVER = "over"  # a state that says it is over: no period
    OLD_EVENT = "old_event"  # one of many records of a person: enough to look at the person once


class Source(_Frozen):
    """One search in one store. `path` empty: of no single day.

    `by`: only what fell due until that day, and `later_than`: after that one; None: as far as the run goes.
    """

    rule_id: str
    store_id: str
    search: Search
    path: str = ""
    later_than: date | None = None
    by: date | None = None

    @property
    def key(self) -> str:
        """Its name in a run."""
        return f"{self.rule_id}:{self.store_id}:{self.search}:{self.path}"


class Step(StrEnum):
    """What a run does now."""

    FINDING = "finding"
    WATCHING = "watching"  # people whose day to be looked at again has come
    SETTLING = "settling"  # what was filed today: is it done?
    LEFT_OVER = "left_over"  # single events that are left when the cases are done
    DONE = "done"


class Doubt(StrEnum):
    """Why a record can be neither deleted nor let be; it is watched until somebody repairs it."""

    UNDATED = "undated"  # nothing says when its period began
    UNCLEAR = "unclear"  # it is due, and names nobody, or more than one person can be
    FAILED = "failed"  # it could not be judged


class Run(_Frozen):
    """A run of one day. `cursor`: a place in the search at hand; it stays here and travels in no message.

    `bounds`: by store and path, up to where days were searched; the next run goes on there. `versions`: of
    the rules it went by; where the last run went by others, it `looks_at_all` who is watched. `counts`:
    records by what they came to, such as `held`. `erased`: records by store. `request_units`: of finding and
    erasing. `waits_for`: why it does not go on now, such as `quiet_hours`; empty: it is at work or done.
    `waits_until` None: it does not wait, or until somebody resumes it. `rests`: how often it waited, by the
    reason. `waiting`: records that the searches still ahead find, counted when an hour's pace was used up;
    those that are filed and not erased yet are among them.
    `undated`, `unclear`, `failed`: records that stand in doubt when it is done.
    `alarmed_on`: the day of the last run that raised an alarm about them; None: none did.
    """

    day: date
    started_at: UtcTime
    ended_at: UtcTime | None = None
    step: Step = Step.FINDING
    sources: tuple[Source, ...] = ()  # still to be searched, the one at hand first
    later: tuple[Source, ...] = ()  # to be searched when the cases of those are done
    cursor: str | None = None
    bounds: Mapping[str, str] = {}
    old_bounds: Mapping[str, str] = {}
    versions: Mapping[str, str] = {}
    looks_at_all: bool = False
    began_seconds: int = 0  # the database's own clock when it began
    written_since_seconds: int | None = None  # and when the last run began; None: there was none
    seen: int = 0
    filed: int = 0
    undated: int = 0
    unclear: int = 0
    failed: int = 0
    alarmed_on: date | None = None
    erased: Mapping[str, int] = {}
    counted: tuple[str, ...] = ()  # cases whose records these are
    kept: Mapping[str, int] = {}
    by_rule: Mapping[str, int] = {}
    request_units: float = 0.0
    oldest_overdue_on: date | None = None  # the earliest day from which something is due that still stands
    waits_for: str = ""
    waits_until: UtcTime | None = None
    rests: Mapping[str, int] = {}
    waiting: int = 0
    looked_until: str = ""  # the last watched person looked at in this step, so that each comes once a run

    @property
    def is_done(self) -> bool:
        """Whether it came to its end."""
        return self.step is Step.DONE

    def counting(self, name: str, amounts: Mapping[str, int]) -> "Run":
        """Return the run with amounts added to one of its counts."""
        known = dict(getattr(self, name))
        for key, amount in amounts.items():
            known[key] = known.get(key, 0) + amount
        return self.model_copy(update={name: known})


class Watched(_Frozen):
    """A record whose person is looked at again on a day: used since, held, restricted, or just filed.

    It names the record and no person; the row is under one pseudonym of the person, or of the record where it
    names nobody. `for_all`: one row stands for all records of the person in that store. `by_arrival`: the day
    is by when records came in, for want of a use, so what else comes is looked at though the day is not there
    yet. `doubt`: why staff have to look at the record, and `doubted_on` since when; None: they need not.
    """

    subject_key: str
    store_id: str
    document_id: str
    partition: str  # as JSON
    look_on: date
    for_all: bool = False
    by_arrival: bool = False
    request_ids: tuple[str, ...] = ()  # cases that were filed about it
    doubt: Doubt | None = None
    doubted_on: date | None = None


def parts_of(last: date | None, today: date) -> list[tuple[date | None, date | None]]:
    """Return the parts in which a run searches by day, the longest overdue first.

    Each is later than one day, by another; None: as far as the run goes. After days without a run each of
    them is a part, so that what waits is worked off in order; the first run
    begins with what has been overdue for a year. A run of every day
    has one part.
    """
    if last is None:
        days = [today - _A_YEAR]
    else:
        missed = (today - last).days - 1
        days = [today - timedelta(days=number) for number in range(min(missed, _MOST_PARTS), 0, -1)]
    return list(zip([None, *days], [*days, None], strict=True))


def bound(today: date, period: str) -> str:
    """Return the text that all days are below whose data is due today, as times in UTC are written.

    A time that is written with another offset may be found a day later; nothing is judged by this text.
    """
    years, months = _parts(period)
    day = today - timedelta(days=round((years + months / 12) * _DAYS_OF_A_YEAR) - _SLACK_DAYS)
    while erase_from(day, period) > today:
        day -= timedelta(days=1)
    return utc_text(start_of(day + timedelta(days=1)))


def bound_by(terms: Sequence[Term], today: date) -> str:
    """Return the text that all days are below whose data may be due today by any version of a rule.

    The shortest period that holds bounds the search; what another version keeps longer is found and not due.
    Empty: no version with a period holds yet.
    """
    return max((bound(today, one.period) for one in terms if one.period and one.holds_on(today)), default="")


def _parts(period: str) -> tuple[int, int]:
    amount = int(period[1:-1])
    return (amount, 0) if period.endswith("Y") else (0, amount)
