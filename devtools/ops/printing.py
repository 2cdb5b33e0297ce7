"""Answers as tables for people, or as the JSON they came in."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from devtools.ops.api import RefusedError

_WIDTH_WITHOUT_TERMINAL = 160
_NOTHING = "-"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?(?:Z|\+00:00)")  # seconds are for JSON
_READABLE_WIDTH = 10  # of a column whose words may be broken
_BESIDE_CELL = 3  # a line and two spaces


def print_answer(answer: Any, *, as_json: bool) -> None:
    """Print an answer: plain values as lines, lists of objects as tables."""
    if as_json:
        print(json.dumps(answer, indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
    if answer is None:
        console.print("Done.")
        return
    _print(console, answer if isinstance(answer, dict) else {"": answer})


def _print(console: Console, answer: Mapping[str, Any], title: str = "") -> None:
    """Print plain values first, then what lies inside, each part under its name."""
    plain = {name: value for name, value in answer.items() if not _is_rows(value) and not _is_object(value)}
    if plain:
        console.print(_lines(plain, title))
    for name, value in answer.items():
        if _is_rows(value):
            _print_rows(console, name, value)
        elif _is_object(value):
            _print(console, value, _words(name))


def print_refusal(error: RefusedError, *, as_json: bool) -> None:
    """Print problem details on standard error."""
    if as_json:
        print(json.dumps(dict(error.problem), indent=2), file=sys.stderr)
        return
    said = [str(error.problem.get(name, "")) for name in ("title", "detail", "field")]
    code = error.problem.get("code", "no code")
    print(f"{error.status} {code}: {' '.join(filter(None, said))}", file=sys.stderr)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


def _print_rows(console: Console, name: str, rows: list[Mapping[str, Any]]) -> None:
    """Print a table, without what no row has where it is narrow, or each row by itself where it is narrower.

    An id is never cut or broken: somebody copies it into the next command.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = {column: [_cell(row.get(column)) for row in rows] for column in columns}
    if not _fits(cells, console.width):
        cells = {column: texts for column, texts in cells.items() if set(texts) != {_NOTHING}}
    if not _fits(cells, console.width):
        for number, row in enumerate(rows, start=1):
            console.print(_lines(row, f"{_words(name)} {number}"))
        return
    table = Table(title=_words(name), title_justify="left")
    for column, texts in cells.items():
        is_whole = _is_whole(column)
        least = _width(column, texts) if is_whole else None
        table.add_column(_words(column), overflow="fold", no_wrap=is_whole, min_width=least)
    for row_cells in zip(*cells.values(), strict=True):
        table.add_row(*row_cells)
    console.print(table)


def _lines(values: Mapping[str, Any], title: str) -> Table:
    lines = Table(show_header=False, title=title or None, title_justify="left")
    lines.add_column(overflow="fold", no_wrap=True)
    lines.add_column(overflow="fold")
    for name, value in values.items():
        lines.add_row(_words(name), _cell(value))
    return lines


def _fits(cells: Mapping[str, list[str]], width: int) -> bool:
    needed = {column: _width(column, texts) for column, texts in cells.items()}
    least = sum(one if _is_whole(column) else min(one, _READABLE_WIDTH) for column, one in needed.items())
    return least + _BESIDE_CELL * len(cells) + 1 <= width


def _width(column: str, texts: list[str]) -> int:
    return max(map(len, (_words(column), *texts)))


def _is_whole(column: str) -> bool:
    """Whether what stands in a column is never broken: ids, and days and times."""
    return column == "id" or column.endswith(("_id", "_digest", "_at", "_on"))


def _words(name: str) -> str:
    return escape(name.replace("_", " "))


def _cell(value: Any) -> str:
    if value == []:
        return "none"
    if isinstance(value, str) and (moment := _MOMENT.fullmatch(value)):
        return f"{moment[1]} {moment[2]} UTC"
    if value in (None, "", [], {}):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value):
        text = ", ".join(map(str, value))
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
    # What a person wrote is shown as it is: neither markup nor orders to the terminal.
    return escape("".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text))
