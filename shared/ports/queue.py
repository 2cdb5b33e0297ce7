"""Sending messages to our own queue functions."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.messages import Message


class Queue(Protocol):
    """Sends messages; each may arrive twice, late or out of order."""

    async def send(self, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:
        """Send each message to the queue of its kind, visible after the delay.

        Raises:
            Retryable: some may have been sent; the sweep sends again what state says is due.
        """
        ...
