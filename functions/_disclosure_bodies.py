"""What our other systems tell before they hand a person's data on, and what they are answered."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from functions._bodies import Body, Shown
from functions._processing_bodies import MOST_IDENTIFIERS, MOST_QUESTIONS, Name, PersonIdentifier, about_one
from shared.domain.identifiers import Identifiers
from shared.services.handing_on import HandingDecision

MOST_FIELDS = 100


class DisclosureBody(Body):
    """One sending about one person, told right before it leaves.

    `id` is the caller's own and says nothing of the person: sent again, it is the same sending. `recipient`,
    `purpose` and `fields` are names of the data map. `reference`: the number of the order or the report.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    recipient: Name
    identifier: PersonIdentifier | None = None
    identifiers: (
        Annotated[tuple[PersonIdentifier, ...], Field(min_length=1, max_length=MOST_IDENTIFIERS)] | None
    ) = None
    purpose: Name
    fields: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_FIELDS)]
    reference: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._/-]{1,100}$")] = None

    @model_validator(mode="after")
    def _about_somebody(self) -> Self:
        about_one(self.identifier, self.identifiers)
        return self

    @property
    def person(self) -> Identifiers:
        """Who it is about, by kind."""
        return about_one(self.identifier, self.identifiers)


class DisclosuresBody(Body):
    """Several sendings, answered in their order."""

    disclosures: Annotated[tuple[DisclosureBody, ...], Field(min_length=1, max_length=MOST_QUESTIONS)]


class DisclosureAnswer(Shown):
    """Whether it may leave, why, and by which clause. `noted`: the ledger says that the recipient got it.

    Only `allow` is leave to send. `until`: when to ask anew.
    """

    id: str
    decision: Literal["allow", "deny"]
    code: str
    reason: str
    clause: str
    until: date | None
    noted: bool

    @classmethod
    def of(cls, handing_id: str, found: HandingDecision, language: str) -> "DisclosureAnswer":
        """Return what was decided, in a language."""
        decided = found.decision
        return cls(
            id=handing_id,
            decision="allow" if decided.allowed else "deny",
            code=decided.code,
            reason=decided.reason.in_language(language),
            clause=decided.clause,
            until=decided.until,
            noted=found.is_noted,
        )


class DisclosuresAnswer(Shown):
    """An answer to each sending, in their order."""

    disclosures: tuple[DisclosureAnswer, ...]
