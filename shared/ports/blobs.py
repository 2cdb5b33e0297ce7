"""Blobs of the systems of record: read in ranges, rewritten block by block, erased with every copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class BlobRef:
    """A blob, or one of its older copies when `snapshot` or `version` is set."""

    container: str
    name: str
    etag: str
    size_bytes: int
    snapshot: str | None = None
    version: str | None = None
    is_block_blob: bool = True

    @property
    def is_current(self) -> bool:
        """Whether this is the blob itself and not an older copy."""
        return self.snapshot is None and self.version is None


@dataclass(frozen=True, kw_only=True)
class BlobPage:
    """Some blobs below a prefix, older copies among them, in order of name. `cursor` None: the last."""

    blobs: tuple[BlobRef, ...]
    cursor: str | None


class Blobs(Protocol):
    """Reads and changes blobs."""

    async def page(self, container: str, prefix: str, *, cursor: str | None, limit: int) -> BlobPage:
        """Return up to about `limit` blobs, snapshots and versions below the prefix.

        Empty, with no cursor, when there are none or the container does not exist.
        """
        ...

    async def read(self, blob: BlobRef, *, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; empty at the end.

        Raises:
            NotFound: the blob or copy is gone.
            Conflict: it was written since it was listed; list it again.
            Permanent: `blob_archived`: it cannot be read before somebody brings it back.
        """
        ...

    async def stage(self, container: str, name: str, block_id: str, data: bytes) -> None:
        """Upload one block without changing the blob; the same id again replaces it.

        Raises:
            Permanent: `blob_locked`: somebody holds a lease on it, or it must not change.
        """
        ...

    async def commit(self, blob: BlobRef, block_ids: Sequence[str]) -> None:
        """Make the staged blocks the blob's new content if it is still as listed.

        Its content type and other headers, metadata, index tags and an access tier set on it stay.

        Raises:
            Conflict: it was written meanwhile, or blocks are lost; start over.
            NotFound: it was deleted meanwhile.
            Permanent: `blob_locked`: somebody holds a lease on it, or it must not change; `service_refused`:
                it has tags, and the app may not read or write them.
        """
        ...

    async def erase(self, blob: BlobRef) -> bool:
        """Delete a copy, or a blob with all its snapshots, if it is still as listed; False: already gone.

        Raises:
            Conflict: it was written meanwhile; list it again.
            Permanent: `blob_locked`: somebody holds a lease on it, or it must not be deleted.
        """
        ...
