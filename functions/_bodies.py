"""Bodies read with a model: JSON or a form in, a checked object out, or a problem with a stable code."""

import re
from datetime import date
from typing import Annotated, Any, TypeVar

import azure.functions as func
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from functions._expected import DAY, MOMENT, expected
from functions._http import fields, header, is_form
from shared.domain.errors import Invalid

M = TypeVar("M", bound=BaseModel)
_LONGEST_NAME = 40
_CODES = {
    "extra_forbidden": "field_unknown",
    "missing": "field_missing",
    "string_too_long": "text_too_long",
    "too_long": "too_many",
}


_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _written(value: object, pattern: re.Pattern[str], help_text: str) -> object:
    """Let only what is written out pass: a number would be read as seconds since 1970."""
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise PydanticCustomError("field_invalid", "{expected}", {"expected": help_text})


Day = Annotated[date, BeforeValidator(lambda value: _written(value, _DAY, DAY))]
"""A day such as `2026-11-23`."""
Moment = Annotated[AwareDatetime, BeforeValidator(lambda value: _written(value, _MOMENT, MOMENT))]
"""A moment with its offset, such as `2026-11-23T09:15:00Z`. Source: RFC 3339, section 5.6."""


class Body(BaseModel):
    """Base of what a door reads: an unknown field is refused, and no value is ever quoted."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class Shown(BaseModel):
    """Base of what a door answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def read(req: func.HttpRequest, model: type[M]) -> M:
    """Read the body with a model.

    Raises:
        Invalid: what is wrong with the body as such, or the first field at fault, by its name.
    """
    found = fields(req)
    return checked(model, nested(found) if is_form(req) else found)


def query(req: func.HttpRequest, model: type[M]) -> M:
    """Read the query with a model. Raises as `read`."""
    return checked(model, {name: value for name, value in req.params.items() if name != "code"})


def headers(req: func.HttpRequest, model: type[M]) -> M:
    """Read the headers that a model names, by its aliases. Raises as `read`."""
    names = {(one.alias or name) for name, one in model.model_fields.items()}
    return checked(model, {name: found for name in names if (found := header(req, name))})


def checked(model: type[M], found: dict[str, Any]) -> M:
    """Return the checked object. Raises as `read`."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or first.get("ctx", {}).get("field", "")
        code = first["type"] if first["type"] in REFUSALS else _CODES.get(first["type"], "field_invalid")
        detail = REFUSALS[code] if code in REFUSALS else expected(model, first)
        raise Invalid(code, detail, field=place[:_LONGEST_NAME] or None) from None


REFUSALS: dict[str, str] = {}
"""The refusals of our own models: code to what the caller can do."""


def refusal(code: str, help_text: str, *, field: str = "") -> PydanticCustomError:
    """Return an error a model raises; it reaches the caller under this code, with this help.

    `field`: which one is at fault, where several are looked at together.
    """
    REFUSALS[code] = help_text
    return PydanticCustomError(code, help_text, {"field": field})


def nested(found: dict[str, Any]) -> dict[str, Any]:
    """Return a form's fields such as `corrections.name` as an object inside the object."""
    made: dict[str, Any] = {}
    for name, value in found.items():
        outer, dot, inner = name.partition(".")
        if dot and isinstance(made.setdefault(outer, {}), dict):
            made[outer][inner] = value
        else:
            made[name] = value
    return made
