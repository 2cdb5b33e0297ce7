"""One call of the operations API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from devtools.failures import CannotStartError
from devtools.ops.operations import Operation

_CALL_SECONDS = 60.0


class RefusedError(Exception):
    """An answer that is not a success.

    Attributes:
        status: Its status.
        problem: The problem details; `code` says what it was.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        """Keep the answer."""
        super().__init__(problem.get("code", str(status)))
        self.status = status
        self.problem = problem

    @property
    def asks_for_sign_in(self) -> bool:
        """Whether signing in again may help."""
        return self.status == HTTPStatus.UNAUTHORIZED


def call(operation: Operation, given: Mapping[str, Any], *, url: str, token: str) -> Any:
    """Call a door and return the JSON it answers with; None: it has nothing to say.

    Args:
        operation: Which door.
        given: Its arguments by name; None is left out.
        url: Base of the API.
        token: Access token of a member of staff.

    Raises:
        RefusedError: The door refused, or there is no such door.
        CannotStartError: The API does not answer, or with something that is none of its own.
    """
    names = {one.name for one in operation.arguments if one.in_path}
    path = operation.path.format(**{name: quote(str(given[name]), safe="") for name in names})
    sent = {name: value for name, value in given.items() if name not in names and value is not None}
    is_read = operation.method == "GET"
    response = _sent(
        operation.method, url, path, token, params=sent if is_read else None, json=None if is_read else sent
    )
    return _content(response, url)


def page(path: str, *, url: str, token: str, language: str) -> bytes:
    """Return a page for staff as the door sends it.

    Raises:
        RefusedError, CannotStartError: As `call`.
    """
    response = _sent("GET", url, path, token, headers={"Accept-Language": language})
    if not response.is_success:
        _content(response, url)
    return response.content


def _sent(method: str, url: str, path: str, token: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    trust = not url.startswith("http://127.0.0.1:")
    try:
        return httpx.request(
            method, f"{url}/{path}", headers=headers, timeout=_CALL_SECONDS, trust_env=trust, **more
        )
    except httpx.HTTPError as error:
        raise CannotStartError(f"The API at {url} does not answer ({type(error).__name__}).") from error


def _content(response: httpx.Response, url: str) -> Any:
    """Return the JSON of an answer, and refuse what is no success."""
    try:
        content = response.json() if response.content else None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CannotStartError(f"The API at {url} does not answer ({type(error).__name__}).") from error
    if not response.is_success:
        known = content if isinstance(content, dict) else {"title": response.reason_phrase}
        raise RefusedError(response.status_code, {"status": response.status_code, **known})
    return content
