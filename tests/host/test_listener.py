"""The listener's pauses, its use of poison queues, and faults of the service, on a queue in memory."""

import asyncio
import random
from base64 import b64encode
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from devtools.functions_host.azure_queue import MessageLostError, QueueBusyError, ReceivedMessage
from devtools.functions_host.listener import BackOff, QueueListener, Timing, poison_queue_name
from devtools.functions_host.settings import QueueSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class ScriptedQueue:
    """Gives out what a test puts in, and notes what is done to it."""

    def __init__(self) -> None:
        self.name = "scripted"
        self.waiting: list[ReceivedMessage] = []
        self.done: list[tuple] = []
        self.faults: list[Exception] = []
        self.hide_faults: list[Exception] = []
        self.looks = 0

    def add(self, text: str, *, dequeue_count: int = 1) -> None:
        message_id = str(len(self.waiting))
        self.waiting.append(
            ReceivedMessage(
                id=message_id,
                pop_receipt="r0",
                text=text,
                dequeue_count=dequeue_count,
                inserted_at=NOW,
                expires_at=NOW,
                visible_at=NOW,
            )
        )

    async def receive(self, *, most: int, invisible_seconds: float) -> list[ReceivedMessage]:  # noqa: ARG002 - the port has it
        self.looks += 1
        if self.faults:
            raise self.faults.pop(0)
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return taken

    async def delete(self, message_id: str, pop_receipt: str) -> None:  # noqa: ARG002 - the port has it
        self.done.append(("delete", pop_receipt))

    async def hide(self, message_id: str, pop_receipt: str, *, seconds: float) -> str:  # noqa: ARG002 - the port has it
        self.done.append(("hide", pop_receipt, seconds))
        if self.hide_faults:
            raise self.hide_faults.pop(0)
        return f"r{len(self.done)}"

    async def put_text(self, text: str) -> None:
        self.done.append(("put", text))


SETTINGS = QueueSettings(
    batch_size=4,
    new_batch_threshold=2,
    max_dequeue_count=5,
    retry_delay_seconds=7,
    longest_poll_seconds=0.1,
    base64=True,
)
TEXT = b64encode(b"body").decode()


@asynccontextmanager
async def listening(queue, run, *, poison=None, timing=None, woken=None):
    listener = QueueListener(
        queue=queue,
        poison=poison,
        settings=SETTINGS,
        run=run,
        wake=(woken if woken is not None else []).append,
        timing=timing or Timing(),
        source=random.Random(1),
    )
    task = asyncio.create_task(listener.listen())
    try:
        yield task
    finally:
        await listener.stop(grace_seconds=5)
        await asyncio.gather(task, return_exceptions=True)


async def succeed(message, body) -> bool:
    return True


async def fail(message, body) -> bool:
    return False


def test_pauses_grow_from_a_tenth_of_a_second_to_the_longest_and_begin_again():
    back_off = BackOff(longest_seconds=60, source=random.Random(4))
    pauses = [back_off.next_seconds() for _ in range(14)]
    assert pauses[0] == 0.1
    for step, pause in enumerate(pauses[1:10]):
        assert 0.1 + 0.8 * 0.1 * 2**step <= pause <= min(0.1 + 1.2 * 0.1 * 2**step, 60)
    assert pauses[-1] == 60
    assert all(pause <= 60 for pause in pauses)
    back_off.found()
    assert back_off.next_seconds() == 0.1


def test_pauses_do_not_overflow():
    back_off = BackOff(longest_seconds=2, source=random.Random(4))
    assert [back_off.next_seconds() for _ in range(5000)][-1] == 2


@pytest.mark.parametrize(
    ("queue", "poison"),
    [("jobs", "jobs-poison"), ("jobs-poison", None), ("q" * 56, "q" * 56 + "-poison"), ("q" * 57, None)],
)
def test_poison_queue_name(queue, poison):
    assert poison_queue_name(queue) == poison


async def test_failed_message_is_released_after_the_retry_delay(eventually):
    queue = ScriptedQueue()
    queue.add(TEXT)
    async with listening(queue, fail):
        await eventually(lambda: queue.done == [("hide", "r0", 7)])


async def test_message_over_the_limit_is_poison_without_running(eventually):
    queue, poison = ScriptedQueue(), ScriptedQueue()
    queue.add(TEXT, dequeue_count=6)

    async def never(message, body) -> bool:
        raise AssertionError("must not run")

    woken: list[str] = []
    async with listening(queue, never, poison=poison, woken=woken):
        await eventually(lambda: queue.done == [("delete", "r0")])
    assert poison.done == [("put", TEXT)]
    assert woken == [poison.name]


async def test_without_a_poison_queue_the_last_failure_leaves_the_message_invisible():
    queue = ScriptedQueue()
    queue.add(TEXT, dequeue_count=5)
    ran = asyncio.Event()

    async def fail_last(message, body) -> bool:
        ran.set()
        return False

    async with listening(queue, fail_last):
        await ran.wait()
    assert queue.done == []


async def test_busy_service_and_missing_queue_only_slow_the_listener_down(eventually):
    queue = ScriptedQueue()
    queue.faults = [QueueBusyError("QueueNotFound"), QueueBusyError("503")]
    queue.add(TEXT)
    async with listening(queue, succeed):
        await eventually(lambda: queue.done == [("delete", "r0")])
    assert queue.looks >= 3


async def test_other_faults_end_the_listener(eventually):
    queue = ScriptedQueue()
    queue.faults = [PermissionError("403")]
    async with listening(queue, succeed) as task:
        await eventually(task.done)
        assert isinstance(task.exception(), PermissionError)


async def test_next_batch_is_taken_when_few_enough_run(eventually):
    queue = ScriptedQueue()
    for _ in range(10):
        queue.add(TEXT)
    gates: list[asyncio.Event] = []

    async def held(message, body) -> bool:
        gates.append(gate := asyncio.Event())
        await gate.wait()
        return True

    async with listening(queue, held):
        await eventually(lambda: len(gates) == 4)
        gates[0].set()
        await asyncio.sleep(0.05)
        assert len(gates) == 4
        gates[1].set()
        await eventually(lambda: len(gates) == 6 + 2)
        for gate in gates:
            gate.set()
        await eventually(lambda: len(gates) == 10)
        for gate in gates:
            gate.set()


async def test_renewal_is_tried_again_after_a_server_error_and_given_up_when_the_message_is_lost(eventually):
    queue = ScriptedQueue()
    queue.add(TEXT)
    finish = asyncio.Event()

    async def held(message, body) -> bool:
        queue.hide_faults = [QueueBusyError("500"), MessageLostError("PopReceiptMismatch")]
        await finish.wait()
        return True

    async with listening(queue, held, timing=Timing(invisible_seconds=9, renewal_seconds=0.1)):
        await eventually(lambda: len(queue.done) == 2)
        await asyncio.sleep(0.3)
        assert queue.done == [("hide", "r0", 9), ("hide", "r0", 9)]
        finish.set()
        await eventually(lambda: queue.done[-1] == ("delete", "r0"))
