"""Stores: where records lie, how a person is found in them, and what each right does to each field."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shared.datamap.entries import NOT_STATED, PERIOD, Frozen, Letter, NotStated, Text
from shared.domain.rights import Right


class Comparison(StrEnum):
    """How two values of one identifier are compared."""

    EXACT = "exact"
    CASE_INSENSITIVE = "case_insensitive"


class Identifier(Frozen):
    """A kind of value that finds a person's records.

    `shared` identifiers (an installation) belong to several people: they narrow a search and never
    widen a person. More than `at_most` values for one person means the map found more than one person.
    """

    id: str
    title: Text
    comparison: Comparison = Comparison.EXACT
    shared: bool = False
    at_most: int = Field(ge=1, le=1000)


class OnErasure(StrEnum):
    """What an erasure does to one field."""

    ERASE = "erase"  # goes; a record whose fields all go is deleted
    MASK = "mask"  # overwritten; the record stays, because it is about more than this person
    KEEP = "keep"  # stays while `keep` gives a reason
    FOLLOW = "follow"  # keys and technical fields: share the fate of their record


class KeepUntil(Frozen):
    """The last day of a keeping duty: `period` after the date at `path`, as `counted_from` says."""

    path: str = Field(pattern=r"^/")
    period: str = Field(pattern=PERIOD)
    counted_from: Literal["date", "end_of_calendar_year"] = "date"


class Keep(Frozen):
    """Why a field stays after an erasure, by which provision, and until when (`not_stated`: no date)."""

    reason: Text
    provision: str
    until: KeepUntil | NotStated = NOT_STATED


class OwnWhen(Frozen):
    """A value is the person's in records with `equals` at `path`; in every other it is somebody else's.

    `equals` empty: in records that hold nothing at `path`.
    """

    path: str = Field(pattern=r"^/")
    equals: str


class FieldRule(Frozen):
    """One field of a stored record. `path` is a JSON pointer; below `elements` it starts at the element."""

    path: str = Field(pattern=r"^(/[A-Za-z0-9_]+)+$")
    type: Literal["string", "integer", "number", "boolean", "datetime", "date", "object", "array"]
    title: Text
    category: str
    about: Literal["subject", "other", "organisation", "system"] = "subject"
    source: Literal["subject", "customer", "observed", "derived", "system"]
    required: bool = False
    on_erasure: OnErasure = OnErasure.ERASE
    mask_with: str | None = None
    keep: Keep | None = None
    portable: bool = False
    identifier: str | None = None  # the value is an identifier of this kind of the same person
    fact: str | None = None  # the same fact of a person, such as a name, wherever it is stored
    off_by: tuple[Right, ...] = ()  # a choice that these rights switch off
    choice_of: str | None = None  # the purpose it is a choice of: a consent to it given later keeps it on
    hides: tuple[str, ...] = ()  # names inside the value that are other people's
    own_when: OwnWhen | None = None  # None: as `about` says, in every record


class Match(Frozen):
    """A record is the person's when the value at `path` is one of the person's `identifier` values."""

    identifier: str
    path: str = Field(pattern=r"^/")
    many: bool = False  # the path holds an array of values


class Elements(Frozen):
    """An array inside a shared document of which single elements are one person's."""

    path: str = Field(pattern=r"^/")
    matches: tuple[Match, ...] = Field(min_length=1)
    surroundings: tuple[str, ...] = ()  # paths of the document shown beside the element, never erased


class _StoreBase(Frozen):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    container: str
    fields: tuple[FieldRule, ...] = ()
    locator: bool = False  # searched to follow identifiers, so it must be small per person
    ends_with: tuple[Right, ...] = ()  # rights that erase its records although no erasure was asked for
    consented_at_path: str | None = Field(default=None, pattern=r"^/")  # when the consent it shows was given
    rests_on: tuple[Letter, ...] = ()  # its own legal basis, where it differs from the activity's
    customer_path: str | None = Field(default=None, pattern=r"^/")  # names the customer a record belongs to
    created_path: str | None = Field(default=None, pattern=r"^/")  # when a record came to be; None: unknown


class DocumentStore(_StoreBase):
    """Documents of one Cosmos container; with `elements`, only array elements of them are a person's."""

    kind: Literal["documents"]
    database: Literal["clicklearn", "compliance"] = "clicklearn"
    partition_key: str = Field(pattern=r"^/")
    matches: tuple[Match, ...] = ()
    elements: Elements | None = None


class LineStore(_StoreBase):
    """NDJSON blobs shared by many people; `prefix` may name one identifier, as in `{installation_id}/`."""

    kind: Literal["lines"]
    prefix: str = ""
    matches: tuple[Match, ...] = Field(min_length=1)


class FileStore(_StoreBase):
    """Blobs below a prefix that is one person's, as in `{author_id}/`; each is erased whole."""

    kind: Literal["files"]
    prefix: str = Field(pattern=r"\{[a-z_]+\}")


Store = DocumentStore | LineStore | FileStore
