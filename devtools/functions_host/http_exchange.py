"""Translate between HTTP on the wire and what a Python function receives and returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, unquote

import azure.functions as func
from aiohttp import web
from azure.functions.meta import Datum
from multidict import CIMultiDict

from devtools.functions_host.functions import HTTP_TRIGGER

LARGEST_BODY_BYTES = 104_857_600


class BodyTooLargeError(Exception):
    """The request's body is longer than the host takes."""


def decoded_path(target: str) -> str:
    """Return the path of a request target, percent-decoded but for slashes, which would add segments."""
    path = target.partition("?")[0]
    if "%" not in path:
        return path
    return unquote(path.replace("%2F", "%252F").replace("%2f", "%252f"))


async def read_body(request: web.BaseRequest, *, largest_bytes: int) -> bytes:
    """Return the request's body, empty unless a Content-Length announces one.

    A chunked body does not reach a Python function in Azure, so it does not here.

    Raises:
        BodyTooLargeError: It is longer than allowed; nothing was read.
    """
    length = request.content_length
    if not length:
        return b""
    if length > largest_bytes:
        raise BodyTooLargeError
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await request.content.read()


def decode_request(request: web.BaseRequest, body: bytes, route_parameters: Mapping[str, str]) -> Any:
    """Return the `HttpRequest` that the library makes of a request."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    datum = Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(f"{request.scheme}://{request.host}{request.path_qs}", "string"),
            "headers": _texts(headers),
            "query": _texts(_query(request)),
            "params": _texts(route_parameters),
            "body": Datum(body, "bytes"),
        },
        "http",
    )
    converter = func.get_binding_registry().get(HTTP_TRIGGER)  # type: ignore[no-untyped-call] # library
    return converter.decode(datum, trigger_metadata=None)


def _texts(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _query(request: web.BaseRequest) -> dict[str, str]:
    text = request.rel_url.raw_query_string
    if not text:
        return {}
    values: dict[str, str] = {}
    for name, value in parse_qsl(text):
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def build_response(encoded: Datum) -> web.Response:
    """Return the response for an encoded return value.

    Raises:
        ValueError: The status is not a number, or a header holds a line break.
    """
    if encoded.type == "string":
        return _response_of_text(encoded.value)
    value = encoded.value
    headers: CIMultiDict[str] = CIMultiDict((name, datum.value) for name, datum in value["headers"].items())
    for cookie in value["cookies"] or ():
        _add_cookie(headers, cookie)
    return web.Response(status=int(value["status_code"].value), headers=headers, body=value["body"].value)


def _add_cookie(headers: CIMultiDict[str], cookie: SimpleCookie) -> None:
    for morsel in cookie.values():
        headers.add("Set-Cookie", morsel.OutputString())


def _response_of_text(text: str) -> web.Response:
    """Return what the real host makes of a plain `str`: it looks for JSON, and for a response inside it."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return web.Response(text=text)
    lowered = {key.lower(): value for key, value in parsed.items()} if isinstance(parsed, dict) else {}
    if "body" not in lowered:
        return web.json_response(parsed)
    body = lowered["body"]
    status = int(lowered.get("statuscode") or lowered.get("status") or 200)
    headers = {str(name): str(value) for name, value in (lowered.get("headers") or {}).items()}
    if isinstance(body, str):
        return web.Response(status=status, headers=headers, body=body.encode())
    return web.json_response(body, status=status, headers=headers)
