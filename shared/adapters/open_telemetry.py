"""OpenTelemetry: our own spans and metrics with labels from a closed list; nothing instruments itself.

Only the SDK and Azure's exporter are installed. The distribution that watches HTTP and database clients would
write URLs and queries, and half of those hold an address or a document's id.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.core.settings import settings as azure_settings
from opentelemetry.metrics import Counter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.domain.errors import ComplianceError
from shared.ports.tracing import Step
from shared.telemetry import METRICS, Metric, checked

_NAME = "data-protection"
_EXPORT_SECONDS = 30  # an instance with nothing to do may be gone soon
_EXPORTER_S_OWN = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
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
        """Send what is kept."""
        self._tracers.force_flush()
        self._meters.force_flush()

    def close(self) -> None:
        """Send what is kept and end the threads."""
        self._tracers.shutdown()
        self._meters.shutdown()


def to_azure(connection: str, credential: Any) -> OpenTelemetry:
    """Return telemetry to Application Insights, sent in threads of its own.

    `credential`: a synchronous one of azure-identity; None: the key of the connection alone.
    """
    # Statistics about the exporter itself for its vendor, and settings that its vendor may change from afar.
    os.environ.update(dict.fromkeys(_EXPORTER_S_OWN, "true"))
    from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415  slow to import, and reads those at import
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    options: dict[str, Any] = {
        "connection_string": connection,
        "credential": credential,
        "disable_offline_storage": True,  # what cannot be sent is lost; nothing stays on a disk
    }
    resource = Resource({"service.name": _NAME})  # nothing of the machine
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(AzureMonitorTraceExporter(**options)))
    reader = PeriodicExportingMetricReader(
        AzureMonitorMetricExporter(**options), export_interval_millis=_EXPORT_SECONDS * 1000
    )
    return OpenTelemetry(tracers, MeterProvider(metric_readers=[reader], resource=resource))


def managed_identity(client_id: str) -> Any:
    """Return the app's identity for telemetry, which is sent outside any event loop. Empty: the only one."""
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415  slow to import, unused locally

    return ManagedIdentityCredential(client_id=client_id or None)
