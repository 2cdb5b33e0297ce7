"""A container's indexing policy: which paths it indexes, which multi-property orders it can serve."""

from typing import Any, Final

from .errors import bad_request
from .property_paths import ANY, parse_path
from .sql.values import RANKS

DEFAULT_POLICY: Final[dict[str, Any]] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}
SYSTEM_PROPERTIES: Final = frozenset({"_rid", "_self", "_etag", "_ts", "_attachments"})
_ALWAYS_INDEXED: Final = frozenset({"id", "_ts"})
_HIGHEST_SCALAR_RANK: Final = 4

Order = tuple[tuple[tuple[str, ...], bool], ...]
"""An ORDER BY as paths with their direction, True for descending."""


class IndexingPolicy:
    """Answer what an indexing policy covers.

    Args:
        policy: the `indexingPolicy` object of the container.

    Raises:
        ServiceError: 400 when the object is malformed.
    """

    def __init__(self, policy: Any) -> None:
        if not isinstance(policy, dict):
            raise bad_request("The indexing policy must be an object.")
        mode = policy.get("indexingMode", "consistent")
        if not isinstance(mode, str) or mode.lower() not in {"consistent", "lazy", "none"}:
            raise bad_request("The indexing mode must be consistent or none.")
        self._off = mode.lower() == "none"
        self._rules: dict[tuple[str, ...], bool] = {}
        for key, included in (("includedPaths", True), ("excludedPaths", False)):
            for text in _paths(policy.get(key, []), key):
                self._rules[_rule(text)] = included
        if not self._rules and not self._off:
            self._rules[("*",)] = True
        self.composites = [_composite(entries) for entries in policy.get("compositeIndexes", []) or []]
        self._covers_all = not self._off and not any(
            not included and names != ("_etag", "?") for names, included in self._rules.items()
        )
        self._covers_all = self._covers_all and self._rules.get(("*",), False)

    def covers(self, path: tuple[str, ...]) -> bool:
        """Tell whether the values at a path (names, `[]` for array elements) are indexed."""
        if self._off:
            return False
        if len(path) == 1 and path[0] in _ALWAYS_INDEXED:
            return True
        if self._covers_all:
            return path != ("_etag",)
        exact = self._rules.get((*path, "?"))
        if exact is not None:
            return exact
        for length in range(len(path), -1, -1):
            wider = self._rules.get((*path[:length], "*"))
            if wider is not None:
                return wider
        return False

    def serves_order(self, order: Order) -> bool:
        """Tell whether a composite index serves an order over several properties."""
        reverse = tuple((path, not descending) for path, descending in order)
        return any(composite in (order, reverse) for composite in self.composites)

    def indexed_leaves(self, document: dict[str, Any]) -> int:
        """Count the scalar values of a document that are indexed, system properties apart."""
        if self._off:
            return 0
        return sum(
            self._leaves(value, (name,)) for name, value in document.items() if name not in SYSTEM_PROPERTIES
        )

    def _leaves(self, value: Any, path: tuple[str, ...]) -> int:
        if RANKS[type(value)] <= _HIGHEST_SCALAR_RANK:
            return 1 if self._covers_all or self.covers(path) else 0
        if isinstance(value, dict):
            return sum(self._leaves(item, (*path, name)) for name, item in value.items())
        return sum(self._leaves(item, (*path, ANY)) for item in value)


def _paths(entries: Any, key: str) -> list[str]:
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("path"), str) for entry in entries
    ):
        raise bad_request(f"The indexing policy's {key} must be a list of objects with a path.")
    return [entry["path"] for entry in entries]


def _rule(text: str) -> tuple[str, ...]:
    names = parse_path(text)
    if names[-1] not in {"?", "*"}:
        raise bad_request(f"The indexing path '{text}' could not be accepted: it must end in /? or /*.")
    return names


def _composite(entries: Any) -> Order:
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise bad_request("A composite index must be a list of objects with path and order.")
    return tuple(
        (parse_path(entry.get("path", "")), entry.get("order", "ascending").lower() == "descending")
        for entry in entries
    )
