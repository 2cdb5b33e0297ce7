"""One decorator for every HTTP door: its route, its errors, and what its description says.

A door declares the model that its body is read with and the models of its answers; the description is made
from those same models, so that the two cannot differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import azure.functions as func
from pydantic import BaseModel

from functions._http import Handler, answering

Guard = Literal["none", "token", "system", "staff", "opendsr"]
Method = Literal["GET", "POST", "PUT", "DELETE"]
PAGE = "text/html"


@dataclass(frozen=True, kw_only=True)
class Door:
    """What one door takes and gives.

    `answers`: status to the model of its JSON, to a media type, or to None for an answer without a body.
    `problems`: statuses of problem details it may answer with, beside 500 and 503 which every door may.
    `guard`: what a caller has to bring. `takes_form`: an HTML form will do as well as JSON.
    """

    name: str
    method: Method
    route: str
    summary: str
    guard: Guard
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answers: Mapping[int, type[BaseModel] | str | None]
    problems: tuple[int, ...]
    takes_form: bool


DOORS: dict[str, Door] = {}
"""Every door by its function's name; filled while the doors are loaded."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a door is declared with; see `Door`."""

    answers: Mapping[int, type[BaseModel] | str | None]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    problems: tuple[int, ...] = ()
    guard: Guard = "none"
    takes_form: bool = False


def door(
    blueprint: func.Blueprint, name: str, method: Method, route: str, given: Given
) -> Callable[[Handler], Any]:
    """Register a door under a name, method and route, and describe it."""

    def made(handler: Handler) -> Any:
        DOORS[name] = Door(
            name=name,
            method=method,
            route=route,
            summary=" ".join((handler.__doc__ or "").split()),
            guard=given.guard,
            body=given.body,
            query=given.query,
            answers=given.answers,
            problems=tuple(sorted({*given.problems, *_COMMON})),
            takes_form=given.takes_form,
        )
        routed = blueprint.route(route, methods=[method])(answering(handler))
        return blueprint.function_name(name)(routed)

    return made


_COMMON = (HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
