"""A case: one request with its tasks, letters, parts, findings and audit entries, all in one partition.

The state of a document is also the intent of its message: what is not final and past its `wake_at` is
sent again by the sweep, so nothing has to be remembered outside the state itself.
"""

from datetime import date, datetime
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from shared.domain.case_documents import CaseDocument, Event, Finding, LetterDocument, Package, Part
from shared.domain.deadlines import Extension, Pause
from shared.domain.errors import Conflict
from shared.domain.identifiers import Identifiers
from shared.domain.opendsr import FiledBy
from shared.domain.outcomes import Decision, Notice, Outcome
from shared.domain.plans import Plan
from shared.domain.request_states import FINAL, TRANSITIONS, RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage, Task
from shared.domain.times import UtcTime
from shared.domain.wishes import Question, Requester, Scope, Wishes

Channel = Literal["web", "in_app", "mail", "post", "phone", "opendsr", "customer", "retention"]


def portable_id(request_id: str) -> str:
    """Return the name of what is taken along, where it lies beside a copy for the same request."""
    return f"{request_id}-portable"


class SubjectRequest(CaseDocument):
    """A request and everything decided about it.

    `email`, `identifiers` and `subjects` are personal data, there only while the request is open.
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
    identifiers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    subject_keys: tuple[str, ...]  # first the one of the address the request came from
    subjects: tuple[
        dict[str, tuple[str, ...]], ...
    ] = ()  # each one's own identifiers, where it is of several
    subject_count: int = 1  # data subjects it is about; scheduled deletion takes several at a time
    split_into: tuple[str, ...] = ()  # the cases that go on with each of them
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
    outcomes: dict[Right, Outcome] = Field(default_factory=dict)
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
            subjects=(),
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
    def is_of_several(self) -> bool:
        """Whether it is about more than one data subject: only scheduled deletion files such a case."""
        return self.subject_count > 1

    @property
    def people(self) -> tuple[Identifiers, ...]:
        """The identifiers of each data subject it is about, while it is open."""
        return self.subjects or (self.identifiers,)

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


AnyDocument = SubjectRequest | Task | LetterDocument | Part | Finding | Event


DOCUMENT_TYPES: dict[str, type[AnyDocument]] = {
    "request": SubjectRequest,
    "task": Task,
    "letter": LetterDocument,
    "part": Part,
    "finding": Finding,
    "event": Event,
}
