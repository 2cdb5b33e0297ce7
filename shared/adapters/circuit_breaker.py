"""Keep from calling somebody who does not answer: everybody's messages would wait for each time-out.

Each worker has its own, so each finds out for itself; there are few workers, and nothing is shared that could
itself be down.
"""

import math
import time
from collections.abc import Callable

from shared.domain.errors import Retryable

_FAILURES = 5  # in a row, before it opens
_OPEN_SECONDS = 30.0  # doubled each time the call after it fails, too
_LONGEST_SECONDS = 600.0
_LONGEST_ASKED_SECONDS = 3600.0  # whoever asks for more is asked again anyway
_PROBE_SECONDS = 60.0  # longer than any call: then the one that looks whether it is up again was given up


class CircuitBreaker:
    """Opens after failures in a row, and lets one call through after a while; its success closes it.

    Args:
        code: Of the error while it is open.
        where: Named in that error.
        clock: Seconds that only grow.
    """

    def __init__(self, code: str, where: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._code = code
        self._where = where
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None  # None: closed
        self._open_seconds = _OPEN_SECONDS
        self._probe_until = 0.0

    def check(self) -> None:
        """Call before each call, and report what came of that.

        Raises:
            Retryable: it is open; make no call, and try again after the seconds it says.
        """
        if self._open_until is None:
            return
        now = self._clock()
        waits_until = max(self._open_until, self._probe_until)
        if now < waits_until:
            raise Retryable(self._code, self._where, retry_after_seconds=math.ceil(waits_until - now))
        self._probe_until = now + _PROBE_SECONDS

    def succeeded(self) -> None:
        """Report an answer, a refusal among them: somebody is there."""
        self._failures, self._open_until = 0, None
        self._open_seconds, self._probe_until = _OPEN_SECONDS, 0.0

    def failed(self) -> None:
        """Report that no answer came."""
        self._failures += 1
        if self._open_until is not None:
            self._open_seconds = min(self._open_seconds * 2, _LONGEST_SECONDS)
        if self._open_until is not None or self._failures >= _FAILURES:
            self._open(self._open_seconds)

    def asked_to_wait(self, seconds: float) -> None:
        """Report that the other side wants no call for some time."""
        self._open(min(seconds, _LONGEST_ASKED_SECONDS))

    def _open(self, seconds: float) -> None:
        self._open_until, self._probe_until = self._clock() + seconds, 0.0
