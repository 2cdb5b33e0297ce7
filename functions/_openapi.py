"""The description of every door, OpenAPI 3.1, made from the models the doors read and answer with."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions._bodies import Shown
from functions._door import DOORS, Door

_SCHEMAS = "#/components/schemas/"
_PARAMETER = re.compile(r"\{(\w+)(?::length\((\d+)\))?[^}]*\}")
_PROBLEM = "application/problem+json"
_FORM = "application/x-www-form-urlencoded"
_GUARDS: dict[str, dict[str, Any]] = {
    "system": {"type": "apiKey", "in": "header", "name": "x-system-key"},
    "staff": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "opendsr": {"type": "apiKey", "in": "header", "name": "x-opendsr-key"},
}


class Problem(Shown):
    """Problem details (RFC 9457) with a stable `code`. `field`: the one at fault."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    field: str | None = None


def description(*, server_url: str) -> dict[str, Any]:
    """Return the whole description; equal doors give an equal one."""
    doors = sorted(DOORS.values(), key=lambda one: (one.route, one.method))
    _, schemas = models_json_schema(
        [(model, mode) for model, mode in _models(doors)],
        ref_template=_SCHEMAS + "{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in doors:
        paths.setdefault(_path(one.route), {})[one.method.lower()] = _operation(one)
    guards = {one.guard for one in doors} & _GUARDS.keys()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClickLearn data protection",
            "version": "1",
            "description": "Requests of data subjects, what systems ask before they process, and operations.",
        },
        "servers": [{"url": server_url}],
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {name: _GUARDS[name] for name in sorted(guards)},
        },
    }


def _models(doors: Iterable[Door]) -> list[tuple[type[BaseModel], Any]]:
    read: dict[str, type[BaseModel]] = {}
    answered: dict[str, type[BaseModel]] = {Problem.__name__: Problem}
    for one in doors:
        read |= {model.__name__: model for model in (one.body,) if model is not None}
        answered |= {model.__name__: model for model in one.answers.values() if isinstance(model, type)}
    return [
        *((read[name], "validation") for name in sorted(read)),
        *((answered[name], "serialization") for name in sorted(answered)),
    ]


def _path(route: str) -> str:
    return "/" + _PARAMETER.sub(lambda found: f"{{{found[1]}}}", route)


def _operation(one: Door) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary.partition(". ")[0].rstrip("."),
        "description": one.summary,
        "parameters": [*_path_parameters(one.route), *_query_parameters(one)],
        "responses": {
            **{str(status): _answer(status, model) for status, model in sorted(one.answers.items())},
            **{str(int(status)): _problem(status) for status in one.problems},
        },
    }
    if one.body is not None:
        schema = {"$ref": _SCHEMAS + one.body.__name__}
        content: dict[str, Any] = {"application/json": {"schema": schema}}
        if one.takes_form:
            content[_FORM] = {"schema": schema}
        found["requestBody"] = {"required": True, "content": content}
    if one.guard in _GUARDS:
        found["security"] = [{one.guard: []}]
    return found


def _path_parameters(route: str) -> list[dict[str, Any]]:
    return [
        {
            "name": found[1],
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1}
            | ({"minLength": int(found[2]), "maxLength": int(found[2])} if found[2] else {}),
        }
        for found in _PARAMETER.finditer(route)
    ]


def _query_parameters(one: Door) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = one.query.model_json_schema(ref_template=_SCHEMAS + "{model}")
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": described}
        for name, described in schema["properties"].items()
    ]


def _answer(status: int, model: type[BaseModel] | str | None) -> dict[str, Any]:
    words = {"description": HTTPStatus(status).phrase}
    if model is None:
        return words
    if isinstance(model, str):
        return words | {"content": {model: {}}}
    content = {"application/json": {"schema": {"$ref": _SCHEMAS + model.__name__}}}
    return words | {"content": content | {"text/html": {}}}


def _problem(status: int) -> Mapping[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {_PROBLEM: {"schema": {"$ref": _SCHEMAS + "Problem"}}, "text/html": {}},
    }
