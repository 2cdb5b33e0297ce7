"""Dates and periods in words, in English and Danish."""

import re
from datetime import date, datetime

from shared.domain.times import COPENHAGEN

_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "da": (
        *("januar", "februar", "marts", "april", "maj", "juni"),
        *("juli", "august", "september", "oktober", "november", "december"),
    ),
}
_UNITS = {
    "en": {"Y": ("year", "years"), "M": ("month", "months")},
    "da": {"Y": ("år", "år"), "M": ("måned", "måneder")},
}


def day_text(day: date, language: str) -> str:
    """Return `23 November 2026`, in Danish `23. november 2026`."""
    month = _MONTHS["da" if language == "da" else "en"][day.month - 1]
    return f"{day.day}. {month} {day.year}" if language == "da" else f"{day.day} {month} {day.year}"


def moment_text(moment: datetime, language: str) -> str:
    """Return the day and the time in Copenhagen: `23 November 2026, 10:15`, in Danish `kl. 10.15`."""
    local = moment.astimezone(COPENHAGEN)
    time = local.strftime("kl. %H.%M" if language == "da" else "%H:%M")
    return f"{day_text(local.date(), language)}{' ' if language == 'da' else ', '}{time}"


def period_text(period: str, language: str) -> str:
    """Return an ISO 8601 period of years or months in words.

    Raises:
        ValueError: any other period; the map's models let none through.
    """
    found = re.fullmatch(r"P(\d+)([YM])", period)
    if found is None:
        raise ValueError(period)
    one, many = _UNITS["da" if language == "da" else "en"][found[2]]
    return f"{int(found[1])} {one if int(found[1]) == 1 else many}"
