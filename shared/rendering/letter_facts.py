"""What a letter is for and what it says: titles, counts, dates and reasons, never a person's data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import chain
from typing import Literal

from shared.datamap.models import NOT_STATED, Backup
from shared.domain.contacts import Contacts
from shared.domain.rights import Right


class LetterKind(StrEnum):
    """What a letter is for."""

    VERIFY = "verify"
    ACKNOWLEDGE = "acknowledge"
    JOINED = "joined"  # the same request is already open
    PACKAGE_READY = "package_ready"
    ERASED = "erased"
    NOTHING_HELD = "nothing_held"  # whatever the right: nothing was found that it could apply to
    CANCELLED = "cancelled"
    DELAYED_BY_REVIEW = "delayed_by_review"  # a person must look at it; not a refusal
    RESTRICTED = "restricted"
    RESTRICTION_LIFTING = "restriction_lifting"  # before it ends; article 18(3)
    OBJECTION_RECEIVED = "objection_received"  # restricted at once, a person decides
    OBJECTION_UPHELD = "objection_upheld"
    REFUSED = "refused"  # the whole or a part; article 12(4)
    WITHDRAWN = "withdrawn"
    MARKETING_STOPPED = "marketing_stopped"
    PORTABILITY_READY = "portability_ready"
    TRANSFERRED = "transferred"
    RECTIFIED = "rectified"
    COMPLAINT = "complaint"
    EXTENDED = "extended"
    QUESTION = "question"
    CUSTOMER_PACKAGE_READY = "customer_package_ready"  # to a customer's administrator
    CUSTOMER_DONE = "customer_done"  # to a customer's administrator
    SUBJECT_TOLD = "subject_told"  # to the person a customer's request was about
    SUBJECT_ASKED = "subject_asked"  # to the same, whom the customer contradicts
    RECIPIENTS_DONE = "recipients_done"  # after the answer: who was still open is no longer


@dataclass(frozen=True, kw_only=True)
class KeptPart:
    """Something an erasure or a correction left as it is.

    `until` None: no date is set yet. `records` 0: nobody counted them, as in files that only erasing reads.
    `facts`: names of the facts that a correction left.
    """

    title: str
    reason: str
    provision: str
    until: date | None
    records: int
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CorrectedPart:
    """Where a correction reached: a store's title, and there the names of the facts, never their values.

    `records`: how many are right now. Of a note, it is no count, and no facts mean the person's own words.
    """

    title: str
    facts: tuple[str, ...]
    records: int = 0


@dataclass(frozen=True, kw_only=True)
class DecisionFact:
    """What a member of staff decided: the reason, and the exact provision it rests on.

    `parts` are titles of what is decided about; empty: all that was asked for.
    """

    reason: str
    provision: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class QuestionFact:
    """A question to the person. `pauses`: the clock stands still until it is answered."""

    text: str
    kind: Literal["identity", "clarification"]
    pauses: bool


RecipientState = Literal[
    "told", "done", "accepted", "not_held", "unidentified", "pending", "staff", "impossible"
]


@dataclass(frozen=True, kw_only=True)
class ToldRecipient:
    """A recipient or processor and how far telling it came.

    `told`: it has the message; `done`: it confirmed that it acted; `accepted`: it will act, by `until` where
    that is known, and not say so; `not_held`: it has nothing of the person; `unidentified`: we hold nothing
    it would know the person by; `pending`: not told or not confirmed yet; `staff`: a person has to finish it
    there; `impossible`: could not be told. `why` is written in the letter for this state only.
    """

    name: str
    state: RecipientState
    why: str = ""
    until: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is still to come from it."""
        return self.state in ("pending", "staff")


@dataclass(frozen=True, kw_only=True)
class LetterFacts:
    """What a letter says.

    Attributes:
        kind: What the letter is for.
        language: `da` gives Danish, everything else English.
        request_id: Opaque.
        received_on: The day of receipt in Copenhagen.
        due_on: The last day of the answer, pauses and extension included; in a question that pauses, the
            day without this pause.
        rights: All that the request asks for.
        in_words: Whether the restriction among `rights` stands for words that name no right.
        contacts: Of the controller and the authority.
        right: The one right this letter answers. None: all of `rights`.
        links: Addresses by name: `verify`, `cancel`, `status`, `package`, `answer`.
        link_expires_at: Of the links `verify` and `answer`.
        package_expires_on: Of the copy.
        erased: Titles of stores with counts.
        switched_off: Titles of stores whose records stay, each with the choices in them that now say no.
        kept: What stays, and why.
        backups: The platforms' copies that still hold what was erased.
        recipients: Names of those who may have received data; who is among `told` is not named again.
        unnamed: What those do who may have received data and have no name in the policy.
        told: Recipients and processors with what came of telling them.
        decision: What a person decided and why.
        grounds: Codes of article 18(1), `accuracy`, `unlawful`, `claims`, `objection`, or `unclear`.
        question: What the person is asked.
        extension_reason: Why more time is needed.
        former_due_on: The last day before the extension.
        covered: Titles of what a copy or a restriction covers. Empty: no list; a restriction covers all.
        not_covered: Titles and why a copy does not cover them.
        corrected: Where facts were corrected.
        noted: Where a note of correction was attached.
        uncorrected: Where facts could not be changed, and why.
        transfer_host: The host a copy was sent to.
        transferred_at: When it arrived.
        transfer_problem: The code a wanted transfer stopped with. Empty: none was wanted, or it arrived.
        objected: Titles of activities or purposes an objection or a withdrawal is about. Empty: all.
        customer: Name of the customer that asked. Empty: the person asked.
        for_representative: Whether the letter goes to somebody who acts for the person.
        about: The person's address as the representative gave it. Empty: the letter names none.
        customer_right: What the customer asked for.
        ends_restriction: Whether a refusal ends the restriction that held while it was looked into.
        lift_on: The day a restriction ends.
        suppressed: Whether the address stands on the list of those not to write to.
        identification_hint: What would allow to find the person's data; articles 11(2) and 12(2).
    """

    kind: LetterKind
    language: str
    request_id: str
    received_on: date
    due_on: date
    rights: tuple[Right, ...]
    contacts: Contacts
    right: Right | None = None
    in_words: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    link_expires_at: datetime | None = None
    package_expires_on: date | None = None
    erased: tuple[tuple[str, int], ...] = ()
    switched_off: tuple[tuple[str, tuple[str, ...]], ...] = ()
    kept: tuple[KeptPart, ...] = ()
    backups: tuple[Backup, ...] = ()
    recipients: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    told: tuple[ToldRecipient, ...] = ()
    decision: DecisionFact | None = None
    grounds: tuple[str, ...] = ()
    question: QuestionFact | None = None
    extension_reason: str = ""
    former_due_on: date | None = None
    covered: tuple[str, ...] = ()
    not_covered: tuple[tuple[str, str], ...] = ()
    corrected: tuple[CorrectedPart, ...] = ()
    noted: tuple[CorrectedPart, ...] = ()
    uncorrected: tuple[KeptPart, ...] = ()
    transfer_host: str = ""
    transferred_at: datetime | None = None
    transfer_problem: str = ""
    objected: tuple[str, ...] = ()
    customer: str = ""
    customer_right: Right | None = None
    for_representative: bool = False
    about: str = ""
    ends_restriction: bool = False
    contested: tuple[str, ...] = ()  # what a customer and the person say differently
    lift_on: date | None = None
    suppressed: bool = False
    identification_hint: str = ""

    @property
    def for_customer(self) -> bool:
        """Whether the letter goes to a customer's administrator and not to the person."""
        return bool(self.customer) and self.kind not in TO_THE_SUBJECT

    @property
    def only_words(self) -> bool:
        """Whether the letter is about words that name no right, and about nothing else."""
        return self.in_words and set(self.answered) == {Right.RESTRICTION}

    @property
    def answered(self) -> tuple[Right, ...]:
        """The rights this letter is about."""
        return (self.right,) if self.right else self.rights

    def require_sound(self) -> None:
        """Raise `ValueError` naming what the letter is about and lacks, or what it must not say."""
        fault = next(chain(self._missing(), self._untrue()), None)
        if fault is not None:
            raise ValueError(f"a {self.kind} letter {fault}")

    def _missing(self) -> Iterator[str]:
        link = _NEEDED_LINK.get(self.kind)
        if link and not self.links.get(link):
            yield f"needs the link {link}"
        yield from (f"needs {name}" for name in _NEEDED.get(self.kind, ()) if _is_blank(getattr(self, name)))
        if self.kind is LetterKind.RECTIFIED and not (self.corrected or self.noted or self.uncorrected):
            yield "needs corrected, noted or uncorrected"
        if self.kind is LetterKind.REFUSED and self.decision and _is_blank(self.decision.provision):
            yield "needs the provision"

    def _untrue(self) -> Iterator[str]:
        if NOT_STATED in self.recipients:
            yield "names a recipient that has no name"
        yield from (f"knows no ground {ground}" for ground in self.grounds if ground not in GROUNDS)
        if self.for_customer and self.kind in _TO_THE_PERSON:
            yield "speaks to the person; write customer_done to a customer"
        if self.kind in _DONE_FOR_CUSTOMER and self.customer_right not in _OF_CUSTOMERS:
            yield f"tells of nothing a customer can ask for: {self.customer_right}"
        if self.kind is LetterKind.RECIPIENTS_DONE and any(one.is_open for one in self.told):
            yield "names a recipient that is still open"


TO_THE_SUBJECT = frozenset({LetterKind.SUBJECT_TOLD, LetterKind.SUBJECT_ASKED})
"""Letters of a customer's case that go to the person it is about."""

GROUNDS = {
    "accuracy": "GDPR article 18(1)(a)",
    "unlawful": "GDPR article 18(1)(b)",
    "claims": "GDPR article 18(1)(c)",
    "objection": "GDPR article 18(1)(d)",
    "unclear": "",  # ours: the most protective reading while a question is open
}
"""Why processing is restricted, and the provision of each ground."""

_OF_CUSTOMERS = frozenset(
    {Right.ACCESS, Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION, Right.MARKETING_OBJECTION}
)
_K = LetterKind
_DONE_FOR_CUSTOMER = frozenset({_K.CUSTOMER_DONE, *TO_THE_SUBJECT})
_TO_THE_PERSON = frozenset(
    {
        *(_K.PACKAGE_READY, _K.ERASED, _K.RESTRICTED, _K.OBJECTION_RECEIVED, _K.OBJECTION_UPHELD),
        *(
            _K.WITHDRAWN,
            _K.MARKETING_STOPPED,
            _K.PORTABILITY_READY,
            _K.TRANSFERRED,
            _K.RECTIFIED,
            _K.COMPLAINT,
        ),
    }
)
_NEEDED_LINK = {
    _K.VERIFY: "verify",
    _K.PACKAGE_READY: "package",
    _K.PORTABILITY_READY: "package",
    _K.CUSTOMER_PACKAGE_READY: "package",
}
_NEEDED: dict[LetterKind, tuple[str, ...]] = {
    _K.RESTRICTED: ("grounds",),
    _K.RESTRICTION_LIFTING: ("decision", "lift_on"),
    _K.REFUSED: ("decision",),
    _K.TRANSFERRED: ("transfer_host", "transferred_at"),
    _K.EXTENDED: ("extension_reason", "former_due_on"),
    _K.QUESTION: ("question",),
    _K.CUSTOMER_PACKAGE_READY: ("customer",),
    _K.CUSTOMER_DONE: ("customer", "customer_right"),
    _K.SUBJECT_TOLD: ("customer", "customer_right"),
    _K.SUBJECT_ASKED: ("customer", "customer_right", "contested"),
    _K.RECIPIENTS_DONE: ("told",),
}


def _is_blank(value: object) -> bool:
    if isinstance(value, DecisionFact):
        return not value.reason.strip()
    if isinstance(value, QuestionFact):
        return not value.text.strip()
    return not (value.strip() if isinstance(value, str) else value)
