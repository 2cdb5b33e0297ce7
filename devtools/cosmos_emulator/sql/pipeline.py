"""Compile a whole SELECT: sources, filter, grouping, projection, order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from .aggregates import AGGREGATES
from .compiler import Aggregate, Environment, ExpressionCompiler
from .errors import SqlError
from .operators import Closure, Row, filter_conjunction
from .tree import And, Call, Literal, Name, Node, Property, Query, Source, Subscript
from .values import UNDEFINED, canonical, is_number, sort_key

_ROOT_SLOT: Final = 0
_LARGEST_COUNT: Final = 2_147_483_647
_NOTHING: Final = Literal(UNDEFINED)

Binder = Callable[[Row], Iterator[None]]
SortKeys = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A compiled query.

    Attributes:
        bind: fills the slots of the sources, once per combination; None when slot 0 is the only source.
        filters: the AND-ed terms of WHERE, in the order of the query.
        project: output value of a row; UNDEFINED means the row gives nothing.
        sorts: sort value and direction (True = descending).
        groups: slot and value of each group key.
        aggregates: the aggregate calls; with neither groups nor aggregates rows pass one by one.
        distinct: repeated outputs are dropped.
        top / offset / limit: numbers; None when absent.
    """

    bind: Binder | None
    filters: tuple[tuple[Node, Closure], ...]
    project: Closure
    sorts: tuple[tuple[Closure, bool], ...]
    groups: tuple[tuple[int, Closure], ...]
    aggregates: tuple[Aggregate, ...]
    distinct: bool
    top: int | None
    offset: int
    limit: int | None

    @property
    def is_grouped(self) -> bool:
        return bool(self.groups or self.aggregates)

    @property
    def count(self) -> int | None:
        """The most rows the query may give, None for any number."""
        return self.top if self.limit is None else self.limit

    def combinations(self, row: Row) -> Iterator[None]:
        """Fill the row once for each combination of the sources."""
        return iter((None,)) if self.bind is None else self.bind(row)

    def sort_keys(self, row: Row) -> SortKeys:
        """Return the sort keys of a row, one per ORDER BY term."""
        return tuple(sort_key(value(row)) for value, _ in self.sorts)


class Groups:
    """Collect rows into groups and give one output per group."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._groups: dict[Any, tuple[list[Any], list[Any]]] = {}
        if not pipeline.groups:
            self._groups[()] = ([], [aggregate.start() for aggregate in pipeline.aggregates])

    def add(self, row: Row) -> None:
        """Take one row that passed the filter."""
        values = [value(row) for _, value in self._pipeline.groups]
        key = tuple(canonical(value) for value in values)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = (
                values,
                [aggregate.start() for aggregate in self._pipeline.aggregates],
            )
        for aggregate, accumulator in zip(self._pipeline.aggregates, group[1], strict=True):
            accumulator.add(aggregate.argument(row))

    def outputs(self, template: Row) -> list[tuple[list[Any], Any]]:
        """Return key and output of every group with one; the template lends the slots of outer queries."""
        outputs = []
        for values, accumulators in self._groups.values():
            row: Row = list(template)
            for (slot, _), value in zip(self._pipeline.groups, values, strict=True):
                row[slot] = value
            for aggregate, accumulator in zip(self._pipeline.aggregates, accumulators, strict=True):
                row[aggregate.slot] = accumulator.result()
            output = self._pipeline.project(row)
            if output is not UNDEFINED:
                outputs.append((values, output))
        return outputs


def conjuncts(node: Node | None) -> list[Node]:
    """Return the AND-ed terms of a filter; empty for no filter."""
    if node is None:
        return []
    if isinstance(node, And):
        return [part for term in node.terms for part in conjuncts(term)]
    return [node]


def compile_query(query: Query, environment: Environment) -> tuple[Pipeline, int]:
    """Compile a top-level query; also return the number of slots its rows need.

    Raises:
        SqlError: when a name, function or parameter is unknown or a clause is misplaced.
    """
    compiler = _PipelineCompiler(environment)
    try:
        pipeline = compiler.pipeline(query, is_root=True)
    except RecursionError:
        raise SqlError("The query is nested too deeply.", code="SC3021") from None
    return pipeline, compiler.width


class _PipelineCompiler(ExpressionCompiler):
    def pipeline(self, query: Query, *, is_root: bool = False) -> Pipeline:
        saved = self.scope, self.aggregates, self.group_slots
        self.scope, self.aggregates, self.group_slots = dict(self.scope), None, None
        try:
            bind = self._sources(query.sources, is_root=is_root)
            filters = tuple((term, self.compile(term)) for term in conjuncts(query.where))
            sorts = tuple((self.compile(sort.expression), sort.descending) for sort in query.order_by)
            keys = {key: (self.slot(), self.compile(key)) for key in query.group_by}
            project, aggregates = self._projection(query, {key: slot for key, (slot, _) in keys.items()})
            if query.order_by and (keys or aggregates):
                raise SqlError(
                    "ORDER BY is not supported together with GROUP BY or aggregates.", code="SC2103"
                )
            return Pipeline(
                bind=bind,
                filters=filters,
                project=project,
                sorts=sorts,
                groups=tuple(keys.values()),
                aggregates=aggregates,
                distinct=query.distinct,
                top=self._number(query.top, "TOP"),
                offset=self._number(query.offset, "OFFSET") or 0,
                limit=self._number(query.limit, "LIMIT"),
            )
        finally:
            self.scope, self.aggregates, self.group_slots = saved

    def _number(self, node: Node | None, clause: str) -> int | None:
        if node is None:
            return None
        _, value = self.constant(node)
        if not is_number(value) or value != int(value) or not 0 <= value <= _LARGEST_COUNT:
            raise SqlError(f"{clause} needs a whole number from 0 to {_LARGEST_COUNT}.", code="SC2061")
        return int(value)

    def _projection(
        self, query: Query, group_slots: dict[Node, int]
    ) -> tuple[Closure, tuple[Aggregate, ...]]:
        if query.items is None:
            if len(query.sources) != 1 or group_slots:
                raise SqlError("'SELECT *' is only valid with a single input set.", code="SC2040")
            slot = self.scope[query.sources[0].alias]
            return (lambda row: row[slot]), ()
        self.aggregates = []
        # Whether names may stand free in SELECT depends on aggregates that may come only later in it.
        if group_slots or any(has_aggregate(item.expression) for item in query.items):
            self.group_slots = group_slots
        project = self._columns(query)
        return project, tuple(self.aggregates)

    def _columns(self, query: Query) -> Closure:
        items = query.items or ()
        if query.is_value:
            return self.compile(items[0].expression)
        columns: list[tuple[str, Closure]] = []
        unnamed = 0
        for item in items:
            name = item.alias or _derived_name(item.expression)
            if name is None:
                unnamed += 1
                name = f"${unnamed}"
            if any(name == known for known, _ in columns):
                raise SqlError(f"Cannot create duplicate column '{name}' in the select list.", code="SC2060")
            columns.append((name, self.compile(item.expression)))
        return lambda row: {
            name: value for name, column in columns if (value := column(row)) is not UNDEFINED
        }

    def _sources(self, sources: tuple[Source, ...], *, is_root: bool) -> Binder | None:
        binders: list[Binder] = []
        for position, source in enumerate(sources):
            is_container = is_root and position == 0
            if is_container and isinstance(source.expression, Name) and not source.iterates:
                self._declare(source.alias, _ROOT_SLOT)
                continue
            binders.append(self._container_binder(source) if is_container else self._binder(source))
        if not binders:
            return None
        return binders[0] if len(binders) == 1 else _nested(binders)

    def _container_binder(self, source: Source) -> Binder:
        outer = self.scope
        self.scope = {} if source.expression is None else {_base_name(source.expression): _ROOT_SLOT}
        try:
            binder = self._binder(source, is_root=True)
            slot = self.scope[source.alias]
        finally:
            self.scope = outer
        self._declare(source.alias, slot)
        return binder

    def _declare(self, alias: str, slot: int) -> None:
        self.scope[alias] = slot

    def _binder(self, source: Source, *, is_root: bool = False) -> Binder:
        if source.query is not None:
            values = self._values(
                self._per_document(source.query) if is_root else self.pipeline(source.query)
            )
        elif source.iterates:
            values = _elements(self.compile(source.expression or _NOTHING))
        else:
            values = _single(self.compile(source.expression or _NOTHING))
        slot = self.slot()
        self._declare(source.alias, slot)

        def bind(row: Row) -> Iterator[None]:
            for value in values(row):
                row[slot] = value
                yield

        return bind

    def _per_document(self, query: Query) -> Pipeline:
        pipeline = self.pipeline(query, is_root=True)
        if pipeline.is_grouped or pipeline.distinct or pipeline.sorts or pipeline.count is not None:
            raise SqlError(
                "This emulator does not support aggregates, GROUP BY, DISTINCT, ORDER BY, TOP or OFFSET in a "
                "sub-query over the whole container.",
                code="SC3001",
            )
        return pipeline

    def subquery(self, query: Query) -> Callable[[Row], list[Any]]:
        return self._values(self.pipeline(query))

    def _values(self, pipeline: Pipeline) -> Callable[[Row], list[Any]]:
        accept = filter_conjunction([term for _, term in pipeline.filters]) if pipeline.filters else None

        def values(row: Row) -> list[Any]:
            if pipeline.is_grouped:
                groups = Groups(pipeline)
                for _ in pipeline.combinations(row):
                    if accept is None or accept(row) is True:
                        groups.add(row)
                return _cut(pipeline, [output for _, output in groups.outputs(row)])
            found: list[tuple[SortKeys, Any]] = []
            for _ in pipeline.combinations(row):
                if accept is None or accept(row) is True:
                    output = pipeline.project(row)
                    if output is not UNDEFINED:
                        found.append((pipeline.sort_keys(row), output))
            for position in range(len(pipeline.sorts) - 1, -1, -1):
                found.sort(key=lambda pair: pair[0][position], reverse=pipeline.sorts[position][1])
            return _cut(pipeline, [output for _, output in found])

        return values


def _cut(pipeline: Pipeline, outputs: list[Any]) -> list[Any]:
    if pipeline.distinct:
        outputs = list({canonical(output): output for output in reversed(outputs)}.values())[::-1]
    end = None if pipeline.count is None else pipeline.offset + pipeline.count
    return outputs[pipeline.offset : end]


def _nested(binders: list[Binder]) -> Binder:
    first, *others = binders
    rest = others[0] if len(others) == 1 else _nested(others)

    def bind(row: Row) -> Iterator[None]:
        for _ in first(row):
            yield from rest(row)

    return bind


def _elements(value: Closure) -> Callable[[Row], list[Any]]:
    def elements(row: Row) -> list[Any]:
        found = value(row)
        return found if type(found) is list else []

    return elements


def _single(value: Closure) -> Callable[[Row], list[Any]]:
    def single(row: Row) -> list[Any]:
        found = value(row)
        return [] if found is UNDEFINED else [found]

    return single


def _derived_name(node: Node) -> str | None:
    return node.name if isinstance(node, Property | Name) else None


def _base_name(node: Node) -> str:
    while isinstance(node, Property | Subscript):
        node = node.base
    if not isinstance(node, Name):
        raise SqlError("FROM must start at the container.", code="SC2010")
    return node.name


def has_aggregate(node: Any) -> bool:
    """Tell whether an expression holds an aggregate of its own query."""
    if isinstance(node, Query):
        return False
    if isinstance(node, Call) and node.name in AGGREGATES:
        return True
    if isinstance(node, tuple):
        return any(has_aggregate(part) for part in node)
    if isinstance(node, Node):
        return any(has_aggregate(getattr(node, name)) for name in node.__dataclass_fields__)
    return False
