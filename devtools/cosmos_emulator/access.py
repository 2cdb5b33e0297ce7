"""Find out how an index can serve a filter.

Two questions are kept apart. `spans` gives key ranges that hold *at least* the matching items, for finding
candidates. `served` tells whether the service's index would answer a term alone, for charging.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .index_entries import LONGEST_KEY_BYTES, value_key
from .indexing_policy import IndexingPolicy
from .property_paths import ANY
from .sql.compiler import ExpressionCompiler
from .sql.pipeline import conjuncts, has_aggregate
from .sql.tree import (
    And,
    Between,
    Binary,
    Call,
    In,
    Like,
    Name,
    Node,
    Not,
    Or,
    Property,
    Query,
    Source,
    Subquery,
    Subscript,
)
from .sql.values import (
    ARRAY_RANK,
    BOOLEAN_RANK,
    NULL_RANK,
    NUMBER_RANK,
    OBJECT_RANK,
    RANKS,
    STRING_RANK,
    UNDEFINED,
    type_tag,
)

Path = tuple[str, ...]

_FIRST_DEFINED: Final = b"\x10"
_LAST: Final = b"\xff"
_HIGHEST_SCALAR_RANK: Final = 4
_FLIPPED: Final = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TYPE_OF: Final = {
    "IS_NULL": NULL_RANK,
    "IS_BOOL": BOOLEAN_RANK,
    "IS_NUMBER": NUMBER_RANK,
    "IS_STRING": STRING_RANK,
    "IS_ARRAY": ARRAY_RANK,
    "IS_OBJECT": OBJECT_RANK,
}
_SERVED_CALLS: Final = frozenset(
    (
        *("STRINGEQUALS", "STARTSWITH", "ENDSWITH", "CONTAINS", "REGEXMATCH", "ARRAY_CONTAINS", "IS_DEFINED"),
        *("IS_NULL", "IS_BOOL", "IS_NUMBER", "IS_STRING", "IS_ARRAY", "IS_OBJECT", "IS_PRIMITIVE"),
    )
)


@dataclass(frozen=True, slots=True)
class Span:
    """Keys from `low` to `high`, both included, of the values at a path."""

    path: Path
    low: bytes
    high: bytes
    is_lowered: bool = False

    @property
    def is_point(self) -> bool:
        return self.low == self.high


class Access:
    """Look at the terms of one query.

    Args:
        compiler: evaluates constants and parameters.
        policy: the container's indexing policy.
        computed: names of computed properties, which no index covers.
        aliases: path of each alias from the document.
    """

    def __init__(
        self,
        compiler: ExpressionCompiler,
        policy: IndexingPolicy,
        computed: Mapping[str, str],
        aliases: dict[str, Path],
    ) -> None:
        self._compiler = compiler
        self._policy = policy
        self._computed = computed
        self._aliases = aliases

    def with_aliases(self, aliases: dict[str, Path]) -> "Access":
        """Return the same with more aliases."""
        return Access(self._compiler, self._policy, self._computed, self._aliases | aliases)

    def without(self, name: str, kept: str) -> "Access":
        """Return the same without an alias, unless it is the one to keep."""
        aliases = {alias: path for alias, path in self._aliases.items() if alias != name or alias == kept}
        return Access(self._compiler, self._policy, self._computed, aliases)

    def with_sources(self, sources: tuple[Source, ...]) -> "Access":
        """Return the same with the aliases of more sources; sources that are no paths stay unknown."""
        inner = Access(self._compiler, self._policy, self._computed, dict(self._aliases))
        for source in sources:
            inner._aliases.pop(source.alias, None)
            path = inner.path(source.expression) if source.expression is not None else None
            if path is not None:
                inner._aliases[source.alias] = (*path, ANY) if source.iterates else path
        return inner

    def path(self, node: Node) -> Path | None:
        """Return the path of an expression, None when it is no path or a computed property."""
        if isinstance(node, Name):
            return self._aliases.get(node.name)
        if isinstance(node, Property):
            base = self.path(node.base)
            if base is None or (not base and node.name in self._computed):
                return None
            return (*base, node.name)
        if isinstance(node, Subscript):
            base = self.path(node.base)
            is_constant, value = self._compiler.constant(node.index)
            if base is None or not is_constant:
                return None
            return (*base, value if isinstance(value, str) else ANY)
        return None

    def covered_path(self, node: Node) -> Path | None:
        """Return the path of an expression if the policy indexes it."""
        path = self.path(node)
        return path if path and self._policy.covers(path) else None

    def pinned(self, where: Node | None, path: Path) -> tuple[bool, Any]:
        """Return (True, value) when a filter fixes a path to one value by equality."""
        for term in conjuncts(where):
            if isinstance(term, Binary) and term.operator == "=":
                for side, other in ((term.left, term.right), (term.right, term.left)):
                    is_constant, value = self._compiler.constant(other)
                    if is_constant and self.path(side) == path:
                        return True, value
        return False, None

    def spans(self, node: Node) -> tuple[Span, ...] | None:
        """Return spans that hold every item for which a term may be true; None when no index helps."""
        if isinstance(node, Or):
            parts = [self.spans(term) for term in node.terms]
            if any(part is None for part in parts):
                return None
            return tuple(dict.fromkeys(span for part in parts for span in part or ()))
        if isinstance(node, And):
            return self.best([self.spans(term) for term in node.terms])
        if isinstance(node, Binary):
            return self._comparison(node)
        if isinstance(node, In):
            return self._points(node.operand, [self._compiler.constant(choice) for choice in node.choices])
        if isinstance(node, Between):
            low, high = self._range(node.operand, ">=", node.low), self._range(node.operand, "<=", node.high)
            if not low or not high:
                return low if high else None
            return (Span(low[0].path, low[0].low, high[0].high),)
        if isinstance(node, Call | Not):
            return self._call(node) if isinstance(node, Call) else self._of_another_type(node.operand)
        if isinstance(node, Subquery):
            return self._exists(node)
        path = self.covered_path(node)
        return None if path is None else (_point(path, value=True),)

    def best(self, parts: list[tuple[Span, ...] | None]) -> tuple[Span, ...] | None:
        """Return the most promising spans of several AND-ed terms."""
        known = [part for part in parts if part is not None]
        return min(known, key=lambda part: (not all(span.is_point for span in part), len(part)), default=None)

    def _comparison(self, node: Binary) -> tuple[Span, ...] | None:
        if node.operator not in _FLIPPED or node.operator == "!=":
            return None
        if self._compiler.constant(node.right)[0]:
            return self._range(node.left, node.operator, node.right)
        return self._range(node.right, _FLIPPED[node.operator], node.left)

    def _range(self, operand: Node, operator: str, bound: Node) -> tuple[Span, ...] | None:
        is_constant, value = self._compiler.constant(bound)
        if not is_constant:
            return None
        if operator == "=":
            return self._points(operand, [(True, value)])
        path = self.covered_path(operand)
        rank = RANKS[type(value)]
        if path is None:
            return None
        if value is UNDEFINED or rank > _HIGHEST_SCALAR_RANK:
            return ()
        key, tag = value_key(value), type_tag(rank)
        return (
            Span(path, tag, key) if operator[0] == "<" else Span(path, key, tag + _LAST * LONGEST_KEY_BYTES),
        )

    def _points(self, operand: Node, constants: list[tuple[bool, Any]]) -> tuple[Span, ...] | None:
        is_lowered = isinstance(operand, Call) and operand.name == "LOWER" and len(operand.arguments) == 1
        path = self.covered_path(
            operand.arguments[0] if isinstance(operand, Call) and is_lowered else operand
        )
        if path is None or not all(is_constant for is_constant, _ in constants):
            return None
        values = (value for _, value in constants if value is not UNDEFINED)
        return tuple(dict.fromkeys(_point(path, value=value, is_lowered=is_lowered) for value in values))

    def _call(self, node: Call) -> tuple[Span, ...] | None:
        arguments = [self._compiler.constant(argument) for argument in node.arguments]
        if node.name == "ARRAY_CONTAINS":
            return self._array_contains(node, arguments)
        path = self.covered_path(node.arguments[0]) if node.arguments else None
        if path is None:
            return None
        if node.name == "IS_DEFINED":
            return (Span(path, _FIRST_DEFINED, _LAST),)
        if node.name == "IS_NULL":
            return (_point(path, value=None),)
        if node.name not in {"STRINGEQUALS", "STARTSWITH"} or len(arguments) < 2:  # noqa: PLR2004 - text and part
            return None
        (is_constant, value), (fixed, ignore_case) = arguments[1], (*arguments, (True, False))[2]
        if not (is_constant and fixed and isinstance(value, str)):
            return None
        is_lowered = ignore_case is True
        point = _point(path, value=value.lower() if is_lowered else value, is_lowered=is_lowered)
        if node.name == "STRINGEQUALS":
            return (point,)
        return (Span(path, point.low, point.low + _LAST * LONGEST_KEY_BYTES, is_lowered),)

    def _of_another_type(self, node: Node) -> tuple[Span, ...] | None:
        """Return spans of the values that are not of a type; one without the property is of none."""
        if not isinstance(node, Call):
            return None
        path = self.covered_path(node.arguments[0]) if node.name in _TYPE_OF and node.arguments else None
        if path is None or ANY in path:
            return None
        (tag,) = type_tag(_TYPE_OF[node.name])
        return (
            Span(path, b"\x00", bytes([tag - 1]) + _LAST * LONGEST_KEY_BYTES),
            Span(path, bytes([tag + 1]), _LAST),
        )

    def _array_contains(self, node: Call, arguments: list[tuple[bool, Any]]) -> tuple[Span, ...] | None:
        if len(arguments) < 2:  # noqa: PLR2004 - array and value
            return None
        (is_array, array), (is_constant, value) = arguments[:2]
        if is_array and isinstance(array, list):
            return self._points(node.arguments[1], [(True, item) for item in array])
        path = self.path(node.arguments[0])
        if path is None or not is_constant:
            return None
        path = (*path, ANY)
        if isinstance(value, dict):
            return self._member_point(path, value)
        return (_point(path, value=value),) if self._policy.covers(path) else None

    def _member_point(self, path: Path, wanted: dict[str, Any]) -> tuple[Span, ...] | None:
        for name, value in wanted.items():
            member = (*path, name)
            if RANKS[type(value)] <= _HIGHEST_SCALAR_RANK and self._policy.covers(member):
                return (_point(member, value=value),)
        return None

    def _exists(self, node: Subquery) -> tuple[Span, ...] | None:
        query = node.query
        # A query that aggregates gives a row even when nothing matches.
        if node.kind != "exists" or query.group_by or _gives_aggregate(query):
            return None
        inner = self.with_sources(query.sources)
        return inner.best([inner.spans(term) for term in conjuncts(query.where)])

    def served(self, node: Node) -> bool:
        """Tell whether the service's index answers a term without loading items."""
        if isinstance(node, Or | And):
            return all(self.served(term) for term in node.terms)
        if isinstance(node, Not):
            return self.served(node.operand)
        if isinstance(node, Binary):
            return node.operator in _FLIPPED and self._pair_served(node.left, node.right)
        if isinstance(node, In):
            return self.covered_path(node.operand) is not None and all(map(self._is_constant, node.choices))
        if isinstance(node, Between):
            return all(self._pair_served(node.operand, bound) for bound in (node.low, node.high))
        if isinstance(node, Like):
            return self._pair_served(node.operand, node.pattern)
        if isinstance(node, Call):
            return self._call_served(node)
        if isinstance(node, Subquery):
            inner = self.with_sources(node.query.sources)
            return node.kind == "exists" and all(inner.served(term) for term in conjuncts(node.query.where))
        return self.covered_path(node) is not None

    def _is_constant(self, node: Node) -> bool:
        return self._compiler.constant(node)[0]

    def _pair_served(self, left: Node, right: Node) -> bool:
        pairs = ((left, right), (right, left))
        return any(self.covered_path(side) is not None and self._is_constant(other) for side, other in pairs)

    def _call_served(self, node: Call) -> bool:
        if node.name not in _SERVED_CALLS or not node.arguments:
            return False
        first, *others = node.arguments
        if node.name == "ARRAY_CONTAINS":
            path = self.path(first)
            if path is not None and others:
                return self._policy.covers((*path, ANY)) and self._is_constant(others[0])
            return bool(others) and self._is_constant(first) and self.covered_path(others[0]) is not None
        return self.covered_path(first) is not None and all(map(self._is_constant, others))


def _point(path: Path, *, value: Any, is_lowered: bool = False) -> Span:
    key = value_key(value)
    return Span(path, key, key, is_lowered)


def _gives_aggregate(query: Query) -> bool:
    return any(has_aggregate(item.expression) for item in query.items or ())
