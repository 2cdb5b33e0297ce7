"""Documents of the systems of record, found and changed as the data map says."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Protocol

from shared.datamap.models import DocumentStore
from shared.domain.identifiers import Identifiers


class NoPartition(Enum):
    """The partition of documents without the partition key's property, which is not the one of null."""

    NO_PARTITION = "(no partition)"

    def __str__(self) -> str:
        return self.value


NO_PARTITION: Final = NoPartition.NO_PARTITION


@dataclass(frozen=True, kw_only=True)
class StoredDocument:
    """A document as read. `partition` is the value of its partition key, or `NO_PARTITION`."""

    partition: Any
    document_id: str
    etag: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DocumentPage:
    """Some of a person's documents. `cursor` None: these were the last."""

    documents: tuple[StoredDocument, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to do to one document if it is still as it was read; `replacement` None erases it."""

    document: StoredDocument
    replacement: Mapping[str, Any] | None = None


class Changed(StrEnum):
    """What came of a change."""

    DONE = "done"
    GONE = "gone"  # it was no longer there
    CHANGED = "changed"  # somebody else wrote it meanwhile; read it again


@dataclass(frozen=True, kw_only=True)
class DueSearch:
    """Which records of a container to find, by texts at some of their paths. All conditions have to hold.

    `path` is compared as text: from `since` on, and below `until`. `strange`: instead, no text a day begins
    with, or one from `ahead` on. `without`: paths that hold no text. `states`: what the text at their path
    may be. `written_since`: the database's own seconds. `unclear_too`: also what is no text, none that
    ends as times in UTC do, or one from before there were products. `paths`: what is needed of a document;
    empty: all of it.
    """

    path: str = ""
    since: str | None = None
    until: str | None = None
    strange: bool = False
    ahead: str | None = None
    without: tuple[str, ...] = ()
    state_path: str = ""
    states: tuple[str, ...] = ()
    written_since: int | None = None
    unclear_too: bool = False
    paths: tuple[str, ...] = ()


class Documents(Protocol):
    """Reads and changes documents of one mapped container."""

    async def page(
        self,
        store: DocumentStore,
        identifiers: Identifiers,
        *,
        cursor: str | None,
        limit: int,
        keys_only: bool = False,
        among: DueSearch | None = None,
    ) -> DocumentPage:
        """Return up to `limit` documents that match one of the identifiers. Empty: nothing more.

        `among`: only those that this search finds, too. With `keys_only` their bodies hold nothing but the
        id: enough where nothing else decides.

        A cursor stays good while documents before it are erased. A document may come twice when two of
        its fields match.
        """
        ...

    async def walk(self, store: DocumentStore, *, cursor: str | None, limit: int) -> DocumentPage:
        """Return up to `limit` documents of the container, whoever they are about. Empty: nothing more.

        Every document that is there from the first page to the last comes once.
        """
        ...

    async def search(
        self, store: DocumentStore, wanted: DueSearch, *, cursor: str | None, limit: int
    ) -> DocumentPage:
        """Return up to `limit` documents that a search finds, whoever they are about. Empty: nothing more.

        Its cost follows what it finds. A document that is there from the first page to the last comes once.
        """
        ...

    async def tally(self, store: DocumentStore, wanted: DueSearch) -> int:
        """Return how many documents a search finds, without reading them."""
        ...

    async def get(self, store: DocumentStore, partition: Any, document_id: str) -> StoredDocument | None:
        """Return one document. None: it is gone."""
        ...

    async def count(self, store: DocumentStore, identifiers: Identifiers) -> int:
        """Return how many documents match; one that matches twice may count twice."""
        ...

    def distinct(
        self, store: DocumentStore, identifiers: Identifiers, paths: Collection[str]
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield what matching documents hold at some paths, every combination once or, rarely, again.

        The records hold these properties with all below them, and nothing else. Nothing: nothing matches.
        Combinations that differ in a list or number alone, where there is an object or boolean, may be one.
        """
        ...

    async def create(self, store: DocumentStore, body: Mapping[str, Any]) -> None:
        """Write a document with an `id` that is not there yet. One that is there stays as it is."""
        ...

    async def change(self, store: DocumentStore, changes: Sequence[Change]) -> tuple[Changed, ...]:
        """Erase or replace documents, and say for each what came of it, in the order given.

        A second call finds erased documents gone and replaced ones changed.
        """
        ...
