"""Failures on purpose: what a vendor, or a gateway in between, does on bad days."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web


@dataclass(kw_only=True)
class Fault:
    """A failure on purpose.

    Attributes:
        call: Which call it hits: method and last part of the path, such as `DELETE subscribers` or
            `POST unsubscribe`; empty: every one.
        status: Status to answer with; 0: the true answer.
        code: The vendor's code in the body; 0: an HTML body, as a gateway in between sends it.
        headers: Headers of the answer.
        delay_seconds: How long to wait first.
        drop: Close the connection without an answer.
        half: Send the first half of the answer as if it were the whole.
        after: Let the call have its effect first.
        times: How often; None: always.
    """

    call: str = ""
    status: int = 0
    code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    drop: bool = False
    half: bool = False
    after: bool = False
    times: int | None = 1

    def hits(self, call: str) -> bool:
        """Tell whether it hits this call, and count it."""
        if self.call not in {"", call} or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class RateLimit:
    """So many calls in so many seconds; more are told when to come again.

    Source: https://www.campaignmonitor.com/api/v3-3/transactional/, the only place that documents one.
    """

    def __init__(self, *, calls: int, seconds: float) -> None:
        self._calls = calls
        self._seconds = seconds
        self._served = 0
        self._began = time.monotonic()

    def refusal(self) -> web.Response | None:
        """Count a call; return the answer to one too many."""
        now = time.monotonic()
        if now - self._began >= self._seconds:
            self._began, self._served = now, 0
        if self._served < self._calls:
            self._served += 1
            return None
        reset = max(1, math.ceil(self._began + self._seconds - now))
        headers = {
            "X-RateLimit-Limit": str(self._calls),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(reset),
        }
        body = {"Code": 429, "Message": "Rate limit exceeded"}
        return web.json_response(body, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers)


def half_of(response: web.Response) -> web.Response:
    """Return an answer whose body breaks off in its middle: what a proxy makes of a lost connection."""
    body = response.body if isinstance(response.body, bytes) else b""
    return web.Response(
        status=response.status, body=body[: len(body) // 2], content_type=response.content_type
    )


def failure(fault: Fault) -> web.Response:
    """Return the answer of a fault that has a status."""
    if not fault.code:
        html = "<html>This failure was asked for.</html>"
        return web.Response(status=fault.status, text=html, content_type="text/html", headers=fault.headers)
    body = {"Code": fault.code, "Message": "This failure was asked for."}
    return web.json_response(body, status=fault.status, headers=fault.headers)
