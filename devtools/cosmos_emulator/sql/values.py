"""JSON values as queries see them: *undefined*, the order of types, comparison.

A value is None, bool, int, float, str, list or dict as `orjson` reads them, or `UNDEFINED`.
"""

import math
import struct
from typing import Any, Final


class Undefined:
    """Stand for a value that is not there (a missing property, a failed operation)."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()

UNDEFINED_RANK: Final = 0
NULL_RANK: Final = 1
BOOLEAN_RANK: Final = 2
NUMBER_RANK: Final = 3
STRING_RANK: Final = 4
ARRAY_RANK: Final = 5
OBJECT_RANK: Final = 6

RANKS: Final[dict[type, int]] = {
    Undefined: UNDEFINED_RANK,
    type(None): NULL_RANK,
    bool: BOOLEAN_RANK,
    int: NUMBER_RANK,
    float: NUMBER_RANK,
    str: STRING_RANK,
    list: ARRAY_RANK,
    dict: OBJECT_RANK,
}
"""Position of each type when values of different types are sorted."""

_SCALAR_RANKS: Final = (NULL_RANK, BOOLEAN_RANK, NUMBER_RANK, STRING_RANK)

# Tags leave gaps so that a bound "just before the next type" is simply the next tag.
_TAGS: Final = {
    UNDEFINED_RANK: b"\x00",
    NULL_RANK: b"\x10",
    BOOLEAN_RANK: b"\x20",
    NUMBER_RANK: b"\x30",
    STRING_RANK: b"\x40",
    ARRAY_RANK: b"\x50",
    OBJECT_RANK: b"\x60",
}
_PACK_DOUBLE: Final = struct.Struct(">d").pack
_UNPACK_UNSIGNED: Final = struct.Struct(">Q").unpack
_PACK_UNSIGNED: Final = struct.Struct(">Q").pack
_SIGN: Final = 1 << 63
_LOWEST_INTEGER: Final = -(1 << 63)
_HIGHEST_INTEGER: Final = (1 << 64) - 1
_ALL: Final = (1 << 64) - 1


def is_number(value: Any) -> bool:
    """Tell whether a value is a JSON number (booleans are not)."""
    kind = type(value)
    return kind is int or kind is float


def number_result(value: Any) -> Any:
    """Return the result of a calculation as JSON can hold it.

    UNDEFINED for NaN, infinities and complex numbers; whole numbers beyond 64 bits become doubles.
    """
    if isinstance(value, int) and not _LOWEST_INTEGER <= value <= _HIGHEST_INTEGER:
        try:
            value = float(value)
        except OverflowError:
            return UNDEFINED
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return UNDEFINED
    return value


def type_tag(rank: int) -> bytes:
    """Return the first byte of the sort key of every value of a type."""
    return _TAGS[rank]


def sort_key(value: Any) -> bytes:
    """Encode a value so that comparing bytes gives the service's order.

    Strings compare by UTF-16 code unit, numbers as doubles. All arrays are equal to each other here, and so
    are all objects: the service does not order them by content.
    """
    rank = RANKS[type(value)]
    if rank == STRING_RANK:
        encoded: bytes = value.encode("utf-16-be", "surrogatepass")
        return b"\x40" + encoded
    if rank == NUMBER_RANK:
        return b"\x30" + _double_key(value)
    if rank == BOOLEAN_RANK:
        return b"\x20\x01" if value else b"\x20\x00"
    return _TAGS[rank]


def _double_key(value: float) -> bytes:
    try:
        number = float(value) + 0.0
    except OverflowError:
        number = float("inf") if value > 0 else float("-inf")
    (bits,) = _UNPACK_UNSIGNED(_PACK_DOUBLE(number))
    return _PACK_UNSIGNED(bits ^ (_ALL if bits & _SIGN else _SIGN))


def deep_equal(left: Any, right: Any) -> bool:
    """Compare two defined values of any type; true never equals 1."""
    rank = RANKS[type(left)]
    if rank != RANKS[type(right)]:
        return False
    if rank == ARRAY_RANK:
        return len(left) == len(right) and all(map(deep_equal, left, right))
    if rank == OBJECT_RANK:
        return left.keys() == right.keys() and all(
            deep_equal(item, right[name]) for name, item in left.items()
        )
    return bool(left == right)


def equals(left: Any, right: Any) -> Any:
    """Evaluate `left = right`: true, false, or UNDEFINED when the types differ or a side is undefined."""
    rank = RANKS[type(left)]
    if rank == UNDEFINED_RANK or rank != RANKS[type(right)]:
        return UNDEFINED
    return deep_equal(left, right)


def order(left: Any, right: Any) -> int | None:
    """Compare two scalars of one type: negative, 0 or positive; None when they cannot be compared."""
    rank = RANKS[type(left)]
    if rank != RANKS[type(right)] or rank not in _SCALAR_RANKS:
        return None
    if rank == STRING_RANK and not (left.isascii() and right.isascii()):
        left = left.encode("utf-16-be", "surrogatepass")
        right = right.encode("utf-16-be", "surrogatepass")
    if rank == NULL_RANK or left == right:
        return 0
    return -1 if left < right else 1


def canonical(value: Any) -> Any:
    """Build a hashable form in which equal values are equal and true differs from 1."""
    rank = RANKS[type(value)]
    if rank == ARRAY_RANK:
        return (rank, tuple(canonical(item) for item in value))
    if rank == OBJECT_RANK:
        return (rank, tuple(sorted((name, canonical(item)) for name, item in value.items())))
    if rank == UNDEFINED_RANK:
        return (rank, None)
    return (rank, value)
