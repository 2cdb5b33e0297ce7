"""A comparison of the newsletter processor's lists with our ledger: where it stands, and what it found.

Webhooks get lost; whatever they should have told is found by looking at the lists themselves.
Source: policy 3.2, 4.8, 5.2; https://www.campaignmonitor.com/api/v3-3/lists/.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.times import UtcTime

OVERLAP_DAYS = 2  # days there are counted in a zone we do not know, and one that was missed is seen again
WHOLE_EVERY_DAYS = 7
MOST_KEYS = 500  # kept of those that differ, so that the record stays small; all are counted
EVER = date(2000, 1, 1)

Extent = Literal["recent", "whole"]
What = Literal["unsubscribed", "deleted", "bounced", "active", "sign_ups"]
_THERE: tuple[What, ...] = ("unsubscribed", "deleted", "bounced", "active")
"""Ends before beginnings: who left there is gone here before anybody asks who is missing there."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Step(_Frozen):
    """One listing to go through. `list_id` empty: our own sign-ups, which are not of one list."""

    what: What
    list_id: str = ""


class Failure(_Frozen):
    """A listing that could not be gone through, and why; a person has to look."""

    step: Step
    code: str


class Reconciliation(_Frozen):
    """One run, named by its day. `steps`: still to be gone through, the one at hand first; empty: over.

    `cursor`: a place in the listing at hand; None: its beginning. It may tell a record's key, so it stays
    here. `since`: changes there are looked at from that day on. `repaired` counts addresses on which both
    sides differed, `diverging` those on which they still do, which are left to staff; `subject_keys` are the
    first of both.
    """

    run_id: str
    extent: Extent
    since: date
    steps: tuple[Step, ...]
    cursor: str | None = None
    counts: Mapping[str, int] = {}  # addresses looked at, by what came of it
    repaired: int = 0
    diverging: int = 0
    subject_keys: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    attempts: int = 0  # in a row that the processor did not answer
    started_at: UtcTime
    wake_at: UtcTime  # gone on with after this, whatever happened to its message
    ended_at: UtcTime | None = None

    @property
    def is_over(self) -> bool:
        """Whether every listing was gone through, or given up."""
        return self.ended_at is not None

    @property
    def is_complete(self) -> bool:
        """Whether it is over and no listing was given up: the next may begin where it began."""
        return self.is_over and not self.failures


class Registered(_Frozen):
    """How the webhook of one list stands with the processor."""

    list_id: str
    state: Literal["active", "activated", "missing", "unfit", "unknown"]
    others: int = 0  # more of them that lead to our door: of an earlier secret


class Watch(_Frozen):
    """What the last look at the webhooks found."""

    at: UtcTime
    lists: tuple[Registered, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether every list tells us what happens."""
        return all(one.state in ("active", "activated") for one in self.lists)


def steps_of(list_ids: Iterable[str], extent: Extent) -> tuple[Step, ...]:
    """Return what a run goes through: all that is there, and for a whole one whoever is missing there."""
    ids = tuple(list_ids)
    there = tuple(Step(what=what, list_id=one) for what in _THERE for one in ids)
    return (*there, Step(what="sign_ups")) if extent == "whole" and ids else there


def next_extent(runs: Iterable[Reconciliation], today: date) -> tuple[Extent, date]:
    """Return how far the next run goes and since when, given the earlier ones in any order.

    A run that gave up a listing counts for nothing: the next looks as far back as it did.
    """
    complete = [one for one in runs if one.is_complete]
    whole = [one.started_at.date() for one in complete if one.extent == "whole"]
    if not whole or today - max(whole) >= timedelta(days=WHOLE_EVERY_DAYS):
        return "whole", EVER
    return "recent", compared_since(complete)


def compared_since(runs: Iterable[Reconciliation]) -> date:
    """Return the day since which something may have happened there that no complete run has read."""
    complete = [one.started_at.date() for one in runs if one.is_complete]
    return max(complete) - timedelta(days=OVERLAP_DAYS) if complete else EVER
