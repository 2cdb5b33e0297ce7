"""What leaves the worker as telemetry: correlated, and nothing of any person."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from azure.core.settings import settings as azure_settings
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import bootstrap
from shared.adapters import open_telemetry
from shared.adapters.log_operators import LogOperators
from shared.adapters.masked_logs import Masking, mask_logs
from shared.adapters.no_telemetry import NoTelemetry
from shared.adapters.open_telemetry import OpenTelemetry
from shared.domain.errors import Permanent
from shared.telemetry import ALARMS, CASES_OVERDUE, METRICS, QUEUE_MESSAGES
from tests.contract.conftest import local_settings

ROOT = Path(__file__).resolve().parents[3]
ADDRESS = "ane.o'hara+news@people.example"
SECRET = "s3cr3t-of-the-webhook"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def telemetry(spans, reader) -> OpenTelemetry:
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    return OpenTelemetry(tracers, MeterProvider(metric_readers=[reader]))


def _values(reader) -> dict[str, list[tuple[float, dict]]]:
    found: dict[str, list[tuple[float, dict]]] = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                points = found.setdefault(metric.name, [])
                points += [(point.value, dict(point.attributes)) for point in metric.data.data_points]
    return found


def test_a_step_is_a_child_of_what_caused_it(telemetry, spans):
    """And what is sent meanwhile carries its name on."""
    with telemetry.step("request_plan", parent=PARENT):
        carried = telemetry.traceparent()
    (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert carried == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


def test_outside_a_step_nothing_is_carried_on(telemetry):
    """A message is then sent without."""
    assert telemetry.traceparent() is None
    assert NoTelemetry().traceparent() is None


@pytest.mark.parametrize(
    "parent", [None, "", "00-0-0-01", ADDRESS, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]
)
def test_a_wrong_parent_counts_as_none(telemetry, spans, parent):
    """The work is traced from here."""
    with telemetry.step("request_plan", parent=parent):
        pass
    (span,) = spans.get_finished_spans()
    assert span.parent is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Permanent("service_refused", f"for {ADDRESS}"), "service_refused"),
        (ValueError(f"{ADDRESS} at /webhooks/campaign-monitor/{SECRET}"), "ValueError"),
    ],
)
def test_an_error_is_noted_by_its_code_or_its_type(telemetry, spans, error, code):
    """Its text may quote a person."""
    with pytest.raises(type(error)), telemetry.step("request_plan"):
        raise error
    (span,) = spans.get_finished_spans()
    assert span.attributes["code"] == code
    assert not span.status.is_ok
    assert span.events == ()
    assert ADDRESS not in span.to_json()
    assert SECRET not in span.to_json()


def test_a_label_is_a_plain_word_of_the_list(telemetry, spans, reader):
    """Whatever else is given leaves as a dash, or not at all."""
    with telemetry.step("show") as step:
        step.note(outcome="200", code=ADDRESS, url=f"/api/requests?email={ADDRESS}", queue="a b")
    telemetry.record(QUEUE_MESSAGES, 3, {"queue": ADDRESS, "email": ADDRESS})
    (span,) = spans.get_finished_spans()
    assert dict(span.attributes) == {"outcome": "200", "code": "-", "queue": "-"}
    assert _values(reader)["queue.messages"] == [(3, {"queue": "-"})]


def test_a_gauge_keeps_the_latest_value_and_a_counter_their_sum(telemetry, reader):
    """By label."""
    for value in (5, 2):
        telemetry.record(CASES_OVERDUE, value, {})
        telemetry.record(ALARMS, value, {"code": "overdue"})
    telemetry.record(ALARMS, 1, {"code": "task_failed"})
    found = _values(reader)
    assert found["cases.overdue"] == [(2, {})]
    assert sorted(found["operators.alarms"]) == [(1, {"code": "task_failed"}), (7, {"code": "overdue"})]


def test_every_metric_can_be_recorded(telemetry, reader):
    """By its one name."""
    for metric in METRICS.values():
        telemetry.record(metric, 1, {})
        NoTelemetry().record(metric, 1, {})
    assert set(_values(reader)) == set(METRICS)


async def test_every_alarm_is_counted_by_its_code(telemetry, reader, caplog):
    """And written as before."""
    with caplog.at_level(logging.ERROR, "shared.operators"):
        await LogOperators(telemetry).alarm("overdue", request_id="a" * 32)
    assert caplog.messages == [f"alarm code=overdue request={'a' * 32} details=-"]
    assert _values(reader)["operators.alarms"] == [(1, {"code": "overdue"})]


def test_vendors_trace_nothing(telemetry):
    """Their spans hold URLs, whatever the environment says."""
    assert telemetry
    assert azure_settings.tracing_enabled() is False


def _written(message: str, *args: object, error: Exception | None = None) -> str:
    record = logging.LogRecord("any", logging.INFO, "file.py", 1, message, args, None)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    assert Masking().filter(record)
    return logging.Formatter().format(record)


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ("mail to %s was refused", (ADDRESS,), "mail to - was refused"),
        ("GET https://api.example/subscribers.json?email=a%%40b.example", (), None),
        ("called /api/webhooks/campaign-monitor/%s now", (SECRET,), None),
        ("a token %s", ("eyJ" + "x" * 60 + ".abc.def",), "a token -"),
        (
            "alarm code=%s request=%s details=-",
            ("overdue", "a" * 32),
            f"alarm code=overdue request={'a' * 32} details=-",
        ),
    ],
)
def test_the_log_holds_no_address_query_secret_or_token(message, args, expected):
    """A request's id stays: it is what an operator looks for."""
    found = _written(message, *args)
    assert expected is None or found == expected
    for private in (ADDRESS, SECRET, "b.example", "eyJ"):
        assert private not in found


def test_a_traceback_is_masked_too():
    """Libraries quote values in their errors."""
    found = _written("failed", error=ValueError(f"no such person: {ADDRESS}"))
    assert "no such person: -" in found
    assert ADDRESS not in found


def test_masking_is_put_on_every_handler_once(monkeypatch):
    """A second worker's start changes nothing."""
    handler = logging.NullHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    mask_logs()
    mask_logs()
    assert [type(one) for one in handler.filters] == [Masking]


def test_a_local_run_collects_nothing_and_masks_nothing(monkeypatch):
    """Its log is read by whoever started it."""
    handler = logging.NullHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    assert isinstance(bootstrap._collected(local_settings()), NoTelemetry)
    assert handler.filters == []


@pytest.mark.parametrize(("connection", "is_collected"), [("", False), ("InstrumentationKey=any", True)])
def test_a_deployed_app_masks_its_log_and_collects_where_it_is_told(monkeypatch, connection, is_collected):
    """As its own identity; without a place to send to it only masks."""
    handler, calls = logging.NullHandler(), []
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    monkeypatch.setattr(open_telemetry, "managed_identity", lambda client_id: f"identity {client_id}")
    monkeypatch.setattr(open_telemetry, "to_azure", lambda *given: calls.append(given) or "collected")
    settings = local_settings().model_copy(
        update={
            "deployment": "azure",
            "applicationinsights_connection_string": connection,
            "managed_identity_client_id": "c-1",
        }
    )
    found = bootstrap._collected(settings)
    assert (found == "collected") is is_collected
    assert calls == ([(connection, "identity c-1")] if is_collected else [])
    assert [type(one) for one in handler.filters] == [Masking]


def test_the_sdk_is_loaded_where_telemetry_is_collected_and_nowhere_else():
    """A cold start of a worker is not paid for twice, and a local run not at all."""
    program = (
        "import sys, function_app; from shared import bootstrap; "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'azure.monitor'))])"
    )
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
