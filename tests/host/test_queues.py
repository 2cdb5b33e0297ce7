"""The queue trigger against Azurite: delivery, failure, poison, invisibility, outputs."""

import asyncio
import json
from base64 import b64encode

import pytest

from devtools.functions_host import Timing

COLLECT = """
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
async def job(msg: func.QueueMessage) -> None:
    calls.append(msg)
"""
FAIL = COLLECT + "    raise RuntimeError('no')\n"


def base64(text: str | bytes) -> str:
    return b64encode(text.encode() if isinstance(text, str) else text).decode()


async def texts_in(queue) -> list[str]:
    """Return the texts of a queue's visible messages without taking them; a missing queue is empty."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        return [message.content for message in await queue.peek_messages(max_messages=32)]
    except ResourceNotFoundError:
        return []


async def length_of(queue) -> int:
    return (await queue.get_queue_properties()).approximate_message_count


async def test_message_arrives_decoded_and_is_deleted_after_success(app, queues, eventually):
    app.source(COLLECT)
    sent = await queues.jobs.send_message(base64("hællo"))
    async with app.served(environment=queues.environment):
        await eventually(lambda: app.module.calls)
        await eventually(lambda: is_empty(queues.jobs))
    (message,) = app.module.calls
    assert message.get_body().decode() == "hællo"
    assert message.id == sent.id
    assert message.dequeue_count == 1
    assert message.insertion_time.utcoffset().total_seconds() == 0
    assert message.expiration_time > message.time_next_visible > message.insertion_time
    assert message.pop_receipt


async def is_empty(queue) -> bool:
    return await length_of(queue) == 0


async def test_failing_message_is_delivered_five_times_in_all_and_then_poison(app, queues, eventually):
    app.source(FAIL)
    await queues.jobs.send_message(base64("bad"))
    async with app.served(environment=queues.environment):
        assert await eventually(lambda: texts_in(queues.poison)) == [base64("bad")]
        await eventually(lambda: is_empty(queues.jobs))
    assert [message.dequeue_count for message in app.module.calls] == [1, 2, 3, 4, 5]


async def test_max_dequeue_count_and_retry_delay_come_from_host_json(app, queues, eventually):
    app.host_json({"queues": {"maxDequeueCount": 2, "visibilityTimeout": "00:00:01"}})
    app.source(FAIL.replace("calls.append(msg)", "calls.append(time.monotonic())") + "import time\n")
    await queues.jobs.send_message(base64("bad"))
    async with app.served(environment=queues.environment):
        await eventually(lambda: texts_in(queues.poison))
    first, second = app.module.calls
    assert second - first >= 0.9


async def test_text_that_is_not_base64_is_poison_without_the_function_and_hides_no_other(
    app, queues, eventually
):
    app.source(COLLECT)
    await queues.jobs.send_message("{plain text}")
    await queues.jobs.send_message(base64("good"))
    async with app.served(environment=queues.environment):
        assert await eventually(lambda: texts_in(queues.poison)) == ["{plain text}"]
        await eventually(lambda: app.module.calls)
        await eventually(lambda: is_empty(queues.jobs))
    assert [message.get_body() for message in app.module.calls] == [b"good"]


async def test_without_base64_texts_are_taken_as_they_are(app, queues, eventually):
    app.host_json({"queues": {"messageEncoding": "none"}})
    app.source(COLLECT)
    await queues.jobs.send_message("{plain text}")
    async with app.served(environment=queues.environment):
        await eventually(lambda: app.module.calls)
    assert app.module.calls[0].get_body() == b"{plain text}"


async def test_json_fields_of_the_payload_overwrite_the_metadata(app, queues, eventually):
    app.source(COLLECT)
    body = {"ID": "mine", "dequeueCount": 77, "insertionTime": ["a list stays out"], "more": 1}
    await queues.jobs.send_message(base64(json.dumps(body)))
    async with app.served(environment=queues.environment):
        await eventually(lambda: app.module.calls)
    (message,) = app.module.calls
    assert (message.id, message.dequeue_count) == ("mine", 77)
    assert message.insertion_time.year > 2000
    assert message.get_json() == body


@pytest.mark.parametrize(("annotation", "expected"), [("str", "text"), ("bytes", b"text")])
async def test_plain_annotations_receive_the_body(app, queues, eventually, annotation, expected):
    app.source(COLLECT.replace("func.QueueMessage", annotation))
    await queues.jobs.send_message(base64("text"))
    async with app.served(environment=queues.environment):
        assert await eventually(lambda: app.module.calls) == [expected]


async def test_killed_run_is_delivered_again_when_its_invisibility_ends(app, queues, eventually):
    app.source("""
import asyncio
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
async def job(msg: func.QueueMessage) -> None:
    calls.append(msg.dequeue_count)
    await asyncio.Event().wait()
""")
    await queues.jobs.send_message(base64("x"))
    timing = Timing(invisible_seconds=2)
    async with app.served(environment=queues.environment, timing=timing) as (host, _):
        await eventually(lambda: app.module.calls == [1])
        await host.stop(grace_seconds=0)
    assert await texts_in(queues.jobs) == []
    assert await length_of(queues.jobs) == 1
    async with app.served(environment=queues.environment, timing=timing) as (host, _):
        await eventually(lambda: app.module.calls == [2])
        await host.stop(grace_seconds=0)


async def test_long_run_is_held_by_renewal_and_deleted_with_the_newest_receipt(app, queues, eventually):
    app.source("""
import asyncio
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
async def job(msg: func.QueueMessage) -> None:
    calls.append(msg.dequeue_count)
    await asyncio.sleep(3.5)
""")
    await queues.jobs.send_message(base64("x"))
    timing = Timing(invisible_seconds=2, renewal_seconds=0.7)
    async with app.served(environment=queues.environment, timing=timing) as (host, _):
        await eventually(lambda: host.activity.of("job").succeeded == 1)
        await eventually(lambda: is_empty(queues.jobs))
    assert app.module.calls == [1]


async def test_stopping_lets_running_work_finish(app, queues, eventually):
    app.source("""
import asyncio
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
async def job(msg: func.QueueMessage) -> None:
    calls.append("begun")
    await asyncio.sleep(0.3)
    calls.append("done")
""")
    await queues.jobs.send_message(base64("x"))
    async with app.served(environment=queues.environment):
        await eventually(lambda: app.module.calls)
    assert app.module.calls == ["begun", "done"]
    assert await length_of(queues.jobs) == 0


async def test_batch_size_one_and_threshold_zero_run_one_at_a_time(app, queues, eventually):
    app.host_json({"queues": {"batchSize": 1, "newBatchThreshold": 0}})
    app.source("""
import asyncio
running = 0
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
async def job(msg: func.QueueMessage) -> None:
    global running
    running += 1
    calls.append(running)
    await asyncio.sleep(0.05)
    running -= 1
""")
    for _ in range(4):
        await queues.jobs.send_message(base64("x"))
    async with app.served(environment=queues.environment):
        await eventually(lambda: len(app.module.calls) == 4)
    assert app.module.calls == [1, 1, 1, 1]


async def test_missing_queue_is_waited_for_and_not_created(app, queues, eventually):
    app.source(COLLECT.replace("%JOBS%", "%OTHER%"))
    async with app.served(environment=queues.environment):
        await asyncio.sleep(0.3)
        assert [queue.name async for queue in queues.service.list_queues(queues.other.queue_name)] == []
        await queues.other.create_queue()
        await queues.other.send_message(base64("x"))
        await eventually(lambda: app.module.calls)


async def test_queue_function_runs_by_hand(app, queues, eventually):
    app.source(COLLECT)
    async with app.served(environment=queues.environment) as (_, session):
        async with session.post("/admin/functions/JOB", json={"input": '{"id": "given"}'}) as answer:
            assert (answer.status, await answer.read()) == (202, b"")
        await eventually(lambda: app.module.calls)
        async with session.post("/admin/functions/job", data=b"no json") as answer:
            assert answer.status == 400
        async with session.post("/admin/functions/nobody", json={"input": ""}) as answer:
            assert answer.status == 404
    assert app.module.calls[0].id == "given"


async def test_refused_key_stops_the_host(app, queues):
    app.source(COLLECT)
    wrong = queues.environment["AzureWebJobsStorage"].replace("Eby8", "AAAA")
    async with app.served(environment={**queues.environment, "AzureWebJobsStorage": wrong}) as (host, _):
        async with asyncio.timeout(20):
            with pytest.raises(Exception, match=r"AuthorizationFailure|not authorized|authenticate"):
                await host.wait_for_failure()
