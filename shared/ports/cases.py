"""Where requests live: every document of a case in one partition, changed together or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from shared.domain.case_documents import Event, Finding, LetterDocument, Part
from shared.domain.cases import AnyDocument, SubjectRequest
from shared.domain.outcomes import Notice
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Task


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request with its tasks, letters and findings as read together; `etags` by document id.

    Parts and audit entries are not read with it, since there may be many.
    """

    request: SubjectRequest
    tasks: tuple[Task, ...] = ()
    letters: tuple[LetterDocument, ...] = ()
    findings: tuple[Finding, ...] = ()
    etags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Write:
    """One document of a batch. `etag` None: it must not exist yet; otherwise it must be unchanged."""

    document: AnyDocument
    etag: str | None


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """One line of a list of cases: nothing of the person.

    `question_open`: the case is open and a question to the person is not answered.
    Records of before a field was noted are listed with its default, as they are loaded.
    """

    request_id: str
    state: RequestState
    rights: tuple[Right, ...]
    channel: str = "web"
    received_at: datetime
    target_on: date | None = None
    due_on: date
    attention: str | None
    closed_at: datetime | None
    question_open: bool = False
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """Some cases, in no order. `cursor` None: the last."""

    rows: tuple[CaseRow, ...]
    cursor: str | None


class Cases(Protocol):
    """Requests and what belongs to them."""

    async def load(self, request_id: str) -> Case:
        """Return the case.

        Raises:
            NotFound: `request_unknown`.
        """
        ...

    async def commit(
        self, request_id: str, writes: Sequence[Write], deletes: Sequence[str] = ()
    ) -> dict[str, str]:
        """Write and delete documents of one case atomically, and return the new ETags by document id.

        At most 100 documents. A delete of a document that is gone makes the whole commit a Conflict.

        Raises:
            Conflict: somebody changed one of them, or created a new one first; nothing was written.
        """
        ...

    async def parts(self, request_id: str, *, cursor: str | None) -> tuple[tuple[Part, ...], str | None]:
        """Return a page of the package's parts, in no order, and where the next page starts (None: end)."""
        ...

    async def waking(self, now: datetime, *, limit: int) -> tuple[str, ...]:
        """Return ids of requests whose `wake_at` has come, at most `limit`."""
        ...

    async def of_person(self, subject_keys: Sequence[str]) -> tuple[str, ...]:
        """Return ids of every request one of these pseudonyms belongs to, open or closed."""
        ...

    async def listing(
        self,
        *,
        states: Sequence[RequestState] = (),
        attention: str | None = None,
        closed_since: datetime | None = None,
        subject_keys: Sequence[str] | None = None,
        cursor: str | None,
        limit: int,
    ) -> CasePage:
        """Return a page of cases in these states (none: in any), stopped for this, closed since then.

        `subject_keys`: only those that one of these pseudonyms belongs to; None: anybody's, empty: nobody's.

        Raises:
            Invalid: `cursor_invalid`: it is not one that an earlier page gave.
        """
        ...

    async def closed_before(
        self, until: str, *, cursor: str | None, limit: int
    ) -> tuple[tuple[str, ...], str | None]:
        """Return ids of cases with no work left whose `closed_at` is below a text, and where to go on.

        A cursor stays good while cases before it are deleted; None: there are no more.
        """
        ...

    async def document_ids(self, request_id: str) -> tuple[str, ...]:
        """Return the ids of everything in a case's partition. Empty: there is no such case."""
        ...

    async def events(self, request_id: str) -> tuple[Event, ...]:
        """Return the audit entries of a case, the first one first. Empty: there is no such case."""
        ...
