"""Sending messages to our own queue functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.messages import Message


@dataclass(frozen=True, kw_only=True)
class Depth:
    """About how many messages wait, hidden ones too, and the age of the next visible one (0: none)."""

    messages: int
    oldest_seconds: float


class Queue(Protocol):
    """Sends messages; each may arrive twice, late or out of order."""

    async def send(self, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        """Send each message to the queue of its kind, visible after the delay.

        Raises:
            Retryable: some may have been sent; the sweep sends again what state says is due.
        """
        ...

    async def depth(self, queue: str) -> Depth:
        """Return what waits in a queue of ours, or in its poison queue.

        Raises:
            NotFound: `not_found`: there is no such queue.
            Retryable: ask again later.
        """
        ...
