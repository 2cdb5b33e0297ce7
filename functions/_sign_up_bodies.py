"""What forms and other systems send about newsletters, and what they are answered."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from functions._bodies import Body, Moment, Shown, refusal
from functions._request_bodies import (
    MOST_VALUE,
    Email,
    Language,
    Token,
    as_language,
    listed,
)

MOST_ROWS = 1_000
MOST_PURPOSES = 20
_Name = Annotated[str, Field(min_length=1, max_length=MOST_VALUE)]
_Cell = Annotated[str, Field(max_length=MOST_VALUE)]
_TICKED = frozenset({"on", "true", "yes", "1"})

_CONSENT = refusal(
    "consent_missing",
    'send `consent`: true and `box_before`: "empty", as the person ticked a box that was empty',
)
_PURPOSE = refusal("purpose_unknown", "name at least one of the purposes of newsletters")


def _ticked(value: object) -> bool:
    """A form sends a ticked box as `on`; one that is not ticked is not sent at all."""
    if value is True or (isinstance(value, str) and value.lower() in _TICKED):
        return True
    raise _CONSENT


def _was_empty(value: object) -> object:
    if value != "empty":
        raise _CONSENT
    return value


Purposes = Annotated[
    tuple[_Name, ...],
    Field(max_length=MOST_PURPOSES),
    BeforeValidator(
        listed,
        json_schema_input_type=_Name | Annotated[list[_Name], Field(max_length=MOST_PURPOSES)] | None,
    ),
]


class SignUpBody(Body):
    """A sign-up as a form sends it: the address, what for, and which words were shown.

    `consent`: the box, ticked by the person. `box_before`: how it stood before, which is `empty` or no
    consent. `wording_sha256`: of the words beside the box.
    """

    email: Email
    purposes: Annotated[Purposes, Field(description="Of the data map, such as `member_newsletter`.")]
    consent: Annotated[
        bool, BeforeValidator(_ticked, json_schema_input_type=Literal[True, "on", "true", "yes", "1"])
    ]
    box_before: Annotated[
        Literal["empty"], BeforeValidator(_was_empty, json_schema_input_type=Literal["empty"])
    ]
    policy_version: _Name
    wording_version: _Name
    wording_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    form_version: _Cell = ""
    name: _Cell = ""
    language: Annotated[
        Language | None,
        BeforeValidator(as_language, json_schema_input_type=Literal["en", "da", ""] | None),
        Field(description="Of the mail; none: the one `Accept-Language` prefers."),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _consented(cls, found: Any) -> Any:
        if isinstance(found, dict) and ("consent" not in found or "box_before" not in found):
            raise _CONSENT
        return found

    @model_validator(mode="after")
    def _for_something(self) -> Self:
        if not self.purposes:
            raise _PURPOSE
        return self


class AskedAnswer(Shown):
    """A mail is on its way if the address is right, for a known address and for an unknown one alike."""

    state: Literal["confirmation_sent"] = "confirmation_sent"


class JoinedAnswer(Shown):
    """The sign-up is confirmed."""

    state: Literal["confirmed"] = "confirmed"


class LeavingBody(Body):
    """An address that is to get no newsletter any more. Nothing has to be proven."""

    email: Email


class LinkBody(Body):
    """The token of the link: in the body from the page's button, in the query from a mail program.

    A mail program sends `List-Unsubscribe=One-Click` (RFC 8058), also as `multipart/form-data`.
    """

    model_config = ConfigDict(extra="ignore")

    token: Token = ""


class LeftAnswer(Shown):
    """No newsletter is sent any more, whether or not one was."""

    state: Literal["unsubscribed"] = "unsubscribed"


class ChoiceBody(LinkBody):
    """The purposes that are to be on; every other is switched off."""

    purposes: Purposes = ()


class ChoiceShown(Shown):
    """A purpose, and whether mail for it is wanted."""

    purpose: str
    title: str
    is_on: bool


class ChoicesAnswer(Shown):
    """Every purpose there is to choose."""

    choices: tuple[ChoiceShown, ...]


class LinksBody(Body):
    """An address that is about to be mailed for a purpose."""

    email: Email
    purpose: _Name


class LinksAnswer(Shown):
    """What the mail carries. `list_unsubscribe` and `list_unsubscribe_post` are headers (RFC 8058)."""

    unsubscribe_url: str
    preferences_url: str
    list_unsubscribe: str
    list_unsubscribe_post: Literal["List-Unsubscribe=One-Click"] = "List-Unsubscribe=One-Click"


class ImportedRow(Body):
    """A subscriber of an old list. A row that shows no consent is counted and adds nobody."""

    email: _Cell
    purpose: _Cell
    given_at: Annotated[_Cell, Field(description="With its offset, such as `2026-11-02T09:30:00+01:00`.")] = (
        ""
    )
    policy_version: _Cell = ""
    wording_version: _Cell = ""
    wording_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    name: _Cell = ""
    language: Literal["en", "da", ""] = ""


class ImportBody(Body):
    """An old list, or a part of it."""

    rows: Annotated[tuple[ImportedRow, ...], Field(min_length=1, max_length=MOST_ROWS)]


class ImportAnswer(Shown):
    """How many rows came to what; nobody is named.

    `refused_before`: a withdrawal, an objection or an erasure is the later word.
    """

    added: int = 0
    already: int = 0
    refused_before: int = 0
    without_evidence: int = 0
    invalid: int = 0


class SaleBody(Body):
    """A purchase that allows mail about similar goods without a consent, with what proves it."""

    email: Email
    purpose: _Name
    sold_at: Moment
    reference: Annotated[_Name, Field(description="Of the order, by which the purchase can be shown.")]
    refusal_offered: Annotated[
        bool, Field(strict=True, description="Whether mail could be refused then, freely and easily.")
    ]
    similar: Annotated[
        bool, Field(strict=True, description="Whether what is advertised is our own and of that kind.")
    ]


class SaleAnswer(Shown):
    """Whether it counts. If not, the person refused such mail at some time: send nothing."""

    purpose: str
    counts: bool
