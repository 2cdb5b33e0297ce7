"""A person's click against a worker's write, or a double click: read again and decide again, a few times."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.domain.errors import Conflict

_ATTEMPTS = 4

T = TypeVar("T")


async def settled(attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what an attempt came to; one that lost against another write begins anew.

    `attempt` reads everything itself, so that a second call decides on what is there then.

    Raises:
        Conflict: it lost every time; the person can try again.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return await attempt()
        except Conflict:
            continue
    return await attempt()
