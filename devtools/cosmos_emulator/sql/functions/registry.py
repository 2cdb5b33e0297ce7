"""Register built-in functions with the types of their arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from devtools.cosmos_emulator.sql.values import RANKS, UNDEFINED, UNDEFINED_RANK

_LETTERS: Final[dict[str, frozenset[int]]] = {
    "n": frozenset({3}),
    "s": frozenset({4}),
    "b": frozenset({2}),
    "a": frozenset({5}),
    "o": frozenset({6}),
    "d": frozenset({1, 2, 3, 4, 5, 6}),
    "v": frozenset(RANKS.values()),
}
_UNLIMITED: Final = 1000


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A function of the query language.

    Attributes:
        minimum: fewest arguments.
        maximum: most arguments.
        call: takes the argument values and returns a value or UNDEFINED.
        deterministic: False when the result depends on the clock or on chance.
    """

    minimum: int
    maximum: int
    call: Callable[..., Any]
    deterministic: bool = True


BUILT_IN: Final[dict[str, BuiltIn]] = {}


def function(
    name: str, signature: str, *, repeats: bool = False, deterministic: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function under its name in queries.

    Args:
        name: name in upper case.
        signature: one letter per argument: n number, s string, b boolean, a array, o object, d any defined
            value, v anything; the arguments behind `?` are optional. Other types give UNDEFINED.
        repeats: the last argument may be given any number of times.
        deterministic: see `BuiltIn`.
    """
    required, _, optional = signature.partition("?")
    letters = required + optional
    accepted = [_LETTERS[letter] for letter in letters]
    maximum = _UNLIMITED if repeats else len(letters)

    def register(call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*arguments: Any) -> Any:
            for position, argument in enumerate(arguments):
                kinds = accepted[position] if position < len(accepted) else accepted[-1]
                if RANKS[type(argument)] not in kinds:
                    return UNDEFINED
            return call(*arguments)

        unchecked = all(_LETTERS[letter] >= {UNDEFINED_RANK} for letter in letters)
        BUILT_IN[name] = BuiltIn(len(required), maximum, call if unchecked else checked, deterministic)
        return call

    return register
