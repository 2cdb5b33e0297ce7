"""Where telemetry goes when nobody collects it: nowhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.ports.tracing import Step
from shared.telemetry import Metric


class _Untraced:
    def note(self, **labels: str) -> None:
        pass


class NoTelemetry:
    """Takes everything and keeps nothing."""

    @contextmanager
    def step(self, name: str, *, parent: str | None = None) -> Iterator[Step]:  # noqa: ARG002  as the port has it
        yield _Untraced()

    def traceparent(self) -> str | None:
        return None

    def flush(self) -> None:
        pass

    def record(self, metric: Metric, value: float, labels: Mapping[str, str]) -> None:
        pass
