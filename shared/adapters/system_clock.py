"""The machine's clock, in a local run set ahead where somebody wants to see what time does."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Tells the real time, or a time that is so many seconds ahead of it."""

    def __init__(self, *, offset_seconds: int = 0) -> None:
        self._offset = timedelta(seconds=offset_seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def elapsed_seconds(self) -> float:
        return time.monotonic()
