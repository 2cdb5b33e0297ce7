"""Name what a request asks for; fault rules and metrics use these names."""

from collections.abc import Mapping
from typing import Final

_ITEM_METHODS: Final = {"GET": "read", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
_DOCS: Final = 4
_ON_ITEMS: Final = 5
_ON_ITEM: Final = 6

NAMES: Final = (
    "account", "database", "container", "offer", "pkranges", "conflicts",
    "read", "create", "upsert", "replace", "patch", "delete", "batch",
    "query", "query_plan", "read_feed", "change_feed", "delete_partition", "unknown",
)  # fmt: skip
"""All operation names."""


def operation_of(method: str, segments: tuple[str, ...], headers: Mapping[str, str]) -> str:
    """Return the operation of a request, `unknown` for what the emulator does not have."""
    count = len(segments)
    if count > _DOCS and segments[0] == "dbs" and segments[2] == "colls":
        return _inside_container(method, segments, headers)
    if count == 0:
        return "account"
    if segments[0] == "offers":
        return "offer"
    if segments[0] == "dbs" and count <= 2:  # noqa: PLR2004 - dbs and dbs/d
        return "database"
    if segments[0] == "dbs" and segments[2] == "colls" and count <= _DOCS:
        return "container"
    return "unknown"


def _inside_container(method: str, segments: tuple[str, ...], headers: Mapping[str, str]) -> str:
    kind, count = segments[4], len(segments)
    if kind == "docs":
        if count == _ON_ITEM:
            return _ITEM_METHODS.get(method, "unknown")
        return _on_items(method, headers) if count == _ON_ITEMS else "unknown"
    if kind == "pkranges" and count == _ON_ITEMS:
        return "pkranges"
    if kind == "conflicts":
        return "conflicts"
    if segments[4:] == ("operations", "partitionkeydelete"):
        return "delete_partition"
    return "unknown"


def _on_items(method: str, headers: Mapping[str, str]) -> str:
    if method == "GET":
        return "change_feed" if "A-IM" in headers else "read_feed"
    if method != "POST":
        return "unknown"
    if is_set(headers, "x-ms-cosmos-is-query-plan-request"):
        return "query_plan"
    if is_set(headers, "x-ms-documentdb-isquery") or "query+json" in headers.get("Content-Type", ""):
        return "query"
    if is_set(headers, "x-ms-cosmos-is-batch-request"):
        return "batch"
    return "upsert" if is_set(headers, "x-ms-documentdb-is-upsert") else "create"


def is_set(headers: Mapping[str, str], name: str) -> bool:
    """Tell whether a header says true, in any case."""
    return headers.get(name, "").lower() == "true"
