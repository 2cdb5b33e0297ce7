"""Answers as tables for people, or as the JSON they came in."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from devtools.ops.api import RefusedError

_WIDTH_WITHOUT_TERMINAL = 160


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
        lines = Table(show_header=False, title=title or None, title_justify="left")
        for name, value in plain.items():
            lines.add_row(_words(name), _cell(value))
        console.print(lines)
    for name, value in answer.items():
        if _is_rows(value):
            console.print(_table(name, value))
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


def _table(name: str, rows: list[Mapping[str, Any]]) -> Table:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(title=_words(name), title_justify="left")
    for column in columns:
        table.add_column(_words(column))
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    return table


def _words(name: str) -> str:
    return escape(name.replace("_", " "))


def _cell(value: Any) -> str:
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value):
        text = ", ".join(map(str, value))
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
    # What a person wrote is shown as it is: neither markup nor orders to the terminal.
    return escape("".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text))
