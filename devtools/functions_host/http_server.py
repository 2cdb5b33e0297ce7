"""Serve an app's HTTP functions, and the host's own endpoints."""

from __future__ import annotations

import errno
import logging
import socket

from aiohttp import web

from devtools.functions_host.access import Cors, KeyCheck
from devtools.functions_host.admin import AdminEndpoints
from devtools.functions_host.functions import LoadedFunction
from devtools.functions_host.http_exchange import (
    BodyTooLargeError,
    build_response,
    decode_request,
    decoded_path,
    read_body,
)
from devtools.functions_host.invocation import InvocationFailedError, Invoker
from devtools.functions_host.routes import Router

HOME_PAGE = "<!DOCTYPE html><html><title>Functions host</title><p>The local functions host is up.</p></html>"
SHUTDOWN_SECONDS = 2.0

logger = logging.getLogger("host.http")


class AddressBusyError(Exception):
    """Another program listens on the wanted port."""

    def __init__(self, port: int) -> None:
        """Name the port."""
        super().__init__(f"port {port} is in use")
        self.port = port


class HttpServer:
    """Listens on one loopback address.

    Args:
        router: Leads to the functions.
        admin: Answers `/admin/...`.
        invoker: Runs functions.
        keys: The key check.
        cors: Local CORS.
        largest_body_bytes: Longest body taken.
        home_page: Whether `GET /` shows a page.
    """

    def __init__(
        self,
        *,
        router: Router[LoadedFunction],
        admin: AdminEndpoints,
        invoker: Invoker,
        keys: KeyCheck,
        cors: Cors,
        largest_body_bytes: int,
        home_page: bool,
    ) -> None:
        """Keep everything; `start` listens."""
        self._router = router
        self._admin = admin
        self._invoker = invoker
        self._keys = keys
        self._cors = cors
        self._largest_body_bytes = largest_body_bytes
        self._home_page = home_page
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port, which is any free one for 0.

        Raises:
            AddressBusyError: The port is taken.
        """
        # No access log, no decompression: the real host has no such step before the function.
        server = web.Server(self._handle, access_log=None, auto_decompress=False)
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise AddressBusyError(port) from error
            raise
        await web.SockSite(self._runner, listener, backlog=512).start()
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Stop listening; requests that run get a moment to finish."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._cors.enabled:
            return await self._answer(request)
        preflight = self._cors.answer_preflight(request)
        if preflight is not None:
            return preflight
        response = await self._answer(request)
        self._cors.decorate(request, response)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path = decoded_path(request.raw_path)
        lowered = path[:9].lower()
        if lowered.startswith("/admin/"):
            return await self._admin.answer(request, path)
        if lowered.startswith("/runtime/"):
            return web.Response(status=404)
        found = self._router.find(request.method, path)
        if found is None:
            return self._home(request, path)
        function, parameters = found
        if function.auth_level != "anonymous":
            code = request.rel_url.query.get("code")
            if not self._keys.allows(function.auth_level, function.name, headers=request.headers, code=code):
                return web.Response(status=401)
        try:
            body = await read_body(request, largest_bytes=self._largest_body_bytes)
        except BodyTooLargeError:
            return web.Response(status=413)
        try:
            encoded = await self._invoker.invoke(function, lambda: decode_request(request, body, parameters))
        except InvocationFailedError:
            return web.Response(status=500)
        if encoded is None:
            return web.Response(status=204)
        try:
            return build_response(encoded)
        except (ValueError, TypeError, AttributeError):
            logger.exception("The response of %s cannot be sent", function.name)
            return web.Response(status=500)

    def _home(self, request: web.BaseRequest, path: str) -> web.Response:
        if path != "/" or request.method != "GET":
            return web.Response(status=404)
        if not self._home_page:
            return web.Response(status=204)
        return web.Response(text=HOME_PAGE, content_type="text/html")
