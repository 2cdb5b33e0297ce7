"""Route templates as ASP.NET Core's conventional routing matches them: in order, first match wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from devtools.functions_host.constraints import Constraint, parse_constraint

Target = TypeVar("Target")

_NAME = re.compile(r"[A-Za-z_][\w.\-]*")


@dataclass(frozen=True, kw_only=True)
class _Parameter:
    name: str
    constraints: tuple[Constraint, ...]
    default: str | None
    is_optional: bool
    is_catch_all: bool


class RouteTemplate:
    """One template such as `items/{id:int}/{part?}`, compiled.

    Args:
        text: The template with its prefix, slashes around it allowed.

    Raises:
        ValueError: It is not well formed, or names an unknown constraint.
    """

    def __init__(self, text: str) -> None:
        """Compile the template."""
        self.text = text.strip("/")
        self._parameters: list[_Parameter] = []
        segments = self.text.split("/") if self.text else []
        pattern = "".join(
            self._segment(segment, is_last=index == len(segments) - 1)
            for index, segment in enumerate(segments)
        )
        # A slash too many at the end is tolerated, as the real router does.
        self._pattern = re.compile(f"{pattern or '/'}/?", re.IGNORECASE | re.DOTALL)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Return the names of its parameters in order."""
        return tuple(parameter.name for parameter in self._parameters)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters of a decoded path, or None if it does not match.

        Absent optional parameters are missing keys; absent ones with a default have the default.
        """
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for index, parameter in enumerate(self._parameters):
            value = found[f"p{index}"] or parameter.default
            if value is None:
                if parameter.is_catch_all or parameter.is_optional:
                    continue
                return None
            if not all(constraint(value) for constraint in parameter.constraints):
                return None
            values[parameter.name] = value
        return values

    def _segment(self, segment: str, *, is_last: bool) -> str:
        parts = _split_segment(segment)
        parameters = [part for part in parts if isinstance(part, _Parameter)]
        single = parameters[0] if len(parts) == 1 and parameters else None
        for parameter in parameters:
            if parameter.name.lower() in {name.lower() for name in self.parameter_names}:
                raise ValueError(f"the parameter {parameter.name!r} appears twice")
            self._parameters.append(parameter)
            if parameter.is_catch_all and not (is_last and single):
                raise ValueError(f"the catch-all {parameter.name!r} must be the whole last segment")
            if parameter.is_optional and not (is_last and single):
                raise ValueError(f"the optional {parameter.name!r} must be the whole last segment")
        if single is None:
            first = len(self._parameters) - len(parameters)
            return "/" + _mixed_pattern(parts, first)
        group = f"p{len(self._parameters) - 1}"
        if single.is_catch_all:
            return f"(?:/(?P<{group}>.*?))?"
        optional = single.is_optional or single.default is not None
        body = f"/(?P<{group}>[^/]+)"
        return f"(?:{body})?" if optional else body


def _mixed_pattern(parts: Sequence[str | _Parameter], first: int) -> str:
    pattern, index = "", first
    for part in parts:
        if isinstance(part, str):
            pattern += re.escape(part)
        else:
            pattern += f"(?P<p{index}>[^/]+)"
            index += 1
    return pattern


def _split_segment(segment: str) -> list[str | _Parameter]:
    parts: list[str | _Parameter] = []
    literal, index = "", 0
    while index < len(segment):
        character = segment[index]
        if segment.startswith(("{{", "}}"), index):
            literal += character
            index += 2
        elif character == "{":
            end = _closing_brace(segment, index)
            if literal:
                parts.append(literal)
                literal = ""
            elif parts and isinstance(parts[-1], _Parameter):
                raise ValueError("two parameters need text between them")
            parts.append(_parameter(segment[index + 1 : end]))
            index = end + 1
        elif character == "}":
            raise ValueError(f"the segment {segment!r} has a brace that was never opened")
        else:
            literal += character
            index += 1
    if literal:
        parts.append(literal)
    if not parts:
        raise ValueError("a segment is empty")
    return parts


def _closing_brace(segment: str, start: int) -> int:
    index = start + 1
    while index < len(segment):
        if segment.startswith(("{{", "}}"), index):
            index += 2
        elif segment[index] == "}":
            return index
        else:
            index += 1
    raise ValueError(f"the segment {segment!r} has a brace that is not closed")


def _parameter(text: str) -> _Parameter:
    is_catch_all = text.startswith("*")
    text = text.lstrip("*")
    match = _NAME.match(text)
    if match is None:
        raise ValueError(f"{{{text}}} has no proper parameter name")
    rest = text[match.end() :]
    constraints: list[Constraint] = []
    while rest.startswith(":"):
        constraint, rest = _take_constraint(rest[1:])
        constraints.append(constraint)
    default = None
    if rest.startswith("="):
        default, rest = rest[1:], ""
    is_optional = rest == "?"
    if rest not in {"", "?"}:
        raise ValueError(f"{{{text}}} is not a parameter")
    return _Parameter(
        name=match[0],
        constraints=tuple(constraints),
        default=default,
        is_optional=is_optional,
        is_catch_all=is_catch_all,
    )


def _take_constraint(text: str) -> tuple[Constraint, str]:
    """Split one constraint off; its argument may hold colons and balanced parentheses."""
    depth, index = 0, 0
    while index < len(text):
        character = text[index]
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif depth == 0 and character in ":=?":
            break
        index += 1
    return parse_constraint(text[:index]), text[index:]


@dataclass(frozen=True, kw_only=True)
class Route(Generic[Target]):
    """A template, the methods it answers (None for all) and what it leads to."""

    template: RouteTemplate
    methods: frozenset[str] | None
    target: Target


class Router(Generic[Target]):
    """Finds the first of some routes that matches path and method."""

    def __init__(self, routes: Sequence[Route[Target]]) -> None:
        """Keep the routes in the order in which they are tried."""
        self._routes = tuple(routes)

    def find(self, method: str, path: str) -> tuple[Target, Mapping[str, str]] | None:
        """Return the target and the route parameters, or None if nothing matches.

        Args:
            method: In capitals.
            path: Decoded, with its leading slash.
        """
        for route in self._routes:
            if route.methods is not None and method not in route.methods:
                continue
            values = route.template.match(path)
            if values is not None:
                return route.target, values
        return None
