"""A query made ready to run over a container: compiled, with what its index can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .access import Access, Path, Span
from .container import Container
from .sql.compiler import Environment, ExpressionCompiler
from .sql.operators import Closure
from .sql.pipeline import Pipeline, compile_query
from .sql.tree import Name, Node, Query


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled query.

    Attributes:
        query: its tree.
        pipeline: its closures.
        width: slots of a row.
        served_terms: filter terms on the document that the service's index answers alone.
        document_terms: the other filter terms on the document.
        row_terms: filter terms that need the aliases of JOIN.
        is_index_only: whether the index answers the whole filter.
        spans: what an index can serve, per AND-ed term.
        order_path: path of the first ORDER BY term when an index may give the order.
        access: for questions about single expressions.
        gives_whole_items: whether rows are the stored items themselves.
    """

    query: Query
    pipeline: Pipeline
    width: int
    served_terms: tuple[Closure, ...]
    document_terms: tuple[Closure, ...]
    row_terms: tuple[Closure, ...]
    is_index_only: bool
    spans: tuple[tuple[Span, ...], ...]
    order_path: Path | None
    access: Access
    gives_whole_items: bool

    @property
    def reads_bodies_only(self) -> bool:
        """Whether rows are stored items that nobody needs to look into."""
        return self.gives_whole_items and not (
            self.pipeline.filters or self.pipeline.sorts or self.pipeline.distinct
        )

    @property
    def counts_everything(self) -> bool:
        """Whether all the query asks for is the number of items in its scope."""
        if self.pipeline.filters or self.pipeline.bind or self.pipeline.groups or not self.query.sources:
            return False
        return all(aggregate.counts_rows for aggregate in self.pipeline.aggregates)


def prepare(query: Query, parameters: Mapping[str, Any], container: Container, now: float) -> Prepared:
    """Compile a query for a container.

    Args:
        query: the parsed query.
        parameters: values by name, `@` included.
        container: lends indexing policy and computed properties.
        now: the time that GetCurrentDateTime and its kin give, in seconds since 1970.

    Raises:
        SqlError: when the query cannot be compiled.
    """
    environment = Environment(parameters, container.computed, lambda: now)
    pipeline, width = compile_query(query, environment)
    access = Access(ExpressionCompiler(environment), container.policy, container.computed, {})
    joined: set[str] = set()
    if query.sources:
        first, *others = query.sources
        is_root = isinstance(first.expression, Name) and not first.iterates
        access = _root_access(access, first, is_root=is_root).with_sources(tuple(others))
        joined = {source.alias for source in others} | (set() if is_root else {first.alias})
    served: list[Closure] = []
    on_document: list[Closure] = []
    on_rows: list[Closure] = []
    is_index_only = True
    for node, closure in pipeline.filters:
        is_served = access.served(node)
        is_index_only = is_index_only and is_served
        if joined & _names(node):
            on_rows.append(closure)
        else:
            (served if is_served else on_document).append(closure)
    spans = [access.spans(node) for node, _ in pipeline.filters]
    order_path = access.covered_path(query.order_by[0].expression) if query.order_by else None
    return Prepared(
        query=query,
        pipeline=pipeline,
        width=width,
        served_terms=tuple(served),
        document_terms=tuple(on_document),
        row_terms=tuple(on_rows),
        is_index_only=is_index_only,
        spans=tuple(span for span in spans if span is not None),
        order_path=order_path if pipeline.bind is None else None,
        access=access,
        gives_whole_items=query.items is None and pipeline.bind is None and bool(query.sources),
    )


def _root_access(access: Access, source: Any, *, is_root: bool) -> Access:
    if is_root:
        return access.with_aliases({source.alias: ()})
    if source.expression is None:
        return access
    container_name = next(iter(_names(source.expression)), "")
    return (
        access.with_aliases({container_name: ()})
        .with_sources((source,))
        .without(container_name, source.alias)
    )


def _names(node: Any) -> set[str]:
    if isinstance(node, Name):
        return {node.name}
    if isinstance(node, tuple):
        return set().union(*map(_names, node)) if node else set()
    if isinstance(node, Node) or hasattr(node, "__dataclass_fields__"):
        return set().union(*(_names(getattr(node, name)) for name in node.__dataclass_fields__))
    return set()
