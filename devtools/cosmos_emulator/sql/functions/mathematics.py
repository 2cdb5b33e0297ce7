"""Numeric functions."""

import math
import random
from collections.abc import Callable
from typing import Any

from devtools.cosmos_emulator.sql.values import UNDEFINED, number_result

from .registry import function


def _plain(name: str, call: Callable[..., Any], signature: str = "n") -> None:
    def guarded(*arguments: float) -> Any:
        try:
            return number_result(call(*arguments))
        except (ValueError, OverflowError, ZeroDivisionError):
            return UNDEFINED

    function(name, signature)(guarded)


def _round(value: float, digits: float = 0) -> float:
    # Halves go away from zero, unlike in Python.
    factor = 10.0 ** int(digits)
    rounded = math.copysign(math.floor(abs(value) * factor + 0.5), value) / factor
    return int(rounded) if rounded.is_integer() else rounded


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _log(value: float, base: float | None = None) -> float:
    return math.log(value) if base is None else math.log(value, base)


_plain("ABS", abs)
_plain("ACOS", math.acos)
_plain("ASIN", math.asin)
_plain("ATAN", math.atan)
_plain("ATN2", math.atan2, "nn")
_plain("CEILING", math.ceil)
_plain("COS", math.cos)
_plain("COT", lambda value: 1 / math.tan(value))
_plain("DEGREES", math.degrees)
_plain("EXP", math.exp)
_plain("FLOOR", math.floor)
_plain("LOG", _log, "n?n")
_plain("LOG10", math.log10)
_plain("POWER", lambda value, power: float(value) ** power, "nn")
_plain("RADIANS", math.radians)
_plain("ROUND", _round, "n?n")
_plain("SIGN", _sign)
_plain("SIN", math.sin)
_plain("SQRT", math.sqrt)
_plain("SQUARE", lambda value: value * value)
_plain("TAN", math.tan)
_plain("TRUNC", math.trunc)
_plain("INTADD", lambda left, right: left + right, "nn")
_plain("INTSUB", lambda left, right: left - right, "nn")
_plain("INTMUL", lambda left, right: left * right, "nn")


@function("PI", "")
def _pi() -> float:
    return math.pi


@function("RAND", "", deterministic=False)
def _rand() -> float:
    return random.random()


@function("NUMBERBIN", "n?n")
def _numberbin(value: float, size: float = 1) -> Any:
    if size == 0 or not math.isfinite(value / size):
        return UNDEFINED
    return number_result(math.floor(value / size) * size)
