"""One decorator for every HTTP door: its route, its errors, and what its description says.

A door declares the model that its body is read with and the models of its answers; the description is made
from those same models, so that the two cannot differ.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import azure.functions as func
from pydantic import BaseModel

from functions._http import Handler, answering
from functions._problem_codes import OF_A_BODY, OF_A_QUERY, OF_GUARD, statuses
from functions._traced import traced

Guard = Literal["none", "token", "system", "staff", "opendsr"]
Method = Literal["GET", "POST", "PUT", "DELETE", "OPTIONS"]
PAGE = "text/html"
EVERYWHERE = {HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}
"""What every door may answer: another write was first, an error of ours, a store that does not answer."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """What one door takes and gives.

    `answers`: status to the model of its JSON, to a media type, or to None for an answer without a body.
    `problems`: statuses of problem details it may answer with, those of its codes and those every door may
    give among them. `codes`: which ones come with statuses below 500; None: it does not say.
    `guard`: what a caller has to bring. `takes_form`: an HTML form will do as well as JSON.
    """

    name: str
    method: Method
    route: str
    summary: str
    guard: Guard
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    headers: type[BaseModel] | None
    answers: Mapping[int, type[BaseModel] | str | None]
    problems: tuple[int, ...]
    codes: tuple[str, ...] | None
    takes_form: bool


DOORS: dict[str, Door] = {}
"""Every door by its function's name; filled while the doors are loaded."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a door is declared with; see `Door`.

    Codes that come with a body, a query or a guard, and their statuses, need not be named.
    """

    answers: Mapping[int, type[BaseModel] | str | None]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: type[BaseModel] | None = None
    problems: tuple[int, ...] = ()
    codes: tuple[str, ...] | None = None
    guard: Guard = "none"
    takes_form: bool = False
    wrap: Callable[[Handler], Handler] | None = None  # around the answer, such as for other sites' pages


def door(
    blueprint: func.Blueprint, name: str, method: Method, route: str, given: Given
) -> Callable[[Handler], Any]:
    """Register a door under a name, method and route, and describe it."""
    implied = _implied(given)
    by_host = (HTTPStatus.NOT_FOUND,) if "{" in route else ()  # for a value of another length
    codes = None if given.codes is None else tuple(sorted({*given.codes, *implied}))

    def made(handler: Handler) -> Any:
        DOORS[name] = Door(
            name=name,
            method=method,
            route=route,
            summary=" ".join((handler.__doc__ or "").split()),
            guard=given.guard,
            body=given.body,
            query=given.query,
            headers=given.headers,
            answers=given.answers,
            problems=tuple(
                sorted(
                    {*given.problems, *EVERYWHERE, *by_host, *_statuses(given.codes, implied)}
                    - given.answers.keys()
                )
            ),
            codes=codes,
            takes_form=given.takes_form,
        )
        answered = answering(handler)
        wrapped = answered if given.wrap is None else given.wrap(answered)
        routed = blueprint.route(route, methods=[method])(traced(name, wrapped))
        return blueprint.function_name(name)(routed)

    return made


def _implied(given: Given) -> tuple[str, ...]:
    """Return the codes that follow from what a door takes, whatever it does."""
    return (
        *(OF_A_BODY if given.body is not None else ()),
        *(OF_A_QUERY if given.query is not None or given.headers is not None else ()),
        *OF_GUARD.get(given.guard, ()),
    )


def _statuses(codes: Iterable[str] | None, implied: Iterable[str]) -> set[int]:
    return {status for code in (*(codes or ()), *implied) for status in statuses(code)} - EVERYWHERE
