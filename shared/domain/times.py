"""One way to write a moment down, so that text order is time order."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, PlainSerializer

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def utc_text(moment: datetime) -> str:
    """Write an aware moment as `2026-11-23T09:15:00.000000Z`: fixed width, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


UtcTime = Annotated[AwareDatetime, PlainSerializer(utc_text, return_type=str, when_used="json")]


def copenhagen_day(moment: datetime) -> date:
    """Return the calendar day in Copenhagen, the one that starts and ends every period."""
    return moment.astimezone(COPENHAGEN).date()


def end_of_day(day: date) -> datetime:
    """Return the last full second of a calendar day in Copenhagen, in UTC."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=COPENHAGEN).astimezone(UTC)


def after(moment: datetime, *, seconds: float = 0, days: int = 0) -> datetime:
    """Return the moment so much later."""
    return moment + timedelta(seconds=seconds, days=days)


def start_of(day: date) -> datetime:
    """Return the first moment of a day in Copenhagen, in UTC."""
    return datetime.combine(day, time.min, tzinfo=COPENHAGEN).astimezone(UTC)


def moment_of(value: object) -> datetime | None:
    """Return the moment that a stored text says; a day is its first moment in Copenhagen. None: it says none.

    A time without a zone says none: it could be anywhere.
    """
    if not isinstance(value, str):
        return None
    try:
        return start_of(date.fromisoformat(value))
    except OverflowError:
        return None
    except ValueError:
        pass  # no day; perhaps a time
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
