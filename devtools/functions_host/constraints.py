"""Inline constraints of route parameters, such as `int` or `length(2,5)`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation

Constraint = Callable[[str], bool]

_CALL = re.compile(r"(?P<name>[A-Za-z]+)(?:\((?P<argument>.*)\))?", re.DOTALL)
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_GUID = re.compile(
    r"[({]?(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})[)}]?", re.IGNORECASE
)
_DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S")


def parse_constraint(text: str) -> Constraint:
    """Return the test for one constraint.

    Raises:
        ValueError: The constraint is unknown or its argument does not fit.
    """
    call = _CALL.fullmatch(text.strip())
    if call is None:
        raise ValueError(f"{text!r} is not a constraint")
    name, argument = call["name"].lower(), call["argument"]
    if argument is None and name in _PLAIN:
        return _PLAIN[name]
    if argument is not None and name == "regex":
        pattern = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    if argument is not None and name in _WITH_NUMBERS:
        numbers = [int(part) for part in argument.split(",")]
        return _WITH_NUMBERS[name](*numbers)
    raise ValueError(f"{text!r} is not a known constraint")


def _integer_of(bits: int) -> Constraint:
    limit = 1 << (bits - 1)

    def is_in_range(value: str) -> bool:
        return _INTEGER.fullmatch(value) is not None and -limit <= int(value) < limit

    return is_in_range


def _is_float(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _is_decimal(value: str) -> bool:
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_guid(value: str) -> bool:
    return _GUID.fullmatch(value) is not None


def _is_datetime(value: str) -> bool:
    for known in _DATE_FORMATS:
        try:
            datetime.strptime(value, known)  # noqa: DTZ007 - only asked whether it parses
        except ValueError:
            continue
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_file(value: str) -> bool:
    name = value.rsplit("/", 1)[-1]
    dot = name.rfind(".")
    return dot >= 0 and dot < len(name) - 1


def _minimum(lowest: int) -> Constraint:
    return lambda value: _is_long(value) and int(value) >= lowest


def _maximum(highest: int) -> Constraint:
    return lambda value: _is_long(value) and int(value) <= highest


def _range(lowest: int, highest: int) -> Constraint:
    return lambda value: _is_long(value) and lowest <= int(value) <= highest


def _length(shortest: int, longest: int | None = None) -> Constraint:
    upper = shortest if longest is None else longest
    return lambda value: shortest <= len(value) <= upper


def _minimum_length(shortest: int) -> Constraint:
    return lambda value: len(value) >= shortest


def _maximum_length(longest: int) -> Constraint:
    return lambda value: len(value) <= longest


_is_long = _integer_of(64)

_PLAIN: dict[str, Constraint] = {
    "int": _integer_of(32),
    "long": _is_long,
    "bool": lambda value: value.strip().lower() in {"true", "false"},
    "datetime": _is_datetime,
    "decimal": _is_decimal,
    "double": _is_float,
    "float": _is_float,
    "guid": _is_guid,
    "alpha": lambda value: re.fullmatch(r"[A-Za-z]*", value) is not None,
    "required": bool,
    "file": _is_file,
    "nonfile": lambda value: not _is_file(value),
}

_WITH_NUMBERS: dict[str, Callable[..., Constraint]] = {
    "min": _minimum,
    "max": _maximum,
    "range": _range,
    "length": _length,
    "minlength": _minimum_length,
    "maxlength": _maximum_length,
}
