"""Bicep files read with a real parser into what the tests ask for. No compiler: types stay unchecked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
_PARSER = Parser(Language(tree_sitter_bicep.language()))
_BINDERS = frozenset({"identifier", "loop_variable", "loop_enumerator"})
_KINDS = {
    "parameter_declaration": "params",
    "variable_declaration": "variables",
    "resource_declaration": "resources",
    "module_declaration": "modules",
    "output_declaration": "outputs",
}


class Expression(str):
    """The text of something that is only known at deployment."""

    __slots__ = ()


@dataclass
class Declared:
    """One declaration. `kind`: the type of a parameter or resource, or the path of a module."""

    name: str
    kind: str = ""
    text: str = ""
    value: Any = None
    has_default: bool = False
    is_existing: bool = False
    loop: str = ""
    decorators: dict[str, list[Any]] = field(default_factory=dict)


@dataclass
class Template:
    """One file."""

    path: Path
    scope: str = "resourceGroup"
    params: dict[str, Declared] = field(default_factory=dict)
    variables: dict[str, Declared] = field(default_factory=dict)
    resources: dict[str, Declared] = field(default_factory=dict)
    modules: dict[str, Declared] = field(default_factory=dict)
    outputs: dict[str, Declared] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)


def templates() -> list[Template]:
    """Read every template of the repository."""
    return [read(path) for path in sorted(INFRA.rglob("*.bicep"))]


def read(path: Path) -> Template:
    """Read one file."""
    return parse(path.read_bytes(), path)


def parse(source: bytes, path: Path) -> Template:
    """Read one file's text."""
    root = _PARSER.parse(source).root_node
    found = Template(path=path)
    decorators: dict[str, list[Any]] = {}
    for node in root.named_children:
        if node.type == "decorators":
            decorators = {_text(call.named_children[0]): _arguments(call) for call in _calls_of(node)}
            continue
        if node.type in _KINDS:
            declared = _declared(node, decorators)
            getattr(found, _KINDS[node.type])[declared.name] = declared
        elif node.type == "target_scope_assignment":
            found.scope = _text(node).partition("'")[2].rstrip("'")
        decorators = {}
    found.errors = [f"{path.name}:{one.start_point[0] + 1}" for one in _walk(root) if _is_wrong(one)]
    found.calls = {
        _text(one.named_children[0])
        for one in _walk(root)
        if one.type == "call_expression" and one.named_children
    }
    known = {*found.params, *found.variables, *found.resources, *found.modules}
    found.unknown = sorted({name for name in _used(root, frozenset()) if name not in known})
    return found


def _declared(node: Node, decorators: dict[str, list[Any]]) -> Declared:
    children = node.named_children
    name = _text(children[0])
    found = Declared(name=name, text=_text(node), decorators=decorators)
    rest = children[1:]
    if node.type in ("parameter_declaration", "output_declaration"):
        found.kind, rest = _text(rest[0]), rest[1:]
        found.has_default = bool(rest)
    elif node.type in ("resource_declaration", "module_declaration"):
        found.kind, rest = str(_value(rest[0])), rest[1:]
        found.is_existing = any(_text(child) == "existing" for child in node.children)
    if rest:
        body = rest[-1]
        while body.type in ("for_statement", "if_statement"):
            if body.type == "for_statement":
                found.loop = _text(body).partition(" in ")[2].partition(":")[0]
            body = body.named_children[-1]
        found.value = _value(body)
    return found


def _value(node: Node) -> Any:
    if node.type == "object":
        return {
            str(_value(one.named_children[0])): _value(one.named_children[1])
            for one in node.named_children
            if one.type == "object_property"
        }
    if node.type == "array":
        return [_value(one) for one in node.named_children if one.type != "comment"]
    if node.type == "string" and not any(one.type == "interpolation" for one in node.named_children):
        return _text(node)[1:-1].replace("\\'", "'")
    if node.type == "boolean":
        return _text(node) == "true"
    if node.type == "number":
        return int(_text(node))
    if node.type == "null":
        return None
    return Expression(_text(node))


def _used(node: Node, bound: frozenset[str]) -> Iterator[str]:
    """Yield names that an expression takes from outside: no keys, properties, functions or loop variables."""
    if node.type in ("decorators", "type", "comment"):
        return
    children = node.named_children
    if node.type == "for_statement":
        names = frozenset(_text(one) for head in children[:-2] for one in _walk(head) if one.type in _BINDERS)
        bound = bound | names
        yield from _used(children[-2], bound)
        yield from _used(children[-1], bound)
        return
    if node.type == "identifier":
        if (name := _text(node)) not in bound:
            yield name
        return
    is_keyed = node.type == "object_property" and children[0].type == "identifier"
    if node.type in _KINDS or node.type == "call_expression" or is_keyed:
        children = children[1:]
    for child in children:
        yield from _used(child, bound)


def _calls_of(node: Node) -> list[Node]:
    return [one for one in _walk(node) if one.type == "call_expression"]


def _arguments(call: Node) -> list[Any]:
    return [_value(one) for one in call.named_children[1].named_children]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _is_wrong(node: Node) -> bool:
    return node.type == "ERROR" or node.is_missing


def _text(node: Node) -> str:
    return (node.text or b"").decode()
