"""What staff send to the operations doors, and what those show."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from functions._bodies import Body, Day, Moment, Shown, refusal
from functions._request_bodies import (
    MOST_NAMED,
    MOST_TEXT,
    MOST_VALUE,
    Email,
    Ground,
    Language,
    Text,
    chosen,
)
from shared.domain.ageing import Ageing
from shared.domain.controls import Hold, HoldGround, Restriction, RestrictionGround
from shared.domain.identifiers import MAX_EMAIL_CHARACTERS
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Wishes
from shared.ports.cases import CaseRow
from shared.services.intake import IdentityCheck
from shared.services.looking_up import CaseView
from shared.services.people import PersonView

Name = Annotated[str, Field(min_length=1, max_length=MOST_VALUE)]
Reason = Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Corrections = Annotated[
    dict[Name, Annotated[str, Field(min_length=1, max_length=MOST_VALUE)]], Field(max_length=MOST_NAMED)
]


_NOT_NAMED = refusal("person_not_named", "name the person by email or by user_id, one of them", field="email")


class ListQuery(Body):
    """Which cases. Nothing named: all that are not closed."""

    state: RequestState | None = None
    attention: Annotated[str | None, Field(max_length=MOST_VALUE)] = None
    cursor: Annotated[str | None, Field(max_length=4_000)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class WishFields(Body):
    """What the person wants, in the person's own values."""

    message: Text = ""
    corrections: Corrections = Field(default_factory=dict)
    ground: Ground | None = None
    objects_to: Annotated[tuple[Name, ...], Field(max_length=MOST_NAMED)] = ()

    @property
    def wishes(self) -> Wishes:
        """The same as one object."""
        return Wishes(
            corrections=self.corrections,
            statement=self.message.strip(),
            ground=self.ground,
            objects_to=self.objects_to,
        )


class EnterBody(WishFields):
    """A request that came by another way than the web form, with the true moment it reached us.

    `identity`: how the person was known; none: the address has to be confirmed by mail. `mandate`: how a
    representative's mandate was checked. `about`: the address of the person a representative acts for.
    """

    rights: Annotated[tuple[Right, ...], Field(min_length=1, max_length=len(Right))]
    email: Email
    channel: Literal["post", "phone", "mail", "in_app"]
    received_at: Moment
    language: Language = "en"
    identity: Annotated[IdentityCheck | None, BeforeValidator(chosen)] = None
    requester: Literal["subject", "representative"] = "subject"
    mandate: Annotated[str, Field(max_length=MOST_VALUE)] = ""
    about: Annotated[str, Field(max_length=MAX_EMAIL_CHARACTERS)] = ""
    transfer_url: Annotated[str | None, Field(max_length=MOST_TEXT)] = None

    @property
    def wishes(self) -> Wishes:
        """As `WishFields`, with where another controller takes a copy."""
        return super().wishes.model_copy(update={"transfer_url": self.transfer_url})


class CustomerBody(WishFields):
    """What a customer's administrator asks for about one person of its installation."""

    customer_id: Name
    customer_name: Annotated[str, Field(max_length=MOST_VALUE)] = ""
    right: Right
    kind: Literal["user_id", "email"]
    value: Name
    answer_to: Email
    language: Language = "en"


class IdentityBody(Body):
    """How a member of staff knew who asks; only the method and the time are kept."""

    method: IdentityCheck


class LookupBody(Body):
    """What a look-up is for; the person sees it in an access answer."""

    purpose: Annotated[str, Field(min_length=1, max_length=MOST_VALUE)]


class PersonBody(LookupBody):
    """A person by `email` or by `user_id`, one of them, and what the look-up is for."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [one]} for one in ("email", "user_id")]}
    )

    email: Email | None = None
    user_id: Name | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.email is None) == (self.user_id is None):
            raise _NOT_NAMED
        return self

    @property
    def identifiers(self) -> dict[str, tuple[str, ...]]:
        """What was named, by its kind in the data map."""
        given = {"email": self.email, "user_id": self.user_id}
        return {kind: (value,) for kind, value in given.items() if value is not None}


class ApproveBody(Body):
    """The plan that may run, by its digest, and why."""

    plan_digest: Digest
    reason: Reason
    provision: Text = ""


class RefuseBody(Body):
    """Why a right is refused, by which provision, and what would allow it."""

    reason: Reason
    provision: Reason
    hint: Text = ""


class RereadBody(Body):
    """Which rights the person meant."""

    rights: Annotated[tuple[Right, ...], Field(min_length=1, max_length=len(Right))]
    reason: Text = ""


class ExtendBody(Body):
    """How many months more, and the reason the person is told."""

    months: Annotated[int, Field(ge=1, le=2, strict=True)]
    reason: Reason


class AskBody(Body):
    """A question to the person."""

    kind: Literal["identity", "clarification"]
    text: Reason


class NoteAnswerBody(Body):
    """What the person answered by another way than the link."""

    text: Reason


class ReasonBody(Body):
    """Why."""

    reason: Reason


class LiftBody(ReasonBody):
    """Why a restriction ends, and on which day; none: after the usual notice."""

    lift_on: Day | None = None


class TransferBody(Body):
    """Another address for a copy; none: the person gets the link instead."""

    transfer_url: Annotated[str | None, Field(max_length=MOST_TEXT)] = None


class NoticeBody(Body):
    """What came of telling a recipient."""

    recipient_id: Name
    right: Right
    state: Literal["told", "not_held", "impossible"]
    why: Text = ""


class LetterBody(Body):
    """Whether a letter in doubt was sent."""

    was_sent: Annotated[bool, Field(strict=True)]


class HoldBody(Body):
    """A legal hold on one person. `activity_id` none: on everything."""

    kind: Name
    value: Name
    activity_id: Annotated[str | None, Field(max_length=MOST_VALUE), BeforeValidator(chosen)] = None
    ground: HoldGround
    reason: Reason
    review_on: Day


class ReplayBody(Body):
    """The moment of the copy that was restored."""

    restored_from: Moment


class ReplayAnswer(Shown):
    """How far the replay is: `filed` erasures in all, `unclear` records whose person cannot be told apart."""

    done: bool
    seen: int
    filed: int
    unclear: int


class DoneAnswer(Shown):
    """It is done."""

    done: Literal[True] = True


class ApprovedAnswer(Shown):
    """`runs`: whether the plan runs now, or waits for a second approver."""

    runs: bool


class EnteredAnswer(Shown):
    """The request that was put on file."""

    request_id: str


class AskedAnswer(Shown):
    """The number of the question."""

    number: int


class LiftedAnswer(Shown):
    """The day the restriction ends."""

    lift_on: date


class HeldAnswer(Shown):
    """The hold that stands.

    `matches`: how many stores know the person today; 0: check the value. `existed_already`: it was placed
    before, with this ground, scope and reason; its day of review stays. `beside`: other holds on the person
    with this ground and scope, each to be released by itself.
    """

    hold_id: str
    matches: int
    existed_already: bool
    beside: tuple[str, ...]


class ReleasedAnswer(Shown):
    """How many deferred erasures were taken up, and whether somebody had released the hold before."""

    taken_up: int
    was_released_already: bool


class ResumedAnswer(Shown):
    """How many cases go on."""

    resumed: int


class RedrivenAnswer(Shown):
    """How many cases were taken up, kept messages sent again, and kept ones that are still of no use."""

    cases: int
    messages: int
    left: int


class CaseLine(Shown):
    """One case of a list, nothing of the person."""

    request_id: str
    state: RequestState
    rights: tuple[Right, ...]
    channel: str
    received_at: datetime
    target_on: date | None
    due_on: date
    attention: str | None
    closed_at: datetime | None
    question_open: bool

    @classmethod
    def of(cls, row: CaseRow) -> "CaseLine":
        """Return what a line shows."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class CasesAnswer(Shown):
    """A page of cases. `cursor` none: the last.

    `finished_left_out`: no state was named, so that finished cases are not among them.
    """

    cases: tuple[CaseLine, ...]
    cursor: str | None
    finished_left_out: bool


class CaseAnswer(Shown):
    """A case as staff see it: the request with its plan, its tasks, letters and findings, and its history."""

    request: dict[str, Any]
    tasks: tuple[dict[str, Any], ...]
    letters: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]
    timeline: tuple[dict[str, Any], ...]
    target_on: date
    legal_due_on: date
    extension_notice_by_on: date
    is_extended: bool
    ageing: Ageing

    @classmethod
    def of(cls, view: CaseView) -> "CaseAnswer":
        """Return what a look-up shows."""
        return cls(
            request=view.request.model_dump(mode="json"),
            tasks=tuple(one.model_dump(mode="json", exclude={"claimed", "cursor"}) for one in view.tasks),
            letters=tuple(one.model_dump(mode="json") for one in view.letters),
            findings=tuple(one.model_dump(mode="json") for one in view.findings),
            timeline=tuple(one.model_dump(mode="json") for one in view.events),
            target_on=view.deadline.target_on,
            legal_due_on=view.deadline.legal_due_on,
            extension_notice_by_on=view.deadline.extension_notice_by_on,
            is_extended=view.deadline.is_extended,
            ageing=view.ageing,
        )


class HoldLine(Shown):
    """One hold in force and the pseudonyms it stands under."""

    hold_id: str
    activity_id: str | None
    ground: HoldGround
    reason: str
    placed_at: datetime
    placed_by: str
    review_on: date
    is_overdue: bool
    subject_keys: tuple[str, ...]


class HoldsAnswer(Shown):
    """Every hold in force."""

    holds: tuple[HoldLine, ...]


class PersonHold(Shown):
    """A hold in force on the person. `activity_id` none: on everything."""

    hold_id: str
    activity_id: str | None
    ground: HoldGround
    reason: str
    placed_at: datetime
    review_on: date


class PersonRestriction(Shown):
    """A restriction in force on the person. No activity and no purpose named: on everything."""

    restriction_id: str
    ground: RestrictionGround
    activity_ids: tuple[str, ...]
    purpose_ids: tuple[str, ...]
    placed_at: datetime


class PersonAnswer(Shown):
    """What is on file about a person: holds and restrictions in force, and requests, the newest first.

    `unclear`: why only what stands under the named address or id is shown; none: all of the person is.
    `has_more`: there are more requests than these.
    """

    holds: tuple[PersonHold, ...]
    restrictions: tuple[PersonRestriction, ...]
    requests: tuple[CaseLine, ...]
    unclear: str | None
    has_more: bool

    @classmethod
    def of(cls, view: PersonView) -> "PersonAnswer":
        """Return what a look-up shows."""
        return cls(
            holds=tuple(PersonHold.model_validate(_named(PersonHold, one)) for one in view.holds),
            restrictions=tuple(
                PersonRestriction.model_validate(_named(PersonRestriction, one)) for one in view.restrictions
            ),
            requests=tuple(CaseLine.of(one) for one in view.requests),
            unclear=view.unclear,
            has_more=view.has_more,
        )


def _named(model: type[Shown], found: Hold | Restriction) -> dict[str, Any]:
    return found.model_dump(include=set(model.model_fields))


class LateLine(Shown):
    """A case that will be late at the present pace."""

    request_id: str
    legal_due_on: date
    expected_on: date | None


class ForecastAnswer(Shown):
    """How many cases are answered on a working day, and those that will be late."""

    answered_per_working_day: float
    late: tuple[LateLine, ...]
