"""A case: one request with its tasks, letters, parts, findings and audit entries, all in one partition.

The state of a document is also the intent of its message: what is not final and past its `wake_at` is
sent again by the sweep, so nothing has to be remembered outside the state itself.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from shared.domain.errors import Conflict
from shared.domain.plans import Action, Plan
from shared.domain.rights import Right
from shared.domain.times import UtcTime


class RequestState(StrEnum):
    """Where a request stands. The transitions below are the only ones there are."""

    RECEIVED = "received"  # waits for the person to confirm the address
    VERIFIED = "verified"  # waits to be planned, or planned anew
    AWAITING_APPROVAL = "awaiting_approval"  # a person must decide
    PLANNED = "planned"  # waits for its start, can still be cancelled
    IN_PROGRESS = "in_progress"
    ANSWERING = "answering"  # the work is done, the letter is on its way
    NEEDS_ATTENTION = "needs_attention"  # stopped; an operator was told
    COMPLETED = "completed"
    COMPLETED_WITH_RETENTION = "completed_with_retention"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    JOINED = "joined"  # the same request of the same person was already open


_S = RequestState
TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    _S.RECEIVED: frozenset({_S.VERIFIED, _S.CANCELLED, _S.EXPIRED, _S.JOINED}),
    _S.VERIFIED: frozenset(
        {_S.AWAITING_APPROVAL, _S.PLANNED, _S.IN_PROGRESS, _S.CANCELLED, _S.NEEDS_ATTENTION}
    ),
    _S.AWAITING_APPROVAL: frozenset({_S.VERIFIED, _S.PLANNED, _S.IN_PROGRESS, _S.REJECTED, _S.CANCELLED}),
    _S.PLANNED: frozenset(
        {_S.VERIFIED, _S.AWAITING_APPROVAL, _S.IN_PROGRESS, _S.CANCELLED, _S.NEEDS_ATTENTION}
    ),
    _S.IN_PROGRESS: frozenset({_S.VERIFIED, _S.ANSWERING, _S.CANCELLED, _S.NEEDS_ATTENTION}),
    _S.ANSWERING: frozenset({_S.VERIFIED, _S.COMPLETED, _S.COMPLETED_WITH_RETENTION, _S.NEEDS_ATTENTION}),
    _S.NEEDS_ATTENTION: frozenset({_S.VERIFIED, _S.ANSWERING, _S.REJECTED, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.COMPLETED_WITH_RETENTION: frozenset(),
    _S.REJECTED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.JOINED: frozenset(),
}
FINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)


class Stage(StrEnum):
    """What the tasks of a request in progress do."""

    COLLECT = "collect"
    ERASE = "erase"
    LOOK = "look"


class CaseDocument(BaseModel):
    """Base of every document of a case; `id` is unique within the request's partition."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str
    request_id: str

    def with_(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one is not: types are the caller's."""
        return self.model_copy(update=changes)


class KeptRecords(BaseModel):
    """Records of a store that an erasure left, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    store_id: str
    reason: str  # `keep` with the map's words, `hold` or `copy_awaits_download`
    provision: str
    until: date | None
    records: int


def summed(kept: Iterable[KeptRecords]) -> tuple[KeptRecords, ...]:
    """Return the same with records of one store, reason and day counted together, in the order given."""
    counts: Counter[KeptRecords] = Counter()
    for one in kept:
        counts[one.model_copy(update={"records": 0})] += one.records
    return tuple(one.model_copy(update={"records": records}) for one, records in counts.items())


class Outcome(BaseModel):
    """What one right of a request came to."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    result: Literal["answered", "nothing_held", "erased", "erased_with_retention"]
    at: UtcTime
    records: int = 0  # collected or erased
    by_store: dict[str, int] = {}
    kept: tuple[KeptRecords, ...] = ()


class Package(BaseModel):
    """The finished copy, from its publication to its deletion."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    published_at: UtcTime
    expires_at: UtcTime
    size_bytes: int
    downloaded_at: UtcTime | None = None
    deleted_at: UtcTime | None = None


class SubjectRequest(CaseDocument):
    """A request and everything decided about it.

    `email` and `identifiers` are personal data, there only while the request is open.
    """

    DOCUMENT_ID: ClassVar[str] = "request"

    id: str = DOCUMENT_ID
    type: Literal["request"] = "request"
    v: Literal[1] = 1
    rights: tuple[Right, ...]
    state: RequestState
    language: Literal["en", "da"]
    channel: Literal["web"] = "web"
    received_at: UtcTime
    due_on: date
    email: str | None
    identifiers: dict[str, tuple[str, ...]] = {}
    subject_keys: tuple[str, ...]  # first the one of the address the request came from
    phase: int = 0  # index into `rights`
    stage: Stage | None = None
    plan: Plan | None = None
    plans_made: int = 0
    deferrals: int = 0
    looks: int = 0
    runs: int = 0  # times a stage was begun; parts of an abandoned run are never published
    approved_digest: str | None = None
    start_at: UtcTime | None = None  # not before this, so that it can still be cancelled
    begun_at: UtcTime | None = None
    is_irreversible: bool = False  # erasing has begun: the request can no longer be cancelled
    wake_at: UtcTime | None  # when the sweep looks at it again; None: nothing left to do
    due_alarm_on: date | None = None  # the last day operators were told that it is due
    verified_at: UtcTime | None = None
    closed_at: UtcTime | None = None
    outcomes: dict[Right, Outcome] = {}
    package: Package | None = None
    attention: str | None = None
    joined_to: str | None = None
    events: int = 0

    @property
    def right(self) -> Right:
        """The right being worked on now."""
        return self.rights[self.phase]

    def moved_to(self, state: RequestState, **changes: Any) -> "SubjectRequest":
        """Return the request in another state.

        Raises:
            Conflict: `transition_forbidden`: the table has no such transition; read again.
        """
        if state is not self.state and state not in TRANSITIONS[self.state]:
            raise Conflict("transition_forbidden", f"{self.state} to {state}")
        return self.with_(state=state, **changes)

    def noted(self, at: datetime, what: str, **details: str | int) -> "tuple[SubjectRequest, Event]":
        """Return the request with one more audit entry, and the entry; write both in one batch."""
        number = self.events + 1
        event = Event(id=f"event-{number:06d}", request_id=self.request_id, at=at, what=what, details=details)
        return self.with_(events=number), event

    @property
    def copy_ends_at(self) -> datetime | None:
        """When the copy has to be deleted; None: there is none, or it is deleted."""
        return self.package.expires_at if self.package and self.package.deleted_at is None else None

    @property
    def waits_for_operator(self) -> bool:
        """Whether nothing goes on before an operator has done or decided something."""
        undecided = self.state is RequestState.AWAITING_APPROVAL and self.approved_digest is None
        return undecided or self.state is RequestState.NEEDS_ATTENTION

    @property
    def is_final(self) -> bool:
        """Whether the request is closed for good."""
        return self.state in FINAL

    @property
    def has_next_phase(self) -> bool:
        """Whether another right follows."""
        return self.phase + 1 < len(self.rights)


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
    claimed_kept: dict[str, tuple[KeptRecords, ...]] = {}  # by those keys: what stays of them, out of sight
    pages: int = 0  # numbered sections of a copy
    files: int = 0
    records: int = 0  # collected, erased, or still there after an erasure
    rewritten: int = 0
    kept: tuple[KeptRecords, ...] = ()  # an erasure's: cut down and no longer found; a look's: found
    redacted: dict[str, int] = {}
    problem: str | None = None

    def again(self) -> "Task":
        """Return the task queued anew. What it erased stays counted; a claim keeps its place in the pages."""
        return self.with_(
            state=TaskState.QUEUED,
            lane=0,
            round=self.round + 1,
            cursor=self.cursor if self.claimed else None,
            claimed_until=None,
            problem=None,
        )

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
        return self.with_(claimed=(), claimed_kept={}, claimed_until=None)

    @property
    def is_final(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in (TaskState.DONE, TaskState.FAILED)


class LetterDocument(CaseDocument):
    """A letter to send. `closes`: the request ends, or goes to its next right, when it is sent."""

    type: Literal["letter"] = "letter"
    kind: str
    closes: bool = False
    created_at: UtcTime
    sent_at: UtcTime | None = None
    claimed_at: UtcTime | None = None  # a worker set out to send it then; None: certainly nobody has
    not_before: UtcTime | None = None  # nobody sends it earlier: a claim settles, or the service said so
    attempts: int = 0  # claims whose outcome did not become known
    refusals: int = 0  # times the mail service did not take it

    @property
    def is_in_doubt(self) -> bool:
        """Whether it may have been sent without our knowing."""
        return self.sent_at is None and self.claimed_at is not None


class Block(BaseModel):
    """One staged block of a package."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    block_id: str
    size_bytes: int


class Part(CaseDocument):
    """Consecutive blocks of a package and the archive members that lie in them, offsets from its start."""

    type: Literal["part"] = "part"
    blocks: tuple[Block, ...]
    members: tuple[dict[str, Any], ...]


class Finding(CaseDocument):
    """A record that could not be treated and waits for an operator. `place` names it without its content."""

    type: Literal["finding"] = "finding"
    store_id: str
    code: str
    place: str
    found_at: UtcTime


class Event(CaseDocument):
    """An audit entry: past tense, ids and counts only."""

    type: Literal["event"] = "event"
    at: UtcTime
    what: str
    details: dict[str, str | int] = {}


AnyDocument = SubjectRequest | Task | LetterDocument | Part | Finding | Event
DOCUMENT_TYPES: dict[str, type[AnyDocument]] = {
    "request": SubjectRequest,
    "task": Task,
    "letter": LetterDocument,
    "part": Part,
    "finding": Finding,
    "event": Event,
}
