"""Send each request to the part that answers it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from .container import Container
from .errors import PARENT_NOT_FOUND, ServiceError, bad_request
from .item_requests import ItemRequests
from .operations import is_set
from .queries import query_resources
from .reply import Reply, feed
from .resources import Resources, offer_content

_ITEM_SEGMENT: Final = 5
_RANGE: Final = (
    b'{"id":"0","minInclusive":"","maxExclusive":"FF","parents":[],"status":"online","throughputFraction":1}'
)
_RANGES_ETAG: Final = '"1"'


class Dispatcher:
    """Answer parsed requests.

    Args:
        resources: databases, containers, offers.
        item_requests: everything below `docs`.
        describe_container: usage of a container, for the quota headers.
    """

    def __init__(
        self,
        resources: Resources,
        item_requests: ItemRequests,
        describe_container: Callable[[Container], dict[str, str]],
    ) -> None:
        self._resources = resources
        self._items = item_requests
        self._describe = describe_container

    def container_of(self, segments: tuple[str, ...]) -> Container:
        """Return the container of an item path.

        Raises:
            ServiceError: 404/1003.
        """
        try:
            return self._resources.container(segments[1], segments[3])
        except ServiceError as error:
            raise ServiceError(404, error.message, sub_status=PARENT_NOT_FOUND) from None

    async def in_container(
        self,
        operation: str,
        container: Container,
        segments: tuple[str, ...],
        headers: Mapping[str, str],
        raw: bytes,
        *,
        by_rid: bool,
    ) -> Reply:
        """Answer a request below a container.

        Raises:
            ServiceError: any refusal.
        """
        if operation == "pkranges":
            return _ranges(container, headers)
        if operation == "conflicts":
            return _conflicts(container, segments)
        if operation == "unknown":
            raise bad_request(f"'{'/'.join(segments[4:])}' is not supported by this emulator.")
        item = segments[_ITEM_SEGMENT] if len(segments) > _ITEM_SEGMENT else ""
        return await self._items.answer(operation, container, item, headers, raw, by_rid=by_rid)

    def outside(
        self, operation: str, method: str, segments: tuple[str, ...], headers: Mapping[str, str], raw: bytes
    ) -> Reply:
        """Answer a request for the account, a database, a container or an offer.

        Raises:
            ServiceError: any refusal.
        """
        if operation == "account":
            return _account(method, headers)
        if operation == "database":
            return self._database(method, segments, headers, raw)
        if operation == "container":
            return self._container(method, segments, headers, raw)
        if operation == "offer":
            return self._offer(method, segments, headers, raw)
        raise bad_request(f"{method} '/{'/'.join(segments)}' is not supported by this emulator.")

    def _database(
        self, method: str, segments: tuple[str, ...], headers: Mapping[str, str], raw: bytes
    ) -> Reply:
        bodies = [database.body for database in self._resources.databases.values()]
        if len(segments) == 1:
            if method == "POST" and not _is_query(headers):
                return _resource(201, self._resources.create_database(raw, _offer_of(headers)))
            return _listing(method, raw, bodies, "Databases", "")
        database = self._resources.database(segments[1])
        if method == "GET":
            return _resource(200, database.body)
        if method == "DELETE":
            self._resources.delete_database(database.id)
            return Reply(204)
        raise _not_allowed(method)

    def _container(
        self, method: str, segments: tuple[str, ...], headers: Mapping[str, str], raw: bytes
    ) -> Reply:
        if len(segments) == 3:  # noqa: PLR2004 - dbs, id, colls
            if method == "POST" and not _is_query(headers):
                return _resource(
                    201, self._resources.create_container(segments[1], raw, _offer_of(headers)).body
                )
            bodies = [container.body for container in self._resources.list_containers(segments[1])]
            rid = self._resources.database(segments[1]).rid
            return _listing(method, raw, bodies, "DocumentCollections", rid)
        container = self._resources.container(segments[1], segments[3])
        if method == "GET":
            reply = _resource(200, container.body)
            if is_set(headers, "x-ms-documentdb-populatequotainfo"):
                reply.headers.update(self._describe(container))
            reply.container = container
            return reply
        if method == "PUT":
            return _resource(200, self._resources.replace_container(container, raw).body)
        if method == "DELETE":
            self._resources.delete_container(container.database_id, container.id)
            return Reply(204)
        raise _not_allowed(method)

    def _offer(self, method: str, segments: tuple[str, ...], headers: Mapping[str, str], raw: bytes) -> Reply:  # noqa: ARG002 - all alike
        if len(segments) == 1:
            return _listing(method, raw, self._resources.offers(), "Offers", "")
        if method == "GET":
            return _resource(200, self._resources.offer(segments[1]))
        if method == "PUT":
            return _resource(200, self._resources.replace_offer(segments[1], raw))
        raise _not_allowed(method)


def _is_query(headers: Mapping[str, str]) -> bool:
    return is_set(headers, "x-ms-documentdb-isquery") or "query+json" in headers.get("Content-Type", "")


def _offer_of(headers: Mapping[str, str]) -> dict[str, Any] | None:
    return offer_content(
        headers.get("x-ms-offer-throughput"), headers.get("x-ms-cosmos-offer-autopilot-settings")
    )


def _not_allowed(method: str) -> ServiceError:
    return ServiceError(405, f"The method {method} is not allowed here.")


def _resource(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, orjson.dumps(body), headers={"etag": body["_etag"]})


def _listing(method: str, raw: bytes, bodies: list[dict[str, Any]], name: str, rid: str) -> Reply:
    if method not in {"GET", "POST"}:
        raise _not_allowed(method)
    found = query_resources(bodies, raw) if method == "POST" else bodies
    rows = [orjson.dumps(body) for body in found]
    return Reply(200, feed(rid, name, rows), headers={"x-ms-item-count": str(len(rows))})


def _account(method: str, headers: Mapping[str, str]) -> Reply:
    if method != "GET":
        raise _not_allowed(method)
    host = headers.get("Host", "127.0.0.1")
    locations = [{"name": "Local", "databaseAccountEndpoint": f"http://{host}/"}]
    body = {
        "id": "localhost",
        "_rid": "localhost",
        "_self": "",
        "media": "//media/",
        "addresses": "//addresses/",
        "_dbs": "//dbs/",
        "writableLocations": locations,
        "readableLocations": locations,
        "enableMultipleWriteLocations": False,
        "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "userReplicationPolicy": {"asyncReplication": False, "minReplicaSetSize": 1, "maxReplicasetSize": 1},
        "readPolicy": {"primaryReadCoefficient": 1, "secondaryReadCoefficient": 1},
        "systemReplicationPolicy": {"minReplicaSetSize": 1, "maxReplicasetSize": 1},
        "queryEngineConfiguration": "{}",
    }
    return Reply(200, orjson.dumps(body))


def _ranges(container: Container, headers: Mapping[str, str]) -> Reply:
    # SDKs read this feed until it says "nothing new"; any other answer would keep them asking for ever.
    if headers.get("If-None-Match") == _RANGES_ETAG:
        return Reply(304, headers={"etag": _RANGES_ETAG}, container=container)
    body = feed(container.rid, "PartitionKeyRanges", [_RANGE])
    return Reply(200, body, headers={"etag": _RANGES_ETAG, "x-ms-item-count": "1"}, container=container)


def _conflicts(container: Container, segments: tuple[str, ...]) -> Reply:
    if len(segments) == _ITEM_SEGMENT:
        return Reply(200, feed(container.rid, "Conflicts", []), container=container)
    raise ServiceError(404, "There is no such conflict.")
