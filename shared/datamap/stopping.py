"""What a withdrawal or a marketing objection does to one record: erase it, or switch a choice off. Pure."""

import copy
from collections.abc import Mapping
from typing import Any

from shared.datamap.models import Store
from shared.datamap.treatment import MISSING, SYSTEM_FIELDS, Treated, Verdict, value_at
from shared.domain.rights import Right


def stop_record(record: Mapping[str, Any], store: Store, right: Right) -> Treated:
    """Decide what the right does to a record of the person's. A second call on the result says KEEP.

    A store that ends with the right loses the record. Otherwise each choice that the right switches off
    becomes false, and everything else stays: the membership goes on.
    Source: policy 4.8, 5.2; GDPR articles 7(3), 21(3).
    """
    if right in store.ends_with:
        return Treated(verdict=Verdict.ERASE)
    chosen = [
        field
        for field in store.fields
        if right in field.off_by and value_at(record, field.path) not in (MISSING, None, False)
    ]
    if not chosen:
        return Treated(verdict=Verdict.KEEP)
    generated = SYSTEM_FIELDS - {"ttl"}
    new = copy.deepcopy({name: value for name, value in record.items() if name not in generated})
    for field in chosen:
        *parents, last = field.path.split("/")[1:]
        inner = new
        for name in parents:
            inner = inner[name]
        inner[last] = False
    return Treated(verdict=Verdict.REWRITE, record=new)
