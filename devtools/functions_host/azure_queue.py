"""Storage queues through the Azure SDK, without its decoding: one bad message must not hide a whole page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.request import getproxies

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

GONE_CODES = frozenset({"MessageNotFound", "PopReceiptMismatch", "QueueNotFound", "QueueBeingDeleted"})
BACK_OFF_CODES = frozenset({"QueueNotFound", "QueueDisabled", "QueueBeingDeleted"})
SERVER_ERROR = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedMessage:
    """One delivery of a message.

    Attributes:
        id: The message's id.
        pop_receipt: Proof of this delivery, valid until the next update of the message.
        text: Its text as stored, not decoded.
        dequeue_count: Deliveries so far, this one included.
        inserted_at: When it was added.
        expires_at: When the service drops it.
        visible_at: When it appears again unless something is done.
    """

    id: str
    pop_receipt: str
    text: str
    dequeue_count: int
    inserted_at: datetime
    expires_at: datetime
    visible_at: datetime


class MessageLostError(Exception):
    """The message is gone or was delivered to someone else meanwhile."""


class QueueBusyError(Exception):
    """The service failed, or the queue is not there; worth another try later."""


class MessageQueue(Protocol):
    """One storage queue. Every method raises `QueueBusyError` for faults that pass by themselves."""

    name: str

    async def receive(self, *, most: int, invisible_seconds: float) -> list[ReceivedMessage]:
        """Take up to so many messages, hiding them from others for a time."""
        ...

    async def delete(self, message_id: str, pop_receipt: str) -> None:
        """Remove a message. Raises `MessageLostError` if this delivery of it is over."""
        ...

    async def hide(self, message_id: str, pop_receipt: str, *, seconds: float) -> str:
        """Hide a message from now on for a time; return the new pop receipt, the old one is void.

        Raises `MessageLostError` if this delivery of it is over.
        """
        ...

    async def put_text(self, text: str) -> None:
        """Add a message with exactly this text, creating the queue if it is missing."""
        ...


class AzureQueue:
    """A storage queue behind one SDK client."""

    def __init__(self, client: QueueClient) -> None:
        """Use a client that has no encode or decode policy."""
        self.name = str(client.queue_name)
        self._client = client

    async def receive(self, *, most: int, invisible_seconds: float) -> list[ReceivedMessage]:
        try:
            pages = self._client.receive_messages(
                messages_per_page=most, max_messages=most, visibility_timeout=max(round(invisible_seconds), 1)
            )
            return [_received(item) async for item in pages]
        except HttpResponseError as error:
            raise _translated(error) from error

    async def delete(self, message_id: str, pop_receipt: str) -> None:
        try:
            await self._client.delete_message(message_id, pop_receipt)
        except HttpResponseError as error:
            raise _translated(error) from error

    async def hide(self, message_id: str, pop_receipt: str, *, seconds: float) -> str:
        try:
            updated = await self._client.update_message(
                message_id, pop_receipt=pop_receipt, visibility_timeout=round(seconds)
            )
        except HttpResponseError as error:
            raise _translated(error) from error
        return str(updated.pop_receipt)

    async def put_text(self, text: str) -> None:
        try:
            await self._client.send_message(text)
        except ResourceNotFoundError:
            await self._create()
            await self._client.send_message(text)
        except HttpResponseError as error:
            raise _translated(error) from error

    async def _create(self) -> None:
        try:
            await self._client.create_queue()
        except HttpResponseError as error:
            # Someone else was faster.
            if _code(error) != "QueueAlreadyExists":
                raise


class QueueAccount:
    """The queues of one connection string, one client each.

    Args:
        connection_string: Where the account is.
    """

    def __init__(self, connection_string: str) -> None:
        """Open nothing yet."""
        self._service = QueueServiceClient.from_connection_string(
            connection_string,
            # The SDK's own pauses begin at 15 s, far too long for a service on the same machine.
            initial_backoff=1,
            increment_base=2,
            random_jitter_range=0,
            # Or the transport looks for a proxy before each call, in a thread of its own.
            use_env_settings=bool(getproxies()),
        )
        self._queues: dict[str, AzureQueue] = {}

    def queue(self, name: str) -> AzureQueue:
        """Return the queue of this name; nothing is sent and nothing created."""
        if name not in self._queues:
            self._queues[name] = AzureQueue(self._service.get_queue_client(name))
        return self._queues[name]

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()


class QueueSink:
    """Adds messages for an output binding and wakes this host's own listener, as the real host does.

    Args:
        queue: Where messages go.
        base64: Whether texts are Base64.
        wake: Called with the queue's name after each message.
    """

    def __init__(self, queue: MessageQueue, *, base64: bool, wake: Callable[[str], None]) -> None:
        """Keep where messages go."""
        self._queue = queue
        self._base64 = base64
        self._wake = wake

    async def put(self, body: bytes) -> None:
        """Add one message with exactly these bytes."""
        await self._queue.put_text(b64encode(body).decode() if self._base64 else body.decode())
        self._wake(self._queue.name)


def _received(item: Any) -> ReceivedMessage:
    return ReceivedMessage(
        id=item.id,
        pop_receipt=item.pop_receipt,
        text=item.content or "",
        dequeue_count=item.dequeue_count,
        inserted_at=item.inserted_on,
        expires_at=item.expires_on,
        visible_at=item.next_visible_on,
    )


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", "") or ""
    return str(getattr(code, "value", code))


def _translated(error: HttpResponseError) -> Exception:
    code = _code(error)
    if code in BACK_OFF_CODES or (error.status_code or 0) >= SERVER_ERROR:
        return QueueBusyError(code or str(error.status_code))
    if code in GONE_CODES:
        return MessageLostError(code)
    return error
