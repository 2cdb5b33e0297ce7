"""The finished copies for data subjects: built block by block, short-lived, fetched by a signed link."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Content:
    """Bytes to be read block by block, as often as needed: each call of `chunks` begins at their start."""

    size_bytes: int
    chunks: Callable[[], AsyncIterator[bytes]]


class Packages(Protocol):
    """Packages by request id."""

    async def stage(self, request_id: str, block_id: str, data: bytes) -> None:
        """Upload one block; the same id again replaces it. Nothing can be fetched before `publish`."""
        ...

    async def publish(self, request_id: str, block_ids: Sequence[str]) -> None:
        """Make the staged blocks the package. A second call with the same blocks changes nothing.

        Raises:
            Conflict: blocks are lost; they have to be staged again.
        """
        ...

    async def delete(self, request_id: str) -> None:
        """Delete the package and every staged block; nothing to delete is fine."""
        ...

    async def download_url(self, request_id: str, *, file_name: str, minutes: int) -> str:
        """Return a link to read this one package for a few minutes.

        Raises:
            NotFound: `package_gone`.
        """
        ...

    async def read(self, request_id: str) -> Content:
        """Return the published package, to be read in blocks of a few MiB.

        Raises:
            NotFound: `package_gone`, here or while reading.
            Conflict: `changed_meanwhile`, while reading: it was published anew; begin again.
        """
        ...
