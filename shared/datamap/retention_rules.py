"""Retention rules, the decisions that make one of a gap, and how long our own data stays."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.datamap.entries import PERIOD, Frozen, Said, Text
from shared.domain.retention import Term, UseScope


class Only(Frozen):
    """Some records of a store: those whose value at `path` is one of these."""

    path: str = Field(pattern=r"^/")
    values: tuple[str, ...] = Field(min_length=1)


class Trigger(Frozen):
    """Where the days are stored that start a rule's period.

    The latest of `paths` counts; where none of them holds a date, the latest of `otherwise`. `group` names
    what the day is about: an installation, a licence, a membership. `ended_by` holds the date that stops the
    period. A date in the future counts from the day its record came in, unless it is a `planned` end.
    """

    store: str
    group: str = Field(pattern=r"^/")
    paths: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    only: Only | None = None
    ended_by: str | None = Field(default=None, pattern=r"^/")
    customer_path: str | None = Field(default=None, pattern=r"^/")
    planned: bool = False
    directory: bool = True  # its records say by themselves whose time may be over; False: one of many events


class Taken(Frozen):
    """A store of which records go by a rule. `by` names their group; None: they go when every group does."""

    store: str
    by: str | None = Field(default=None, pattern=r"^/")


class Countable(Frozen):
    """Stored days that a period may count from where the policy states none, and what would go by it.

    `title` goes on from a period: "after the order was shipped". Nothing goes by it before it is decided.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    reset_by: Text | None = None
    erased_with_it: Text
    scope: UseScope = UseScope.RECORD
    triggers: tuple[Trigger, ...] = Field(min_length=1)
    takes: tuple[Taken, ...] = Field(min_length=1)


class Decision(Frozen):
    """Who decided when and why on a period that the policy does not state, and from when on it is executed.

    `reason` and `decided_by` are for staff. A later decision about the same is a later version of the rule:
    `applies_to_existing` names the basis on which data collected before may stay longer.
    """

    decided_by: Said
    decided_at: AwareDatetime
    reason: Said
    effective_from: date  # the first day of it in Copenhagen
    period: str = Field(pattern=PERIOD)
    applies_to_existing: Said | None = None


class ActivityDecision(Decision):
    """A decision about an activity; `trigger` is one of what its period `may_count_from`."""

    activity: str
    trigger: str


class OwnDataDecision(Decision):
    """A decision about data of our own, by its id."""

    own_data: str


class CaseDeletion(Frozen):
    """Closed cases go whole, counted from the day each was closed."""

    kind: Literal["cases"]


class DocumentDeletion(Frozen):
    """Documents of one store go, each counted from its own day at `path`."""

    kind: Literal["documents"]
    store: str
    path: str = Field(pattern=r"^/")


class SetBy(Frozen):
    """A setting of the deployment says how many days."""

    setting: str = Field(pattern=r"^[A-Z_]+_DAYS$")


class BuiltIn(Frozen):
    """A number of days that the code has."""

    days: int = Field(ge=1)


class UntilDone(Frozen):
    """No period: it goes when something else does."""

    until: str = Field(min_length=1)


class OwnData(Frozen):
    """Data of our own that lies beside the systems of record: where, how long, and what makes it go.

    `held_in`: places such as `cosmos:requests`. `kept` undecided: nobody said, so it stays. `deletes`: what
    executes a decision; None: nothing does, and none is taken. `required`: a production deployment needs to
    know how long. `counted_from` goes on from a period and "after".
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    counted_from: Text
    held_in: tuple[str, ...] = Field(min_length=1)
    kept: Literal["undecided"] | SetBy | BuiltIn | UntilDone
    required: bool = False
    deletes: Annotated[CaseDeletion | DocumentDeletion, Field(discriminator="kind")] | None = None
    decisions: tuple[OwnDataDecision, ...] = ()  # oldest first; they stand in a file of their own

    @property
    def terms(self) -> tuple[Term, ...]:
        """The versions of what was decided, oldest first. Empty: nothing was."""
        return tuple(
            Term(
                period=one.period,
                valid_from=one.effective_from,
                applies_to_existing=one.applies_to_existing is not None,
            )
            for one in self.decisions
        )


class RuleVersion(Frozen):
    """What a rule says from a day on. `period` None: at once.

    `valid_from` is its first day in Copenhagen; None: it always held. `applies_to_existing`: the new basis on
    which data collected before that day may stay longer than under the version before.
    """

    valid_from: date | None = None
    period: str | None = Field(default=None, pattern=PERIOD)
    applies_to_existing: Said | None = None


class RetentionRule(RuleVersion):
    """A period the policy states or a decision sets, in its last version. Source: policy section 5.

    `scope` says whose later use keeps data; `takes`, which stores the rule empties; `earlier`, what it said
    before, oldest first.
    """

    id: str
    clause: str
    title: Text
    trigger: str
    earlier: tuple[RuleVersion, ...] = ()
    reset_by: Text | None = None
    erased_with_it: Text
    scope: UseScope = UseScope.PERSON
    warns: bool = False  # who it is about is told some days before, where the controller says how many
    triggers: tuple[Trigger, ...] = ()
    takes: tuple[Taken, ...] = ()
    decisions: tuple[ActivityDecision, ...] = ()  # what made it, oldest first; empty: the policy states it

    @property
    def terms(self) -> tuple[Term, ...]:
        """Its versions, oldest first; there is always one."""
        versions: tuple[RuleVersion, ...] = (*self.earlier, self)
        return tuple(
            Term(
                period=one.period,
                valid_from=one.valid_from,
                applies_to_existing=one.applies_to_existing is not None,
            )
            for one in versions
        )
