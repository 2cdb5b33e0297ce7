"""What our other systems ask before they use a person's data, and what they are answered."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, RootModel, model_validator

from functions._bodies import Body, Moment, Shown, refusal
from functions._request_bodies import MOST_VALUE, Email
from shared.datamap.processing import Operation, ProcessingDecision
from shared.domain.identifiers import Identifiers
from shared.services.enforcing import MAX_VALUE_CHARACTERS

MOST_QUESTIONS = 100
MOST_IDENTIFIERS = 10
Name = Annotated[str, Field(min_length=1, max_length=MOST_VALUE)]

_OPERATION = refusal("operation_unknown", f"choose from: {', '.join(Operation)}")
_IDENTIFIER = refusal("identifier_missing", "send identifier or identifiers")


def _operation(value: object) -> object:
    if value not in list(Operation):
        raise _OPERATION
    return value


class PersonIdentifier(Body):
    """A value that is one person's alone; `kind` is one of the data map's, such as `email`."""

    kind: Name
    value: Annotated[str, Field(min_length=1, max_length=MAX_VALUE_CHARACTERS)]


def about_one(one: PersonIdentifier | None, several: tuple[PersonIdentifier, ...] | None) -> Identifiers:
    """Return who it is about, by kind; one of the two has to be given."""
    if (one is None) == (several is None):
        raise _IDENTIFIER
    found: dict[str, tuple[str, ...]] = {}
    for each in several or (() if one is None else (one,)):
        found[each.kind] = (*found.get(each.kind, ()), each.value)
    return found


class QuestionBody(Body):
    """May data of this person be used for this purpose, in this way?

    `identifier`, or `identifiers`: all that the asking system has of one person. `purpose` is one of the data
    map's, such as `member_newsletter`.
    """

    identifier: PersonIdentifier | None = None
    identifiers: (
        Annotated[tuple[PersonIdentifier, ...], Field(min_length=1, max_length=MOST_IDENTIFIERS)] | None
    ) = None
    purpose: Name
    operation: Annotated[Operation, BeforeValidator(_operation)]

    @model_validator(mode="after")
    def _about_somebody(self) -> Self:
        about_one(self.identifier, self.identifiers)
        return self

    @property
    def person(self) -> Identifiers:
        """Who it is about, by kind."""
        return about_one(self.identifier, self.identifiers)


class QuestionsBody(Body):
    """Several questions, answered in their order."""

    questions: Annotated[tuple[QuestionBody, ...], Field(min_length=1, max_length=MOST_QUESTIONS)]


class ProcessingBody(RootModel[QuestionBody | QuestionsBody]):
    """One question or several."""


class DecisionAnswer(Shown):
    """Whether it may be done, why, and by which clause of the policy. `until`: when to ask anew."""

    decision: Literal["allow", "deny"]
    code: str
    reason: str
    clause: str
    until: date | None

    @classmethod
    def of(cls, decided: ProcessingDecision, language: str) -> "DecisionAnswer":
        """Return what the rules decided, in a language."""
        return cls(
            decision="allow" if decided.allowed else "deny",
            code=decided.code,
            reason=decided.reason.in_language(language),
            clause=decided.clause,
            until=decided.until,
        )


class DecisionsAnswer(Shown):
    """An answer to each question, in their order."""

    decisions: tuple[DecisionAnswer, ...]


class ProcessingAnswer(RootModel[DecisionAnswer | DecisionsAnswer]):
    """As many answers as there were questions."""


class ConsentBody(Body):
    """An opt-in to one purpose: when it was given, and under which version of the policy."""

    email: Email
    purpose: Name
    policy_version: Name
    given_at: Moment


class ConsentAnswer(Shown):
    """Whether the opt-in counts. If not, something said no at that moment or since: send nothing."""

    purpose: str
    counts: bool
