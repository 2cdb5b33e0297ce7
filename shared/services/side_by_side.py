"""Wait for several things at once, but not for too many."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE = 8


def has_loop() -> bool:
    """Whether an event loop runs here, which alone can do several things at once."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def all_of(calls: Iterable[Callable[[], Awaitable[T]]], *, at_once: int = _AT_ONCE) -> list[T]:
    """Make the calls, at most so many at once, and return what they return, in their order.

    Where no event loop runs, as in a simulation that takes every step itself, one after the other.

    Raises:
        Exception: the first error in that order; none of the calls is on its way any more by then.
    """
    if not has_loop():
        return [await call() for call in calls]
    free = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with free:
            return await call()

    ended = await asyncio.gather(*map(one, calls), return_exceptions=True)
    found: list[T] = []
    for result in ended:
        if isinstance(result, BaseException):
            raise result
        found.append(result)
    return found
