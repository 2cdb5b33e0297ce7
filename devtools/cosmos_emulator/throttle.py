"""Rate limiting: a budget of request units per container and second."""

import time
from collections.abc import Callable

from .errors import RATE_LIMITED, ServiceError


class Throttle:
    """Refuse requests once a container has used up the current second's budget.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._spent: dict[int, tuple[int, float]] = {}

    def check(self, container_number: int, budget: float) -> None:
        """Let a request pass as long as anything of the budget is left.

        Raises:
            ServiceError: 429/3200 with the rest of the second.
        """
        now = self._now()
        second, spent = self._spent.get(container_number, (0, 0.0))
        if second == int(now) and spent >= budget:
            rest_ms = max(1, int((int(now) + 1 - now) * 1000))
            raise ServiceError(
                429,
                "Request rate is large. More Request Units may be needed, so no changes were made.",
                sub_status=RATE_LIMITED,
                charge=0.0,
                retry_after_ms=rest_ms,
            )

    def spend(self, container_number: int, charge: float) -> None:
        """Take a charge from the budget of the current second."""
        now = int(self._now())
        second, spent = self._spent.get(container_number, (now, 0.0))
        self._spent[container_number] = (now, charge + (spent if second == now else 0.0))
