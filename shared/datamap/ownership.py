"""Which stores are our own, and not a system of record."""

from shared.datamap.models import DataMap, DocumentStore

_REGISTER = frozenset({"requests", "controls"})


def is_own(datamap: DataMap, store_id: str) -> bool:
    """Whether a store lies in our own database: what is there is about requests, not about services."""
    return _own_container(datamap, store_id) is not None


def is_register(datamap: DataMap, store_id: str) -> bool:
    """Whether a store is the register of requests itself, in which every request leaves its mark."""
    return _own_container(datamap, store_id) in _REGISTER


def _own_container(datamap: DataMap, store_id: str) -> str | None:
    for _, store in datamap.stores():
        if store.id == store_id and isinstance(store, DocumentStore) and store.database == "compliance":
            return store.container
    return None
