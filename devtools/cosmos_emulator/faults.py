"""Failures on purpose, by rule and seed."""

import fnmatch
import random
from dataclasses import dataclass, field
from typing import Any, Final

from .errors import CODES, ServiceError, bad_request

_FIELDS: Final = frozenset(
    (
        *("name", "method", "path", "operation", "nth", "probability", "seed", "times"),
        *("status", "sub_status", "retry_after_ms", "message", "delay_ms", "drop", "when"),
    )
)
_NUMBERS: Final = frozenset({"probability", "times", "sub_status", "retry_after_ms", "delay_ms"})
_WHENS: Final = ("before", "after")


@dataclass(slots=True)
class FaultRule:
    """One rule: which requests it hits and what happens to them.

    A rule hits when everything given about the request fits: `method`, `path` (shell pattern over the path
    without outer slashes), `operation` (see `operations.py`), then `nth` (numbers of the fitting requests,
    from 1) and `probability` (drawn with the rule's own `seed`), at most `times` times.

    Effects: `delay_ms` waits; `drop` closes the connection without a reply; `status` (with `sub_status`,
    `retry_after_ms`, `message`) answers with an error. `when` is `before` the work (default) or `after` it,
    which leaves the work done.
    """

    name: str = ""
    method: str | None = None
    path: str | None = None
    operation: str | None = None
    nth: tuple[int, ...] = ()
    probability: float = 1.0
    seed: int = 0
    times: int | None = None
    status: int | None = None
    sub_status: int = 0
    retry_after_ms: int | None = None
    message: str = "This failure was asked for by a fault rule."
    delay_ms: float = 0.0
    drop: bool = False
    when: str = "before"
    seen: int = 0
    hits: int = 0
    _random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def fits(self, method: str, path: str, operation: str) -> bool:
        """Tell whether the rule hits this request; counts it either way."""
        if self.method is not None and self.method != method:
            return False
        if self.operation is not None and self.operation != operation:
            return False
        if self.path is not None and not fnmatch.fnmatchcase(path.strip("/"), self.path):
            return False
        self.seen += 1
        drawn = self.probability >= 1.0 or self._random.random() < self.probability
        is_due = (not self.nth or self.seen in self.nth) and (self.times is None or self.hits < self.times)
        if drawn and is_due:
            self.hits += 1
            return True
        return False

    def error(self) -> ServiceError | None:
        """Return the error to answer with, None when the rule only delays or drops."""
        if self.status is None:
            return None
        return ServiceError(
            self.status, self.message, sub_status=self.sub_status, retry_after_ms=self.retry_after_ms
        )

    def report(self) -> dict[str, Any]:
        """Return the rule with its counters, for people."""
        shown = {name: getattr(self, name) for name in sorted(_FIELDS)}
        return {**shown, "seen": self.seen, "hits": self.hits}


class Faults:
    """Hold the fault rules in force."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []

    def add(self, rule: dict[str, Any]) -> FaultRule:
        """Add a rule given as an object; see `FaultRule` for the names.

        Raises:
            ServiceError: 400 for an unknown name or a value that makes no sense.
        """
        unknown = rule.keys() - _FIELDS
        if unknown:
            raise bad_request(f"A fault rule has no {', '.join(sorted(unknown))}.")
        for name in _NUMBERS & rule.keys():
            if not isinstance(rule[name], int | float) or rule[name] < 0:
                raise bad_request(f"'{name}' of a fault rule must be a number from 0 up.")
        nth = rule.get("nth", ())
        parsed = FaultRule(**{**rule, "nth": tuple(nth) if isinstance(nth, list | tuple) else (nth,)})
        if parsed.when not in _WHENS:
            raise bad_request(f"'when' of a fault rule is one of {_WHENS}.")
        if parsed.status is not None and parsed.status not in CODES:
            raise bad_request(f"A fault rule cannot answer with status {parsed.status}.")
        if not (parsed.status or parsed.drop or parsed.delay_ms):
            raise bad_request("A fault rule needs a status, a drop or a delay.")
        self.rules.append(parsed)
        return parsed

    def clear(self) -> None:
        """Remove all rules."""
        self.rules.clear()

    def matching(self, method: str, path: str, operation: str) -> list[FaultRule]:
        """Return the rules that hit a request, in the order they were added."""
        return [rule for rule in self.rules if rule.fits(method, path, operation)]
