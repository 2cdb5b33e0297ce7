"""The description of every door, OpenAPI 3.1, made from the models the doors read and answer with.

Source: https://spec.openapis.org/oas/v3.1.0.
"""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from pydantic import BaseModel, Field

from functions._bodies import Shown
from functions._described import COMPONENTS, Key, Schema, Schemas, flat
from functions._door import DOORS, EVERYWHERE, Door
from functions._examples import EXAMPLES
from functions._problem_codes import CODES, codes_of, sentence, statuses

_PARAMETER = re.compile(r"\{(\w+)(?::length\((\d+)\))?[^}]*\}")
_JSON, _FORM, _PAGE = "application/json", "application/x-www-form-urlencoded", "text/html"
_PROBLEM = "application/problem+json"
_ABOUT = """\
Requests of data subjects and what becomes of them, what other systems ask before they process somebody's
data, and the operations of the people who handle the requests.

An error is answered with problem details (RFC 9457) and a stable `code`. Whoever sends an HTML form, or
accepts `text/html`, gets a page instead, in Danish or English as `Accept-Language` prefers. No answer holds
personal data in a code, a detail or an address.

The host answers 404 without a body when no door has the path, has it with this method, or takes a path
parameter of this length, and refuses an address of more than 8 KiB. Bodies need a Content-Length: a chunked
one arrives empty.

A 503 may be tried again, after `Retry-After` where it is sent. Every door may be called twice."""
_GUARDS: dict[str, Schema] = {
    "system": {
        "type": "apiKey",
        "in": "header",
        "name": "x-system-key",
        "description": "The key of a system of ours that asks before it processes somebody's data.",
    },
    "staff": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A Microsoft Entra access token with one of the roles of the operations API.",
    },
    "opendsr": {
        "type": "apiKey",
        "in": "header",
        "name": "x-opendsr-key",
        "description": "The key of a customer-data platform that files requests for its users.",
    },
}
_TAGS = {
    "requests": ("Requests", "A person files a request, confirms it, follows it, cancels it."),
    "package": ("Copies", "A person fetches or deletes the copy of their data."),
    "operations": ("Operations", "Staff look at requests, decide, hold and release."),
    "processing-decisions": ("Processing decisions", "A system asks whether it may process somebody's data."),
    "opendsr": ("OpenDSR", "A customer-data platform files requests by OpenDSR 2.0."),
    "activity": ("Activity", "A product tells when people used the application."),
    "policy": ("Policy", "What is kept about whom, for what and for how long."),
    "newsletter": ("Newsletters", "A person signs up, chooses and leaves."),
    "webhooks": ("Webhooks", "A processor tells what happened there."),
    "": ("Service", "Whether the service works, and this description."),
}
_URI: Schema = {"type": "string", "format": "uri"}
_HEADERS: Mapping[int, Mapping[str, Schema]] = {
    201: {"Location": {"description": "Where it can be seen.", "schema": _URI}},
    202: {
        "Location": {
            "description": "Where its state can be seen; not sent with a page.",
            "schema": _URI,
        }
    },
    303: {
        "Location": {
            "description": "Where to go on with a GET.",
            "required": True,
            "schema": {"type": "string", "format": "uri-reference"},
        }
    },
    401: {"WWW-Authenticate": {"description": "RFC 6750, section 3.", "schema": {"type": "string"}}},
    429: {
        "Retry-After": {
            "description": "Seconds to wait.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }
    },
    503: {
        "Retry-After": {
            "description": "Seconds to wait; not always known.",
            "schema": {"type": "integer", "minimum": 1},
        }
    },
}


_NOTHING: Schema = {
    "required": True,
    "description": "Not read. Its media type shows that no page of another site made a browser send it.",
    "content": {_JSON: {"schema": {}, "examples": {"example_1": {"value": {}}}}},
}


class Problem(Shown):
    """Problem details (RFC 9457). `field`: the one at fault, where there is one."""

    type: str = Field(pattern="^urn:clicklearn:problem:[a-z0-9_]+$")
    title: str
    status: int = Field(ge=400, le=599)
    code: str = Field(description="Stable; the operation says which ones may come, and what they mean.")
    detail: str | None = None
    field: str | None = None


def description(*, server_url: str) -> Schema:
    """Return the whole description; equal doors give an equal one."""
    doors = sorted(DOORS.values(), key=lambda one: (one.route, one.method))
    schemas = Schemas(_models(doors), forms=[one.body for one in doors if one.body and one.takes_form])
    problem = schemas.components[Problem.__name__]
    problem["required"] = ["type", "title", "status", "code"]  # what is empty is left out
    problem["properties"]["code"]["enum"] = sorted({code for codes in CODES.values() for code in codes})
    paths: dict[str, Schema] = {}
    for one in doors:
        paths.setdefault(_path(one.route), {})[one.method.lower()] = _operation(one, schemas)
    guards = {one.guard for one in doors} & _GUARDS.keys()
    tags = sorted({_tag(one.route) for one in doors})
    told = dict(_TAGS.values())
    for model in {model for one in doors for model in (one.query, one.headers) if model is not None}:
        del schemas.components[schemas.name(model, "validation")]  # described field by field
    return {
        "openapi": "3.1.0",
        "info": {"title": "ClickLearn data protection", "version": "1", "description": _ABOUT},
        "servers": [{"url": server_url}],
        "tags": [{"name": tag} | ({"description": told[tag]} if tag in told else {}) for tag in tags],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {name: _GUARDS[name] for name in sorted(guards)},
        },
    }


def _models(doors: Iterable[Door]) -> Iterable[Key]:
    yield Problem, "serialization"
    for one in doors:
        for read in (one.body, one.query, one.headers):
            if read is not None:
                yield read, "validation"
        for answered in one.answers.values():
            if isinstance(answered, type):
                yield answered, "serialization"


def _path(route: str) -> str:
    return "/" + _PARAMETER.sub(lambda found: f"{{{found[1]}}}", route)


def _tag(route: str) -> str:
    parts = route.split("/")
    first = "package" if "package" in parts else parts[0]
    return _TAGS[first][0] if first in _TAGS else _TAGS[""][0] if len(parts) == 1 else first


def _operation(one: Door, schemas: Schemas) -> Schema:
    found: Schema = {
        "operationId": one.name,
        "tags": [_tag(one.route)],
        "summary": one.summary.partition(". ")[0].rstrip("."),
        "description": one.summary,
        "parameters": [
            *_path_parameters(one.route),
            *(_parameter("query", *field) for field in (schemas.fields(one.query) if one.query else ())),
            *(_parameter("header", *field) for field in (schemas.fields(one.headers) if one.headers else ())),
        ],
        "responses": {
            **{str(status): _answer(one, status, schemas) for status in sorted(one.answers)},
            **{
                str(status): _problem(one, status)
                for status in sorted(one.problems)
                if status not in one.answers
            },
        },
    }
    if one.body is not None:
        found["requestBody"] = {"required": True, "content": _content(one, one.body, schemas)}
    elif one.guard == "staff" and one.method != "GET":
        found["requestBody"] = _NOTHING
    if one.guard in _GUARDS:
        found["security"] = [{one.guard: []}]
    return found


def _content(one: Door, body: type[BaseModel], schemas: Schemas) -> Schema:
    examples = EXAMPLES.get(one.name, ())
    content: Schema = {
        _JSON: {"schema": schemas.reference(body, "validation"), "examples": _numbered(examples)}
    }
    if one.takes_form:
        encoding = {name: {"style": "form", "explode": True} for name in schemas.repeated(body)}
        content[_FORM] = {
            "schema": schemas.form(body),
            "examples": _numbered(flat(example) for example in examples),
        } | ({"encoding": encoding} if encoding else {})
    return content


def _numbered(examples: Iterable[Mapping[str, object]]) -> Schema:
    return {f"example_{number}": {"value": dict(one)} for number, one in enumerate(examples, start=1)}


def _path_parameters(route: str) -> list[Schema]:
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


def _parameter(place: str, name: str, schema: Schema, is_required: bool) -> Schema:  # noqa: FBT001  a field
    about = {key: schema[key] for key in ("description",) if key in schema}
    return {"name": name, "in": place, "required": is_required, **about, "schema": schema}


def _answer(one: Door, status: int, schemas: Schemas) -> Schema:
    model = one.answers[status]
    found: Schema = {"description": HTTPStatus(status).phrase}
    if isinstance(model, str):
        found["content"] = {model: {"schema": {"type": "string"}} if model.startswith("text/") else {}}
    elif model is not None:
        found["content"] = {_JSON: {"schema": schemas.reference(model, "serialization")}}
        if one.takes_form:
            found["content"][_PAGE] = {"schema": {"type": "string"}}
    return found | ({"headers": _HEADERS[status]} if status in _HEADERS else {})


def _problem(one: Door, status: int) -> Schema:
    """Return what a refusal looks like; a door that says which codes it has gives no other one."""
    schema: Schema = {"$ref": f"{COMPONENTS}{Problem.__name__}"}
    found: Schema = {"description": HTTPStatus(status).phrase}
    is_said = one.codes is not None and status not in EVERYWHERE
    codes = codes_of(status)
    if is_said:
        codes = tuple(code for code in one.codes or () if status in statuses(code))
    if codes:
        found["description"] += ".\n\n" + "\n".join(f"- `{code}`: {sentence(code)}" for code in codes)
    if codes and is_said:
        schema = {"allOf": [schema, {"properties": {"code": {"enum": list(codes)}}}]}
    found["content"] = {_PROBLEM: {"schema": schema}, _PAGE: {"schema": {"type": "string"}}}
    return found | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
