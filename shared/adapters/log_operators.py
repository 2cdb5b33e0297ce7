"""Alarms as log records of one name, which Azure's alert rules read."""

import logging

from shared.ports.tracing import Meter
from shared.telemetry import ALARMS, Metric

_LOG = logging.getLogger("shared.operators")


class LogOperators:
    """Writes each alarm as an error, and hands on what is measured."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def alarm(self, code: str, *, request_id: str | None = None, details: str = "") -> None:
        _LOG.error("alarm code=%s request=%s details=%s", code, request_id or "-", details or "-")
        self.measure(ALARMS, 1, code=code)

    def measure(self, metric: Metric, value: float, **labels: str) -> None:
        self._meter.record(metric, value, labels)
