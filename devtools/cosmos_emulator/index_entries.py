"""Which keys a document has in a value index."""

from dataclasses import dataclass
from typing import Any, Final

from .property_paths import ANY
from .sql.values import UNDEFINED, sort_key

LONGEST_KEY_BYTES: Final = 256
"""Longer keys are cut: an index gives a superset, the query itself decides."""


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """An index over the values at one path.

    Attributes:
        path: property names, `[]` for the elements of an array.
        is_lowered: strings are indexed in lower case, for comparisons that ignore case.
        is_scoped: keys start with the partition's hash, for queries within one partition.
    """

    path: tuple[str, ...]
    is_lowered: bool = False
    is_scoped: bool = False

    @property
    def is_single(self) -> bool:
        """Whether every document has exactly one key."""
        return ANY not in self.path


def value_key(value: Any) -> bytes:
    """Return the index key of a value."""
    return sort_key(value)[:LONGEST_KEY_BYTES]


def entries(definition: IndexDefinition, document: dict[str, Any], epk: bytes) -> set[bytes]:
    """Return the keys under which a document stands in an index.

    A document without the property stands under the key of *undefined*, unless the path goes through an
    array.
    """
    prefix = epk if definition.is_scoped else b""
    values = _values(document, definition.path)
    if definition.is_lowered:
        values = [value.lower() if isinstance(value, str) else value for value in values]
    return {prefix + value_key(value) for value in values}


def _values(value: Any, path: tuple[str, ...]) -> list[Any]:
    for position, step in enumerate(path):
        if step == ANY:
            if not isinstance(value, list):
                return []
            rest = path[position + 1 :]
            return [found for item in value for found in _values(item, rest) if found is not UNDEFINED]
        if not isinstance(value, dict):
            return [UNDEFINED]
        value = value.get(step, UNDEFINED)
    return [value]
