"""Which stores are our own register, and not a system of record."""

from shared.datamap.models import DataMap, DocumentStore


def is_own(datamap: DataMap, store_id: str) -> bool:
    """Whether a store lies in our own database. What is kept there is about requests, not about services."""
    for _, store in datamap.stores():
        if store.id == store_id:
            return isinstance(store, DocumentStore) and store.database == "compliance"
    return False
