"""Request units: a deterministic model that hits the published points of the price list.

`kb` is the size in started kilobytes, `leaves` the number of indexed scalar values of a document.
"""

from typing import Final

_KILOBYTE: Final = 1024
_STEPS: Final = 99
QUERY_BASE: Final = 2.3
_PER_LOADED_ITEM: Final = 0.03
_PER_KILOBYTE: Final = 0.2
_PER_INDEXED_MATCH: Final = 0.001
_FEED_PER_ITEM: Final = 0.02
_FEED_PER_KILOBYTE: Final = 0.1
REFUSED_WRITE_MINIMUM: Final = 1.2
METADATA: Final = 1.0
NOT_FOUND: Final = 1.0


def kilobytes(size_bytes: int) -> int:
    """Return the started kilobytes of a size, at least 1."""
    return max(1, -(-size_bytes // _KILOBYTE))


def read(size_bytes: int) -> float:
    """Charge of a point read: 1 RU for 1 KB, 10 RU for 100 KB."""
    return 1 + 9 * (kilobytes(size_bytes) - 1) / _STEPS


def insert(size_bytes: int, leaves: int) -> float:
    """Charge of an insert: about 5.5 RU for 1 KB without indexed values, about 50 RU for 100 KB."""
    return 5.5 + 45 * (kilobytes(size_bytes) - 1) / _STEPS + 0.05 * leaves


def replace(size_bytes: int, leaves: int) -> float:
    """Charge of a replace, a patch or an upsert of an existing item: twice the insert."""
    return 2 * insert(size_bytes, leaves)


def delete(size_bytes: int, leaves: int) -> float:
    """Charge of a delete: as the insert of the same item."""
    return insert(size_bytes, leaves)


def refused_write(size_bytes: int) -> float:
    """Charge of a write that a conflict or a condition stopped."""
    return max(REFUSED_WRITE_MINIMUM, read(size_bytes))


def query_page(*, loaded: int, returned_bytes: int) -> float:
    """Charge of a query page that loaded items."""
    return QUERY_BASE + _PER_LOADED_ITEM * loaded + _PER_KILOBYTE * returned_bytes / _KILOBYTE


def index_page(*, matching: int) -> float:
    """Charge of an aggregate that the index alone answers."""
    return QUERY_BASE + _PER_INDEXED_MATCH * matching


def feed_page(*, items: int, returned_bytes: int) -> float:
    """Charge of a change feed page."""
    return 1 + _FEED_PER_ITEM * items + _FEED_PER_KILOBYTE * returned_bytes / _KILOBYTE


def text(charge: float) -> str:
    """Write a charge as the reply header shows it."""
    return f"{round(charge, 2):g}" if charge < 1_000_000 else f"{charge:.2f}"  # noqa: PLR2004 - where %g turns to exponents
