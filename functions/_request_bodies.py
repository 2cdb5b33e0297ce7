"""What a person's form may hold, and what the doors answer about a request."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from functions._bodies import Body, Shown, refusal
from shared.domain.cases import RequestState, Wishes
from shared.domain.errors import Invalid
from shared.domain.identifiers import parse_email
from shared.domain.rights import Right

MOST_TEXT = 2_000
MOST_VALUE = 200
MOST_NAMED = 50
Language = Literal["en", "da"]
Ground = Literal["accuracy", "unlawful", "claims"]
_RIGHTS = ", ".join(Right)

_EMAIL = refusal("email_invalid", "give one plain e-mail address")
_RIGHT = refusal("right_unknown", f"choose from: {_RIGHTS}")
_AMBIGUOUS = refusal("right_ambiguous", "send right or rights, not both")
_LANGUAGE = refusal("language_unknown", "choose from: en, da")
_GROUND = refusal("ground_missing", "a restriction needs its ground: accuracy, unlawful or claims")
_CORRECTION = refusal("correction_missing", "say what is wrong: corrections, or a message")
_UNFIT = refusal("wish_unfit", "this field belongs to a right that is not asked for")


def _email(value: object) -> str:
    try:
        return parse_email(value)
    except Invalid:
        raise _EMAIL from None


def _rights(value: object) -> list[object]:
    found = list(value) if isinstance(value, list | tuple) else [value]
    if not 0 < len(found) <= len(Right) or any(one not in list(Right) for one in found):
        raise _RIGHT
    return found


def _language(value: object) -> object:
    if value in (None, ""):
        return None
    if value not in ("en", "da"):
        raise _LANGUAGE
    return value


def _token(value: object) -> str:
    """Whatever is no token at all is one that is refused as such, by whoever checks it."""
    return value if isinstance(value, str) and len(value) <= MOST_VALUE and value.isascii() else ""


def _listed(value: object) -> object:
    """A form sends one choice as a text and several as a list."""
    return [value] if isinstance(value, str) and value else value or ()


Email = Annotated[
    str, BeforeValidator(_email, json_schema_input_type=str), Field(json_schema_extra={"format": "email"})
]
Text = Annotated[str, Field(max_length=MOST_TEXT)]


class SubmitBody(Body):
    """A request about one or several rights; without a right, the message is read by a person.

    `corrections`: a fact, such as `name` or `phone`, to its right value. `objects_to`: activities or purposes
    of the data map; none: everything that rests on a legitimate interest. `transfer_url`: where another
    controller takes a copy.
    """

    email: Email
    right: Annotated[tuple[Right, ...] | None, BeforeValidator(_rights)] = None
    rights: Annotated[tuple[Right, ...] | None, BeforeValidator(_rights)] = None
    language: Annotated[Language | None, BeforeValidator(_language)] = None
    message: Text = ""
    corrections: Annotated[
        dict[
            Annotated[str, Field(max_length=MOST_VALUE)],
            Annotated[str, Field(min_length=1, max_length=MOST_VALUE)],
        ],
        Field(max_length=MOST_NAMED),
    ] = Field(default_factory=dict)
    ground: Ground | None = None
    objects_to: Annotated[
        tuple[Annotated[str, Field(max_length=MOST_VALUE)], ...],
        BeforeValidator(_listed),
        Field(max_length=MOST_NAMED),
    ] = ()
    transfer_url: Annotated[str | None, Field(max_length=MOST_TEXT)] = None

    @model_validator(mode="before")
    @classmethod
    def _without_email(cls, found: Any) -> Any:
        if isinstance(found, dict) and "email" not in found:
            raise _EMAIL
        if isinstance(found, dict) and "right" in found and "rights" in found:
            raise _AMBIGUOUS
        return found

    @model_validator(mode="after")
    def _fits(self) -> Self:
        asked = self.asked
        if not asked:
            raise _RIGHT
        if Right.RESTRICTION in asked and self.ground is None and (self.right or self.rights):
            raise _GROUND
        if Right.RECTIFICATION in asked and not (self.corrections or self.message):
            raise _CORRECTION
        unfit = (
            (self.corrections and Right.RECTIFICATION not in asked)
            or (self.objects_to and not {Right.OBJECTION, Right.RECTIFICATION} & set(asked))
            or (self.transfer_url and Right.PORTABILITY not in asked)
        )
        if unfit:
            raise _UNFIT
        return self

    @property
    def asked(self) -> tuple[Right, ...]:
        """The rights asked for. Words alone are read as the most protective one until a person read them."""
        named = self.rights or self.right or ()
        return named or ((Right.RESTRICTION,) if self.message.strip() else ())

    @property
    def wishes(self) -> Wishes:
        """What the person wants, in the person's own values."""
        unclear = not (self.rights or self.right)
        return Wishes(
            corrections=self.corrections,
            statement=self.message.strip(),
            ground="unclear" if unclear else self.ground,
            objects_to=self.objects_to,
            transfer_url=self.transfer_url or None,
        )


class TokenBody(Body):
    """The token of a mailed link, as the page's button sends it."""

    token: Annotated[str, BeforeValidator(_token, json_schema_input_type=str)] = ""


class AnswerBody(TokenBody):
    """The answer to a question that was asked by letter."""

    text: Text


class SubmittedAnswer(Shown):
    """A request is on file, for a known address and for an unknown one alike."""

    request_id: str
    status_url: str


class StateAnswer(Shown):
    """Where a request stands now."""

    request_id: str
    state: RequestState


class StatusAnswer(StateAnswer):
    """Where a request stands, without personal data."""

    rights: tuple[Right, ...]
    received_on: date
    due_on: date
    copy_available: bool


class CopyAnswer(Shown):
    """Whether the copy of a request is there."""

    request_id: str
    copy_available: bool
