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

from shared.domain.controls import RestrictionGround
from shared.domain.deadlines import Extension, Pause
from shared.domain.errors import Conflict
from shared.domain.opendsr import FiledBy
from shared.domain.plans import Action, Plan
from shared.domain.recipients import Instruction, NoticeState
from shared.domain.rights import Right
from shared.domain.standing import RequesterKind, Standing, Verdict, standing
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
    STANDING = "standing"  # answered; a restriction, a hold or a recipient keeps it open
    COMPLETED = "completed"
    COMPLETED_WITH_RETENTION = "completed_with_retention"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    JOINED = "joined"  # the same request of the same person was already open


_S = RequestState
TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    _S.RECEIVED: frozenset({_S.VERIFIED, _S.CANCELLED, _S.EXPIRED, _S.JOINED, _S.ANSWERING, _S.STANDING}),
    _S.VERIFIED: frozenset(
        {_S.AWAITING_APPROVAL, _S.PLANNED, _S.IN_PROGRESS, _S.CANCELLED, _S.NEEDS_ATTENTION, _S.STANDING}
    ),
    _S.AWAITING_APPROVAL: frozenset(
        {_S.VERIFIED, _S.PLANNED, _S.IN_PROGRESS, _S.ANSWERING, _S.CANCELLED, _S.STANDING}
    ),
    _S.PLANNED: frozenset(
        {_S.AWAITING_APPROVAL, _S.IN_PROGRESS, _S.CANCELLED, _S.NEEDS_ATTENTION, _S.STANDING}
    ),
    _S.IN_PROGRESS: frozenset({_S.VERIFIED, _S.ANSWERING, _S.CANCELLED, _S.NEEDS_ATTENTION, _S.STANDING}),
    _S.ANSWERING: frozenset(
        {
            *(_S.RECEIVED, _S.VERIFIED),  # the next right; one that needs an identity check waits for it
            *(_S.COMPLETED, _S.COMPLETED_WITH_RETENTION, _S.REJECTED, _S.STANDING, _S.NEEDS_ATTENTION),
        }
    ),
    _S.NEEDS_ATTENTION: frozenset({_S.VERIFIED, _S.IN_PROGRESS, _S.ANSWERING, _S.CANCELLED, _S.STANDING}),
    _S.STANDING: frozenset({_S.VERIFIED, _S.COMPLETED, _S.COMPLETED_WITH_RETENTION, _S.REJECTED}),
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
    CORRECT = "correct"
    CHECK = "check"  # the look after a correction
    MARK = "mark"  # no store is touched: restrictions, objections, consents
    INSTRUCT = "instruct"  # processors are told, and asked what came of it
    TRANSFER = "transfer"  # a copy goes to another controller


Channel = Literal["web", "in_app", "mail", "post", "phone", "opendsr", "customer", "retention"]


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


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Result = Literal[
    "answered",
    "nothing_held",
    "erased",
    "erased_with_retention",
    "rectified",
    "restricted",
    "transferred",
    "objection_upheld",
    "marketing_stopped",
    "withdrawn",
    "informed",
    "refused",
]


class Outcome(_Frozen):
    """What one right of a request came to."""

    result: Result
    at: UtcTime
    records: int = 0  # collected, erased, or corrected
    by_store: dict[str, int] = {}
    kept: tuple[KeptRecords, ...] = ()  # what an erasure or a correction left as it is
    facts: tuple[str, ...] = ()  # names of the facts that were corrected, not their values
    noted: tuple[str, ...] = ()  # stores to which a correction note was attached
    transfer_problem: str | None = None  # why a transfer that was asked for was given up
    not_covered: tuple[str, ...] = ()  # activities with data that portability does not cover


class RecordsOf(_Frozen):
    """Some records of one store: those whose value at `path` is one of `values`. Personal data."""

    store_id: str
    path: str
    values: tuple[str, ...]


class Scope(_Frozen):
    """What part of a person's data a request is about. Everything empty: all of it.

    With a `customer_id` only records of that customer's installations, and no other data of the person.
    Scheduled deletion names its `rule_ids`, and the `records` where not all of a store goes by them; then
    `is_partial` says that the person has more that stays. What a restored copy brought back has none, and
    goes only where it was `created_before` it was erased.
    """

    activity_ids: tuple[str, ...] = ()
    store_ids: tuple[str, ...] = ()
    customer_id: str | None = None
    rule_ids: tuple[str, ...] = ()
    records: tuple[RecordsOf, ...] = ()
    is_partial: bool = False
    created_before: UtcTime | None = None

    def of(self, store_id: str) -> RecordsOf | None:
        """Return which records of a store it is about; None: all."""
        return next((one for one in self.records if one.store_id == store_id), None)


class Requester(_Frozen):
    """Who asks. `mandate`: how a mandate of the person was checked, never a copy of it."""

    kind: Literal["subject", "customer", "representative", "controller"] = "subject"
    customer_id: str | None = None
    customer_name: str = ""
    mandate: str | None = None

    def standing(self, right: Right) -> Standing:
        """Return what they may have of a right. The controller acts for nobody but the law."""
        if self.kind == "controller":
            return Standing(verdict=Verdict.ALLOWED)
        return standing(RequesterKind(self.kind), right, has_mandate=bool(self.mandate))

    def refusal(self, right: Right) -> str | None:
        """Return the code of why this right is not theirs to ask for; None: it is. A person decides it."""
        found = self.standing(right)
        if found.verdict is Verdict.HINT:
            return "customer_hint"
        return found.code if found.verdict is Verdict.REFUSED else None


class Wishes(_Frozen):
    """What the person asks for, in the person's own values. Personal data, gone when the request closes.

    `corrections`: a fact of the policy's map, such as `name`, to its right value. `objects_to`: ids of
    activities or purposes; empty: everything that rests on letter f. `tell`: whom a customer's request
    concerns, so that the person is told. `about`: the person's address as a representative wrote it.
    """

    corrections: dict[str, str] = {}
    statement: str = ""
    ground: RestrictionGround | None = None
    objects_to: tuple[str, ...] = ()
    transfer_url: str | None = None
    tell: str | None = None
    about: str = ""


class Question(_Frozen):
    """A question to the person. It pauses the clock from the day it was sent to the day it was answered.

    `text` and `answer` are gone when the request closes.
    """

    number: int
    kind: Literal["identity", "clarification"]
    text: str
    asked_by: str
    created_at: UtcTime
    asked_at: UtcTime | None = None
    answered_at: UtcTime | None = None
    answer: str = ""


class Decision(_Frozen):
    """What a person decided about one right, with the reason and the provision the letter names."""

    right: Right
    result: Literal["approved", "refused", "upheld"]
    decided_by: str
    decided_at: UtcTime
    reason: str
    provision: str
    hint: str = ""  # what would allow to find the person's data; articles 11(2), 12(2)
    plan_digest: str | None = None


class Notice(_Frozen):
    """What a recipient was told of an erasure, a correction or a restriction. Source: GDPR article 19.

    `awaiting_staff` and `due` are open. `why`: why telling is impossible, or what stopped it.
    """

    recipient_id: str
    right: Right
    instruction: Instruction
    state: NoticeState
    at: UtcTime
    by: str | None = None  # the member of staff who did or decided it; None: the app
    why: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in (NoticeState.DUE, NoticeState.AWAITING_STAFF)


class Package(BaseModel):
    """The finished copy, from its publication to its deletion."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    published_at: UtcTime
    expires_at: UtcTime
    size_bytes: int
    downloaded_at: UtcTime | None = None
    deleted_at: UtcTime | None = None


def portable_id(request_id: str) -> str:
    """Return the name of what is taken along, where it lies beside a copy for the same request."""
    return f"{request_id}-portable"


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
    channel: Channel = "web"
    requester: Requester = Requester()
    scope: Scope = Scope()
    wishes: Wishes = Wishes()
    received_at: UtcTime
    filed_at: UtcTime | None = None  # None in records of before it was noted: when it was received
    opendsr: FiledBy | None = None  # the platform that filed it
    body_digest: str | None = None  # keyed: of what was sent with a key against repeats
    entered_by: str | None = None  # the member of staff who entered it for the person
    target_on: date | None = None  # the day that drives alarms: no pause counts
    due_on: date  # the legal day, with pauses and an extension
    extension: Extension | None = None
    questions: tuple[Question, ...] = ()
    decisions: tuple[Decision, ...] = ()
    notices: tuple[Notice, ...] = ()
    lifts_on: date | None = None  # its restriction ends then; the person was told
    email: str | None
    identifiers: dict[str, tuple[str, ...]] = {}
    subject_keys: tuple[str, ...]  # first the one of the address the request came from
    phase: int = 0  # index into `rights`
    stage: Stage | None = None
    plan: Plan | None = None
    plans_made: int = 0
    deferrals: int = 0
    looks: int = 0
    revivals: int = 0  # times it was taken up again after its answer; each has letters of its own
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
    portable: Package | None = None  # what is taken along, where the same message asks for a copy too
    attention: str | None = None
    joined_to: str | None = None
    dropped: tuple[Right, ...] = ()  # ended before they were answered, while others of the message stand
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

    def for_right(self, right: Right) -> "SubjectRequest":
        """Return the request as it stands when this right of it is worked on; it must be one of them."""
        return self.with_(phase=self.rights.index(right))

    def answered_alone(self) -> "SubjectRequest | None":
        """Return the request with the rights that are answered, the others dropped; None: none is."""
        answered = tuple(right for right in self.rights if right in self.outcomes)
        if not answered:
            return None
        dropped = tuple(right for right in self.rights if right not in self.outcomes)
        return self.with_(rights=answered, phase=len(answered) - 1, dropped=dropped)

    def without_person(self) -> "SubjectRequest":
        """Return the request without anything the person gave or was found by, but its pseudonyms."""
        return self.with_(
            email=None,
            identifiers={},
            scope=self.scope.model_copy(update={"records": ()}),
            wishes=Wishes(ground=self.wishes.ground, objects_to=self.wishes.objects_to),
            questions=tuple(one.model_copy(update={"text": "", "answer": ""}) for one in self.questions),
        )

    def noted(self, at: datetime, what: str, **details: str | int) -> "tuple[SubjectRequest, Event]":
        """Return the request with one more audit entry, and the entry; write both in one batch."""
        number = self.events + 1
        event = Event(id=f"event-{number:06d}", request_id=self.request_id, at=at, what=what, details=details)
        return self.with_(events=number), event

    @property
    def copy_id(self) -> str:
        """The name under which the present right's copy is stored: no copy takes another one's place."""
        beside = self.right is Right.PORTABILITY and Right.ACCESS in self.rights
        return portable_id(self.request_id) if beside else self.request_id

    @property
    def copies(self) -> dict[str, Package]:
        """Every copy that was published, deleted ones too, by the name under which it is stored."""
        both = {self.request_id: self.package, portable_id(self.request_id): self.portable}
        return {name: package for name, package in both.items() if package is not None}

    def with_copy(self, copy_id: str, package: Package) -> Self:
        """Return the request with one of its copies new or changed."""
        return self.with_(**{"package" if copy_id == self.request_id else "portable": package})

    @property
    def copy_ends_at(self) -> datetime | None:
        """When the next copy has to be deleted; None: there is none, or all are deleted."""
        return min((one.expires_at for one in self.copies.values() if not one.deleted_at), default=None)

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """The times in which a question to the person was open."""
        return tuple(
            Pause(kind=one.kind, asked_at=one.asked_at, answered_at=one.answered_at)
            for one in self.questions
            if one.asked_at is not None
        )

    @property
    def is_internal(self) -> bool:
        """Whether nobody asked and nobody is answered: retention does its work as a case."""
        return self.channel == "retention"

    @property
    def decision(self) -> Decision | None:
        """The latest decision about the right being worked on."""
        return next((one for one in reversed(self.decisions) if one.right is self.right), None)

    @property
    def in_words(self) -> bool:
        """Whether its restriction stands for words that name no right, read in the most protective way."""
        return self.wishes.ground == "unclear" and Right.RESTRICTION in self.rights

    @property
    def open_notices(self) -> tuple[Notice, ...]:
        """What recipients still have to be told."""
        return tuple(one for one in self.notices if one.is_open)

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
    def next_phase(self) -> int | None:
        """The phase of the next right that has no outcome; None: all are answered."""
        following = range(self.phase + 1, len(self.rights))
        return next((phase for phase in following if self.rights[phase] not in self.outcomes), None)


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
    claimed_kept: dict[str, tuple[KeptRecords, ...]] = {}  # what stays of each
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
    reason: str = ""  # what staff wrote for this letter alone
    lift_on: date | None = None  # the day it announces that a restriction ends
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
