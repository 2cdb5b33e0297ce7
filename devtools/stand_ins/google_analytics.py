"""Google Analytics on loopback: the token endpoint and the deletion of one user's data, with its quota.

Command line: `python3 -m devtools.stand_ins.google_analytics --key-file FILE`, which writes the made-up key
file that a local run signs in with. Below `/stand-in/` it is looked into: `GET /stand-in/deletions`,
`PUT /stand-in/faults` (see `Fault`) and `PUT /stand-in/quota` with a number.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from devtools.stand_ins.serving import serve

PROPERTY_ID = "400000001"
SERVICE_ACCOUNT = "deletions@made-up.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/analytics.edit"
DAY_S_QUOTA = 500
TOKEN_SECONDS = 3_600
_AUDIENCE = "https://oauth2.googleapis.com/token"  # as google-auth writes it, whatever endpoint it asks
_FIELDS = frozenset({"userId", "clientId", "appInstanceId", "userProvidedData"})
_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@dataclass(kw_only=True)
class Fault:
    """A failure on purpose.

    Attributes:
        call: Which call it hits, `token` or `delete`; empty: both.
        status: Status to answer with; 0: the true answer.
        html: Whether a page comes instead of JSON, as a gateway in between sends it.
        headers: Headers of the answer.
        delay_seconds: How long to wait first.
        drop: Close the connection without an answer.
        after: Let the call have its effect first.
        times: How often; None: always.
    """

    call: str = ""
    status: int = 0
    html: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    drop: bool = False
    after: bool = False
    times: int | None = 1

    def hits(self, call: str) -> bool:
        """Tell whether it hits this call, and count it."""
        if self.call not in {"", call} or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class GoogleAnalyticsStandIn:
    """Serve one property.

    Attributes:
        deletions: What was accepted: field, value and moment of each, in order.
        quota: How many deletions it still takes.
        faults: Failures in force.
        tokens: Tokens that it gave and takes; forget one, and it is refused.

    Args:
        port: Port to bind, 0 for a free one.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.deletions: list[tuple[str, str, datetime]] = []
        self.quota = DAY_S_QUOTA
        self.faults: list[Fault] = []
        self.tokens: set[str] = set()
        self._port = port
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; `url` is the base of the API from then on.

        Raises:
            OSError: The port is taken.
        """
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    def write_key_file(self, path: Path) -> None:
        """Write the key file of a made-up service account, whose tokens come from here."""
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        content = {
            "type": "service_account",
            "project_id": "made-up",
            "private_key_id": "1",
            "private_key": private.decode(),
            "client_email": SERVICE_ACCOUNT,
            "client_id": "1",
            "token_uri": f"{self.url}token",
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        path.chmod(0o600)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/stand-in/"):
            return await self._looked_into(request)
        call = "token" if request.path == "/token" else "delete"
        fault = next((one for one in self.faults if one.hits(call)), Fault())
        await asyncio.sleep(fault.delay_seconds)
        response: web.StreamResponse | None = None
        if fault.after or not (fault.drop or fault.status):
            response = await (self._token(request) if call == "token" else self._delete(request))
        if fault.drop and request.transport is not None:
            request.transport.abort()
        if fault.status and fault.html:
            html = "<html>This failure was asked for.</html>"
            response = web.Response(
                status=fault.status, text=html, content_type="text/html", headers=fault.headers
            )
        elif fault.status:
            response = _error(fault.status, "This failure was asked for.", fault.headers)
        return response or web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _token(self, request: web.BaseRequest) -> web.Response:
        """Give a token for a signed statement of who asks. Source: RFC 7523, section 2.1."""
        given = await request.post()
        if given.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return _refused("unsupported_grant_type")
        try:
            claims = jwt.decode(
                str(given.get("assertion", "")),
                self._key.public_key(),
                algorithms=["RS256"],
                audience=_AUDIENCE,
                issuer=SERVICE_ACCOUNT,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.InvalidTokenError:
            return _refused("invalid_grant")
        if SCOPE not in str(claims.get("scope", "")).split():
            return _refused("invalid_scope")
        token = f"made-up.{secrets.token_urlsafe(16)}"
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"})

    async def _delete(self, request: web.BaseRequest) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            return _error(HTTPStatus.UNAUTHORIZED, "The request had invalid credentials.")
        where, _, verb = request.path.partition(":")
        if verb != "submitUserDeletion" or not where.startswith("/v1alpha/properties/"):
            return _error(HTTPStatus.NOT_FOUND, "Unknown method.")
        if request.method != "POST":
            return _error(HTTPStatus.NOT_FOUND, "Unknown method.")
        if where.removeprefix("/v1alpha/properties/") != PROPERTY_ID:
            return _error(HTTPStatus.FORBIDDEN, "The caller does not have permission.")
        try:
            body = await request.json()
        except JSONDecodeError:
            body = None
        if not _is_deletion(body):
            return _error(HTTPStatus.BAD_REQUEST, "Set exactly one user identifier.")
        if self.quota == 0:
            return _error(HTTPStatus.TOO_MANY_REQUESTS, "Exhausted property user deletion quota.")
        self.quota -= 1
        ((name, value),) = body.items()
        received_at = datetime.now(UTC)
        self.deletions.append((name, value, received_at))
        return web.json_response({"deletionRequestTime": received_at.isoformat().replace("+00:00", "Z")})

    async def _looked_into(self, request: web.BaseRequest) -> web.Response:
        match request.method, request.path.removeprefix("/stand-in/"):
            case "GET", "deletions":
                rows = [
                    {"field": name, "value": value, "received_at": moment.isoformat()}
                    for name, value, moment in self.deletions
                ]
                return web.json_response(rows)
            case "PUT", "faults":
                self.faults = [Fault(**one) for one in await request.json()]
            case "PUT", "quota":
                self.quota = int(await request.json())
            case _:
                return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response()


def _is_deletion(body: Any) -> bool:
    if not isinstance(body, dict) or len(body) != 1:
        return False
    ((name, value),) = body.items()
    return name in _FIELDS and isinstance(value, str) and value != ""


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"error": {"code": status, "message": message, "status": _NAMES.get(status, "UNKNOWN")}}
    return web.json_response(body, status=status, headers=headers)


def _refused(code: str) -> web.Response:
    return web.json_response({"error": code}, status=HTTPStatus.BAD_REQUEST)


async def _run(port: int, key_file: Path | None, *, stop_with_parent: bool) -> None:
    stand_in = GoogleAnalyticsStandIn(port=port)
    async with stand_in:
        if key_file is not None:
            stand_in.write_key_file(key_file)
        await serve(_Started(stand_in), stop_with_parent=stop_with_parent)


class _Started:
    """A stand-in that listens already, since its key file names its port."""

    def __init__(self, stand_in: GoogleAnalyticsStandIn) -> None:
        self.url = stand_in.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        return None


def main() -> int:
    """Run the stand-in until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="devtools.stand_ins.google_analytics", description=__doc__)
    parser.add_argument("--port", type=int, default=8084, help="0 chooses a free port")
    parser.add_argument("--key-file", metavar="FILE", type=Path, help="write the made-up key file there")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args()
    try:
        asyncio.run(_run(options.port, options.key_file, stop_with_parent=options.stop_with_parent))
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
