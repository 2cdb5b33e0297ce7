"""The emulator's clock, which tests and scenarios may move."""

import time
from collections.abc import Callable


class Clock:
    """Tell the time of day as seconds since 1970; moving it shifts everything the store does, but not auth.

    Args:
        source: where real time comes from.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._shift_seconds = 0.0
        self._frozen: float | None = None

    def now(self) -> float:
        """Return the current time in seconds since 1970."""
        return (self._source() if self._frozen is None else self._frozen) + self._shift_seconds

    def advance(self, seconds: float) -> None:
        """Move the clock; it runs on from there."""
        self._shift_seconds += seconds

    def set(self, seconds: float, *, frozen: bool = False) -> None:
        """Set the clock to a moment; a frozen one stands still until it is set or moved again."""
        self._shift_seconds = 0.0 if frozen else seconds - self._source()
        self._frozen = seconds if frozen else None

    def reset(self) -> None:
        """Show real time again."""
        self._shift_seconds = 0.0
        self._frozen = None
