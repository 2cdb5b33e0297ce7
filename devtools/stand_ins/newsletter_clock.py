"""The time as the vendor's account tells it: the client's own zone, no offset written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = "Europe/Copenhagen"
_FORM = "%Y-%m-%d %H:%M:%S"


class NewsletterClock:
    """Runs ahead of this machine's, or stands still.

    Attributes:
        ahead_seconds: How far it is ahead.
        stands_at: Where it stands while a past is made up; None: it runs.
    """

    def __init__(self) -> None:
        self.ahead_seconds = 0.0
        self.stands_at: datetime | None = None

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return self.stands_at or datetime.now(UTC) + timedelta(seconds=self.ahead_seconds)

    def text(self) -> str:
        """Return the time as the API and the webhooks write it, which sorts as text."""
        return self.now().astimezone(ZoneInfo(ZONE)).strftime(_FORM)
