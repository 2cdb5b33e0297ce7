"""An issuer of staff tokens on loopback, laid out as Microsoft's, for a tenant that is made up.

Command line: `python3 -m devtools.stand_ins.issuer --port 8083`. Who signs in types a code at `/devicelogin`
and says which member of staff to be; there is no password. `POST /stand-in/rotation` replaces the key, and
`POST /stand-in/tokens` `{"staff": "operator"}` gives a token without the ceremony, with `ahead_seconds` one
of a later time, for an app whose clock is ahead. Its key is made when it starts and never leaves it, and the
settings of a deployed app accept no issuer on loopback.
Source: RFC 8628 (device codes); https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import html
import json
import secrets
import sys
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from devtools.stand_ins.issuer_staff import CLIENT_ID, STAFF, TENANT_ID
from devtools.stand_ins.serving import serve

_TOKEN_SECONDS = 3600
_CODE_SECONDS = 900
_POLL_SECONDS = 1
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so that no code is a word
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_RESOURCE = f"{CLIENT_ID}/"
_PAGE = """<!doctype html><html lang="en"><title>Sign in (made-up staff)</title>
<form method="post"><p><label>Code <input name="user_code" value="{code}" required></label></p>
<p><label>Sign in as <select name="staff">{options}</select></label></p><p><button>Sign in</button></p>
</form></html>"""


@dataclass(kw_only=True)
class _Waiting:
    """A sign-in that was begun; `staff` is who took it up."""

    user_code: str
    expires_at: float
    staff: str = ""


class Issuer:
    """Serve one tenant. `url` is its authority: issuer, keys and endpoints lie below it."""

    def __init__(self, *, port: int = 0) -> None:
        self._port = port
        self._runner: web.AppRunner | None = None
        self._waiting: dict[str, _Waiting] = {}  # by device code
        self._refreshing: dict[str, str] = {}  # member of staff by refresh token
        self.url = ""
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one is gone from the key set."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._key_id = uuid.uuid4().hex

    def token(self, staff: str, **changes: object) -> str:
        """Return an access token of a member of staff; `changes` replaces claims, None leaves one out.

        Raises:
            KeyError: No such member.
        """
        return self._signed({**self._claims(staff), "scp": "access_as_user", **changes})

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get(f"/{TENANT_ID}/v2.0/.well-known/openid-configuration", self._metadata),
                web.get(f"/{TENANT_ID}/discovery/v2.0/keys", self._keys),
                web.post(f"/{TENANT_ID}/oauth2/v2.0/devicecode", self._device_code),
                web.post(f"/{TENANT_ID}/oauth2/v2.0/token", self._token),
                web.get("/devicelogin", self._page),
                web.post("/devicelogin", self._take_up),
                web.post("/stand-in/rotation", self._rotation),
                web.post("/stand-in/tokens", self._direct),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/{TENANT_ID}"
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def _origin(self) -> str:
        return self.url.removesuffix(f"/{TENANT_ID}")

    async def _metadata(self, request: web.Request) -> web.Response:
        # msal takes https only; whoever ends TLS in front of this says so, as such servers do.
        scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else "http"
        base = f"{scheme}://{self.url.partition('://')[2]}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, _request: web.Request) -> web.Response:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return web.json_response({"keys": [{**public, "kid": self._key_id, "use": "sig"}]})

    async def _device_code(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("client_id") != CLIENT_ID:
            return _error("unauthorized_client")
        if not any(scope.startswith(_RESOURCE) for scope in str(form.get("scope", "")).split()):
            return _error("invalid_scope")
        device_code = secrets.token_urlsafe(32)
        user_code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        self._waiting[device_code] = _Waiting(user_code=user_code, expires_at=time.time() + _CODE_SECONDS)
        where = f"{self._origin}/devicelogin"
        return web.json_response(
            {
                "device_code": device_code,
                "user_code": user_code,
                "verification_uri": where,
                "expires_in": _CODE_SECONDS,
                "interval": _POLL_SECONDS,
                "message": f"Open {where}?user_code={user_code} and say who you are.",
            }
        )

    async def _page(self, request: web.Request) -> web.Response:
        code = html.escape(request.query.get("user_code", ""))
        options = "".join(f"<option>{name}</option>" for name in STAFF)
        return web.Response(text=_PAGE.format(code=code, options=options), content_type="text/html")

    async def _take_up(self, request: web.Request) -> web.Response:
        form = await request.post()
        code, staff = str(form.get("user_code", "")).strip().upper(), str(form.get("staff", ""))
        now = time.time()
        found = [one for one in self._waiting.values() if one.user_code == code and one.expires_at > now]
        if not found or staff not in STAFF:
            return web.Response(
                status=HTTPStatus.BAD_REQUEST, text="There is no such code or member of staff."
            )
        found[0].staff = staff
        return web.Response(text="You are signed in; this page can be closed.")

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("client_id") != CLIENT_ID:
            return _error("unauthorized_client")
        match form.get("grant_type"):
            case "refresh_token":
                staff = self._refreshing.pop(str(form.get("refresh_token", "")), "")
                return self._tokens(staff) if staff else _error("invalid_grant")
            case kind if kind == _DEVICE_CODE:
                device_code = str(form.get("device_code", ""))
                waiting = self._waiting.get(device_code)
                if waiting is None or waiting.expires_at <= time.time():
                    return _error("expired_token" if waiting else "invalid_grant")
                if not waiting.staff:
                    return _error("authorization_pending")
                del self._waiting[device_code]
                return self._tokens(waiting.staff)
        return _error("unsupported_grant_type")

    async def _rotation(self, _request: web.Request) -> web.Response:
        self.rotate()
        return web.Response()

    async def _direct(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("staff") not in STAFF:
            return _error("unknown_staff")
        now = int(time.time()) + int(body.get("ahead_seconds", 0))
        times = {"iat": now, "nbf": now, "exp": now + _TOKEN_SECONDS}
        return web.json_response({"access_token": self.token(body["staff"], **times)})

    def _tokens(self, staff: str) -> web.Response:
        claims = self._claims(staff)
        refresh_token = secrets.token_urlsafe(32)
        self._refreshing[refresh_token] = staff
        return web.json_response(
            {
                "token_type": "Bearer",
                # What is granted and what was asked for, as Entra answers; msal looks tokens up by it.
                "scope": f"{_RESOURCE}access_as_user {_RESOURCE}.default",
                "expires_in": _TOKEN_SECONDS,
                "access_token": self.token(staff),
                "refresh_token": refresh_token,
                "id_token": self._signed({**claims, "preferred_username": f"{staff}@staff.example"}),
                "client_info": _encoded({"uid": claims["oid"], "utid": TENANT_ID}),
            }
        )

    def _claims(self, staff: str) -> dict[str, Any]:
        now = int(time.time())
        person = STAFF[staff]
        return {
            "iss": f"{self.url}/v2.0",
            "aud": CLIENT_ID,
            "tid": TENANT_ID,
            "oid": person.staff_id,
            "sub": str(uuid.uuid5(uuid.UUID(CLIENT_ID), person.staff_id)),
            "azp": CLIENT_ID,
            "iat": now,
            "nbf": now,
            "exp": now + _TOKEN_SECONDS,
            "roles": list(person.roles),
            "ver": "2.0",
        }

    def _signed(self, claims: dict[str, Any]) -> str:
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self._key, algorithm="RS256", headers={"kid": self._key_id})


def _error(code: str) -> web.Response:
    description = f"{code}: as an issuer would say it"
    return web.json_response({"error": code, "error_description": description}, status=HTTPStatus.BAD_REQUEST)


def _encoded(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def main() -> int:
    """Run the issuer until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="devtools.stand_ins.issuer", description=__doc__)
    parser.add_argument("--port", type=int, default=8083, help="0 chooses a free port")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args()
    try:
        asyncio.run(serve(Issuer(port=options.port), stop_with_parent=options.stop_with_parent))
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
