"""Records as a table: nested values become columns named by JSON pointers; cells fit for a spreadsheet."""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.datamap.models import FieldRule
from shared.rendering.templating import visible_text

REDACTED = "_redacted"
_MAX_DEPTH = 16
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
# A spreadsheet takes a cell for a formula by its first character, some also behind spaces and quotes,
# and where the semicolon separates (Danish settings) a cell may start anew behind each of them.
_FORMULA = re.compile(
    r"(^|;)(?=(?:[^\S\t\r\n]|[\"'\u2018\u2019\u201c\u201d\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069])*"
    r"[\t\r\n=+\-@\uff1d\uff0b\uff0d\uff20])"
)


class _Absent:
    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns (JSON pointers) and rows of values in their order; `ABSENT` where a record lacks one."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def table_of(fields: Sequence[FieldRule], records: Sequence[Mapping[str, Any]]) -> Table:
    """Lay records out as a table.

    Columns: every field of the map in its order, whether present or not, so that the pages of a store
    have equal columns; then, sorted, what the map does not describe. An array is one cell.
    """
    paths = list(dict.fromkeys(field.path for field in fields))
    leaves = {path for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
    flat = [_flattened(record, leaves) for record in records]
    known = set(paths)
    found = {path for row in flat for path in row}
    columns = (
        *(path for path in paths if path in leaves or path in found),
        *sorted(path for path in found if path not in known),
    )
    return Table(
        columns=columns, rows=tuple(tuple(row.get(path, ABSENT) for path in columns) for row in flat)
    )


def to_csv(table: Table, redactions: Sequence[str]) -> str:
    """Return RFC 4180 text with CRLF; a last column says what was left out where anything was.

    Text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    noted = any(redactions)
    writer.writerow([*(_safe(path) for path in table.columns), *([f"/{REDACTED}"] if noted else [])])
    for row, note in zip(table.rows, redactions, strict=True):
        writer.writerow([*map(_csv_cell, row), *([_safe(note)] if noted else [])])
    return buffer.getvalue()


def json_text(value: Any) -> str:
    """Return compact JSON in the order given, letters as they are.

    A number JSON has no form for (NaN, infinity) is written as a string.
    """
    try:
        return _ENCODER.encode(value)
    except ValueError:
        return _ENCODER.encode(_finite(value))


def _flattened(record: Mapping[str, Any], leaves: set[str]) -> dict[str, Any]:
    flat: dict[str, Any] = {}

    def walk(items: Iterable[tuple[str, Any]], path: str, depth: int) -> None:
        for name, value in items:
            here = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            if isinstance(value, dict) and value and here not in leaves and depth < _MAX_DEPTH:
                walk(value.items(), here, depth + 1)
            else:
                flat[here] = value

    walk(((name, value) for name, value in record.items() if name != REDACTED), "", 0)
    return flat


def _csv_cell(value: Any) -> str | int | float:
    if isinstance(value, str):
        return _safe(value)
    if value is ABSENT or value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _safe(str(value) if isinstance(value, float) else json_text(value))


def _safe(text: str) -> str:
    if text[:1].isalnum() and ";" not in text:  # nearly every cell, and the search is the dear part
        return visible_text(text)
    return _FORMULA.sub(r"\1'", visible_text(text))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
