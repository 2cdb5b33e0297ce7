"""What the parser builds: a query as immutable nodes."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """Be an expression of a query."""


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant; `value` may be UNDEFINED."""

    value: Any


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """A named parameter, `name` with its `@`."""

    name: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A reference to an alias."""

    name: str
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Property(Node):
    """`base.name` or `base["name"]`."""

    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Subscript(Node):
    """`base[index]` with an index that is not a constant string."""

    base: Node
    index: Node


@dataclass(frozen=True, slots=True)
class ArrayOf(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf(Node):
    """`{"a": x}`."""

    members: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x`, `+x` or `~x`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Arithmetic, bits, `||`, comparison or `??`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """All of at least two terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Any of at least two terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`NOT x`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """`operand IN (choices)`."""

    operand: Node
    choices: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`operand BETWEEN low AND high`."""

    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Like(Node):
    """`operand LIKE pattern [ESCAPE escape]`."""

    operand: Node
    pattern: Node
    escape: str


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of a built-in function; `name` in upper case."""

    name: str
    arguments: tuple[Node, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """A query inside an expression; `kind` is `scalar`, `exists` or `array`."""

    kind: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Source:
    """One member of FROM.

    `iterates` means `alias IN expression`; a source with a query has no expression. The first source of a
    top-level query starts at the container, whatever name the query gives it.
    """

    alias: str
    expression: Node | None
    iterates: bool = False
    query: "Query | None" = None


@dataclass(frozen=True, slots=True)
class SelectItem:
    """One output column; `alias` None means that a name is derived."""

    expression: Node
    alias: str | None


@dataclass(frozen=True, slots=True)
class Sort:
    """One ORDER BY term; `span` is where its expression stands in the text."""

    expression: Node
    descending: bool
    span: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Spans:
    """Offsets of the clauses in the query text, for rewriting; (0, 0) means absent."""

    select: tuple[int, int] = (0, 0)
    source: tuple[int, int] = (0, 0)
    where: tuple[int, int] = (0, 0)
    order: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Query:
    """A whole SELECT. `items` is None for `SELECT *`; `is_value` marks `SELECT VALUE x` (one item)."""

    items: tuple[SelectItem, ...] | None
    is_value: bool
    distinct: bool
    top: Node | None
    sources: tuple[Source, ...]
    where: Node | None
    group_by: tuple[Node, ...]
    order_by: tuple[Sort, ...]
    offset: Node | None
    limit: Node | None
    spans: Spans = field(compare=False)


def root_path(node: Node, alias: str) -> tuple[str, ...] | None:
    """Return the property names from an alias to a node, or None when the node is something else."""
    names: list[str] = []
    while isinstance(node, Property):
        names.append(node.name)
        node = node.base
    if isinstance(node, Name) and node.name == alias:
        return tuple(reversed(names))
    return None
