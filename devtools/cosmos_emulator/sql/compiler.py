"""Compile expressions into closures over a row.

A row is a list of slots: slot 0 holds the document, one more slot each alias, group key and aggregate.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from . import operators
from .aggregates import AGGREGATES, Accumulator
from .errors import SqlError
from .functions import BUILT_IN, dates
from .functions.strings import like
from .operators import Closure, Row
from .parser import parse
from .tree import (
    And,
    ArrayOf,
    Between,
    Binary,
    Call,
    Conditional,
    In,
    Like,
    Literal,
    Name,
    Node,
    Not,
    ObjectOf,
    Or,
    Parameter,
    Property,
    Query,
    Subquery,
    Subscript,
    Unary,
)
from .values import UNDEFINED

_CURRENT: Final = frozenset(
    "GETCURRENT" + kind + suffix for kind in ("DATETIME", "TIMESTAMP", "TICKS") for suffix in ("", "STATIC")
)
_ROOT_SLOT: Final = 0


@dataclass(frozen=True, slots=True)
class Environment:
    """What a query is compiled against.

    Attributes:
        parameters: values by name, `@` included.
        computed: query text of each computed property of the container, by name.
        now: current time in seconds since 1970.
    """

    parameters: Mapping[str, Any]
    computed: Mapping[str, str]
    now: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call: where its result goes and what it takes from each row.

    `counts_rows` marks COUNT of a constant, which needs no row to be looked at.
    """

    slot: int
    start: Callable[[], Accumulator]
    argument: Closure
    counts_rows: bool


class ExpressionCompiler:
    """Compile expressions; queries inside them are compiled by the class below it."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.width = 1
        self.scope: dict[str, int] = {}
        self.aggregates: list[Aggregate] | None = None
        self.group_slots: dict[Node, int] | None = None
        self._compilers: dict[type[Node], Callable[[Any], Closure]] = {
            Literal: self._literal,
            Parameter: self._parameter,
            Name: self._name,
            Property: self._property,
            Subscript: self._subscript,
            ArrayOf: self._array,
            ObjectOf: self._object,
            Unary: self._unary,
            Binary: self._binary,
            And: self._and,
            Or: self._or,
            Not: self._not,
            In: self._in,
            Between: self._between,
            Like: self._like,
            Conditional: self._conditional,
            Call: self._call,
            Subquery: self._subquery,
        }

    def subquery(self, query: Query) -> Callable[[Row], list[Any]]:
        """Compile a nested query into a function that lists its values."""
        raise NotImplementedError

    def slot(self) -> int:
        """Reserve one more slot of the row."""
        self.width += 1
        return self.width - 1

    def constant(self, node: Node) -> tuple[bool, Any]:
        """Return (True, value) when a node does not depend on the row, else (False, None).

        Raises:
            SqlError: for a parameter that was not supplied.
        """
        if isinstance(node, Literal):
            return True, node.value
        if isinstance(node, Parameter):
            if node.name not in self.environment.parameters:
                raise SqlError(f"Parameter {node.name!r} was not supplied.", code="SC2020")
            return True, self.environment.parameters[node.name]
        if isinstance(node, Unary | ArrayOf | ObjectOf):
            children = _children(node)
            if all(self.constant(child)[0] for child in children):
                return True, self.compile(node)([])
        return False, None

    def compile(self, node: Node) -> Closure:
        """Compile one expression.

        Raises:
            SqlError: for an unknown name, function or parameter, or a misplaced aggregate.
        """
        if self.group_slots is not None and node in self.group_slots:
            return _read_slot(self.group_slots[node])
        return self._compilers[type(node)](node)

    def _literal(self, node: Literal) -> Closure:
        value = node.value
        return lambda _row: value

    def _parameter(self, node: Parameter) -> Closure:
        _, value = self.constant(node)
        return lambda _row: value

    def _name(self, node: Name) -> Closure:
        if self.group_slots is not None:
            raise SqlError(
                f"Property reference '{node.name}' is invalid in the select list because it is not contained "
                "in either an aggregate function or the GROUP BY clause.",
                start=node.start,
                end=node.end,
                code="SC2102",
            )
        return _read_slot(self.resolve(node))

    def resolve(self, node: Name) -> int:
        """Return the slot of an alias.

        Raises:
            SqlError: when no alias of that name is in scope.
        """
        if node.name not in self.scope:
            raise SqlError(
                f"Identifier '{node.name}' could not be resolved.",
                start=node.start,
                end=node.end,
                code="SC2001",
            )
        return self.scope[node.name]

    def _property(self, node: Property) -> Closure:
        names = [node.name]
        base = node.base
        while isinstance(base, Property) and (self.group_slots is None or base not in self.group_slots):
            names.append(base.name)
            base = base.base
        if isinstance(base, Name) and self.group_slots is None:
            computed = self._computed(base, names)
            if computed is not None:
                return computed
            return _path(self.resolve(base), tuple(reversed(names)))
        inner = self.compile(node.base)
        name = node.name

        def read(row: Row) -> Any:
            value = inner(row)
            return value.get(name, UNDEFINED) if type(value) is dict else UNDEFINED

        return read

    def _computed(self, base: Name, names: list[str]) -> Closure | None:
        if len(names) != 1 or self.scope.get(base.name) != _ROOT_SLOT:
            return None
        text = self.environment.computed.get(names[0])
        if text is None:
            return None
        query = parse(text)
        if query.items is None or not query.sources:
            raise SqlError(f"Computed property '{names[0]}' is not SELECT VALUE .. FROM c.")  # noqa: S608 - the text of an error or of an emulated query
        outer, self.scope = self.scope, {query.sources[0].alias: _ROOT_SLOT}
        try:
            return self.compile(query.items[0].expression)
        finally:
            self.scope = outer

    def _subscript(self, node: Subscript) -> Closure:
        base, index = self.compile(node.base), self.compile(node.index)

        def read(row: Row) -> Any:
            value, key = base(row), index(row)
            if type(value) is dict and type(key) is str:
                return value.get(key, UNDEFINED)
            if (
                type(value) is list
                and type(key) in {int, float}
                and key == int(key)
                and 0 <= key < len(value)
            ):
                return value[int(key)]
            return UNDEFINED

        return read

    def _array(self, node: ArrayOf) -> Closure:
        items = [self.compile(item) for item in node.items]
        return lambda row: [value for item in items if (value := item(row)) is not UNDEFINED]

    def _object(self, node: ObjectOf) -> Closure:
        members = [(name, self.compile(item)) for name, item in node.members]
        return lambda row: {name: value for name, item in members if (value := item(row)) is not UNDEFINED}

    def _unary(self, node: Unary) -> Closure:
        return operators.unary(node.operator, self.compile(node.operand))

    def _binary(self, node: Binary) -> Closure:
        operator = node.operator
        if operator in {"=", "!="}:
            equal = self._equality(node)
            return equal if operator == "=" else operators.inequality(equal)
        left, right = self.compile(node.left), self.compile(node.right)
        if operator in {"<", "<=", ">", ">="}:
            return operators.ordering(operator, left, right)
        if operator == "??":
            return operators.coalesce(left, right)
        if operator == "||":
            return operators.concatenation(left, right)
        return operators.arithmetic(operator, left, right)

    def _equality(self, node: Binary) -> Closure:
        is_constant, value = self.constant(node.right)
        if is_constant:
            return operators.equality_with(self.compile(node.left), value)
        is_constant, value = self.constant(node.left)
        if is_constant:
            return operators.equality_with(self.compile(node.right), value)
        return operators.equality(self.compile(node.left), self.compile(node.right))

    def _and(self, node: And) -> Closure:
        return operators.conjunction([self.compile(term) for term in node.terms])

    def _or(self, node: Or) -> Closure:
        return operators.disjunction([self.compile(term) for term in node.terms])

    def _not(self, node: Not) -> Closure:
        return operators.negation(self.compile(node.operand))

    def _in(self, node: In) -> Closure:
        constants = [self.constant(choice) for choice in node.choices]
        operand = self.compile(node.operand)
        if all(is_constant for is_constant, _ in constants):
            return operators.membership(operand, [value for _, value in constants])
        return operators.disjunction(
            [operators.equality(operand, self.compile(choice)) for choice in node.choices]
        )

    def _between(self, node: Between) -> Closure:
        operand = self.compile(node.operand)
        low = operators.ordering(">=", operand, self.compile(node.low))
        high = operators.ordering("<=", operand, self.compile(node.high))
        return operators.conjunction([low, high])

    def _like(self, node: Like) -> Closure:
        operand, pattern, escape = self.compile(node.operand), self.compile(node.pattern), node.escape
        return lambda row: like(operand(row), pattern(row), escape)

    def _conditional(self, node: Conditional) -> Closure:
        return operators.conditional(self.compile(node.test), self.compile(node.yes), self.compile(node.no))

    def _call(self, node: Call) -> Closure:
        name = node.name
        if name in AGGREGATES:
            return self._aggregate(node)
        if name in _CURRENT and not node.arguments:
            # One query sees one moment, however many rows it reads.
            value = dates.current(name, self.environment.now())
            return lambda _row: value
        built_in = BUILT_IN.get(name)
        if built_in is None:
            raise SqlError(
                f"'{name}' is not a recognized built-in function name of this emulator.",
                start=node.start,
                end=node.end,
                code="SC2005",
            )
        if not built_in.minimum <= len(node.arguments) <= built_in.maximum:
            raise SqlError(
                f"The {name} function requires {built_in.minimum} to {built_in.maximum} argument(s).",
                start=node.start,
                end=node.end,
                code="SC2050",
            )
        return _invoke(built_in.call, [self.compile(argument) for argument in node.arguments])

    def _aggregate(self, node: Call) -> Closure:
        if self.aggregates is None:
            raise SqlError(
                f"The aggregate {node.name} is not allowed here.",
                start=node.start,
                end=node.end,
                code="SC2101",
            )
        if len(node.arguments) != 1:
            raise SqlError(f"{node.name} takes one argument.", start=node.start, end=node.end, code="SC2050")
        found, self.aggregates = self.aggregates, None
        groups, self.group_slots = self.group_slots, None
        argument = self.compile(node.arguments[0])
        self.aggregates, self.group_slots = found, groups
        is_constant, value = self.constant(node.arguments[0])
        counts_rows = node.name == "COUNT" and is_constant and value is not UNDEFINED
        aggregate = Aggregate(self.slot(), AGGREGATES[node.name], argument, counts_rows)
        found.append(aggregate)
        return _read_slot(aggregate.slot)

    def _subquery(self, node: Subquery) -> Closure:
        values = self.subquery(node.query)
        if node.kind == "exists":
            return lambda row: bool(values(row))
        if node.kind == "array":
            return values

        def single(row: Row) -> Any:
            found = values(row)
            if len(found) > 1:
                raise SqlError("A scalar sub-query gave more than one value.", code="SC2030")
            return found[0] if found else UNDEFINED

        return single


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Unary):
        return (node.operand,)
    if isinstance(node, ArrayOf):
        return node.items
    return tuple(item for _, item in node.members) if isinstance(node, ObjectOf) else ()


def _read_slot(slot: int) -> Closure:
    return lambda row: row[slot]


def _path(slot: int, names: tuple[str, ...]) -> Closure:
    if len(names) == 1:
        name = names[0]

        def read_one(row: Row) -> Any:
            value = row[slot]
            return value.get(name, UNDEFINED) if type(value) is dict else UNDEFINED

        return read_one

    def read(row: Row) -> Any:
        value = row[slot]
        for step in names:
            if type(value) is not dict:
                return UNDEFINED
            value = value.get(step, UNDEFINED)
        return value

    return read


def _invoke(call: Callable[..., Any], arguments: list[Closure]) -> Closure:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda row: call(only(row))
    return lambda row: call(*[argument(row) for argument in arguments])
