"""The emulator's own paths under `/_emulator`: faults, metrics, clock. They need no signature."""

from typing import Any, Final

import orjson

from .clock import Clock
from .errors import ServiceError, bad_request
from .faults import Faults
from .metrics import Metrics
from .reply import Reply

PREFIX: Final = "_emulator"


class Admin:
    """Answer requests under `/_emulator`.

    Args:
        faults: rules to show and change.
        metrics: counters to show and reset.
        clock: clock to show and move.
    """

    def __init__(self, *, faults: Faults, metrics: Metrics, clock: Clock) -> None:
        self._faults = faults
        self._metrics = metrics
        self._clock = clock

    def answer(self, method: str, segments: tuple[str, ...], raw: bytes) -> Reply:
        """Answer one request.

        `faults`: GET shows the rules, POST adds one (object) or several (array), DELETE removes all.
        `metrics`: GET shows the counters, DELETE resets them.
        `clock`: GET shows the time; POST takes `{"advance_seconds": n}`, `{"now": n}` (seconds since 1970,
        with `"frozen": true` the clock stands still) or `{"reset": true}`.

        Raises:
            ServiceError: 400 for a body that makes no sense, 404 and 405 for anything else.
        """
        topic = segments[1] if len(segments) == 2 else ""  # noqa: PLR2004 - prefix and topic
        if topic == "faults":
            return self._on_faults(method, raw)
        if topic == "metrics":
            if method == "DELETE":
                self._metrics.reset()
            elif method != "GET":
                raise ServiceError(405, "Use GET or DELETE.")
            return _json(self._metrics.report())
        if topic == "clock":
            return self._on_clock(method, raw)
        raise ServiceError(404, f"There is no /{'/'.join(segments)}; try faults, metrics or clock.")

    def _on_faults(self, method: str, raw: bytes) -> Reply:
        if method == "DELETE":
            self._faults.clear()
        elif method == "POST":
            body = _parse(raw)
            rules = body if isinstance(body, list) else [body]
            for rule in rules:
                if not isinstance(rule, dict):
                    raise bad_request("A fault rule must be an object.")
                self._faults.add(rule)
        elif method != "GET":
            raise ServiceError(405, "Use GET, POST or DELETE.")
        return _json({"rules": [rule.report() for rule in self._faults.rules]})

    def _on_clock(self, method: str, raw: bytes) -> Reply:
        if method == "POST":
            self._move(_parse(raw))
        elif method != "GET":
            raise ServiceError(405, "Use GET or POST.")
        return _json({"now": self._clock.now()})

    def _move(self, body: Any) -> None:
        is_number = {
            name: isinstance(body, dict) and isinstance(body.get(name), int | float)
            for name in ("advance_seconds", "now")
        }
        if is_number["advance_seconds"]:
            self._clock.advance(body["advance_seconds"])
        elif is_number["now"]:
            self._clock.set(body["now"], frozen=body.get("frozen") is True)
        elif isinstance(body, dict) and body.get("reset") is True:
            self._clock.reset()
        else:
            raise bad_request('The clock takes {"advance_seconds": n}, {"now": n} or {"reset": true}.')


def _parse(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The request body is not valid JSON: {error}.") from None


def _json(body: dict[str, Any]) -> Reply:
    return Reply(200, orjson.dumps(body))
