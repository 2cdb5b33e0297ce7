"""What lies beside a request in its partition: letters, parts of a copy, findings, audit entries."""

from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from shared.domain.times import UtcTime


class CaseDocument(BaseModel):
    """Base of every document of a case; `id` is unique within the request's partition."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str
    request_id: str

    def with_(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one is not: types are the caller's."""
        return self.model_copy(update=changes)


class Package(BaseModel):
    """The finished copy, from its publication to its deletion."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    published_at: UtcTime
    expires_at: UtcTime
    size_bytes: int
    downloaded_at: UtcTime | None = None
    deleted_at: UtcTime | None = None


class LetterDocument(CaseDocument):
    """A letter to send. `closes`: the request ends, or goes to its next right, when it is sent."""

    type: Literal["letter"] = "letter"
    kind: str
    closes: bool = False
    reason: str = ""  # what staff wrote for this letter alone
    lift_on: date | None = None  # the day it announces that a restriction ends
    recipient_id: str | None = None  # a notice to this recipient; None: to whoever asked, or the person
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
