"""The work of one stage on one store."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field

from shared.domain.case_documents import CaseDocument
from shared.domain.outcomes import KeptRecords, summed
from shared.domain.plans import Action
from shared.domain.times import UtcTime


class Stage(StrEnum):
    """What the tasks of a request in progress do."""

    COLLECT = "collect"
    ERASE = "erase"
    LOOK = "look"
    CORRECT = "correct"
    CHECK = "check"  # the look after a correction
    MARK = "mark"  # no store is touched: restrictions, objections, consents
    INSTRUCT = "instruct"  # processors are told, and asked what came of it
    TRANSFER = "transfer"  # a copy goes to another controller


class TaskState(StrEnum):
    """Where a task stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Task(CaseDocument):
    """The work of one stage on one store. `claim` holds what one worker is about to do, until when."""

    type: Literal["task"] = "task"
    store_id: str
    action: Action
    lane: int
    round: int = 0
    state: TaskState = TaskState.QUEUED
    cursor: str | None = None  # where the next page starts; None: at the beginning
    claimed_until: UtcTime | None = None
    claimed: tuple[str, ...] = ()  # keys of the records the worker is about to erase
    claimed_page: int = 0  # how many were read, of which these are
    claimed_kept: dict[str, tuple[KeptRecords, ...]] = Field(default_factory=dict)  # what stays of each
    counts_only: bool = False  # nothing goes any more; what is gone of the claim is counted
    pages: int = 0  # numbered sections of a copy
    files: int = 0
    records: int = 0  # collected, erased, or still there after an erasure
    rewritten: int = 0
    kept: tuple[KeptRecords, ...] = ()  # an erasure's: cut down and no longer found; a look's: found
    redacted: dict[str, int] = Field(default_factory=dict)
    problem: str | None = None
    request_units: float = 0.0  # what the database charged for the work, where it is counted

    def again(self) -> "Task":
        """Return the task queued anew. What it erased stays counted; a claim keeps its place in the pages."""
        return self.with_(
            state=TaskState.QUEUED,
            lane=0,
            round=self.round + 1,
            cursor=self.cursor if self.claimed else None,
            claimed_until=None,
            counts_only=False,
            problem=None,
        )

    def left_out(self) -> "Task":
        """Return a task that the plan has no more, such as under a hold.

        An erasure whose worker died has its claim counted first. What a look counted is no finding now.
        """
        if self.action is Action.ERASE and self.claimed:
            return self.again().with_(counts_only=True)
        ended = self.unclaimed().with_(state=TaskState.DONE, cursor=None, counts_only=False, problem=None)
        looked = self.action in (Action.LOOK, Action.CHECK)
        return ended.with_(records=0, rewritten=0, kept=()) if looked else ended

    def settled(self, names: Iterable[str], *, gone: Iterable[str] = ()) -> Self:
        """Return the task with some claimed records done: what stays of them out of sight is counted.

        `gone`: those of them that somebody else deleted, so that nothing of them stays.
        """
        names = set(names)
        done = names - set(gone)
        kept = [one for name in self.claimed if name in done for one in self.claimed_kept.get(name, ())]
        left = tuple(name for name in self.claimed if name not in names)
        return self.with_(
            claimed=left,
            claimed_kept={name: self.claimed_kept[name] for name in left if name in self.claimed_kept},
            kept=summed((*self.kept, *kept)),
        )

    def unclaimed(self) -> Self:
        """Return the task without its claim."""
        return self.with_(claimed=(), claimed_page=0, claimed_kept={}, claimed_until=None)

    @property
    def is_final(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in (TaskState.DONE, TaskState.FAILED)
