"""Requests on the items of a container."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import orjson

from .batch import Batches
from .change_feed import ChangeFeed
from .container import Container
from .documents import LARGEST_ITEM_BYTES, parse_document
from .errors import CONTAINER_RECREATED, SESSION_NOT_AVAILABLE, ServiceError, bad_request
from .item_store import ItemStore
from .items import Conditions, Items, Outcome
from .operations import is_set
from .patch import parse_patch
from .queries import Queries, compile_condition
from .reply import Reply
from .resource_ids import item_sequence
from .store import Store

_READS: Final = frozenset({"read", "query", "read_feed", "change_feed"})

Handler = Callable[[Container, Mapping[str, str], bytes], Awaitable[Reply]]


class ItemRequests:
    """Answer requests below `docs`.

    Args:
        store: opens transactions.
        item_store: holds the items.
        queries: answers queries.
        change_feed: answers change feeds.
    """

    def __init__(
        self, store: Store, item_store: ItemStore, queries: Queries, change_feed: ChangeFeed
    ) -> None:
        self._store = store
        self._item_store = item_store
        self._queries = queries
        self._change_feed = change_feed
        self._items = Items(item_store)
        self._batches = Batches(store, item_store, self._items, compile_condition)
        self._handlers: dict[str, Handler] = {
            "create": self._create,
            "upsert": self._upsert,
            "batch": self._batch,
            "query": queries.query,
            "query_plan": self._query_plan,
            "read_feed": self._read_feed,
            "change_feed": self._changes,
            "delete_partition": self._delete_partition,
        }

    async def answer(
        self,
        operation: str,
        container: Container,
        item: str,
        headers: Mapping[str, str],
        raw: bytes,
        *,
        by_rid: bool,
    ) -> Reply:
        """Answer one request.

        Args:
            operation: name of the operation.
            container: the container of the path.
            item: id (or resource id) of the path, empty where the path ends at `docs`.
            headers: request headers.
            raw: request body.
            by_rid: whether the path names resource ids.

        Raises:
            ServiceError: any refusal.
        """
        _check_container_rid(container, headers)
        if operation in _READS:
            _check_session(container, headers)
        handler = self._handlers.get(operation)
        if handler is not None:
            return await handler(container, headers, raw)
        epk = container.epk_of_header(headers.get("x-ms-documentdb-partitionkey"))
        item_id = self._id_of(container, item) if by_rid else item
        conditions = _conditions(headers)
        if operation == "read":
            return _reply(container, self._items.read(container, epk, item_id, conditions), headers)
        return _reply(container, self._write(operation, container, epk, item_id, raw, conditions), headers)

    def _id_of(self, container: Container, rid: str) -> str:
        sequence = item_sequence(rid)
        item = None if sequence is None else self._item_store.find_sequence(container, sequence)
        if item is None:
            # An SDK that was handed a container as an object names it by RID and the item by its id.
            return rid
        return item.id

    def _write(
        self,
        operation: str,
        container: Container,
        epk: bytes,
        item_id: str,
        raw: bytes,
        conditions: Conditions,
    ) -> Outcome:
        with self._store.transaction():
            write = self._item_store.begin(container)
            if operation == "replace":
                outcome = self._items.replace(write, epk, item_id, parse_document(raw), conditions)
            elif operation == "patch":
                request = parse_patch(_json(raw), lambda text: compile_condition(container, text))
                outcome = self._items.patch(write, epk, item_id, request, conditions)
            else:
                outcome = self._items.delete(write, epk, item_id, conditions)
            self._item_store.commit(write)
        return outcome

    async def _create(self, container: Container, headers: Mapping[str, str], raw: bytes) -> Reply:
        epk = container.epk_of_header(headers.get("x-ms-documentdb-partitionkey"))
        document = parse_document(raw)
        with self._store.transaction():
            write = self._item_store.begin(container)
            outcome = self._items.create(write, epk, document)
            self._item_store.commit(write)
        return _reply(container, outcome, headers)

    async def _upsert(self, container: Container, headers: Mapping[str, str], raw: bytes) -> Reply:
        epk = container.epk_of_header(headers.get("x-ms-documentdb-partitionkey"))
        document = parse_document(raw)
        conditions = _conditions(headers)
        with self._store.transaction():
            write = self._item_store.begin(container)
            outcome = self._items.upsert(write, epk, document, conditions)
            self._item_store.commit(write)
        return _reply(container, outcome, headers)

    async def _batch(self, container: Container, headers: Mapping[str, str], raw: bytes) -> Reply:
        if len(raw) > LARGEST_ITEM_BYTES:
            raise ServiceError(413, "Request size is too large")
        if not is_set(headers, "x-ms-cosmos-batch-atomic") or is_set(
            headers, "x-ms-cosmos-batch-continue-on-error"
        ):
            raise bad_request(
                "Only atomic batches that stop at the first error are supported by this emulator."
            )
        epk = container.epk_of_header(headers.get("x-ms-documentdb-partitionkey"))
        status, body, charge = self._batches.run(container, epk, raw)
        return Reply(status, body, charge, container=container)

    async def _query_plan(self, container: Container, _headers: Mapping[str, str], raw: bytes) -> Reply:
        return self._queries.plan(container, raw)

    async def _read_feed(self, container: Container, headers: Mapping[str, str], _raw: bytes) -> Reply:
        return await self._queries.read_all(container, headers)

    async def _changes(self, container: Container, headers: Mapping[str, str], _raw: bytes) -> Reply:
        return self._change_feed.page(container, headers)

    async def _delete_partition(self, container: Container, headers: Mapping[str, str], _raw: bytes) -> Reply:
        epk = container.epk_of_header(headers.get("x-ms-documentdb-partitionkey"))
        charge = 0.0
        with self._store.transaction():
            write = self._item_store.begin(container)
            for item in self._item_store.select(container, "epk = ? ORDER BY sequence", (epk,)):
                charge += self._items.delete(write, epk, item.id, Conditions()).charge
            self._item_store.commit(write)
        return Reply(200, b"", max(1.0, charge), container=container)


def _reply(container: Container, outcome: Outcome, headers: Mapping[str, str]) -> Reply:
    is_minimal = outcome.body and headers.get("Prefer", "").lower() == "return=minimal"
    body = b"" if is_minimal else outcome.body
    reply = Reply(outcome.status, body, outcome.charge, container=container)
    if outcome.etag:
        reply.headers["etag"] = outcome.etag
    return reply


def _conditions(headers: Mapping[str, str]) -> Conditions:
    return Conditions(headers.get("If-Match"), headers.get("If-None-Match"))


def _json(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The request body is not valid JSON: {error}.") from None


def _check_container_rid(container: Container, headers: Mapping[str, str]) -> None:
    intended = headers.get("x-ms-cosmos-intended-collection-rid")
    if intended is not None and intended != container.rid:
        raise ServiceError(
            400,
            "The resource id of the container has changed; it was deleted and created again.",
            sub_status=CONTAINER_RECREATED,
        )


def _check_session(container: Container, headers: Mapping[str, str]) -> None:
    token = headers.get("x-ms-session-token")
    if token is None:
        return
    for part in token.split(","):
        _, _, state = part.partition(":")
        fields = state.split("#")
        # The simple form has the LSN last (`-1#12`), the vector form second (`1#12#region=..`).
        number = fields[1] if len(fields) > 1 else fields[0]
        if not number.lstrip("-").isdigit():
            raise bad_request(f"The session token '{token}' is invalid.")
        if int(number) > container.lsn:
            raise ServiceError(
                404,
                "The read session is not available for the input session token.",
                sub_status=SESSION_NOT_AVAILABLE,
            )
