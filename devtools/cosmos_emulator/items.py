"""What can be done to one item; single requests and batches share it."""

from dataclasses import dataclass
from typing import Any

from . import charges
from .container import Container
from .documents import LARGEST_ITEM_BYTES, check_document
from .errors import CONDITION_FALSE, ServiceError, bad_request
from .item_store import Item, ItemStore, Write
from .patch import PatchRequest, apply_patch


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions of a request: entity tags or `*`; None when absent."""

    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation gives back: body and etag are empty where the operation has none."""

    status: int
    charge: float
    etag: str = ""
    body: bytes = b""


NO_CONDITIONS = Conditions()


class Items:
    """Create, read, replace, upsert, patch and delete items.

    Writes happen in a transaction the caller has opened, under a `Write` the caller commits.

    Args:
        store: where the items are.
    """

    def __init__(self, store: ItemStore) -> None:
        self._store = store

    def read(self, container: Container, epk: bytes, item_id: str, conditions: Conditions) -> Outcome:
        """Read an item; 304 when `if_none_match` names its current version.

        Raises:
            ServiceError: 404.
        """
        item = self._existing(container, epk, item_id)
        return self.read_item(item, conditions)

    def read_item(self, item: Item, conditions: Conditions) -> Outcome:
        """Answer a read with an item that was found; see `read`."""
        if conditions.if_none_match is not None and conditions.if_none_match in (item.etag, "*"):
            return Outcome(304, charges.NOT_FOUND, item.etag)
        return Outcome(200, charges.read(len(item.body)), item.etag, item.body)

    def create(self, write: Write, epk: bytes, document: dict[str, Any]) -> Outcome:
        """Add a new item.

        Raises:
            ServiceError: 400 for a bad document, 409 when id or a unique key is taken, 413.
        """
        check_document(write.container, epk, document)
        item = self._limited(self._store.insert(write, epk, document))
        return Outcome(201, charges.insert(len(item.body), _leaves(write, document)), item.etag, item.body)

    def upsert(self, write: Write, epk: bytes, document: dict[str, Any], conditions: Conditions) -> Outcome:
        """Add an item or replace the one with its id; a missing item ignores `if_match`.

        Raises:
            ServiceError: 400, 409, 412, 413.
        """
        container = write.container
        check_document(container, epk, document)
        old = self._store.find(container, epk, document["id"])
        if old is None:
            item = self._limited(self._store.insert(write, epk, document))
            return Outcome(
                201, charges.insert(len(item.body), _leaves(write, document)), item.etag, item.body
            )
        return self._replace(write, old, document, conditions)

    def replace(
        self, write: Write, epk: bytes, item_id: str, document: dict[str, Any], conditions: Conditions
    ) -> Outcome:
        """Replace an item.

        Raises:
            ServiceError: 400, 404, 409, 412, 413.
        """
        check_document(write.container, epk, document)
        if document["id"] != item_id:
            raise bad_request("The id in the body differs from the id of the item; an id cannot be changed.")
        return self._replace(write, self._existing(write.container, epk, item_id), document, conditions)

    def patch(
        self, write: Write, epk: bytes, item_id: str, request: PatchRequest, conditions: Conditions
    ) -> Outcome:
        """Change parts of an item.

        Raises:
            ServiceError: 400, 404, 409, 412, 413.
        """
        old = self._existing(write.container, epk, item_id)
        document = old.document()
        _check_conditions(old, conditions)
        if request.condition is not None and not request.condition(document):
            raise ServiceError(
                412,
                "The condition of the patch is not true for the item.",
                sub_status=CONDITION_FALSE,
                charge=charges.refused_write(len(old.body)),
            )
        changed = apply_patch(write.container, document, request.operations)
        check_document(write.container, epk, changed)
        return self._replace(write, old, changed, NO_CONDITIONS)

    def delete(self, write: Write, epk: bytes, item_id: str, conditions: Conditions) -> Outcome:
        """Remove an item.

        Raises:
            ServiceError: 404, 412.
        """
        old = self._existing(write.container, epk, item_id)
        _check_conditions(old, conditions)
        self._store.delete(write, old)
        return Outcome(
            204, charges.delete(len(old.body), write.container.policy.indexed_leaves(old.document()))
        )

    def _replace(self, write: Write, old: Item, document: dict[str, Any], conditions: Conditions) -> Outcome:
        _check_conditions(old, conditions)
        item = self._limited(self._store.replace(write, old, document))
        return Outcome(200, charges.replace(len(item.body), _leaves(write, document)), item.etag, item.body)

    def _existing(self, container: Container, epk: bytes, item_id: str) -> Item:
        item = self._store.find(container, epk, item_id)
        if item is None:
            raise ServiceError(404, "Entity with the specified id does not exist in the system.")
        return item

    def _limited(self, item: Item) -> Item:
        if len(item.body) > LARGEST_ITEM_BYTES:
            raise ServiceError(413, "Request size is too large")
        return item


def _leaves(write: Write, document: dict[str, Any]) -> int:
    return write.container.policy.indexed_leaves(document)


def _check_conditions(item: Item, conditions: Conditions) -> None:
    wanted = conditions.if_match
    if (wanted is None or wanted in (item.etag, "*")) and conditions.if_none_match not in (item.etag, "*"):
        return
    raise ServiceError(
        412,
        "Operation cannot be performed because one of the specified precondition is not met.",
        charge=charges.refused_write(len(item.body)),
    )
