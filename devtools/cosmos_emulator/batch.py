"""Transactional batches: all operations of one partition, or none."""

from typing import Any, Final

import orjson

from . import charges
from .container import Container
from .errors import ServiceError, bad_request
from .item_store import ItemStore, Write
from .items import Conditions, Items, Outcome
from .patch import Condition, parse_patch
from .store import Store

_MOST_OPERATIONS: Final = 100
_FAILED_DEPENDENCY: Final = 424
_KINDS: Final = frozenset({"Create", "Upsert", "Replace", "Read", "Delete", "Patch"})


class Batches:
    """Run batches.

    Args:
        store: opens the transaction.
        item_store: counts the write.
        items: does the single operations.
        compile_condition: turns a patch condition of a container into a test.
    """

    def __init__(self, store: Store, item_store: ItemStore, items: Items, compile_condition: Any) -> None:
        self._store = store
        self._item_store = item_store
        self._items = items
        self._compile_condition = compile_condition

    def run(self, container: Container, epk: bytes, raw: bytes) -> tuple[int, bytes, float]:
        """Run a batch; returns status (200, or 207 after a failure), body and charge.

        Raises:
            ServiceError: 400 when the batch as a whole is malformed.
        """
        operations = _parse(raw)
        write = self._item_store.begin(container)
        outcomes: list[Outcome] = []
        try:
            with self._store.transaction():
                # A failing operation must leave the outcomes before it, so these are not built in one go.
                for operation in operations:
                    outcomes.append(self._one(write, epk, operation))  # noqa: PERF401 - see above
                self._item_store.commit(write)
        except ServiceError as failure:
            return 207, *_failed(len(operations), outcomes, failure)
        body = b"[" + b",".join(map(_entry, outcomes)) + b"]"
        return 200, body, sum(outcome.charge for outcome in outcomes)

    def _one(self, write: Write, epk: bytes, operation: dict[str, Any]) -> Outcome:
        kind, item_id = operation["operationType"], operation.get("id", "")
        document = operation.get("resourceBody")
        conditions = Conditions(operation.get("ifMatch"), operation.get("ifNoneMatch"))
        if kind == "Read":
            return self._items.read(write.container, epk, item_id, conditions)
        if kind == "Delete":
            return self._items.delete(write, epk, item_id, conditions)
        if kind == "Patch":
            condition = self._condition(write.container)
            return self._items.patch(write, epk, item_id, parse_patch(document, condition), conditions)
        if not isinstance(document, dict):
            raise bad_request(f"The batch operation {kind} needs a resourceBody.")
        if kind == "Create":
            return self._items.create(write, epk, document)
        if kind == "Upsert":
            return self._items.upsert(write, epk, document, conditions)
        return self._items.replace(write, epk, item_id, document, conditions)

    def _condition(self, container: Container) -> Any:
        def compile_condition(text: str) -> Condition:
            condition: Condition = self._compile_condition(container, text)
            return condition

        return compile_condition


def _parse(raw: bytes) -> list[dict[str, Any]]:
    try:
        operations = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The batch is not valid JSON: {error}.") from None
    if not isinstance(operations, list):
        raise bad_request("A batch must be an array of operations.")
    if not operations:
        raise bad_request("Batch request has no operations.")
    if len(operations) > _MOST_OPERATIONS:
        raise bad_request("Batch request has more operations than what is supported.")
    for operation in operations:
        _check(operation)
    return operations


def _check(operation: Any) -> None:
    if not isinstance(operation, dict) or operation.get("operationType") not in _KINDS:
        raise bad_request(f"A batch operation must be one of {', '.join(sorted(_KINDS))}.")
    for name in ("id", "ifMatch", "ifNoneMatch"):
        if name in operation and not isinstance(operation[name], str):
            raise bad_request(f"The property {name} of a batch operation must be a string.")
    if operation["operationType"] in {"Replace", "Read", "Delete", "Patch"} and not operation.get("id"):
        raise bad_request(f"The batch operation {operation['operationType']} needs an id.")


def _entry(outcome: Outcome) -> bytes:
    head = f'{{"statusCode":{outcome.status},"requestCharge":{charges.text(outcome.charge)}'.encode()
    if outcome.etag:
        head += b',"eTag":' + orjson.dumps(outcome.etag)
    if outcome.body:
        head += b',"resourceBody":' + outcome.body
    return head + b"}"


def _failed(count: int, outcomes: list[Outcome], failure: ServiceError) -> tuple[bytes, float]:
    entries: list[dict[str, Any]] = [
        {"statusCode": _FAILED_DEPENDENCY, "requestCharge": 0} for _ in range(count)
    ]
    entries[len(outcomes)] = {
        "statusCode": failure.status,
        "subStatusCode": failure.sub_status,
        "requestCharge": round(failure.charge, 2),
        "message": failure.message,
    }
    return orjson.dumps(entries), sum(outcome.charge for outcome in outcomes) + failure.charge
