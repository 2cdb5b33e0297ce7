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
    try:
        response = httpx.request(
            operation.method,
            f"{url}/{path}",
            params=sent if is_read else None,
            json=None if is_read else sent,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_CALL_SECONDS,
            trust_env=not url.startswith("http://127.0.0.1:"),
        )
        content = response.json() if response.content else None
    except (httpx.HTTPError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CannotStartError(f"The API at {url} does not answer ({type(error).__name__}).") from error
    if not response.is_success:
        known = content if isinstance(content, dict) else {"title": response.reason_phrase}
        raise RefusedError(response.status_code, {"status": response.status_code, **known})
    return content
