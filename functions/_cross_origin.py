"""Which other sites' pages may read an answer: the origins that a setting lists.

A form that a browser sends without asking is not kept out by this: what it begins, a mail has to confirm.
Source: https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from functools import wraps

import azure.functions as func

from functions._http import Handler, answer, header
from shared import bootstrap

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "600",
}


def cross_origin(handler: Handler) -> Handler:
    """Let pages of the listed origins read the answer, errors too. No cookie is ever taken."""

    @wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        response = await handler(req)
        response.headers.update(_allowed(req))
        return response

    return wrapped


def preflight(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a browser that asks before it sends; an origin that is not listed is told nothing."""
    allowed = _allowed(req)
    response = answer(None, status=204)
    response.headers.update(allowed)
    if "Access-Control-Allow-Origin" in allowed:
        response.headers.update(_PREFLIGHT)
    return response


def _allowed(req: func.HttpRequest) -> dict[str, str]:
    origin = header(req, "origin")
    if origin and origin in bootstrap.app().settings.allowed_origins:
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    return {"Vary": "Origin"}
