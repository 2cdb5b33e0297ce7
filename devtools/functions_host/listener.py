"""Listen to one queue for one function, with the real listener's pauses, limits and endings."""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import logging
import random
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from devtools.functions_host.azure_queue import (
    MessageLostError,
    MessageQueue,
    QueueBusyError,
    ReceivedMessage,
)
from devtools.functions_host.settings import QueueSettings

INVISIBLE_SECONDS = 600.0
RENEWAL_SECONDS = 300.0
SHORTEST_RENEWAL_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_QUEUE_NAME = 63
POISON_SUFFIX = "-poison"

logger = logging.getLogger("host.queues")

# Runs the function with one message and tells whether it succeeded, outputs included.
RunMessage = Callable[[ReceivedMessage, bytes], Awaitable[bool]]


def poison_queue_name(queue: str) -> str | None:
    """Return the name of a queue's poison queue, or None if it has none."""
    if queue.endswith(POISON_SUFFIX) or len(queue + POISON_SUFFIX) > LONGEST_QUEUE_NAME:
        return None
    return queue + POISON_SUFFIX


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Hold how long messages stay hidden while they are worked on.

    Attributes:
        invisible_seconds: From each receive or renewal on; ten minutes in the real host.
        renewal_seconds: Pause between renewals; five minutes in the real host.
    """

    invisible_seconds: float = INVISIBLE_SECONDS
    renewal_seconds: float = RENEWAL_SECONDS


class BackOff:
    """The growing pause between looks at an empty queue."""

    def __init__(self, *, longest_seconds: float, source: random.Random) -> None:
        """Begin with the shortest pause."""
        self._longest_seconds = longest_seconds
        self._source = source
        self._misses = 0

    def found(self) -> None:
        """Begin again with the shortest pause."""
        self._misses = 0

    def next_seconds(self) -> float:
        """Return the next pause, each about twice the one before up to the longest."""
        self._misses += 1
        if self._misses == 1:
            return min(FIRST_PAUSE_SECONDS, self._longest_seconds)
        # The exponent is capped: past it the pause is the longest anyway and the power would overflow.
        growth: float = FIRST_PAUSE_SECONDS * 2.0 ** min(self._misses - 2, 30)
        return min(FIRST_PAUSE_SECONDS + self._source.uniform(0.8, 1.2) * growth, self._longest_seconds)


class QueueListener:
    """Feeds one function from one queue until it is stopped.

    Args:
        queue: The trigger's queue; it is not created.
        poison: Its poison queue, created when first needed; None if it has none.
        settings: Queue settings of host.json.
        run: Runs the function.
        wake: Called with a poison queue's name after a message was added to it, as the real host does.
        timing: Invisibility and renewal.
        source: Randomness of the pauses.
    """

    def __init__(
        self,
        *,
        queue: MessageQueue,
        poison: MessageQueue | None,
        settings: QueueSettings,
        run: RunMessage,
        wake: Callable[[str], None],
        timing: Timing,
        source: random.Random,
    ) -> None:
        """Keep everything; `listen` begins."""
        self._queue = queue
        self._poison = poison
        self._settings = settings
        self._run = run
        self._wake = wake
        self._timing = timing
        self._back_off = BackOff(longest_seconds=settings.longest_poll_seconds, source=source)
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._awake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look at the queue at once."""
        self._awake.set()

    async def listen(self) -> None:
        """Take messages until `stop` is called.

        Raises:
            Exception: A fault that does not pass by itself, such as a refused key; the real host stops.
        """
        while not self._stopping:
            self._awake.clear()
            try:
                messages = await self._queue.receive(
                    most=self._settings.batch_size, invisible_seconds=self._timing.invisible_seconds
                )
            except QueueBusyError:
                messages = []
            if messages:
                self._back_off.found()
                for message in messages:
                    self._start(message)
                await self._wait_for_room()
            elif not self._stopping:
                await self._pause(self._back_off.next_seconds())

    async def stop(self, *, grace_seconds: float) -> None:
        """Take nothing more and give running messages some time.

        What is not done by then is cancelled and stays invisible, as after a crash.
        """
        self._stopping = True
        self._awake.set()
        self._room.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _start(self, message: ReceivedMessage) -> None:
        task = asyncio.create_task(self._process(message))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if len(self._tasks) <= self._settings.new_batch_threshold:
            self._room.set()
        if not task.cancelled() and task.exception() is not None:
            logger.error("A message of %s could not be finished: %r", self._queue.name, task.exception())

    async def _wait_for_room(self) -> None:
        while len(self._tasks) > self._settings.new_batch_threshold and not self._stopping:
            self._room.clear()
            await self._room.wait()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()

    async def _process(self, message: ReceivedMessage) -> None:
        hold = _Hold(self._queue, message, self._timing)
        try:
            body = self._decode(message.text)
        except (binascii.Error, ValueError):
            logger.warning("A message of %s is not Base64; it goes to the poison queue", self._queue.name)
            await self._give_up(hold, message)
            return
        if message.dequeue_count > self._settings.max_dequeue_count:
            await self._give_up(hold, message)
            return
        hold.begin()
        try:
            succeeded = await self._run(message, body)
        except BaseException:
            hold.abandon()
            raise
        await hold.end()
        if succeeded:
            await self._settle(hold.delete())
        elif message.dequeue_count >= self._settings.max_dequeue_count:
            logger.error("A message of %s failed for the last time", self._queue.name)
            await self._give_up(hold, message)
        else:
            await self._settle(hold.release(self._settings.retry_delay_seconds))

    def _decode(self, text: str) -> bytes:
        return b64decode(text, validate=True) if self._settings.base64 else text.encode()

    async def _give_up(self, hold: _Hold, message: ReceivedMessage) -> None:
        # Without a poison queue the real host does nothing: the message comes back when it is visible again.
        if self._poison is None:
            return
        await self._poison.put_text(message.text)
        self._wake(self._poison.name)
        await self._settle(hold.delete())

    async def _settle(self, ending: Awaitable[None]) -> None:
        try:
            await ending
        except MessageLostError:
            logger.warning("A message of %s was delivered again before it was finished", self._queue.name)
        except QueueBusyError as error:
            logger.warning(
                "A message of %s could not be settled (%s); it comes back", self._queue.name, error
            )


class _Hold:
    """Keeps one message invisible while it is worked on, and knows its newest pop receipt."""

    def __init__(self, queue: MessageQueue, message: ReceivedMessage, timing: Timing) -> None:
        self._queue = queue
        self._id = message.id
        self._receipt = message.pop_receipt
        self._timing = timing
        self._handle: asyncio.TimerHandle | None = None
        self._renewing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        # A timer handle, not a task: nearly all messages are done long before the first renewal.
        self._schedule(self._timing.renewal_seconds)

    async def end(self) -> None:
        """Stop renewing; a renewal on its way is awaited, since it changes the receipt."""
        if self._handle is not None:
            self._handle.cancel()
        if self._renewing is not None:
            await self._renewing
            if self._handle is not None:
                self._handle.cancel()

    def abandon(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        if self._renewing is not None:
            self._renewing.cancel()

    async def delete(self) -> None:
        await self._queue.delete(self._id, self._receipt)

    async def release(self, seconds: float) -> None:
        await self._queue.hide(self._id, self._receipt, seconds=seconds)

    def _schedule(self, seconds: float) -> None:
        self._handle = asyncio.get_running_loop().call_later(seconds, self._start_renewal)

    def _start_renewal(self) -> None:
        self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            self._receipt = await self._queue.hide(
                self._id, self._receipt, seconds=self._timing.invisible_seconds
            )
        except MessageLostError:
            logger.warning("A message of %s could not be held any longer", self._queue.name)
        except QueueBusyError:
            self._schedule(min(SHORTEST_RENEWAL_SECONDS, self._timing.renewal_seconds / 5))
        else:
            self._schedule(self._timing.renewal_seconds)
