"""Counting what one caller does, in a store all workers share."""

from typing import Protocol


class RateLimits(Protocol):
    """Counters per bucket and window."""

    async def hit(self, bucket: str, *, window_seconds: int, times: int = 1) -> int:
        """Count so many more in the present window of `bucket` and return the count.

        `bucket` is a pseudonym.
        """
        ...
