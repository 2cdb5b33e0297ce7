"""Campaign Monitor on loopback: calls and webhooks, with its states, codes and failures on purpose.

Command line: `python3 -m devtools.stand_ins.campaign_monitor --port 8082`. Below `/stand-in/` it is looked
into and played with: see `newsletter_backstage`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPMethod, HTTPStatus
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID, NewsletterAccount, SubscriberList
from devtools.stand_ins.newsletter_api import NewsletterApi
from devtools.stand_ins.newsletter_backstage import Backstage
from devtools.stand_ins.newsletter_changes import NewsletterChanges
from devtools.stand_ins.newsletter_delivery import Deliveries
from devtools.stand_ins.newsletter_faults import Fault, RateLimit, failure, half_of
from devtools.stand_ins.newsletter_pages import ApiError, Query
from devtools.stand_ins.newsletter_webhook_api import WebhookApi
from devtools.stand_ins.newsletter_webhooks import Webhooks
from devtools.stand_ins.serving import serve

PREFIX = "/api/v3.3"
TIME_ZONE = "(GMT+01:00) Brussels, Copenhagen, Madrid, Paris"
_NAMED_BY_PLACE = frozenset({"subscribers", "webhooks"})  # what follows is an id
_STATE_LISTS = {
    "active": "Active",
    "unconfirmed": "Unconfirmed",
    "unsubscribed": "Unsubscribed",
    "bounced": "Bounced",
    "deleted": "Deleted",
}


class CampaignMonitorStandIn:
    """Serve one client of an account.

    Attributes:
        api: The calls and their account, to look into and to set up.
        webhooks: The registrations, and the journal of what was told to whom.
        deliveries: Tells them. By itself only where `automatic` says so.
        faults: Failures in force.
        rate_limit: How many calls are served in how long; None: any.
        calls: Every call served, as in `Fault.call`.

    Args:
        port: Port to bind, 0 for a free one.
        data: JSON file that keeps the account; None keeps it in memory. Webhooks are not kept.
        automatic: Whether webhooks are told by themselves, soon after each change.
    """

    def __init__(self, *, port: int = 0, data: Path | None = None, automatic: bool = False) -> None:
        account = NewsletterAccount(data)
        self.webhooks = Webhooks(account.clock.now)
        self.deliveries = Deliveries(self.webhooks, automatic=automatic)
        self.api = NewsletterApi(NewsletterChanges(account, self.webhooks.tell))
        self.faults: list[Fault] = []
        self.rate_limit: RateLimit | None = None
        self.calls: list[str] = []
        self.bodies: list[Any] = []
        self._webhook_api = WebhookApi(self.webhooks, self.deliveries)
        self._backstage = Backstage(self)
        self._port = port
        self._delivering: asyncio.Task[None] | None = None
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; `url` is the base of the API from then on.

        Raises:
            OSError: The port is taken.
        """
        # No access log: every second URL has an address in it.
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{PREFIX}"
        self._delivering = asyncio.create_task(self.deliveries.run())

    async def stop(self) -> None:
        """Stop listening and telling."""
        if self._delivering is not None:
            self._delivering.cancel()
            with suppress(asyncio.CancelledError):
                await self._delivering
            self._delivering = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.json() if request.can_read_body else {}
        except JSONDecodeError:
            return web.json_response({"Code": 400, "Message": "Not JSON"}, status=HTTPStatus.BAD_REQUEST)
        if request.path.startswith("/stand-in/"):
            return await self._backstage.answer(request, body)
        call = _call_of(request)
        self.calls.append(call)
        self.bodies.append(body)
        fault = next((one for one in self.faults if one.hits(call)), Fault())
        await asyncio.sleep(fault.delay_seconds)
        response: web.StreamResponse | None = None
        if fault.after or not (fault.drop or fault.status):
            response = await self._served(request, body)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        if fault.status:
            response = failure(fault)
        if fault.half and isinstance(response, web.Response):
            response = half_of(response)
        return response or web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _served(self, request: web.BaseRequest, body: Mapping[str, Any]) -> web.Response:
        if self.rate_limit is not None and (refused := self.rate_limit.refusal()):
            return refused
        try:
            _check_key(request.headers.get("Authorization", ""))
            result = await self._result(request, body)
        except ApiError as error:
            return web.json_response(error.body, status=error.status)
        if request.method == HTTPMethod.GET:
            return web.Response() if result is None else web.json_response(result)
        self.api.account.save()
        if result is None:
            return web.Response()
        return web.json_response(result, status=HTTPStatus.CREATED)

    async def _result(self, request: web.BaseRequest, body: Mapping[str, Any]) -> Any:
        method, query = request.method, request.query
        match request.path.removeprefix(PREFIX).removesuffix(".json").strip("/").split("/"):
            case ["systemdate"] if method == HTTPMethod.GET:
                return {"SystemDate": self.api.account.clock.text()}
            case ["clients", client_id, *rest] if len(rest) <= 1:
                if client_id != CLIENT_ID:
                    raise ApiError(401, 102, "Invalid ClientID")
                return self._of_client(" ".join((method, *rest)), query, body)
            case ["subscribers", list_id, *rest]:
                return self._of_subscriber(" ".join((method, *rest)), self._list(list_id), query, body)
            case ["lists", list_id, "webhooks", *rest]:
                return await self._webhook_api.answer(method, self._list(list_id).list_id, rest, body)
            case ["lists", list_id] if method == HTTPMethod.GET:
                return self.api.settings(self._list(list_id))
            case ["lists", list_id, name] if method == HTTPMethod.GET and name in _STATE_LISTS:
                return self.api.in_state(self._list(list_id), _STATE_LISTS[name], query)
        raise _no_such_call()

    def _of_client(self, call: str, query: Query, body: Mapping[str, Any]) -> Any:
        match call:
            case "GET":
                return {"BasicDetails": {"ClientID": CLIENT_ID, "TimeZone": TIME_ZONE}}
            case "GET lists":
                return self.api.lists()
            case "GET listsforemail":
                return self.api.lists_for_email(query)
            case "GET suppressionlist":
                return self.api.suppression_list(query)
            case "POST suppress":
                return self.api.suppress(body)
            case "PUT unsuppress":
                return self.api.unsuppress(query)
        raise _no_such_call()

    def _of_subscriber(self, call: str, found: SubscriberList, query: Query, body: Mapping[str, Any]) -> Any:
        match call:
            case "GET":
                return self.api.details(found, query)
            case "POST":
                return self.api.add(found, body)
            case "POST import":
                return self.api.bring_in(found, body)
            case "PUT":
                return self.api.update(found, query, body)
            case "DELETE":
                return self.api.delete(found, query)
            case "GET history":
                return self.api.history(found, query)
            case "POST unsubscribe":
                return self.api.unsubscribe(found, body)
        raise _no_such_call()

    def _list(self, list_id: str) -> SubscriberList:
        found = self.api.account.lists.get(list_id)
        if found is None:
            raise ApiError(401, 101, "Invalid ListID")
        return found


def _no_such_call() -> ApiError:
    return ApiError(404, 404, "We couldn't find the resource you're looking for.")


def _call_of(request: web.BaseRequest) -> str:
    parts = request.path.removesuffix(".json").strip("/").split("/")
    name = parts[-2] if len(parts) > 1 and parts[-2] in _NAMED_BY_PLACE else parts[-1]
    return f"{request.method} {name}"


def _check_key(header: str) -> None:
    scheme, _, encoded = header.partition(" ")
    try:
        user = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except ValueError:
        user = ""
    if (scheme, user) != ("Basic", API_KEY):
        raise ApiError(401, 100, "Invalid API Key")


def main() -> int:
    """Run the stand-in until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="devtools.stand_ins.campaign_monitor", description=__doc__)
    parser.add_argument("--port", type=int, default=8082, help="0 chooses a free port")
    parser.add_argument(
        "--data", metavar="FILE", type=Path, help="keep the account here (default: in memory)"
    )
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args()
    try:
        stand_in = CampaignMonitorStandIn(port=options.port, data=options.data, automatic=True)
        asyncio.run(serve(stand_in, stop_with_parent=options.stop_with_parent))
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
