"""Functions that ask for the type of a value, and choices between values."""

from typing import Any

from devtools.cosmos_emulator.sql.values import RANKS, UNDEFINED, is_number

from .registry import function


@function("IS_DEFINED", "v")
def _is_defined(value: Any) -> bool:
    return value is not UNDEFINED


@function("IS_NULL", "v")
def _is_null(value: Any) -> bool:
    return value is None


@function("IS_BOOL", "v")
def _is_bool(value: Any) -> bool:
    return type(value) is bool


@function("IS_NUMBER", "v")
def _is_number(value: Any) -> bool:
    return is_number(value)


@function("IS_INTEGER", "v")
def _is_integer(value: Any) -> bool:
    limit = 1 << 63
    return is_number(value) and value == value // 1 and -limit <= value < limit


@function("IS_FINITE_NUMBER", "v")
def _is_finite_number(value: Any) -> bool:
    return is_number(value) and abs(value) != float("inf")


@function("IS_STRING", "v")
def _is_string(value: Any) -> bool:
    return type(value) is str


@function("IS_ARRAY", "v")
def _is_array(value: Any) -> bool:
    return type(value) is list


@function("IS_OBJECT", "v")
def _is_object(value: Any) -> bool:
    return type(value) is dict


@function("IS_PRIMITIVE", "v")
def _is_primitive(value: Any) -> bool:
    return RANKS[type(value)] in {1, 2, 3, 4}


@function("IIF", "vvv")
def _iif(test: Any, yes: Any, no: Any) -> Any:
    return yes if test is True else no
