"""Counts of what runs and what ran, so that a test can tell when a host has nothing left to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FunctionCounts:
    """Hold the invocations of one function."""

    running: int = 0
    succeeded: int = 0
    failed: int = 0


@dataclass
class Activity:
    """Hold the invocations of all functions of one host.

    Attributes:
        functions: Counts by function name.
    """

    functions: dict[str, FunctionCounts] = field(default_factory=dict)

    def of(self, name: str) -> FunctionCounts:
        """Return the counts of one function, zeros at first."""
        return self.functions.setdefault(name, FunctionCounts())

    @property
    def running(self) -> int:
        """Return how many invocations run now."""
        return sum(counts.running for counts in self.functions.values())

    def as_json(self) -> dict[str, Any]:
        """Return `{"idle", "running", "succeeded", "failed", "functions": {name: {...}}}`."""
        counts = self.functions.values()
        return {
            "idle": self.running == 0,
            "running": self.running,
            "succeeded": sum(item.succeeded for item in counts),
            "failed": sum(item.failed for item in counts),
            "functions": {name: vars(item) for name, item in sorted(self.functions.items())},
        }
