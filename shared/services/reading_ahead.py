"""Read the next page of a store while the work on the one at hand goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from shared.ports.documents import DocumentPage
from shared.services.side_by_side import has_loop

Read = Callable[[], Awaitable[DocumentPage]]


class Ahead:
    """At most one page, of one place in one store. What was read ahead is no newer than it would have been.

    Whoever changes its documents is guarded by their ETags, as if they had been read just now.
    """

    def __init__(self) -> None:
        self._place: tuple[str, str | None] | None = None
        self._reading: asyncio.Task[DocumentPage] | None = None

    async def page(self, store_id: str, cursor: str | None, read: Read) -> DocumentPage:
        """Return the page of a place: the one read ahead if it is of this place, else by reading it."""
        if self._reading is None or self._place != (store_id, cursor):
            await self.forget()
            return await read()
        reading, self._reading = self._reading, None
        return await reading

    async def begin(self, store_id: str, cursor: str, read: Read) -> None:
        """Begin to read the page of a place; without an event loop it is read when it is asked for."""
        await self.forget()
        if not has_loop():
            return

        async def reading() -> DocumentPage:
            return await read()

        self._place, self._reading = (store_id, cursor), asyncio.create_task(reading())

    async def forget(self) -> None:
        """Let go of what was read ahead; nothing is on its way any more."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError, Exception):  # nobody asked for this page
                await reading
