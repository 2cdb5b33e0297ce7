"""Compile operators into closures over a row; the common shapes get a shorter one."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from .values import RANKS, STRING_RANK, UNDEFINED, deep_equal, equals, is_number, number_result, order

Row = list[Any]
Closure = Callable[[Row], Any]

_SIGNED_32: Final = 1 << 31
_UNSIGNED_32: Final = 1 << 32


def equality(left: Closure, right: Closure) -> Closure:
    """Compile `left = right` for two computed sides."""

    def compare(row: Row) -> Any:
        return equals(left(row), right(row))

    return compare


def equality_with(operand: Closure, constant: Any) -> Closure:
    """Compile `operand = constant`."""
    rank = RANKS[type(constant)]
    if rank == STRING_RANK:

        def compare_string(row: Row) -> Any:
            value = operand(row)
            return value == constant if type(value) is str else UNDEFINED

        return compare_string

    def compare(row: Row) -> Any:
        return equals(operand(row), constant)

    return compare


def inequality(equal: Closure) -> Closure:
    """Compile `!=` from the closure of `=`."""

    def compare(row: Row) -> Any:
        result = equal(row)
        return result if result is UNDEFINED else not result

    return compare


_ORDERINGS: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def ordering(operator: str, left: Closure, right: Closure) -> Closure:
    """Compile `<`, `<=`, `>` or `>=`."""
    decide = _ORDERINGS[operator]

    def compare(row: Row) -> Any:
        sign = order(left(row), right(row))
        return UNDEFINED if sign is None else decide(sign)

    return compare


def conjunction(terms: Sequence[Closure]) -> Closure:
    """Compile AND: false wins over undefined."""

    def evaluate(row: Row) -> Any:
        result: Any = True
        for term in terms:
            value = term(row)
            if value is False:
                return False
            if value is not True:
                result = UNDEFINED
        return result

    return evaluate


def filter_conjunction(terms: Sequence[Closure]) -> Closure:
    """Compile AND where only "is it true" matters, so that the first other answer ends it."""
    if len(terms) == 1:
        return terms[0]

    def evaluate(row: Row) -> Any:
        return all(term(row) is True for term in terms)

    return evaluate


def disjunction(terms: Sequence[Closure]) -> Closure:
    """Compile OR: true wins over undefined."""

    def evaluate(row: Row) -> Any:
        result: Any = False
        for term in terms:
            value = term(row)
            if value is True:
                return True
            if value is not False:
                result = UNDEFINED
        return result

    return evaluate


def negation(operand: Closure) -> Closure:
    """Compile NOT; NOT of anything but a boolean is undefined."""

    def evaluate(row: Row) -> Any:
        value = operand(row)
        return (not value) if type(value) is bool else UNDEFINED

    return evaluate


def membership(operand: Closure, constants: Sequence[Any]) -> Closure:
    """Compile `operand IN (constants)` with a look-up by type and value."""
    known = {(RANKS[type(value)], value) for value in constants if not isinstance(value, list | dict)}
    nested = [value for value in constants if isinstance(value, list | dict)]
    types = {RANKS[type(value)] for value in constants if value is not UNDEFINED}
    # IN is a chain of ORed comparisons, so one constant of another type turns "no" into "undefined".
    mixed = len(types) > 1 or any(value is UNDEFINED for value in constants)

    def evaluate(row: Row) -> Any:
        value = operand(row)
        rank = RANKS[type(value)]
        if rank not in types:
            return UNDEFINED
        if isinstance(value, list | dict):
            found = any(deep_equal(value, choice) for choice in nested)
        else:
            found = (rank, value) in known
        return True if found else (UNDEFINED if mixed else False)

    return evaluate


def coalesce(left: Closure, right: Closure) -> Closure:
    """Compile `left ?? right`."""

    def evaluate(row: Row) -> Any:
        value = left(row)
        return right(row) if value is UNDEFINED else value

    return evaluate


def conditional(test: Closure, yes: Closure, no: Closure) -> Closure:
    """Compile `test ? yes : no`; only true takes the first branch."""

    def evaluate(row: Row) -> Any:
        return yes(row) if test(row) is True else no(row)

    return evaluate


def concatenation(left: Closure, right: Closure) -> Closure:
    """Compile `left || right` for strings."""

    def evaluate(row: Row) -> Any:
        first, second = left(row), right(row)
        return first + second if isinstance(first, str) and isinstance(second, str) else UNDEFINED

    return evaluate


def _divide(left: float, right: float) -> Any:
    if right == 0:
        return UNDEFINED
    quotient = left / right
    return int(quotient) if quotient.is_integer() and abs(quotient) < 2**53 else quotient


def _remainder(left: float, right: float) -> Any:
    # The sign follows the dividend, unlike in Python.
    if right == 0:
        return UNDEFINED
    return left - right * int(left / right)


def _to_signed(value: float) -> int:
    wrapped = int(value) % _UNSIGNED_32
    return wrapped - _UNSIGNED_32 if wrapped >= _SIGNED_32 else wrapped


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _remainder,
    "&": lambda left, right: _to_signed(left) & _to_signed(right),
    "|": lambda left, right: _to_signed(left) | _to_signed(right),
    "^": lambda left, right: _to_signed(left) ^ _to_signed(right),
    "<<": lambda left, right: _to_signed(_to_signed(left) << (int(right) & 31)),
    ">>": lambda left, right: _to_signed(left) >> (int(right) & 31),
    ">>>": lambda left, right: (int(left) % _UNSIGNED_32) >> (int(right) & 31),
}


def arithmetic(operator: str, left: Closure, right: Closure) -> Closure:
    """Compile arithmetic and bit operators; UNDEFINED unless both sides are numbers."""
    apply = _ARITHMETIC[operator]

    def evaluate(row: Row) -> Any:
        first, second = left(row), right(row)
        if not (is_number(first) and is_number(second)):
            return UNDEFINED
        try:
            return number_result(apply(first, second))
        except OverflowError:
            return UNDEFINED

    return evaluate


_UNARY: Final[dict[str, Callable[[Any], Any]]] = {
    "-": lambda value: -value,
    "+": lambda value: value,
    "~": lambda value: ~_to_signed(value),
}


def unary(operator: str, operand: Closure) -> Closure:
    """Compile `-x`, `+x` and `~x`."""
    apply = _UNARY[operator]

    def evaluate(row: Row) -> Any:
        value = operand(row)
        return number_result(apply(value)) if is_number(value) else UNDEFINED

    return evaluate
