"""What a withdrawal or a marketing objection does to one record: erase it, or switch a choice off. Pure."""

import copy
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from shared.datamap.models import Store
from shared.datamap.treatment import MISSING, SYSTEM_FIELDS, Treated, Verdict, value_at
from shared.domain.rights import Right


def stop_record(
    record: Mapping[str, Any],
    store: Store,
    right: Right,
    *,
    received_at: datetime,
    opted_in: Collection[str] = (),
) -> Treated:
    """Decide what the right does to a record of the person's. A second call on the result says KEEP.

    A store that ends with the right loses the record, unless it shows a consent that was given after the
    request was received: to sign up anew is the later word. Otherwise each choice that the right switches
    off becomes false, and everything else stays: the membership goes on. `opted_in`: the purposes to which a
    consent given after that moment counts; a choice of one of them stays as it is.
    Source: policy 4.8, 5.2; GDPR articles 7(1), 7(3), 21(3).
    """
    if right in store.ends_with:
        newer = _is_newer(record, store, received_at)
        return Treated(verdict=Verdict.KEEP if newer else Verdict.ERASE)
    chosen = [
        field
        for field in store.fields
        if right in field.off_by
        and field.choice_of not in opted_in
        and value_at(record, field.path) not in (MISSING, None, False)
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


def _is_newer(record: Mapping[str, Any], store: Store, received_at: datetime) -> bool:
    """Whether the record shows a consent given later; one whose time cannot be shown is not."""
    given = value_at(record, store.consented_at_path) if store.consented_at_path else MISSING
    if not isinstance(given, str):
        return False
    try:
        given_at = datetime.fromisoformat(given)
    except ValueError:
        return False
    return given_at.tzinfo is not None and given_at > received_at
