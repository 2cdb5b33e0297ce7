"""Which versions of the policy were shown to whom."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.displays import Display, DisplayChannel


class Displays(Protocol):
    """Showings by pseudonym, one row a person, version and channel."""

    async def record(self, display: Display) -> None:
        """Save a showing. One of this person, version and channel that is there already stays as it is."""
        ...

    async def shown(self, subject_keys: Sequence[str]) -> tuple[Display, ...]:
        """Return every showing to these pseudonyms, in no order. Empty: nothing was shown.

        Raises:
            Retryable: they could not be read; never take that for "not shown".
        """
        ...

    async def listing(self, *, after: str, limit: int) -> tuple[Display, ...]:
        """Return showings in the order of their pseudonyms, from after one; a person's all or not at all.

        Empty: there are no more. More than `limit` come where one person has more.
        """
        ...

    async def count(self, number: str, channel: DisplayChannel) -> int:
        """Return to how many pseudonyms a version was shown in a channel."""
        ...
