"""What a person's form may hold, and what the doors answer about a request."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from functions._bodies import Body, Shown, refusal
from shared.domain.errors import Invalid
from shared.domain.identifiers import parse_email
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Wishes

MOST_TEXT = 2_000
MOST_VALUE = 200
MOST_NAMED = 50
MOST_REPEAT_KEY = 200
Language = Literal["en", "da"]
Ground = Literal["accuracy", "unlawful", "claims"]
_RIGHTS = ", ".join(Right)

_EMAIL = refusal("email_invalid", "give one plain e-mail address")
_RIGHT = refusal("right_unknown", f"choose from: {_RIGHTS}")
_AMBIGUOUS = refusal("right_ambiguous", "send right or rights, not both")
_LANGUAGE = refusal("language_unknown", "choose from: en, da")
_GROUND = refusal("ground_missing", "a restriction needs its ground: accuracy, unlawful or claims")
_CORRECTION = refusal("correction_missing", "say what is wrong: corrections, or a message")
_REPEAT_KEY = refusal("idempotency_key_too_long", f"at most {MOST_REPEAT_KEY} characters")
_UNFIT = {
    name: refusal("wish_unfit", "this field belongs to a right that is not asked for", field=name)
    for name in ("corrections", "objects_to", "transfer_url")
}


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


def as_language(value: object) -> object:
    """A form sends a choice that was not made as an empty text."""
    if value in (None, ""):
        return None
    if value not in ("en", "da"):
        raise _LANGUAGE
    return value


def _token(value: object) -> str:
    """Whatever is no token at all is one that is refused as such, by whoever checks it."""
    return value if isinstance(value, str) and len(value) <= MOST_VALUE and value.isascii() else ""


def listed(value: object) -> object:
    """A form sends one choice as a text, several as a list, and none as an empty text or not at all."""
    if value in (None, ""):
        return ()
    return [value] if isinstance(value, str) else value


def chosen(value: object) -> object:
    """A form sends a choice that was not made as an empty text."""
    return None if value == "" else value


def _repeat_key(value: object) -> object:
    if isinstance(value, str) and len(value) > MOST_REPEAT_KEY:
        raise _REPEAT_KEY
    return value


Email = Annotated[
    str,
    BeforeValidator(_email, json_schema_input_type=str),
    Field(
        description="One plain address, letters of other alphabets included.",
        json_schema_extra={"format": "idn-email", "minLength": 5},
    ),
]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
_Named = Annotated[str, Field(max_length=MOST_VALUE)]
_Named1 = Annotated[str, Field(min_length=1, max_length=MOST_VALUE)]
Rights = Annotated[
    tuple[Right, ...] | None,
    BeforeValidator(
        _rights,
        json_schema_input_type=Right | Annotated[list[Right], Field(min_length=1, max_length=len(Right))],
    ),
]
Token = Annotated[
    str,
    BeforeValidator(_token, json_schema_input_type=str),
    Field(description="As it stands in the link of the mail."),
]


class SubmitBody(Body):
    """A request about one or several rights; without a right, the message is read by a person.

    `corrections`: a fact, such as `name` or `phone`, to its right value. `objects_to`: activities or purposes
    of the data map; none: everything that rests on a legitimate interest. `transfer_url`: where another
    controller takes a copy.
    """

    model_config = ConfigDict(
        json_schema_extra={
            # Exactly one of the two, or words that a person reads.
            "anyOf": [{"required": ["right"]}, {"required": ["rights"]}, {"required": ["message"]}],
            "not": {"required": ["right", "rights"]},
        }
    )

    email: Email
    right: Annotated[Rights, Field(description="One right, or several.")] = None
    rights: Annotated[Rights, Field(description="The same as `right`, under its other name.")] = None
    language: Annotated[
        Language | None,
        BeforeValidator(as_language, json_schema_input_type=Literal["en", "da", ""] | None),
        Field(description="Of the letters; none: the one `Accept-Language` prefers."),
    ] = None
    message: Annotated[Text, Field(description="Read by a person.")] = ""
    corrections: Annotated[
        dict[_Named, _Named1],
        Field(max_length=MOST_NAMED, description="For a rectification: fact to its right value."),
    ] = Field(default_factory=dict)
    ground: Annotated[
        Ground | None,
        BeforeValidator(chosen, json_schema_input_type=Literal["accuracy", "unlawful", "claims", ""] | None),
        Field(description="A restriction needs one."),
    ] = None
    objects_to: Annotated[
        tuple[_Named, ...],
        Field(max_length=MOST_NAMED),
        BeforeValidator(
            listed,
            json_schema_input_type=_Named | Annotated[list[_Named], Field(max_length=MOST_NAMED)] | None,
        ),
        Field(description="For an objection: activities or purposes of the data map; none: all it can be."),
    ] = ()
    transfer_url: Annotated[
        str | None,
        Field(
            max_length=MOST_TEXT,
            description="For a portability: an `https` URL, port 443, a public host; no user, no fragment.",
        ),
    ] = None

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
        if self.corrections and Right.RECTIFICATION not in asked:
            raise _UNFIT["corrections"]
        if self.objects_to and not {Right.OBJECTION, Right.RECTIFICATION} & set(asked):
            raise _UNFIT["objects_to"]
        if self.transfer_url and Right.PORTABILITY not in asked:
            raise _UNFIT["transfer_url"]
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


class SubmitHeaders(Body):
    """What may be sent beside the body."""

    model_config = ConfigDict(extra="ignore")

    repeat_key: Annotated[
        str,
        BeforeValidator(_repeat_key),
        Field(
            alias="Idempotency-Key",
            description=(
                "With the same key and `email`, a second call files nothing new: it gets the first"
                " one's answer, or 409 `idempotency_key_reused` where the rest of the body is another. A key"
                " counts for one `email` only: with another it files a request of its own."
            ),
            json_schema_extra={"maxLength": MOST_REPEAT_KEY},
        ),
    ] = ""


class TokenQuery(Body):
    """What a mailed link carries; whatever mail programs add to it is ignored."""

    model_config = ConfigDict(extra="ignore")

    token: Token = ""


class TokenBody(Body):
    """The token of a mailed link, as the page's button sends it."""

    token: Token = ""


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
    """Where a request stands, without personal data.

    `in_words`: beside `rights`, or in place of them, there are words that name none and that a person reads.
    """

    rights: tuple[Right, ...]
    in_words: bool
    received_on: date
    due_on: date
    copy_available: bool


class CopyAnswer(Shown):
    """Whether the copy of a request is there."""

    request_id: str
    copy_available: bool
