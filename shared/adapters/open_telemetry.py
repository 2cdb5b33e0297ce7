"""OpenTelemetry: our own spans and metrics with labels from a closed list; nothing instruments itself.

Only the SDK and Azure's exporter are installed. The distribution that watches HTTP and database clients would
write URLs and queries, and half of those hold an address or a document's id.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.core.settings import settings as azure_settings
from opentelemetry.metrics import Counter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.domain.errors import ComplianceError
from shared.ports.tracing import Step
from shared.telemetry import METRICS, Metric, checked

_NAME = "clicklearn.data_protection"
_PARENT = "traceparent"


class _Traced:
    def __init__(self, span: Any) -> None:
        self._span = span

    def note(self, **labels: str) -> None:
        for name, value in checked(labels).items():
            self._span.set_attribute(name, value)


class OpenTelemetry:
    """Spans and metrics of one worker, sent by the two providers' exporters."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        azure_settings.tracing_enabled = False  # whatever the environment says: their spans hold URLs
        self._tracers, self._meters = tracers, meters
        self._tracer = tracers.get_tracer(_NAME)
        self._context = TraceContextTextMapPropagator()
        meter = meters.get_meter(_NAME)
        self._instruments = {
            one.name: (meter.create_counter if one.kind == "counter" else meter.create_gauge)(
                one.name, unit=one.unit, description=one.text
            )
            for one in METRICS.values()
        }

    @contextmanager
    def step(self, name: str, *, parent: str | None = None) -> Iterator[Step]:
        above = self._context.extract({_PARENT: parent}) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context=above,
            kind=SpanKind.INTERNAL,  # the host reports the request or the message itself
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            traced = _Traced(span)
            try:
                yield traced
            except Exception as error:
                traced.note(code=error.code if isinstance(error, ComplianceError) else type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        self._context.inject(carrier)
        return carrier.get(_PARENT)

    def record(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        instrument = self._instruments[metric.name]
        attributes = checked(dict(labels))
        if isinstance(instrument, Counter):
            instrument.add(value, attributes)
        else:
            instrument.set(value, attributes)

    def flush(self) -> None:
        """Send what is kept; for a worker that is about to end."""
        self._tracers.force_flush()
        self._meters.force_flush()


def to_azure(connection: str, client_id: str) -> OpenTelemetry:
    """Return telemetry to Application Insights, as the managed identity. It sends in threads of its own."""
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415  slow to import, unused locally
    from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415  as above
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    # No file buffer: what cannot be sent is lost, and nothing stays on a disk.
    options: dict[str, Any] = {
        "connection_string": connection,
        "credential": ManagedIdentityCredential(client_id=client_id or None),
        "disable_offline_storage": True,
    }
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(AzureMonitorTraceExporter(**options)))
    reader = PeriodicExportingMetricReader(
        AzureMonitorMetricExporter(**options), export_interval_millis=_EXPORT_SECONDS * 1000
    )
    return OpenTelemetry(tracers, MeterProvider(metric_readers=[reader]))


_EXPORT_SECONDS = 30  # an instance with nothing to do may be gone soon
