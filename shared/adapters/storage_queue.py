"""Sending to Storage Queues."""

import asyncio
from collections.abc import Sequence

from shared.adapters._azure_errors import translating
from shared.adapters.storage import Storage
from shared.domain.messages import QUEUE_OF, Message


class StorageQueue:
    """The request queues."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def send(self, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        with translating("queue.send"):
            await asyncio.gather(*(self._send(message, delay_seconds) for message in messages))

    async def _send(self, message: Message, delay_seconds: int) -> None:
        queue = self._storage.queue(QUEUE_OF[type(message)])
        # visibility_timeout 0 is the default and saves a query parameter
        await queue.send_message(message.model_dump_json(), visibility_timeout=delay_seconds or None)
