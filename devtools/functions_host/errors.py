"""What can be wrong with an app or its settings.

HostRefusedError        the app does not start; every fault found is listed
  Fault                 one of them: the function (or file) and the rule it breaks
OutputFailedError       a value set by a function could not be written
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Name one function or file and what is wrong with it.

    Attributes:
        subject: Function name, or a file name such as `host.json`.
        reason: What the real host would not accept, as a sentence.
    """

    subject: str
    reason: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"


class HostRefusedError(Exception):
    """Refuse to start an app, listing all faults at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults, at least one, in the order in which they are shown."""
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"The app cannot start:\n{lines}")
        self.faults = tuple(faults)


class OutputFailedError(Exception):
    """Report that an output binding did not take a value; the invocation counts as failed."""
