"""Where a fake port gives way: before and after each effect, so that a scheduler can interleave and break."""

from collections.abc import Awaitable, Callable

Turn = Callable[[str], Awaitable[None]]
"""Called with a name such as `cases.commit` (before the effect) or `cases.commit!` (after it)."""


async def no_turn(name: str) -> None:
    """Go on at once."""
