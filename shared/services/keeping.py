"""What an erasure leaves and why, with every record named once.

A record that is cut down may lose the very value that found it. The look afterwards names what it can
still find; what it can find no more is counted when it is cut down, and here the two are told apart.
"""

from collections.abc import Iterable
from datetime import date

from shared.datamap.models import DataMap, DocumentStore, LineStore
from shared.datamap.treatment import KeptField, Treated, belongs, erase_elements, erase_record, value_at
from shared.domain.identifiers import Identifiers
from shared.domain.outcomes import KeptRecords


def as_records(store_id: str, reasons: Iterable[KeptField]) -> tuple[KeptRecords, ...]:
    """Return one kept record for each reason."""
    return tuple(
        KeptRecords(
            store_id=store_id,
            reason=field.reason,
            provision=field.provision,
            until=field.until,
            records=1,
        )
        for field in reasons
    )


def out_of_sight(
    store: DocumentStore | LineStore,
    treated: Treated,
    datamap: DataMap,
    identifiers: Identifiers,
    *,
    today: date,
) -> tuple[KeptField, ...]:
    """Return the reasons of a cut-down record that no look will find again."""
    if treated.record is None:
        return ()
    elements = store.elements if isinstance(store, DocumentStore) else None
    if elements is None:
        found = belongs(treated.record, store.matches, datamap, identifiers)
        seen = erase_record(treated.record, store.fields, today=today).kept if found else ()
    else:
        rest = value_at(treated.record, elements.path)
        found = any(belongs(one, elements.matches, datamap, identifiers) for one in rest)
        seen = (
            erase_elements(treated.record, elements, store.fields, datamap, identifiers, today=today).kept
            if found
            else ()
        )
    return tuple(reason for reason in treated.kept if reason not in seen)
