"""What waits in a queue, as the storage service tells it."""

import base64
import json
import uuid

import pytest

from shared.adapters.no_telemetry import NoTelemetry
from shared.adapters.storage_queue import StorageQueue
from shared.domain.errors import NotFound
from shared.domain.messages import PlanRequest
from tests.fakes.messaging import TestClock

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class _Traced(NoTelemetry):
    def traceparent(self):
        return TRACE


@pytest.fixture
async def own_queue(storage, monkeypatch):
    """A queue nobody else uses, in the place of the one for plans."""
    name = f"q-{uuid.uuid4().hex}"
    monkeypatch.setattr("shared.adapters.storage_queue.QUEUE_OF", {PlanRequest: name})
    await storage.queue(name).create_queue()
    return name


async def test_messages_are_counted_with_the_age_of_the_next_one(storage, own_queue):
    """Those that are hidden count, too, and have no age yet."""
    clock = TestClock()
    queue = StorageQueue(storage, clock, NoTelemetry())
    assert (await queue.depth(own_queue)).messages == 0
    await queue.send([PlanRequest(request_id="0" * 32)], delay_seconds=600)
    hidden = await queue.depth(own_queue)
    assert (hidden.messages, hidden.oldest_seconds) == (1, 0.0)
    await queue.send([PlanRequest(request_id="1" * 32)])
    (shown,) = await storage.queue(own_queue).peek_messages()
    clock.moment = shown.inserted_on
    clock.advance(seconds=90)
    found = await queue.depth(own_queue)
    assert (found.messages, found.oldest_seconds) == (2, 90.0)


async def test_a_clock_that_is_behind_makes_no_negative_age(storage, own_queue):
    """Two machines never agree to the second."""
    queue = StorageQueue(storage, TestClock(), NoTelemetry())
    await queue.send([PlanRequest(request_id="0" * 32)])
    assert (await queue.depth(own_queue)).oldest_seconds == 0.0


async def test_a_queue_that_is_not_there_is_said_not_to_be(storage):
    """Not taken for an empty one."""
    with pytest.raises(NotFound):
        await StorageQueue(storage, TestClock(), NoTelemetry()).depth(f"q-{uuid.uuid4().hex}")


@pytest.mark.parametrize(("tracing", "carried"), [(NoTelemetry(), None), (_Traced(), TRACE)])
async def test_a_message_carries_the_trace_of_whoever_sent_it(storage, own_queue, tracing, carried):
    """And nothing of one where nothing is traced."""
    await StorageQueue(storage, TestClock(), tracing).send([PlanRequest(request_id="0" * 32)])
    (sent,) = await storage.queue(own_queue).peek_messages()
    content = json.loads(base64.b64decode(sent.content))
    assert content.get("traceparent") == carried
    assert ("traceparent" in content) == (carried is not None)
