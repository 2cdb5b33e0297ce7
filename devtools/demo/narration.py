"""Tell what happens, step by step: styled on a terminal, plain text in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PIPE_COLUMNS = 200


class Narrator:
    """Writes to standard output. Every line stands by itself, so that it reads well in a log file too."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()
        self._started = time.monotonic()

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._console.print(f"\n[bold]{escape(title)}[/bold]")

    def step(self, text: str) -> None:
        """Tell one thing that happened, with the seconds since the beginning."""
        elapsed = time.monotonic() - self._started
        self._console.print(f"[dim]{elapsed:6.1f} s[/dim]  {escape(text)}")

    def fault(self, text: str) -> None:
        """Tell what is not as it should be."""
        self._console.print(f"[bold red]NOT SO:[/bold red] {escape(text)}")

    def plain(self, *lines: str) -> None:
        """Write lines as they are."""
        for line in lines:
            self._console.print(escape(line))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show rows under column names; numbers stand to the right."""
        table = Table(box=None, pad_edge=False)
        for number, column in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[number], int | float) for row in rows)
            table.add_column(column, justify="right" if numeric else "left", no_wrap=True)
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self._console.print(table)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show that something is waited for; a line of its own only on a terminal."""
        if self._console.is_terminal:
            with self._console.status(escape(what)):
                yield
        else:
            yield


def _console() -> Console:
    # Where nobody sees it on a screen, lines and tables are as long as they are.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_COLUMNS)
