"""Check the documents that clients send."""

from typing import Any, Final

import orjson

from .container import Container, check_ttl
from .errors import PARTITION_KEY_MISMATCH, ServiceError, bad_request
from .indexing_policy import SYSTEM_PROPERTIES
from .partition_keys import KEY_MISFIT

LARGEST_ITEM_BYTES: Final = 2 * 1024 * 1024
_LONGEST_ID_BYTES: Final = 1023
_DEEPEST_NESTING: Final = 128
_NOT_IN_IDS: Final = frozenset("/\\")


def parse_document(raw: bytes) -> dict[str, Any]:
    """Parse a document's JSON.

    Raises:
        ServiceError: 400 when it is no JSON object, 413 when it is too large.
    """
    if len(raw) > LARGEST_ITEM_BYTES:
        raise ServiceError(413, "Request size is too large")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The request body is not valid JSON: {error}.") from None
    if not isinstance(document, dict):
        raise bad_request("The request body must be a JSON object.")
    if raw.count(b"{") + raw.count(b"[") > _DEEPEST_NESTING:
        check_nesting(document)
    return document


def check_nesting(document: Any) -> None:
    """Refuse a value that is nested too deeply.

    Raises:
        ServiceError: 400.
    """
    level: list[Any] = [document]
    depth = 0
    while level:
        depth += 1
        if depth > _DEEPEST_NESTING:
            raise bad_request(f"The document is nested deeper than {_DEEPEST_NESTING} levels.")
        containers = [value for value in level if isinstance(value, list | dict)]
        level = [
            item for value in containers for item in (value.values() if isinstance(value, dict) else value)
        ]


def check_document(container: Container, epk: bytes, document: dict[str, Any]) -> None:
    """Refuse a document that may not be stored under a partition key; drop what only the server sets.

    Raises:
        ServiceError: 400 for a bad id, TTL or partition key.
    """
    for name in SYSTEM_PROPERTIES & document.keys():
        del document[name]
    item_id = document.get("id")
    if not isinstance(item_id, str) or not item_id:
        raise bad_request(
            "The input content is invalid because the required properties - 'id; ' - are missing"
        )
    if len(item_id) * 3 > _LONGEST_ID_BYTES and len(item_id.encode()) > _LONGEST_ID_BYTES:
        raise bad_request(f"The id is longer than {_LONGEST_ID_BYTES} bytes.")
    if not _NOT_IN_IDS.isdisjoint(item_id):
        raise bad_request("The id holds one of the illegal characters / and \\.")
    if "ttl" in document:
        check_ttl(document["ttl"], "ttl")
    if container.definition.epk_of_document(document) != epk:
        raise bad_request(KEY_MISFIT, sub_status=PARTITION_KEY_MISMATCH)
