"""Records as HTML: side by side where they are short, else each on a sheet of its own.

Written with `escape` instead of a template: a person may have fifty thousand records of twenty values,
and a template's loop takes three times as long for each of them.
"""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup, escape

from shared.datamap.treatment import OTHERS_DATA
from shared.rendering.table import ABSENT, Table, json_text
from shared.rendering.templating import visible_text
from shared.rendering.words import words

_MAX_COLUMNS_SIDE_BY_SIDE = 10
_MAX_CHARACTERS_SIDE_BY_SIDE = 60

Notes = Sequence[Mapping[str, str]]
"""What was left out of one record: `path` and `reason` of each."""


def records_table(
    table: Table, notes: Sequence[Notes], *, titles: Mapping[str, str], language: str
) -> tuple[Markup, bool]:
    """Return the records as one or many HTML tables, and whether they stand side by side in one.

    Args:
        table: Columns that no record fills are left out.
        notes: For each row, what was left out of it.
        titles: Words for a column by its path; a column without any shows its path.
        language: Of the fixed words.
    """
    w = words(language)
    used = [
        place for place in range(len(table.columns)) if any(row[place] is not ABSENT for row in table.rows)
    ]
    heads = [_heading(table.columns[place], titles) for place in used]
    rows = [[_cell(row[place], w) for place in used] for row in table.rows]
    if (
        not any(notes)
        and len(used) <= _MAX_COLUMNS_SIDE_BY_SIDE
        and all(len(cell or "") <= _MAX_CHARACTERS_SIDE_BY_SIDE for row in rows for cell in row)
    ):
        return _side_by_side(heads, rows), True
    return _sheets(heads, rows, notes, titles, w), False


def _side_by_side(heads: Sequence[Markup], rows: Sequence[Sequence[Markup | None]]) -> Markup:
    columns = Markup("").join(Markup('<th scope="col">{}</th>').format(head) for head in heads)
    lines = Markup("").join(
        Markup('<tr><th scope="row" class="num">{}</th><td>{}</td></tr>\n').format(
            number, Markup("</td><td>").join("" if cell is None else cell for cell in row)
        )
        for number, row in enumerate(rows, start=1)
    )
    return Markup(
        '<table class="rows">\n<thead><tr><th scope="col" class="num">#</th>{}</tr></thead>\n'
        "<tbody>\n{}</tbody>\n</table>"
    ).format(columns, lines)


def _sheets(
    heads: Sequence[Markup],
    rows: Sequence[Sequence[Markup | None]],
    notes: Sequence[Notes],
    titles: Mapping[str, str],
    w: SimpleNamespace,
) -> Markup:
    starts = [f'<tr><th scope="row">{head}</th><td>' for head in heads]
    pieces = []
    for number, (row, note) in enumerate(zip(rows, notes, strict=True), start=1):
        pieces.append(
            f'<table class="sheet">\n<caption>{escape(w.record_heading)} {number}</caption>\n<tbody>\n'
        )
        pieces.extend(
            f"{start}{cell}</td></tr>\n" for start, cell in zip(starts, row, strict=True) if cell is not None
        )
        pieces.extend(
            f'<tr class="left-out"><th scope="row">{_heading(one["path"], titles)}</th>'
            f"<td>{escape(w.left_out)}: {escape(_reason(one['reason'], w))}</td></tr>\n"
            for one in note
        )
        pieces.append("</tbody>\n</table>\n")
    return Markup("".join(pieces))  # noqa: S704 - every value in it went through escape above


def _heading(path: str, titles: Mapping[str, str]) -> Markup:
    shown = visible_text(path)
    if path in titles:
        return Markup("{} <code>{}</code>").format(titles[path], shown)
    return escape(shown)


def _reason(reason: str, w: SimpleNamespace) -> str:
    return str(w.others_data) if reason == OTHERS_DATA else visible_text(reason)


def _cell(value: Any, w: SimpleNamespace) -> Markup | None:
    """Return what a cell shows; None where the record has no such value."""
    if isinstance(value, str):
        return escape(visible_text(value))
    if value is ABSENT:
        return None
    if value is None:
        return Markup('<span class="soft">{}</span>').format(w.empty)
    if isinstance(value, bool):
        return escape(w.yes if value else w.no)
    return escape(visible_text(json_text(value)))
