"""What was asked of each container, and what it cost."""

from collections import Counter
from typing import Any

OUTSIDE = "-"


class ContainerMetrics:
    """Counters of one container."""

    __slots__ = ("request_units", "requests", "statuses")

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.request_units = 0.0


class Metrics:
    """Count requests, statuses and request units by container (`database/container`, `-` for all else)."""

    def __init__(self) -> None:
        self.containers: dict[str, ContainerMetrics] = {}

    def record(self, container: str, operation: str, status: int, charge: float) -> None:
        """Count one request."""
        counters = self.containers.get(container)
        if counters is None:
            counters = self.containers[container] = ContainerMetrics()
        counters.requests[operation] += 1
        counters.statuses[str(status)] += 1
        counters.request_units += charge

    def reset(self) -> None:
        """Begin counting anew."""
        self.containers.clear()

    def report(self) -> dict[str, Any]:
        """Return all counters: requests by operation, replies by status, total of request units."""
        return {
            "containers": {
                name: {
                    "requests": dict(counters.requests),
                    "statuses": dict(counters.statuses),
                    "request_units": round(counters.request_units, 2),
                }
                for name, counters in sorted(self.containers.items())
            },
            "requests": sum(sum(counters.requests.values()) for counters in self.containers.values()),
            "request_units": round(sum(counters.request_units for counters in self.containers.values()), 2),
        }
