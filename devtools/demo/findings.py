"""What turned out not to be so, gathered so that one fault does not hide the next."""

from __future__ import annotations

from devtools.demo.narration import Narrator


class StoryEndedError(Exception):
    """Nothing after this makes sense; the message says what did not happen."""


class Findings:
    """Everything found wrong, in the order found."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self.all: list[str] = []

    def add(self, finding: str) -> None:
        """Note something that is not as it should be."""
        self.all.append(finding)

    def expect(self, holds: bool, finding: str) -> bool:  # noqa: FBT001 - reads as a sentence where it is called
        """Note the finding unless the condition holds, and return the condition."""
        if not holds:
            self.add(finding)
        return holds

    def equal(self, found: object, wanted: object, what: str) -> bool:
        """Note that two values differ, with both of them."""
        return self.expect(found == wanted, f"{what}: {found!r}, expected {wanted!r}")
