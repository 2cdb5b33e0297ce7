"""The host's own endpoints under `/admin`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from devtools.functions_host.access import LOCAL_HOST_KEY, LOCAL_MASTER_KEY, KeyCheck, local_function_key
from devtools.functions_host.activity import Activity
from devtools.functions_host.functions import HTTP_TRIGGER, LoadedFunction
from devtools.functions_host.http_exchange import read_body

VERSION = "4.0.0-local"
LARGEST_INPUT_BYTES = 1_000_000

# Runs a function that is no HTTP function with a text as its trigger's value.
RunByHand = Callable[[LoadedFunction, str], Awaitable[None]]


class AdminEndpoints:
    """Answers `/admin/...`.

    Args:
        host_id: Id shown in the status.
        functions: The app's functions.
        bundle: Extension bundle of host.json.
        activity: Counts of invocations.
        keys: The key check.
        run: Starts a function by hand.
    """

    def __init__(
        self,
        *,
        host_id: str,
        functions: Mapping[str, LoadedFunction],
        bundle: Mapping[str, str],
        activity: Activity,
        keys: KeyCheck,
        run: RunByHand,
    ) -> None:
        """Keep what the answers are made of."""
        self._host_id = host_id
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._bundle = bundle
        self._activity = activity
        self._keys = keys
        self._run = run
        self._started = time.monotonic()
        self._background: set[asyncio.Task[None]] = set()

    async def answer(self, request: web.BaseRequest, path: str) -> web.Response:
        """Return the answer: 404 for what does not exist, 401 without the master key if keys are checked."""
        if not self._keys.is_admin(headers=request.headers, code=request.rel_url.query.get("code")):
            return web.Response(status=401)
        parts = path.strip("/").lower().split("/")[1:]
        match request.method, parts:
            case (("GET" | "POST"), ["host", "ping"]):
                return web.Response(status=200)
            case "GET", ["host", "status"]:
                return web.json_response(self._status())
            case "GET", ["host", "keys"]:
                named = [("default", LOCAL_HOST_KEY), ("_master", LOCAL_MASTER_KEY)]
                return web.json_response({"keys": [{"name": name, "value": key} for name, key in named]})
            case "GET", ["local", "idle"]:
                return web.json_response(self._activity.as_json())
            case "GET", ["functions"]:
                listed = [self._metadata(function, request) for function in self._functions.values()]
                return web.json_response(listed)
            case _, ["functions", name, *rest] if name in self._functions:
                return await self._answer_function(request, self._functions[name], rest)
            case _:
                return web.Response(status=404)

    async def _answer_function(
        self, request: web.BaseRequest, function: LoadedFunction, rest: list[str]
    ) -> web.Response:
        match request.method, rest:
            case "GET", []:
                return web.json_response(self._metadata(function, request))
            case "GET", ["status"]:
                return web.json_response({})
            case "GET", ["keys"]:
                keys = [{"name": "default", "value": local_function_key(function.name)}]
                return web.json_response({"keys": keys})
            case "POST", []:
                return await self._run_by_hand(request, function)
            case _:
                return web.Response(status=404)

    async def _run_by_hand(self, request: web.BaseRequest, function: LoadedFunction) -> web.Response:
        try:
            document = json.loads(await read_body(request, largest_bytes=LARGEST_INPUT_BYTES))
        except ValueError:
            return web.Response(status=400)
        if not isinstance(document, dict) or function.trigger_type == HTTP_TRIGGER:
            return web.Response(status=400)
        task = asyncio.create_task(self._finish(function, str(document.get("input") or "")))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return web.Response(status=202)

    async def _finish(self, function: LoadedFunction, text: str) -> None:
        await self._run(function, text)

    def _metadata(self, function: LoadedFunction, request: web.BaseRequest) -> dict[str, Any]:
        base = f"{request.scheme}://{request.host}"
        return {
            "name": function.name,
            "href": f"{base}/admin/functions/{function.name}",
            "isDisabled": function.is_disabled,
            "language": "python",
            "config": {"bindings": [dict(binding) for binding in function.bindings]},
        }

    def _status(self) -> dict[str, Any]:
        return {
            "id": self._host_id,
            "state": "Running",
            "version": VERSION,
            "versionDetails": VERSION,
            "processUptime": round((time.monotonic() - self._started) * 1000),
            "extensionBundle": dict(self._bundle),
            "errors": [],
        }
