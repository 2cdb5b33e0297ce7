"""One request followed from its door through the queue, with nothing of its person on the way."""

import inspect
from types import SimpleNamespace

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from functions import http_requests, queue_requests, timer_measuring
from functions._traced import traced
from shared import bootstrap
from shared.adapters.no_telemetry import NoTelemetry
from shared.adapters.open_telemetry import OpenTelemetry
from shared.domain.errors import Permanent
from shared.domain.messages import PlanRequest, decode
from tests.triggers.conftest import call

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = PARENT.split("-")[1]
ADDRESS = "ane@people.example"


@pytest.fixture
def spans(monkeypatch) -> InMemorySpanExporter:
    """Spans of everything that runs."""
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(bootstrap, "_telemetry", OpenTelemetry(tracers, MeterProvider()))
    return exporter


async def test_a_door_s_step_stands_under_the_host_s_trace(spans):
    """Its name is the function's, its outcome a status."""
    seen = []

    async def handler(req: func.HttpRequest) -> func.HttpResponse:
        seen.append(bootstrap.tracing().traceparent())
        return func.HttpResponse(status_code=202)

    context = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=PARENT))
    url = f"https://app.example/api/requests?email={ADDRESS}"
    await traced("requests_submit", handler)(func.HttpRequest("POST", url, body=b""), context)
    (span,) = spans.get_finished_spans()
    assert (span.name, dict(span.attributes)) == ("requests_submit", {"outcome": "202"})
    assert f"{span.context.trace_id:032x}" == TRACE
    assert seen[0].split("-")[1] == TRACE
    assert ADDRESS not in span.to_json()


async def test_submitting_leaves_no_address_in_any_step(world, spans):
    """Neither of the body nor of the answer."""
    body = {"email": ADDRESS, "rights": ["access"], "language": "en"}
    response = await call(http_requests.submit, body=body)
    assert response.status_code == 202
    assert world.queue.sent
    assert spans.get_finished_spans()
    assert all(ADDRESS not in one.to_json() for one in spans.get_finished_spans())


async def test_a_message_s_work_is_a_step_of_what_sent_it(world, spans):
    """Also when it fails, by its code."""
    body = PlanRequest(request_id="0" * 32, traceparent=PARENT).model_dump_json().encode()
    with pytest.raises(Exception, match="request_unknown"):
        await queue_requests.request_plan(func.QueueMessage(id="m-1", body=body))
    (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.attributes["code"] == "request_unknown"


@pytest.mark.parametrize("wrong", [ADDRESS, PARENT + "-extra", PARENT[:-2] + "ff", "00-xyz"])
def test_what_a_message_carries_besides_ids_is_nothing_but_a_trace(wrong):
    """Anything else makes it unreadable."""
    text = PlanRequest(request_id="0" * 32, traceparent=PARENT).model_dump_json().replace(PARENT, wrong)
    with pytest.raises(Permanent) as caught:
        decode(PlanRequest, text.encode())
    assert caught.value.detail == "traceparent"


def test_a_message_without_a_trace_says_nothing_of_one():
    """So that a worker of the version before can read it."""
    assert "traceparent" not in PlanRequest(request_id="0" * 32).model_dump_json()


def test_every_door_gets_its_context_from_the_host():
    """The worker gives it to a parameter of that name, which a wrapped signature would hide."""
    handler = http_requests.submit.build().get_user_function()
    assert list(inspect.signature(handler).parameters) == ["req", "context"]
    assert handler.__annotations__["context"] is func.Context


async def test_figures_are_sent_before_the_clock_s_door_ends(world, monkeypatch):
    """The instance may be gone a moment later."""
    said = []

    class Telemetry(NoTelemetry):
        def flush(self):
            said.append(len(world.operators.measured))

    monkeypatch.setattr(bootstrap, "_telemetry", Telemetry())
    await timer_measuring.measure_everything(TimerRequest(past_due=False))
    assert said == [len(world.operators.measured)]
    assert said[0] > 0
