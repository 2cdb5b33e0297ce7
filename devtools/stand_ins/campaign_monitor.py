"""Campaign Monitor on loopback: the calls that rights need, with its states, codes and failures on purpose.

Command line: `python3 -m devtools.stand_ins.campaign_monitor --port 8082`. Below `/stand-in/` it is looked
into: `GET` and `PUT /stand-in/subscribers`, `PUT /stand-in/faults` (see `Fault`), and
`DELETE /stand-in/subscribers?email=` for what staff do by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPMethod, HTTPStatus
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID, NewsletterAccount, SubscriberList
from devtools.stand_ins.newsletter_api import ApiError, NewsletterApi, Query
from devtools.stand_ins.serving import serve

PREFIX = "/api/v3.3"
_STATE_LISTS = {
    "active": "Active",
    "unconfirmed": "Unconfirmed",
    "unsubscribed": "Unsubscribed",
    "bounced": "Bounced",
    "deleted": "Deleted",
}


@dataclass(kw_only=True)
class Fault:
    """A failure on purpose.

    Attributes:
        call: Which call it hits: method and last part of the path, such as `DELETE subscribers` or
            `POST unsubscribe`; empty: every one.
        status: Status to answer with; 0: the true answer.
        code: The vendor's code in the body; 0: an HTML body, as a gateway in between sends it.
        headers: Headers of the answer.
        delay_seconds: How long to wait first.
        drop: Close the connection without an answer.
        after: Let the call have its effect first.
        times: How often; None: always.
    """

    call: str = ""
    status: int = 0
    code: int = 0
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


class CampaignMonitorStandIn:
    """Serve one client of an account.

    Attributes:
        api: The calls and their account, to look into and to set up.
        faults: Failures in force.
        calls: Every call served, as in `Fault.call`.

    Args:
        port: Port to bind, 0 for a free one.
        data: JSON file that keeps the account; None keeps it in memory.
    """

    def __init__(self, *, port: int = 0, data: Path | None = None) -> None:
        self.api = NewsletterApi(NewsletterAccount(data))
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.bodies: list[Any] = []
        self._port = port
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

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.json() if request.can_read_body else {}
        except JSONDecodeError:
            return web.json_response({"Code": 400, "Message": "Not JSON"}, status=HTTPStatus.BAD_REQUEST)
        if request.path.startswith("/stand-in/"):
            return self._looked_into(request, body)
        call = _call_of(request)
        self.calls.append(call)
        self.bodies.append(body)
        fault = next((one for one in self.faults if one.hits(call)), Fault())
        await asyncio.sleep(fault.delay_seconds)
        response: web.StreamResponse | None = None
        if fault.after or not (fault.drop or fault.status):
            response = self._served(request, body)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        if fault.status:
            response = _failure(fault)
        return response or web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)

    def _served(self, request: web.BaseRequest, body: Mapping[str, Any]) -> web.Response:
        try:
            _check_key(request.headers.get("Authorization", ""))
            result = self._result(request, body)
        except ApiError as error:
            return web.json_response(error.body, status=error.status)
        if request.method != HTTPMethod.GET:
            self.api.account.save()
        return web.Response() if result is None else web.json_response(result)

    def _result(self, request: web.BaseRequest, body: Mapping[str, Any]) -> Any:
        method, query = request.method, request.query
        match request.path.removeprefix(PREFIX).removesuffix(".json").strip("/").split("/"):
            case ["clients", client_id, name]:
                if client_id != CLIENT_ID:
                    raise ApiError(401, 102, "Invalid ClientID")
                return self._of_client(f"{method} {name}", query, body)
            case ["subscribers", list_id, *rest]:
                return self._of_subscriber(" ".join((method, *rest)), self._list(list_id), query, body)
            case ["lists", list_id, name] if method == HTTPMethod.GET and name in _STATE_LISTS:
                return self.api.in_state(self._list(list_id), _STATE_LISTS[name], query)
        raise _no_such_call()

    def _of_client(self, call: str, query: Query, body: Mapping[str, Any]) -> Any:
        match call:
            case "GET lists":
                return self.api.lists()
            case "GET listsforemail":
                return self.api.lists_for_email(query)
            case "GET suppressionlist":
                return self.api.suppression_list(query)
            case "POST suppress":
                return self.api.suppress(body)
        raise _no_such_call()

    def _of_subscriber(self, call: str, found: SubscriberList, query: Query, body: Mapping[str, Any]) -> Any:
        match call:
            case "GET":
                return self.api.details(found, query)
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

    def _looked_into(self, request: web.BaseRequest, body: Any) -> web.Response:
        match request.method, request.path.removeprefix("/stand-in/"):
            case "GET", "subscribers":
                return web.json_response(self.api.account.everything())
            case "PUT", "subscribers":
                self.api.account.put(body)
            case "DELETE", "subscribers":
                self.api.account.remove_for_good(request.query["email"])
            case "PUT", "faults":
                self.faults = [Fault(**one) for one in body]
            case _:
                return web.Response(status=HTTPStatus.NOT_FOUND)
        self.api.account.save()
        return web.Response()


def _no_such_call() -> ApiError:
    return ApiError(404, 404, "We couldn't find the resource you're looking for.")


def _call_of(request: web.BaseRequest) -> str:
    parts = request.path.removesuffix(".json").strip("/").split("/")
    is_subscriber = len(parts) > 1 and parts[-2] == "subscribers"
    return f"{request.method} {'subscribers' if is_subscriber else parts[-1]}"


def _check_key(header: str) -> None:
    scheme, _, encoded = header.partition(" ")
    try:
        user = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except ValueError:
        user = ""
    if (scheme, user) != ("Basic", API_KEY):
        raise ApiError(401, 100, "Invalid API Key")


def _failure(fault: Fault) -> web.Response:
    if not fault.code:
        html = "<html>This failure was asked for.</html>"
        return web.Response(status=fault.status, text=html, content_type="text/html", headers=fault.headers)
    body = {"Code": fault.code, "Message": "This failure was asked for."}
    return web.json_response(body, status=fault.status, headers=fault.headers)


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
        stand_in = CampaignMonitorStandIn(port=options.port, data=options.data)
        asyncio.run(serve(stand_in, stop_with_parent=options.stop_with_parent))
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
