"""Date and time functions; text has the form 2024-05-06T07:08:09.1234567Z."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from devtools.cosmos_emulator.sql.values import UNDEFINED

from .registry import function

_TICKS_PER_SECOND: Final = 10_000_000
_TICKS_PER_MILLISECOND: Final = 10_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORM: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?(Z|[+-]\d\d:\d\d)?)?Z?", re.ASCII
)

_PARTS: Final = {
    "year": "year", "yyyy": "year", "yy": "year",
    "month": "month", "mm": "month", "m": "month",
    "day": "day", "dd": "day", "d": "day",
    "hour": "hour", "hh": "hour",
    "minute": "minute", "mi": "minute", "n": "minute",
    "second": "second", "ss": "second", "s": "second",
    "millisecond": "millisecond", "ms": "millisecond",
    "microsecond": "microsecond", "mcs": "microsecond",
    "nanosecond": "nanosecond", "ns": "nanosecond",
    "weekday": "weekday", "dw": "weekday", "w": "weekday",
    "dayofyear": "dayofyear", "dy": "dayofyear", "y": "dayofyear",
}  # fmt: skip
_TICKS: Final = {
    "day": 86_400 * _TICKS_PER_SECOND,
    "hour": 3_600 * _TICKS_PER_SECOND,
    "minute": 60 * _TICKS_PER_SECOND,
    "second": _TICKS_PER_SECOND,
    "millisecond": _TICKS_PER_MILLISECOND,
    "microsecond": 10,
    "nanosecond": 0.01,
}
_MONTHS: Final = {"year": 12, "month": 1}


def ticks_of(text: str) -> int | None:
    """Read a date as 100-nanosecond ticks since 1970; None when it is no date."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    ticks = int((moment - _EPOCH).total_seconds()) * _TICKS_PER_SECOND + int((fraction or "0").ljust(7, "0"))
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60) * _TICKS_PER_SECOND
        ticks += -offset if zone[0] == "+" else offset
    return ticks


def text_of(ticks: int) -> Any:
    """Write ticks as text with seven digits; UNDEFINED outside the years 1 to 9999."""
    seconds, fraction = divmod(ticks, _TICKS_PER_SECOND)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return UNDEFINED
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:07d}Z".rjust(28, "0")


def _moment(ticks: int) -> datetime:
    return _EPOCH + timedelta(seconds=ticks // _TICKS_PER_SECOND)


def _add_months(ticks: int, months: int) -> int | None:
    moment = _moment(ticks)
    index = moment.year * 12 + moment.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not date.min.year <= year < date.max.year:
        return None
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    moved = moment.replace(year=year, month=month, day=min(moment.day, last))
    return int((moved - _EPOCH).total_seconds()) * _TICKS_PER_SECOND + ticks % _TICKS_PER_SECOND


@function("DATETIMEADD", "sns")
def _datetimeadd(part: str, amount: float, text: str) -> Any:
    unit, ticks = _PARTS.get(part.lower()), ticks_of(text)
    if ticks is None or amount != int(amount):
        return UNDEFINED
    if unit in _MONTHS:
        moved = _add_months(ticks, int(amount) * _MONTHS[unit])
        return UNDEFINED if moved is None else text_of(moved)
    if unit in _TICKS:
        return text_of(ticks + int(amount * _TICKS[unit]))
    return UNDEFINED


def _boundary(unit: str, ticks: int) -> int:
    if unit in _MONTHS:
        moment = _moment(ticks)
        return moment.year if unit == "year" else moment.year * 12 + moment.month
    return int(ticks // _TICKS[unit])


@function("DATETIMEDIFF", "sss")
def _datetimediff(part: str, start: str, end: str) -> Any:
    unit, first, last = _PARTS.get(part.lower()), ticks_of(start), ticks_of(end)
    if first is None or last is None or (unit not in _MONTHS and unit not in _TICKS):
        return UNDEFINED
    return _boundary(unit, last) - _boundary(unit, first)


@function("DATETIMEPART", "ss")
def _datetimepart(part: str, text: str) -> Any:
    unit, ticks = _PARTS.get(part.lower()), ticks_of(text)
    if ticks is None or unit is None:
        return UNDEFINED
    moment, fraction = _moment(ticks), ticks % _TICKS_PER_SECOND
    special = {
        "millisecond": fraction // _TICKS_PER_MILLISECOND,
        "microsecond": fraction // 10,
        "nanosecond": fraction * 100,
        "weekday": moment.isoweekday() % 7 + 1,
        "dayofyear": moment.timetuple().tm_yday,
    }
    return special[unit] if unit in special else getattr(moment, unit)


@function("DATETIMEBIN", "ss?ns")
def _datetimebin(text: str, part: str, size: float = 1, origin: str = "1970-01-01T00:00:00.0000000Z") -> Any:
    unit, ticks, start = _PARTS.get(part.lower()), ticks_of(text), ticks_of(origin)
    if ticks is None or start is None or unit not in _TICKS or size < 1:
        return UNDEFINED
    width = int(_TICKS[unit] * int(size))
    return text_of((ticks - start) // width * width + start) if width else UNDEFINED


@function("DATETIMEFROMPARTS", "nnn?nnnn")
def _datetimefromparts(*parts: float) -> Any:
    numbers = [int(part) for part in parts] + [0] * (7 - len(parts))
    try:
        moment = datetime(*numbers[:6], tzinfo=UTC)  # type: ignore[arg-type,misc]  # six plain integers
    except (ValueError, OverflowError):
        return UNDEFINED
    if not 0 <= numbers[6] < _TICKS_PER_SECOND:
        return UNDEFINED
    return text_of(int((moment - _EPOCH).total_seconds()) * _TICKS_PER_SECOND + numbers[6])


@function("DATETIMETOTICKS", "s")
def _datetimetoticks(text: str) -> Any:
    ticks = ticks_of(text)
    return UNDEFINED if ticks is None else ticks


@function("DATETIMETOTIMESTAMP", "s")
def _datetimetotimestamp(text: str) -> Any:
    ticks = ticks_of(text)
    return UNDEFINED if ticks is None else ticks // _TICKS_PER_MILLISECOND


@function("TICKSTODATETIME", "n")
def _tickstodatetime(ticks: float) -> Any:
    return text_of(int(ticks))


@function("TIMESTAMPTODATETIME", "n")
def _timestamptodatetime(milliseconds: float) -> Any:
    return text_of(int(milliseconds) * _TICKS_PER_MILLISECOND)


def current(name: str, seconds: float) -> Any:
    """Evaluate one of the GetCurrent functions for a moment given in seconds since 1970."""
    ticks = int(seconds * 1000) * _TICKS_PER_MILLISECOND
    if name.startswith("GETCURRENTDATETIME"):
        return text_of(ticks)
    return ticks if name.startswith("GETCURRENTTICKS") else ticks // _TICKS_PER_MILLISECOND
