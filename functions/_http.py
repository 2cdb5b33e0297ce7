"""Between HTTP and our own words: bodies in, problem details out, never a vendor's or a person's text."""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from urllib.parse import parse_qsl

import azure.functions as func
from pydantic import BaseModel

from functions._problem_codes import CODES
from functions._statuses import status_of, title_of
from shared.domain.errors import ComplianceError, Conflict, Invalid, NotAllowed, Permanent, Retryable
from shared.rendering.outcomes import problem_page
from shared.rendering.pages import page_headers

MAX_BODY_BYTES = 16 * 1024
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_LOG = logging.getLogger("functions.http")

# RFC 6750, section 3: who sent no token is told how, who sent a wrong one what is wrong.
_CHALLENGES = {
    "staff_token_missing": "Bearer",
    "staff_token_invalid": 'Bearer error="invalid_token"',
    "staff_token_expired": 'Bearer error="invalid_token", error_description="expired"',
    "system_key_wrong": 'SystemKey header="x-system-key"',
    "role_missing": 'Bearer error="insufficient_scope"',
}
_SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def fields(request: func.HttpRequest, *, most_bytes: int = MAX_BODY_BYTES) -> dict[str, object]:
    """Return the fields of a JSON object or an HTML form.

    A chunked body reaches a Python function empty, so an empty one says what to do about it.

    Raises:
        Invalid: `body_missing`, `body_too_large`, `media_type` or `body_invalid`.
    """
    body = request.get_body()
    if not body:
        raise Invalid("body_missing", "send a body with a Content-Length")
    if len(body) > most_bytes:
        raise Invalid("body_too_large", f"at most {most_bytes} bytes")
    media_type = header(request, "content-type").partition(";")[0].strip().lower()
    if media_type not in (_JSON, _FORM):
        raise Invalid("media_type", f"send {_JSON} or {_FORM}")
    try:
        text = body.decode("utf-8")
        found = json.loads(text) if media_type == _JSON else _form(text)
    except (ValueError, RecursionError):
        raise Invalid("body_invalid", f"that is no {media_type}") from None
    if not isinstance(found, dict):
        raise Invalid("body_invalid", "send an object")
    return found


def header(request: func.HttpRequest, name: str) -> str:
    """Return a header's text; empty when it was not sent."""
    return str(request.headers.get(name, ""))


def is_form(request: func.HttpRequest) -> bool:
    """Whether an HTML form sent it, so that a person waits for a page."""
    return header(request, "content-type").lower().startswith(_FORM)


def client_address(request: func.HttpRequest) -> str:
    """Return the caller's network address as Azure's front end saw it: the last it was forwarded for.

    Entries before the last come from the caller and prove nothing.
    """
    last = header(request, "x-forwarded-for").rpartition(",")[2].strip()
    if last.startswith("["):  # an IPv6 address with a port
        return last[1:].partition("]")[0]
    return last.rpartition(":")[0] if last.count(":") == 1 else last or "local"


def shown(content: BaseModel, *, status: int = 200, **headers: str) -> func.HttpResponse:
    """Return a model as a JSON answer. Header names are given with underscores."""
    return answer(content.model_dump(mode="json"), status=status, **headers)


def answer(content: Mapping[str, object] | None, *, status: int = 200, **headers: str) -> func.HttpResponse:
    """Return a JSON answer, or one without a body. Header names are given with underscores."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    if content is None:
        return func.HttpResponse(status_code=status, headers={**_SAFE_HEADERS, **extra})
    return func.HttpResponse(
        json.dumps(content, ensure_ascii=False),
        status_code=status,
        mimetype=_JSON,
        headers={**_SAFE_HEADERS, **extra},
    )


def exact(body: bytes, *, media_type: str, status: int = 200, **headers: str) -> func.HttpResponse:
    """Return exactly these bytes, as somebody signed them. Header names are given with underscores."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpResponse(
        body, status_code=status, mimetype=media_type, headers={**_SAFE_HEADERS, **extra}
    )


def page(html: str, *, status: int = 200, download_origin: str | None = None) -> func.HttpResponse:
    """Return a page of our own: no script, nothing from elsewhere.

    `download_origin`: where the answer to the page's form may redirect to, as `https://host`.
    """
    headers = {**_SAFE_HEADERS, **page_headers(download_origin=download_origin)}
    headers.pop("Content-Type")  # set by the two arguments below
    return func.HttpResponse(html, status_code=status, mimetype="text/html", charset="utf-8", headers=headers)


def problem(code: str, *, status: int, title: str, **more: str) -> func.HttpResponse:
    """Return problem details (RFC 9457); what is empty in `more` is left out."""
    content = {"type": f"urn:clicklearn:problem:{code}", "title": title, "status": status, "code": code}
    return func.HttpResponse(
        json.dumps({**content, **{name: text for name, text in more.items() if text}}),
        status_code=status,
        mimetype="application/problem+json",
        headers=dict(_SAFE_HEADERS),
    )


def redirect(url: str) -> func.HttpResponse:
    """Send the browser elsewhere with a GET."""
    return func.HttpResponse(status_code=303, headers={**_SAFE_HEADERS, "Location": url})


def answering(handler: Handler) -> Handler:
    """Turn every error into problem details (RFC 9457), or a page where a browser asked for one."""

    @wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return await handler(req)
        except ComplianceError as error:
            return _problem(req, error)
        except Exception as error:  # noqa: BLE001  the last line of defence: logged by place, answered without
            # Not the error's own text: it may quote what a person sent or what is stored about one.
            _LOG.error("unexpected %s at %s", type(error).__name__, _places(error))
            return _problem(req, Permanent("internal_error"))

    return wrapped


def _problem(request: func.HttpRequest, error: ComplianceError) -> func.HttpResponse:
    status = status_of(type(error), error.code)
    internal = isinstance(error, (Permanent, Retryable, Conflict))
    if internal:
        _LOG.warning("answered %s: %s", status, error)
    headers: dict[str, str] = {}
    if isinstance(error, (NotAllowed, Retryable)) and error.retry_after_seconds:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.code in _CHALLENGES:
        headers["WWW-Authenticate"] = _CHALLENGES[error.code]
    if is_form(request) or "text/html" in header(request, "accept"):
        passing = isinstance(error, (Retryable, Conflict))
        response = page(
            problem_page(error.code, language=language_of(request), passing=passing), status=status
        )
        response.headers.update(headers)
        return response
    found = {"detail": _detail(error)}
    if isinstance(error, Invalid) and error.field:
        found["field"] = error.field
    response = problem(error.code, status=status, title=title_of(type(error), error.code), **found)
    response.headers.update(headers)
    return response


def _detail(error: ComplianceError) -> str:
    """Return what the caller can do about it. What went wrong inside is for the log."""
    if isinstance(error, (Permanent, Retryable)):
        return ""
    known = CODES[type(error)].get(error.code, "")
    return known if isinstance(error, Conflict) else error.detail or known


def _places(error: BaseException) -> str:
    """Return where an error came from, innermost first, without any value."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))


def language_of(request: func.HttpRequest) -> str:
    """Return `da` or `en`: what the browser prefers of the two."""
    for choice in header(request, "accept-language").lower().split(","):
        if choice.strip()[:2] in ("da", "en"):
            return choice.strip()[:2]
    return "en"


def _form(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=50):
        earlier = found.get(name)
        if earlier is None:
            found[name] = value
        elif isinstance(earlier, list):
            earlier.append(value)
        else:
            found[name] = [earlier, value]
    return found
