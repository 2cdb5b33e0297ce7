"""A page of records as entries of the package: the faithful JSON, a CSV copy, a readable HTML page."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.datamap.models import Activity, FieldRule, Store
from shared.rendering.html_table import Notes, records_table
from shared.rendering.table import REDACTED, Table, json_text, table_of, to_csv
from shared.rendering.templating import render_page, to_bytes
from shared.rendering.words import words

_BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheets take UTF-8 for the machine's old code page
_JSON_TYPES = {"datetime": "string", "date": "string"}
_JSON_FORMATS = {"datetime": "date-time", "date": "date"}


def record_entries(
    activity: Activity,
    store: Store,
    records: Sequence[Mapping[str, Any]],
    *,
    page_number: int,
    language: str,
) -> list[tuple[str, bytes]]:
    """Return the JSON, CSV and HTML entries of one page of a store's records.

    Records hold only what the person may see. A record may carry `_redacted`, a list of
    `{"path": "/name", "reason": "..."}`, which all three show. An empty page gives three entries too.
    """
    stem = f"{store.id}-{page_number:06d}"
    base = f"data/{store.id}/{stem}"
    table = table_of(store.fields, records)
    notes = [_redactions(record) for record in records]
    csv = to_csv(table, [json_text(note) if note else "" for note in notes])
    page = _page(activity, store, table, notes, stem=stem, page_number=page_number, language=language)
    return [
        (f"{base}.json", to_bytes(_json_array(records))),
        (f"{base}.csv", to_bytes(_BYTE_ORDER_MARK + csv)),
        (f"{base}.html", to_bytes(page)),
    ]


def json_schema(store: Store) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one record of a store, made from the map's fields.

    Other fields are allowed, since a faithful copy holds what is stored, described or not. A field
    about somebody else is never required, because the copy leaves it out.
    """
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": store.title.en,
        "type": "object",
        "properties": {},
    }
    for field in store.fields:
        _describe(root, field)
    root["properties"][REDACTED] = {
        "title": "What was left out of this record, and why",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "reason": {"type": "string"}},
            "required": ["path", "reason"],
        },
    }
    return root


def _describe(schema: dict[str, Any], field: FieldRule) -> None:
    *parents, last = field.path.split("/")[1:]
    required = field.required and field.about != "other"
    for name in parents:
        parent = schema["properties"].setdefault(name, {"type": ["object", "null"]})
        parent.setdefault("properties", {})
        if required:
            parent["type"] = "object"
            _require(schema, name)
        schema = parent
    kind = _JSON_TYPES.get(field.type, field.type)
    described = schema["properties"].setdefault(last, {})
    described |= {
        "title": field.title.en,
        "description": f"{field.title.da} (category {field.category}, source {field.source})",
        "type": kind if required else [kind, "null"],
    }
    if field.type in _JSON_FORMATS:
        described["format"] = _JSON_FORMATS[field.type]
    if required:
        _require(schema, last)


def _require(schema: dict[str, Any], name: str) -> None:
    names = schema.setdefault("required", [])
    if name not in names:
        names.append(name)


def _json_array(records: Sequence[Mapping[str, Any]]) -> str:
    if not records:
        return "[]\n"
    return "[\n" + ",\n".join(json_text(record) for record in records) + "\n]\n"


def _redactions(record: Mapping[str, Any]) -> Notes:
    return [{"path": str(note["path"]), "reason": str(note["reason"])} for note in record.get(REDACTED) or ()]


def _page(
    activity: Activity,
    store: Store,
    table: Table,
    notes: Sequence[Notes],
    *,
    stem: str,
    page_number: int,
    language: str,
) -> str:
    titles = {field.path: field.title.in_language(language) for field in store.fields}
    body, as_rows = records_table(table, notes, titles=titles, language=language)
    context = {
        "w": words(language),
        "title": store.title.in_language(language),
        "activity_title": activity.title.in_language(language),
        "page_number": page_number,
        "record_count": len(table.rows),
        "file_stem": stem,
        "table": body,
        "as_rows": as_rows,
    }
    return render_page("records.html.j2", context, language=language, styles=("base", "records"))
