"""The commands: one for each door that staff may use, made from what the door itself declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from devtools.ops.hints import hint
from functions._door import DOORS, Door

Kind = Literal["text", "number", "yes_or_no", "list", "pairs"]
_PARAMETER = re.compile(r"\{(\w+)[^}]*\}")
_KINDS: dict[str, Kind] = {
    "integer": "number",
    "number": "number",
    "boolean": "yes_or_no",
    "array": "list",
    "object": "pairs",
}


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One value of a call.

    Attributes:
        name: As the API spells it.
        kind: How it is given and sent; `pairs` are NAME=VALUE.
        choices: What it may be; empty: anything.
        hint: What it may be where it is no fixed choice, for the help; empty: nothing to say.
        is_required: Whether the API asks for it.
        in_path: Whether it is part of the path; else it is in the body, or in the query of a GET.
    """

    name: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    hint: str = ""
    is_required: bool = True
    in_path: bool = False


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One command: the method and the path of its door, below the base of the API."""

    method: str
    path: str
    summary: str
    arguments: tuple[Argument, ...]


def operations() -> dict[str, Operation]:
    """Return every command by its name."""
    import function_app  # noqa: F401  loading it makes the doors known

    found = {}
    for one in sorted(DOORS.values(), key=lambda door: (door.route, door.method)):
        if one.guard == "staff" and not any(isinstance(kind, str) for kind in one.answers.values()):
            name = one.name.removeprefix("operations_").replace("_", "-")
            found[name] = _operation(one)
    return found


def _operation(door: Door) -> Operation:
    in_path = tuple(Argument(name=name, in_path=True) for name in _PARAMETER.findall(door.route))
    model = door.query if door.method == "GET" else door.body
    return Operation(
        method=door.method,
        path=_PARAMETER.sub(r"{\1}", door.route),
        summary=door.summary,
        arguments=in_path if model is None else in_path + _arguments(model),
    )


def _arguments(model: type[BaseModel]) -> tuple[Argument, ...]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    found = []
    for name, given in schema.get("properties", {}).items():
        one = _resolved(given, schema)
        inner = _resolved(one.get("items", {}), schema)
        found.append(
            Argument(
                name=name,
                kind=_KINDS.get(one.get("type", ""), "text"),
                choices=tuple(map(str, one.get("enum", inner.get("enum", ())))),
                hint=hint(name, inner if "enum" in inner else one),
                is_required=name in required,
            )
        )
    return tuple(found)


def _resolved(given: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference, or the part of a choice that is not null, stands for."""
    if "$ref" in given:
        return _resolved(schema["$defs"][given["$ref"].rpartition("/")[2]], schema)
    parts = [one for one in given.get("anyOf", []) if one.get("type") != "null"]
    return _resolved(parts[0], schema) if parts else given
