"""Databases, containers and offers."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from . import resource_ids
from .clock import Clock
from .container import Container
from .documents import check_nesting
from .errors import PARENT_NOT_FOUND, ServiceError, bad_request
from .indexing_policy import DEFAULT_POLICY
from .item_store import ItemStore
from .store import Store

_LONGEST_NAME: Final = 255
_ILLEGAL_IN_NAMES: Final = frozenset("/\\#?")
_FIXED: Final = ("partitionKey", "uniqueKeyPolicy")
_DEFAULT_THROUGHPUT: Final = 400
_LOWEST_THROUGHPUT: Final = 400
_LOWEST_AUTOSCALE: Final = 1000
_STEP: Final = 100


@dataclass(slots=True)
class Database:
    """A database and its number in the store."""

    number: int
    body: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def rid(self) -> str:
        return str(self.body["_rid"])


class Resources:
    """Keep databases, containers and offers; all of them stay in memory as well.

    Args:
        store: keeps them between runs.
        item_store: drops expired items of containers.
        clock: dates changes.
    """

    def __init__(self, store: Store, item_store: ItemStore, clock: Clock) -> None:
        self._store = store
        self._item_store = item_store
        self._clock = clock
        self._changes = 0
        self.databases: dict[str, Database] = {}
        self.containers: dict[tuple[str, str], Container] = {}
        self._load()

    def _load(self) -> None:
        by_number = {number: Database(number, body) for number, body in self._store.databases()}
        self.databases = {database.id: database for database in by_number.values()}
        for number, owner, body, lsn, sequence in self._store.containers():
            database = by_number[owner]
            container = Container(
                number=number, database_id=database.id, database_rid=database.rid, body=body
            )
            container.lsn, container.sequence = lsn, sequence
            container.indexes = self._store.indexes(container)
            self.containers[database.id, container.id] = container

    def database(self, name: str) -> Database:
        """Return a database by id or resource id.

        Raises:
            ServiceError: 404.
        """
        database = self.databases.get(name) or next(
            (d for d in self.databases.values() if d.rid == name), None
        )
        if database is None:
            raise ServiceError(404, f"Database '{name}' does not exist.")
        return database

    def container(self, database: str, name: str) -> Container:
        """Return a container by ids or resource ids.

        Raises:
            ServiceError: 404.
        """
        found = self.containers.get((database, name))
        if found is not None:
            return found
        for container in self.containers.values():
            if container.rid == name and database in (container.database_rid, container.database_id):
                return container
        raise ServiceError(404, f"Container '{database}/{name}' does not exist.")

    def is_database_rid(self, text: str) -> bool:
        """Tell whether a path segment is the resource id of a database here, not a name."""
        raw = resource_ids.decode(text) if len(text) == 8 and text not in self.databases else None  # noqa: PLR2004 - base64 of 4 bytes
        return raw is not None and len(raw) == resource_ids.DATABASE_BYTES

    def create_database(self, raw: bytes, offer: dict[str, Any] | None) -> dict[str, Any]:
        """Add a database.

        Raises:
            ServiceError: 400 for a bad body, 409 when the id is taken.
        """
        body = _object(raw)
        name = _name(body)
        if name in self.databases:
            raise ServiceError(409, f"Resource with specified id or name '{name}' already exists.")
        with self._store.transaction():
            number = self._store.reserve_number("databases")
            rid = resource_ids.database_rid(number)
            body = {"id": name, "_rid": rid, "_self": f"dbs/{rid}/", "_colls": "colls/", "_users": "users/"}
            self._stamp(body)
            self._store.add_database(number, body)
            if offer is not None:
                self._add_offer(offer, body["_self"], rid)
        self.databases[name] = Database(number, body)
        return body

    def delete_database(self, name: str) -> None:
        """Remove a database with all its containers.

        Raises:
            ServiceError: 404.
        """
        database = self.database(name)
        for container in self.list_containers(database.id):
            self.delete_container(database.id, container.id)
        with self._store.transaction():
            self._store.drop_offer(database.body["_self"])
            self._store.drop_database(database.number)
        del self.databases[database.id]

    def list_containers(self, database: str) -> list[Container]:
        """Return the containers of a database.

        Raises:
            ServiceError: 404.
        """
        owner = self.database(database).id
        return [container for (name, _), container in self.containers.items() if name == owner]

    def create_container(self, database_name: str, raw: bytes, offer: dict[str, Any] | None) -> Container:
        """Add a container.

        Raises:
            ServiceError: 400 for a bad body, 404/1003 without its database, 409 when the id is taken.
        """
        try:
            database = self.database(database_name)
        except ServiceError as error:
            raise ServiceError(404, error.message, sub_status=PARENT_NOT_FOUND) from None
        body = _object(raw)
        name = _name(body)
        if "partitionKey" not in body:
            raise bad_request("A container needs a partitionKey definition.")
        if body.get("indexingPolicy") is None:
            body["indexingPolicy"] = orjson.loads(orjson.dumps(DEFAULT_POLICY))
        body["indexingPolicy"] = _whole_policy(body["indexingPolicy"])
        body.setdefault(
            "conflictResolutionPolicy", {"mode": "LastWriterWins", "conflictResolutionPath": "/_ts"}
        )
        if (database.id, name) in self.containers:
            raise ServiceError(409, f"Resource with specified id or name '{name}' already exists.")
        with self._store.transaction():
            number = self._store.reserve_number("containers")
            rid = resource_ids.container_rid(database.number, number)
            body["_rid"], body["_self"] = rid, f"{database.body['_self']}colls/{rid}/"
            for part in ("docs", "sprocs", "triggers", "udfs", "conflicts"):
                body[f"_{part}"] = f"{part}/"
            self._stamp(body)
            container = Container(
                number=number, database_id=database.id, database_rid=database.rid, body=body
            )
            self._store.add_container(number, database.number, body)
            has_shared = any(entry["resource"] == database.body["_self"] for entry in self._store.offers())
            if offer is not None or not has_shared:
                self._add_offer(offer or {"offerThroughput": _DEFAULT_THROUGHPUT}, body["_self"], rid)
        self.containers[database.id, name] = container
        return container

    def replace_container(self, container: Container, raw: bytes) -> Container:
        """Change a container's settings.

        Raises:
            ServiceError: 400 for a bad body or a change of what is fixed at creation.
        """
        body = _object(raw)
        if body.get("id") != container.id:
            raise bad_request("The id of a container cannot be changed.")
        for fixed in _FIXED:
            if body.get(fixed) != container.body.get(fixed):
                raise bad_request(f"The {fixed} of a container cannot be changed.")
        if body.get("indexingPolicy") is None:
            body["indexingPolicy"] = container.body["indexingPolicy"]
        body["indexingPolicy"] = _whole_policy(body["indexingPolicy"])
        for name, value in container.body.items():
            if name.startswith("_") or name == "conflictResolutionPolicy":
                body[name] = value
        self._stamp(body)
        container.configure(body)
        with self._store.transaction():
            self._store.update_container(container)
        return container

    def delete_container(self, database: str, name: str) -> None:
        """Remove a container with all its items.

        Raises:
            ServiceError: 404.
        """
        container = self.container(database, name)
        with self._store.transaction():
            self._store.drop_offer(container.body["_self"])
            self._store.drop_container(container)
        del self.containers[container.database_id, container.id]

    def offers(self) -> list[dict[str, Any]]:
        """Return every offer."""
        return self._store.offers()

    def offer(self, rid: str) -> dict[str, Any]:
        """Return an offer by its resource id, in any case.

        Raises:
            ServiceError: 404.
        """
        for offer in self._store.offers():
            if offer["_rid"].lower() == rid.lower():
                return offer
        raise ServiceError(404, f"Offer '{rid}' does not exist.")

    def replace_offer(self, rid: str, raw: bytes) -> dict[str, Any]:
        """Change the throughput of a database or container.

        Raises:
            ServiceError: 400 for a bad body, 404.
        """
        offer = self.offer(rid)
        content = _object(raw).get("content")
        if not isinstance(content, dict):
            raise bad_request("An offer needs 'content'.")
        offer["content"] = _content(content)
        self._stamp(offer)
        self._store.save_offer(offer)
        return offer

    def throughput(self, container: Container) -> int:
        """Return the request units per second a container may use."""
        shared = self.databases[container.database_id].body["_self"]
        by_resource = {offer["resource"]: offer["content"] for offer in self._store.offers()}
        content = by_resource.get(container.body["_self"]) or by_resource.get(shared) or {}
        autoscale = content.get("offerAutopilotSettings") or {}
        return int(autoscale.get("maxThroughput") or content.get("offerThroughput") or _DEFAULT_THROUGHPUT)

    def _add_offer(self, content: dict[str, Any], resource: str, owner_rid: str) -> None:
        rid = owner_rid.replace("=", "").replace("+", "A").replace("-", "B") + "Of"
        offer = {
            "id": rid,
            "_rid": rid,
            "_self": f"offers/{rid}/",
            "resource": resource,
            "offerResourceId": owner_rid,
            "offerType": "Invalid",
            "offerVersion": "V2",
            "content": _content(content),
        }
        self._stamp(offer)
        self._store.save_offer(offer)

    def _stamp(self, body: dict[str, Any]) -> None:
        self._changes += 1
        now = self._clock.now()
        body["_ts"] = int(now)
        body["_etag"] = f'"{int(now * 1000):012x}-{self._changes:08x}"'


def offer_content(throughput: str | None, autoscale: str | None) -> dict[str, Any] | None:
    """Read the throughput headers of a create request; None when there are none.

    Raises:
        ServiceError: 400 when they are malformed.
    """
    if throughput is not None and autoscale is not None:
        raise bad_request("Manual and autoscale throughput exclude each other.")
    if throughput is not None:
        if not throughput.isdigit():
            raise bad_request(f"The throughput {throughput!r} is no whole number.")
        return _content({"offerThroughput": int(throughput)})
    return None if autoscale is None else _content({"offerAutopilotSettings": _object(autoscale.encode())})


def _content(content: dict[str, Any]) -> dict[str, Any]:
    autoscale = content.get("offerAutopilotSettings")
    value = content.get("offerThroughput") if autoscale is None else autoscale.get("maxThroughput")
    lowest = _LOWEST_THROUGHPUT if autoscale is None else _LOWEST_AUTOSCALE
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest or value % _STEP:
        raise bad_request(f"The throughput must be a multiple of {_STEP} from {lowest} up, not {value!r}.")
    return content


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The request body is not valid JSON: {error}.") from None
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.")
    check_nesting(body)
    return body


def _name(body: dict[str, Any]) -> str:
    name = body.get("id")
    if not isinstance(name, str) or not name:
        raise bad_request("The input name must be a non-empty string.")
    if len(name) > _LONGEST_NAME:
        raise bad_request(f"The input name is longer than {_LONGEST_NAME} characters.")
    if not _ILLEGAL_IN_NAMES.isdisjoint(name) or name.endswith(" "):
        raise bad_request(f"The input name '{name}' is invalid: it holds one of / \\ # ? or ends in a space.")
    return name


def _whole_policy(policy: Any) -> Any:
    if not isinstance(policy, dict):
        return policy
    return {"indexingMode": "consistent", "automatic": True, **policy}
