"""When data goes by itself: the calendar of the retention rules, what starts a period and what ends it.

Whole calendar years in Copenhagen days. A weekend or a holiday moves nothing: that rule protects the time
somebody has to act, and a longest time of storage is not lengthened by it.
Source: policy section 5; GDPR article 5(1)(e).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from shared.domain.controls import Controls, Hold
from shared.domain.periods import add_period
from shared.domain.times import copenhagen_day

USE_KINDS = frozenset({"start", "stop", "feature"})
"""What a person does in the application. Nothing else is use, as long as no decision says so."""

CLOUD_LOGIN = "cloud_login"

FIRST_CREDIBLE = date(2000, 1, 1)
"""An earlier day is a default or a mistake, older than the products: it is taken for none."""

_A_DAY = timedelta(days=1)

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""A later moment stands for never, and counting years from it would leave the calendar."""


def last_day(trigger_on: date, period: str) -> date:
    """Return the last day data may stay: `period` after the day that started it, which is not counted."""
    return add_period(trigger_on, period)


def erase_from(trigger_on: date, period: str) -> date:
    """Return the day from whose first hour, in Copenhagen, data must go: the day after the last one.

    29 February and one year: kept through 28 February, erased from 1 March.
    """
    return last_day(trigger_on, period) + timedelta(days=1)


def event_day(happened_at: datetime, arrived_at: datetime | None) -> date:
    """Return the day an event counts from: when it happened, and never later than it came in.

    `arrived_at` None: nobody knows, and the event's own time is all there is.
    """
    capped = happened_at if arrived_at is None else min(happened_at, arrived_at)
    return copenhagen_day(capped)


def is_accepted(happened_at: datetime, arrived_at: datetime, period: str) -> bool:
    """Whether an event that comes in now may be stored: one past its own last day rebuilds nothing."""
    return copenhagen_day(arrived_at) <= last_day(event_day(happened_at, arrived_at), period)


def counts_as_use(kind: str, *, by_staff: bool = False, cloud_login_counts: bool = False) -> bool:
    """Whether an event is a use of the application by the person.

    Not: licence heartbeats, update pings, background synchronisation, opened mail, logins to the community or
    the self-service, and nothing that staff did in the person's name. A login to the cloud is none either,
    because the policy names the application; the controller may decide otherwise. Source: policy 5.1.
    """
    return not by_staff and (kind in USE_KINDS or (cloud_login_counts and kind == CLOUD_LOGIN))


class UseScope(StrEnum):
    """Whose use keeps whose data. `RECORD`: each record has a period of its own."""

    PERSON = "person"
    PERSON_CUSTOMER = "person_customer"
    PERSON_INSTALLATION = "person_installation"
    RECORD = "record"


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A day that starts a period, of one record or of one of a person's installations.

    `group`: what the day is about, such as an installation's id; empty where nothing is named.
    """

    group: str
    on: date | None
    customer_id: str = ""


def latest_by_group(facts: Iterable[Fact], scope: UseScope) -> dict[str, date]:
    """Return the day that counts for each group: the latest one of everything the scope holds together.

    With `PERSON` a use on any installation keeps the data of all of them. A fact without a day names its
    group and no more. A group that nothing dates is left out.
    """
    known = tuple(facts)

    def shared_key(fact: Fact) -> str:
        if scope is UseScope.PERSON:
            return ""
        return fact.customer_id if scope is UseScope.PERSON_CUSTOMER else fact.group

    latest: dict[str, date] = {}
    for fact in known:
        if fact.on is not None:
            latest[shared_key(fact)] = max(fact.on, latest.get(shared_key(fact), fact.on))
    found: dict[str, date] = {}
    for fact in known:
        on = latest.get(shared_key(fact))
        if on is not None:
            found[fact.group] = max(on, found.get(fact.group, on))
    return found


@dataclass(frozen=True, kw_only=True)
class Term:
    """A rule's period as one version of it says. `period` None: at once.

    `valid_from`: the first Copenhagen day it holds, on which data that is past it goes; None: it always did.
    `applies_to_existing`: whether data collected before may stay longer, which needs a basis of its own.
    """

    period: str | None
    valid_from: date | None = None
    applies_to_existing: bool = False

    def holds_on(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.valid_from is None or self.valid_from <= day

    def erase_on(self, trigger_on: date) -> date:
        """Return the day from which data goes by this version alone: none before the version holds."""
        day = trigger_on if self.period is None else erase_from(trigger_on, self.period)
        return day if self.valid_from is None else max(day, self.valid_from)


def erase_on_by(terms: Sequence[Term], trigger_on: date, collected_on: date) -> date:
    """Return the day from which data goes that was collected on a day, by a rule's versions, oldest first.

    What was collected under a version stays under it. A later, shorter one takes it along from its first day;
    a later, longer one only where it says so, and nothing that was due by then.
    Source: GDPR articles 5(1)(e) and 13(3).
    """
    own = max((number for number, one in enumerate(terms) if one.holds_on(collected_on)), default=0)
    day = terms[own].erase_on(trigger_on)
    for term in terms[own + 1 :]:
        later = term.erase_on(trigger_on)
        if later < day or (term.applies_to_existing and term.holds_on(day - _A_DAY)):
            day = later
    return day


def term_on(terms: Sequence[Term], day: date) -> Term | None:
    """Return the version that what is collected on a day comes under. None: the rule does not hold yet."""
    return next((one for one in reversed(terms) if one.holds_on(day)), None)


@dataclass(frozen=True, kw_only=True)
class RunningClock:
    """One rule's period for some data, by the versions of the rule, oldest first.

    `collected_on` None: nobody knows, and the data is as old as its clock. `ended_on`: what would have ended
    the period. A suspension is ended by a reactivation on or before the last day, and by nothing else: a
    login to a suspended profile is none.
    """

    rule_id: str
    trigger_on: date
    terms: tuple[Term, ...]
    collected_on: date | None = None
    ended_on: date | None = None

    @property
    def erase_on(self) -> date | None:
        """The day from which the data goes. None: the clock was stopped in time."""
        day = erase_on_by(self.terms, self.trigger_on, self.collected_on or self.trigger_on)
        ended = self.ended_on
        if ended is not None and self.trigger_on <= ended < day:
            return None
        return day


def earliest(clocks: Iterable[RunningClock]) -> tuple[date, str] | None:
    """Return the earliest day of several clocks and its rule. None: none of them runs."""
    days = [(one.erase_on, one.rule_id) for one in clocks if one.erase_on is not None]
    return min(days) if days else None


class DueState(StrEnum):
    """What becomes of data today."""

    NOT_DUE = "not_due"  # also: nothing has started a period yet
    DUE = "due"
    HELD = "held"  # it fell due, and a legal hold keeps it
    RESTRICTED = "restricted"  # it fell due, and is neither used nor deleted
    NOT_STATED = "not_stated"  # the policy names no period: never deleted by itself, and reported
    UNDATED = "undated"  # a period is named, and nothing tells when it began: a person has to look


@dataclass(frozen=True, kw_only=True)
class Due:
    """The verdict on some data. `erase_on` and `rule_id` None: no clock runs. `hold`: what keeps it.

    `by_arrival`: no use of it is known, so it counts from when its last record came in. A use that is told
    later may be older, and then it goes earlier; everything else that comes makes it go later.
    """

    state: DueState
    erase_on: date | None = None
    rule_id: str | None = None
    hold: Hold | None = None
    by_arrival: bool = False


def judge(
    clocks: Iterable[RunningClock], *, today: date, activity_id: str, controls: Iterable[Controls]
) -> Due:
    """Return what becomes of data of one activity today, with the controls of every pseudonym considered.

    A hold or a restriction delays and nothing else: the day stays the same, so the data goes as soon as
    neither stands any more.
    """
    found = earliest(clocks)
    if found is None:
        return Due(state=DueState.UNDATED)
    erase_on, rule_id = found
    if today < erase_on:
        return Due(state=DueState.NOT_DUE, erase_on=erase_on, rule_id=rule_id)
    asked = tuple(controls)
    if any(one.restricts(activity_id) for one in asked):
        return Due(state=DueState.RESTRICTED, erase_on=erase_on, rule_id=rule_id)
    hold = next((hold for one in asked for hold in one.holds if hold.covers(activity_id)), None)
    return Due(
        state=DueState.DUE if hold is None else DueState.HELD, erase_on=erase_on, rule_id=rule_id, hold=hold
    )
