"""See that it is said how long our own data stays, before anything is deployed: a list, and what is missing.

It reads the data map and the environment's settings, and calls nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.datamap.loader import load
from shared.datamap.models import OwnData
from shared.datamap.own_data import period_of, told_by, unsaid
from shared.domain.errors import Invalid
from shared.settings import Settings

REFUSED_EXIT_CODE = 1
_WIDTH_WITHOUT_TERMINAL = 160


def check(deployment: str, environment: Mapping[str, str], directory: Path | None = None) -> int:
    """Print how long each kind of our own data stays, and what is missing; return the exit code.

    A required period that nobody said refuses every deployment but a local one, which is warned.
    """
    try:
        own_data = load(directory).own_data
    except Invalid as error:
        print(error.detail, file=sys.stderr)
        return REFUSED_EXIT_CODE
    days = _days(environment)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
    console.print(_table(own_data, days))
    missing = unsaid(own_data, days)
    is_local = deployment == "local"
    for one in missing:
        word = "warning" if is_local else "refused"
        print(f"{word}: retention_period_required: {one.id}: say it in {told_by(one)}", file=sys.stderr)
    return REFUSED_EXIT_CODE if missing and not is_local else 0


def _days(environment: Mapping[str, str]) -> dict[str, int]:
    """Return the settings that are a number of days, as set or else by default; what is no number is 0."""
    names = [name for name in Settings.model_fields if name.endswith("_days")]
    fields = {name.upper(): Settings.model_fields[name].default for name in names}
    said = {name: environment.get(name, str(default)) for name, default in fields.items()}
    return {name: int(text) if text.isascii() and text.isdigit() else 0 for name, text in said.items()}


def _table(own_data: tuple[OwnData, ...], days: Mapping[str, int]) -> Table:
    table = Table(title="How long our own data stays", title_justify="left")
    for name in ("id", "what", "counted from", "kept", "required"):
        table.add_column(name)
    for one in own_data:
        kept = period_of(one, days) or "undecided"
        table.add_row(one.id, one.title.en, one.counted_from.en, kept, "yes" if one.required else "")
    return table
