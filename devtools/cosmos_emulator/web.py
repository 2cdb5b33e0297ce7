"""HTTP: one handler for every path, because routing by pattern costs more than answering a point read."""

import asyncio
import logging
import sqlite3
import uuid
from typing import Any, Final

import orjson
from aiohttp import web

from . import charges
from .admin import PREFIX, Admin
from .auth import MasterKey
from .container import Container
from .dispatch import Dispatcher
from .documents import LARGEST_ITEM_BYTES
from .errors import PARENT_NOT_FOUND, ServiceError
from .faults import FaultRule, Faults
from .metrics import OUTSIDE, Metrics
from .operations import operation_of
from .reply import Reply
from .request_headers import check_headers
from .resources import Resources
from .routing import Route, route
from .throttle import Throttle

LARGEST_BODY_BYTES: Final = LARGEST_ITEM_BYTES + 64 * 1024
_NO_BODY: Final = frozenset({204, 304})
_FIRST_ERROR: Final = 400
_VERSION: Final = "2020-07-15"
_IN_CONTAINER: Final = 4

_log = logging.getLogger(__name__)


class Dropped(Exception):
    """Say that the connection was closed on purpose."""


class WebHandler:
    """Turn HTTP requests into replies.

    Args:
        dispatcher: answers what passed the checks.
        resources: tells resource ids from names.
        admin: answers the emulator's own paths.
        key: checks signatures.
        faults: failures on purpose.
        metrics: counts.
        throttle: limits the rate; None for no limit.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        resources: Resources,
        admin: Admin,
        key: MasterKey,
        faults: Faults,
        metrics: Metrics,
        throttle: Throttle | None,
    ) -> None:
        self._dispatcher = dispatcher
        self._resources = resources
        self._admin = admin
        self._key = key
        self._faults = faults
        self._metrics = metrics
        self._throttle = throttle

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; never raises for anything a client can send."""
        path, _, _ = request.raw_path.partition("?")
        target = route(path)
        operation = "unknown"
        container: Container | None = None
        try:
            raw = await _body(request)
            if target.segments[:1] == (PREFIX,):
                return _response(request, self._admin.answer(request.method, target.segments, raw))
            operation = operation_of(request.method, target.segments, request.headers)
            container, reply = await self._checked(request, target, operation, raw)
        except Dropped:
            return web.Response(status=500)
        except ServiceError as error:
            if container is None and len(target.segments) > _IN_CONTAINER:
                container = self._known_container(target)
            reply = _error_reply(request, error, container)
        except sqlite3.OperationalError as error:
            # A long query gives way to other requests, and one of those may drop its container.
            if _container_is_gone(error):
                gone = ServiceError(404, "The container was deleted meanwhile.", sub_status=PARENT_NOT_FOUND)
                reply = _error_reply(request, gone, None)
            else:
                _log.exception("the store failed on %s %s", request.method, path)
                reply = _error_reply(request, ServiceError(500, "The store failed; see the log."), container)
        except Exception:  # noqa: BLE001 - a defect of the emulator itself is logged and answered with 500
            _log.exception("the emulator failed on %s %s", request.method, path)
            reply = _error_reply(request, ServiceError(500, "The emulator failed; see its log."), container)
        self._count(reply, container, operation)
        return _response(request, reply)

    async def _checked(
        self, request: web.BaseRequest, target: Route, operation: str, raw: bytes
    ) -> tuple[Container | None, Reply]:
        rules = self._faults.matching(request.method, request.path, operation) if self._faults.rules else []
        for rule in rules:
            await _suffer(request, rule, when="before")
        headers = request.headers
        segments = target.segments
        by_rid = len(segments) > 1 and segments[0] == "dbs" and self._resources.is_database_rid(segments[1])
        self._key.check(
            headers.get("authorization"),
            headers.get("x-ms-date"),
            request.method,
            target.resource_type,
            _rid_link(target) if by_rid else target.resource_link,
        )
        check_headers(headers)
        container: Container | None = None
        if len(segments) > _IN_CONTAINER and segments[0] == "dbs" and segments[2] == "colls":
            container = self._dispatcher.container_of(segments)
            if self._throttle is not None:
                self._throttle.check(container.number, self._resources.throughput(container))
            reply = await self._dispatcher.in_container(
                operation, container, segments, headers, raw, by_rid=by_rid
            )
        else:
            reply = self._dispatcher.outside(operation, request.method, segments, headers, raw)
        for rule in rules:
            await _suffer(request, rule, when="after")
        return container, reply

    def _known_container(self, target: Route) -> Container | None:
        try:
            return self._dispatcher.container_of(target.segments)
        except ServiceError:
            return None

    def _count(self, reply: Reply, container: Container | None, operation: str) -> None:
        name = OUTSIDE if container is None else f"{container.database_id}/{container.id}"
        self._metrics.record(name, operation, reply.status, reply.charge)
        if self._throttle is not None and container is not None:
            self._throttle.spend(container.number, reply.charge)


def _container_is_gone(error: sqlite3.OperationalError) -> bool:
    return "no such table" in str(error)


def _rid_link(target: Route) -> str:
    return target.resource_link.rsplit("/", 1)[-1].lower()


async def _body(request: web.BaseRequest) -> bytes:
    length = request.content_length
    if length is not None and length > LARGEST_BODY_BYTES:
        raise ServiceError(413, "Request size is too large")
    if not request.can_read_body:
        return b""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise ServiceError(413, "Request size is too large") from None


async def _suffer(request: web.BaseRequest, rule: FaultRule, *, when: str) -> None:
    if rule.when != when:
        return
    if rule.delay_ms:
        await asyncio.sleep(rule.delay_ms / 1000)
    if rule.drop:
        if request.transport is not None:
            request.transport.abort()
        raise Dropped
    error = rule.error()
    if error is not None:
        raise error


def _error_reply(request: web.BaseRequest, error: ServiceError, container: Container | None) -> Reply:
    activity = request.headers.get("x-ms-activity-id", "")
    body = orjson.dumps({"code": error.code, "message": f"{error.message}\r\nActivityId: {activity}"})
    headers: dict[str, str] = {}
    if error.sub_status:
        headers["x-ms-substatus"] = str(error.sub_status)
    if error.retry_after_ms is not None:
        headers["x-ms-retry-after-ms"] = str(error.retry_after_ms)
    return Reply(error.status, body, error.charge, headers, container)


def _response(request: web.BaseRequest, reply: Reply) -> web.Response:
    headers: dict[str, Any] = {
        "x-ms-request-charge": charges.text(reply.charge),
        "x-ms-activity-id": request.headers.get("x-ms-activity-id") or str(uuid.uuid4()),
        "x-ms-version": _VERSION,
    }
    container = reply.container
    if container is not None:
        lsn = str(container.lsn)
        headers["lsn"] = lsn
        headers["x-ms-session-token"] = f"0:-1#{lsn}"
        headers["x-ms-alt-content-path"] = container.link
        headers["x-ms-documentdb-partitionkeyrangeid"] = "0"
    if reply.headers:
        headers.update(reply.headers)
    if reply.status in _NO_BODY:
        return web.Response(status=reply.status, headers=headers)
    headers["Content-Type"] = "application/json"
    return web.Response(status=reply.status, body=reply.body, headers=headers)
