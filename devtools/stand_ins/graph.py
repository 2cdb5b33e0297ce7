"""Microsoft Graph on loopback: the two calls mail needs and the identity's token, with faults on purpose.

It answers as the vendor's reference says and refuses what it does not know: a filter it cannot read is a 400,
never an empty list.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from aiohttp import web

MAILBOX = "privacy@controller.example"
_FILTER = re.compile(
    r"singleValueExtendedProperties/[Aa]ny\((\w+): ?\1/id eq '([^']*)' and \1/value eq '((?:[^']|'')*)'\)"
)
_PROPERTY = re.compile(r"String \{[0-9a-f-]{36}\} Name \w+")
_RECIPIENT_LISTS = ("toRecipients", "ccRecipients", "bccRecipients")


@dataclass(kw_only=True)
class Fault:
    """A failure on purpose.

    Attributes:
        call: The call it hits: `sendMail`, `messages` or `token`.
        status: Status to answer with; 0: the true answer.
        code: The vendor's code in the body; empty: an HTML body, as a gateway in between sends it.
        headers: Headers of the answer.
        delay_seconds: How long to wait first.
        drop: Close the connection without an answer.
        after: Let the call have its effect first.
        times: How often.
    """

    call: str
    status: int = 0
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    drop: bool = False
    after: bool = False
    times: int = 1


class GraphStandIn:
    """Serve one mailbox.

    Attributes:
        delivered: Every message sent, as the caller gave it.
        sent_items: The copies in Sent Items, among them those of `delivered` that were to be kept.
        faults: Failures in force, the first that fits is taken.
        calls: Every call served, as in `Fault.call`.
        empty_pages: So many pages without a message come before the one that holds any.
    """

    def __init__(self) -> None:
        self.delivered: list[dict[str, Any]] = []
        self.sent_items: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.empty_pages = 0
        self.identity_header = secrets.token_hex(8)
        self._tokens: set[str] = set()
        self._runner: web.AppRunner | None = None
        self.origin = ""

    @property
    def url(self) -> str:
        """Where Graph is, as in the setting."""
        return f"{self.origin}/v1.0"

    @property
    def identity_endpoint(self) -> str:
        """Where the identity's tokens are, as Azure puts it into the environment."""
        return f"{self.origin}/msi/token"

    def revoke_tokens(self) -> None:
        """Accept none of the tokens given so far."""
        self._tokens.clear()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._failing])
        app.router.add_get("/msi/token", self._token, name="token")
        app.router.add_post("/v1.0/users/{mailbox}/sendMail", self._send_mail, name="sendMail")
        folder = "/v1.0/users/{mailbox}/mailFolders/sentitems/messages"
        app.router.add_get(folder, self._messages, name="messages")
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.origin = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _failing(self, request: web.Request, handler: Any) -> web.StreamResponse:
        call = request.match_info.route.name or ""
        self.calls.append(call)
        fault = next((one for one in self.faults if one.call == call and one.times > 0), None)
        if fault is None:
            answer: web.StreamResponse = await handler(request)
            return answer
        fault.times -= 1
        await asyncio.sleep(fault.delay_seconds)
        true_answer: web.StreamResponse | None = None
        if fault.after or not (fault.drop or fault.status):
            true_answer = await handler(request)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        if not fault.status:
            return true_answer or web.Response()
        if not fault.code:
            page = "<html>a gateway</html>"
            return web.Response(
                status=fault.status, text=page, content_type="text/html", headers=fault.headers
            )
        return _error(fault.status, fault.code, fault.headers)

    async def _token(self, request: web.Request) -> web.Response:
        """Answer as App Service does for a managed identity."""
        if request.headers.get("X-IDENTITY-HEADER") != self.identity_header:
            return web.json_response({"statusCode": 401, "message": "who asks?"}, status=401)
        if request.query.get("api-version") != "2019-08-01" or not request.query.get("resource"):
            return web.json_response({"statusCode": 400, "message": "not understood"}, status=400)
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        expires_on = str(int(time.time()) + 3600)
        resource = request.query["resource"]
        return web.json_response(
            {"access_token": token, "expires_on": expires_on, "resource": resource, "token_type": "Bearer"}
        )

    def _refused(self, request: web.Request) -> web.Response | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or token not in self._tokens:
            return _error(HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationToken")
        if request.match_info["mailbox"] != MAILBOX:
            return _error(HTTPStatus.FORBIDDEN, "ErrorAccessDenied")
        return None

    async def _send_mail(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        if request.content_type != "application/json":
            return _error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "RequestBodyRead")
        try:
            body = json.loads(await request.read())
            message = body["message"]
            problem = _problem(message)
        except (ValueError, KeyError, TypeError):
            return _error(HTTPStatus.BAD_REQUEST, "RequestBodyRead")
        if problem:
            return _error(HTTPStatus.BAD_REQUEST, problem)
        self.delivered.append(message)
        if body.get("saveToSentItems", True) is True:
            self.sent_items.append({**message, "id": f"m{len(self.sent_items)}"})
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _messages(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        read = _FILTER.fullmatch(request.query.get("$filter", ""))
        if read is None or not _PROPERTY.fullmatch(read[2]):
            return _error(HTTPStatus.BAD_REQUEST, "ErrorInvalidUrlQueryFilter")
        skip = int(request.query.get("$skip", "0"))
        if skip < self.empty_pages:
            following = request.url.update_query({"$skip": str(skip + 1)})
            return web.json_response({"value": [], "@odata.nextLink": str(following)})
        wanted = {"id": read[2], "value": read[3].replace("''", "'")}
        found = [one for one in self.sent_items if wanted in one.get("singleValueExtendedProperties", [])]
        fields = request.query.get("$select", "id").split(",")
        top = int(request.query.get("$top", "10"))
        return web.json_response({"value": [{name: one.get(name) for name in fields} for one in found[:top]]})


def _problem(message: dict[str, Any]) -> str:
    """Return the vendor's code of what is wrong with a message; empty: nothing."""
    if message["body"]["contentType"] not in {"HTML", "Text"} or not message["body"]["content"]:
        return "RequestBodyRead"
    recipients = [one for name in _RECIPIENT_LISTS for one in message.get(name, [])]
    if not recipients:
        return "ErrorInvalidRecipients"
    if any("@" not in one["emailAddress"]["address"] for one in recipients):
        return "ErrorInvalidRecipients"
    properties = message.get("singleValueExtendedProperties", [])
    if any(not _PROPERTY.fullmatch(one["id"]) or not isinstance(one["value"], str) for one in properties):
        return "ErrorInvalidProperty"
    return ""


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"code": code, "message": "made up by a stand-in", "innerError": {"request-id": "0"}}
    return web.json_response({"error": body}, status=status, headers=headers)
