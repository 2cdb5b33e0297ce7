"""Queue output bindings: what becomes a message, and when."""

import asyncio
from base64 import b64decode

import pytest

from tests.host.test_queues import texts_in

OUTPUT = """
import asyncio, json
from typing import List
@app.route(route="out")
@app.queue_output(arg_name="out", queue_name="%OTHER%", connection="AzureWebJobsStorage")
async def out(req: func.HttpRequest, out: func.Out[ANNOTATION]) -> func.HttpResponse:
    BODY
    return func.HttpResponse(status_code=202)
"""


def source(body: str, annotation: str = "str") -> str:
    return OUTPUT.replace("ANNOTATION", annotation).replace("BODY", body)


async def decoded(queue) -> list[str]:
    return sorted(b64decode(text).decode() for text in await texts_in(queue))


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("str", "'plain'", ["plain"]),
        ("str", "'[not json'", ["[not json"]),
        ("str", "'{\"a\":1}'", ['{\n  "a": 1\n}']),
        ("str", '\'["a", {"b":2}, 3]\'', ["3", "a", '{\n  "b": 2\n}']),
        ("bytes", "b'{\"a\":1}'", ['{"a":1}']),
        ("bytes", "b'[1,2]'", ["[1,2]"]),
        ("List[str]", "['a', 'b']", ["a", "b"]),
        ("func.QueueMessage", "func.QueueMessage(id='i', body='b')", ['{\n  "id": "i",\n  "body": "b"\n}']),
        ("func.QueueMessage", "{'k': 1, 'l': 2}", ["k", "l"]),
    ],
)
async def test_value_becomes_messages(app, queues, annotation, value, expected):
    app.source(source(f"out.set({value})", annotation))
    async with (
        app.served(environment=queues.environment) as (_, session),
        session.post("/api/out") as answer,
    ):
        assert answer.status == 202
    assert await decoded(queues.other) == expected


async def test_last_of_two_values_counts_and_none_writes_nothing(app, queues):
    app.source(source("out.set('first'); out.set('last')"))
    async with app.served(environment=queues.environment) as (_, session):
        await session.post("/api/out")
    assert await decoded(queues.other) == ["last"]
    app.source(source("out.set(None)"))
    async with (
        app.served(environment=queues.environment) as (_, session),
        session.post("/api/out") as answer,
    ):
        assert answer.status == 202
    assert await decoded(queues.other) == ["last"]


async def test_nothing_is_written_when_the_function_fails(app, queues):
    app.source(source("out.set('x'); raise RuntimeError('late')"))
    async with (
        app.served(environment=queues.environment) as (_, session),
        session.post("/api/out") as answer,
    ):
        assert answer.status == 500
    assert await texts_in(queues.other) == []


@pytest.mark.parametrize(("annotation", "value"), [("str", "['a']"), ("str", "5"), ("List[str]", "[5]")])
async def test_value_that_does_not_fit_is_an_empty_500(app, queues, annotation, value):
    app.source(source(f"out.set({value})", annotation))
    async with (
        app.served(environment=queues.environment) as (_, session),
        session.post("/api/out") as answer,
    ):
        assert (answer.status, await answer.read()) == (500, b"")
    assert await texts_in(queues.other) == []


async def test_output_that_cannot_be_written_is_a_500(app, queues):
    app.source(source("out.set(b'x' * 100_000)", "bytes"))
    async with (
        app.served(environment=queues.environment) as (_, session),
        session.post("/api/out") as answer,
    ):
        assert (answer.status, await answer.read()) == (500, b"")


async def test_output_is_there_before_the_caller_hears_of_success(app, queues):
    app.source(source("out.set('x')"))
    async with (
        app.served(environment=queues.environment) as (_, session),
        session.post("/api/out") as answer,
    ):
        assert answer.status == 202
        assert await decoded(queues.other) == ["x"]


async def test_output_wakes_the_apps_own_listener(app, queues, eventually):
    app.source(
        source("out.set('x')")
        + """
@app.queue_trigger(arg_name="msg", queue_name="%OTHER%", connection="AzureWebJobsStorage")
async def job(msg: func.QueueMessage) -> None:
    calls.append(msg.get_body())
"""
    )
    await queues.other.create_queue()
    slow = {
        **queues.environment,
        "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "01:00:00",
    }
    async with app.served(environment=slow) as (_, session):
        # Long enough for the pauses to outgrow the test's own patience of a few seconds.
        await asyncio.sleep(4)
        await session.post("/api/out")
        await eventually(lambda: app.module.calls == [b"x"], seconds=2)


async def test_returned_value_can_be_the_message(app, queues, eventually):
    app.source("""
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="$return", queue_name="%OTHER%", connection="AzureWebJobsStorage")
def forward(msg: func.QueueMessage) -> str:
    return "forwarded " + msg.get_body().decode()
""")
    await queues.jobs.send_message("eA==")
    async with app.served(environment=queues.environment):
        await eventually(lambda: decoded(queues.other))
    assert await decoded(queues.other) == ["forwarded x"]


async def test_failed_output_fails_the_queue_message(app, queues, eventually):
    app.source("""
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="out", queue_name="%OTHER%", connection="AzureWebJobsStorage")
def job(msg: func.QueueMessage, out: func.Out[bytes]) -> None:
    calls.append(msg.dequeue_count)
    out.set(b"x" * 100_000 if msg.dequeue_count < 3 else b"small")
""")
    await queues.jobs.send_message("eA==")
    async with app.served(environment=queues.environment):
        await eventually(lambda: decoded(queues.other))
    assert app.module.calls == [1, 2, 3]


async def test_value_without_a_binding_for_it_fails(app, queues, eventually):
    app.source("""
@app.queue_trigger(arg_name="msg", queue_name="%JOBS%", connection="AzureWebJobsStorage")
def job(msg: func.QueueMessage):
    return "nobody takes this"
""")
    await queues.jobs.send_message("eA==")
    async with app.served(environment=queues.environment) as (host, _):
        await eventually(lambda: host.activity.of("job").failed == 5)
