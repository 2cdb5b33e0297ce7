"""Sending to Storage Queues."""

import asyncio
from collections.abc import Sequence

from shared.adapters._azure_errors import translating
from shared.adapters.storage import Storage
from shared.domain.messages import QUEUE_OF, Message
from shared.ports.clock import Clock
from shared.ports.queue import Depth
from shared.ports.tracing import Tracing


class StorageQueue:
    """The request queues."""

    def __init__(self, storage: Storage, clock: Clock, tracing: Tracing) -> None:
        self._storage = storage
        self._clock = clock
        self._tracing = tracing

    async def send(self, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        traceparent = self._tracing.traceparent()
        if traceparent:
            messages = [one.model_copy(update={"traceparent": traceparent}) for one in messages]
        with translating("queue.send"):
            await asyncio.gather(*(self._send(message, delay_seconds) for message in messages))

    async def depth(self, queue: str) -> Depth:
        client = self._storage.queue(queue)
        with translating("queue.depth"):
            found = await client.get_queue_properties()
            first = await client.peek_messages(max_messages=1)
        now = self._clock.now()
        ages = [(now - one.inserted_on).total_seconds() for one in first if one.inserted_on is not None]
        return Depth(messages=found.approximate_message_count or 0, oldest_seconds=max([0.0, *ages]))

    async def _send(self, message: Message, delay_seconds: int) -> None:
        queue = self._storage.queue(QUEUE_OF[type(message)])
        # visibility_timeout 0 is the default and saves a query parameter
        await queue.send_message(message.model_dump_json(), visibility_timeout=delay_seconds or None)
