"""Retry policies of timer functions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from devtools.functions_host.invocation import Attempt, InvocationFailedError
from devtools.functions_host.settings import parse_time_span

FOREVER = -1


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Hold how often and after which pauses a failed run is repeated.

    Attributes:
        most: Retries after the first run; -1 for no end.
        first_seconds: Pause before the first retry.
        longest_seconds: Longest pause; equal to the first for a fixed delay.
    """

    most: int = 0
    first_seconds: float = 0.0
    longest_seconds: float = 0.0

    @classmethod
    def of(cls, settings: Mapping[str, str] | None) -> RetryPolicy:
        """Return the policy that the library's settings describe; none means no retry.

        Raises:
            ValueError: A count or pause is not readable.
        """
        if settings is None:
            return cls()
        fixed = settings["strategy"] == "fixed_delay"
        first = parse_time_span(settings["delay_interval" if fixed else "minimum_interval"])
        longest = first if fixed else parse_time_span(settings["maximum_interval"])
        return cls(most=int(settings["max_retry_count"]), first_seconds=first, longest_seconds=longest)

    def pause_seconds(self, retry: int) -> float:
        """Return the pause before a retry, counted from 1."""
        return min(self.first_seconds * 2.0 ** min(retry - 1, 30), self.longest_seconds)


async def run_with_retries(policy: RetryPolicy, run: Callable[[Attempt], Awaitable[object]]) -> None:
    """Run something until it succeeds or the policy ends; the last failure is not raised, it was logged."""
    retry = 0
    while True:
        try:
            await run(Attempt(retry_count=retry, max_retry_count=policy.most))
        except InvocationFailedError:
            if policy.most != FOREVER and retry >= policy.most:
                return
        else:
            return
        retry += 1
        await asyncio.sleep(policy.pause_seconds(retry))
