"""Who may call what: local CORS and function keys."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from aiohttp import web

# Fixed, because they guard nothing: they let 401 answers be tried on one's own machine.
LOCAL_MASTER_KEY = "local-master-key"
LOCAL_HOST_KEY = "local-host-key"


def local_function_key(function_name: str) -> str:
    """Return the key of one function under `--enable-auth`."""
    return f"local-key-{function_name}"


class KeyCheck:
    """Decides on keys; switched off it lets everybody in, as Core Tools does."""

    def __init__(self, *, enabled: bool) -> None:
        """Switch the check on or off."""
        self._enabled = enabled

    def allows(
        self, auth_level: str, function_name: str, *, headers: Mapping[str, str], code: str | None
    ) -> bool:
        """Tell whether a caller reaches a function.

        Args:
            auth_level: `anonymous`, `function` or `admin`.
            function_name: The function called.
            headers: The request's headers.
            code: The query's `code`; the header wins over it.
        """
        if not self._enabled or auth_level == "anonymous":
            return True
        accepted = [LOCAL_MASTER_KEY]
        if auth_level == "function":
            accepted += [LOCAL_HOST_KEY, local_function_key(function_name)]
        return self._is_one_of(accepted, headers=headers, code=code)

    def is_admin(self, *, headers: Mapping[str, str], code: str | None) -> bool:
        """Tell whether a caller may use the admin endpoints."""
        return not self._enabled or self._is_one_of([LOCAL_MASTER_KEY], headers=headers, code=code)

    @staticmethod
    def _is_one_of(accepted: Sequence[str], *, headers: Mapping[str, str], code: str | None) -> bool:
        given = (headers.get("x-functions-key") or code or "").encode()
        return any(hmac.compare_digest(given, key.encode()) for key in accepted)


class Cors:
    """Local CORS: any header, any method, only the origins that are set.

    Args:
        origins: Allowed origins, `*` for all; empty switches CORS off.
        credentials: Whether browsers may send credentials.
    """

    def __init__(self, origins: Sequence[str], *, credentials: bool) -> None:
        """Keep the allowed origins."""
        self._any = "*" in origins
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._credentials = credentials
        self.enabled = bool(origins)

    def answer_preflight(self, request: web.BaseRequest) -> web.Response | None:
        """Return the answer to a preflight, or None if the request is none; it never reaches a function."""
        wanted = request.headers.get("Access-Control-Request-Method")
        if request.method != "OPTIONS" or wanted is None or "Origin" not in request.headers:
            return None
        response = web.Response(status=204)
        if self.decorate(request, response):
            response.headers["Access-Control-Allow-Methods"] = wanted
            asked = request.headers.get("Access-Control-Request-Headers")
            if asked:
                response.headers["Access-Control-Allow-Headers"] = asked
        return response

    def decorate(self, request: web.BaseRequest, response: web.StreamResponse) -> bool:
        """Add the headers that let the caller's page read a response; tell whether its origin is allowed."""
        origin = request.headers.get("Origin")
        if origin is None or not (self._any or origin.rstrip("/").lower() in self._origins):
            return False
        response.headers["Access-Control-Allow-Origin"] = (
            "*" if self._any and not self._credentials else origin
        )
        if not self._any or self._credentials:
            response.headers.add("Vary", "Origin")
        if self._credentials:
            response.headers["Access-Control-Allow-Credentials"] = "true"
        return True
