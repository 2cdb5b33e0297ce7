"""Who was seen to be gone from a list at the newsletter processor, for some days."""

from typing import Protocol

from shared.domain.newsletter_leavings import Seen

SEEN_DAYS = 7
"""More than any zone leaves open, and than a look may be late."""


class NewsletterLeavings(Protocol):
    """The last leaving that was seen of an address in a list. What is older than `SEEN_DAYS` is gone."""

    async def read(self, subject_key: str, list_id: str) -> Seen | None:
        """Return it. None: none was seen of late."""
        ...

    async def write(self, seen: Seen) -> None:
        """Keep it in place of the one before. A second call changes nothing but for how long it is kept."""
        ...
