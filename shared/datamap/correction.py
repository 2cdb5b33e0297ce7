"""What a rectification does to one record: writes the right value of a fact, and nothing else. Pure.

A field with a duty to keep it as it was, such as the name on an invoice, is not rewritten: a note tells.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from shared.datamap.models import DataMap, DocumentStore, FieldRule, OnErasure
from shared.datamap.treatment import MISSING, SYSTEM_FIELDS, belongs, value_at
from shared.domain.identifiers import Identifiers


def correctable(fields: Sequence[FieldRule], corrections: Mapping[str, str]) -> list[FieldRule]:
    """Return the fields a correction may be written to."""
    return [one for one in fields if one.fact in corrections and one.on_erasure is not OnErasure.KEEP]


def unchangeable(fields: Sequence[FieldRule], corrections: Mapping[str, str]) -> list[FieldRule]:
    """Return the fields that hold one of the facts and have to stay as they are."""
    return [one for one in fields if one.fact in corrections and one.on_erasure is OnErasure.KEEP]


def correct_document(
    body: Mapping[str, Any],
    store: DocumentStore,
    corrections: Mapping[str, str],
    datamap: DataMap,
    identifiers: Identifiers,
) -> dict[str, Any] | None:
    """Return the document with every fact corrected, or None when each is right already.

    A fact that is missing is completed where its surroundings are there. Of a shared document only the
    person's own elements change. Source: GDPR article 16.
    """
    generated = SYSTEM_FIELDS - {"ttl"}
    new = copy.deepcopy({name: value for name, value in body.items() if name not in generated})
    fields = correctable(store.fields, corrections)
    if store.elements is None:
        records = [new]
    else:
        found = value_at(new, store.elements.path)
        matches = store.elements.matches
        records = [one for one in found if belongs(one, matches, datamap, identifiers)] if found else []
    changed = False
    for record in records:
        for field in fields:
            changed = _write(record, field.path, corrections[field.fact or ""]) or changed
    return new if changed else None


def _write(record: dict[str, Any], path: str, value: str) -> bool:
    *parents, last = path.split("/")[1:]
    inner: Any = record
    for name in parents:
        inner = inner.get(name, MISSING) if isinstance(inner, dict) else MISSING
    if not isinstance(inner, dict) or inner.get(last) == value:
        return False
    inner[last] = value
    return True
