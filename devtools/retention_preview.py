"""Show what scheduled deletion would erase by a day, or keep the report of what it did; it changes nothing.

Sign in first, with `python3 -m devtools ops sign-in`. With `--check`, see instead that every required period
of our own data is said, from the data map and the environment alone. Exit codes: 0 done, 1 the API or the
check refused, 2 wrong use or nothing there, 3 sign in first.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from devtools.ops import REFUSED_EXIT_CODE, SIGN_IN_EXIT_CODE, STORE
from devtools.ops.api import RefusedError, call, page
from devtools.ops.connection import Connection, NotSignedInError
from devtools.ops.operations import operations
from devtools.ops.printing import print_refusal
from devtools.ops.signing_in import access_token
from devtools.retention_check import check

_WIDTH_WITHOUT_TERMINAL = 160
_COLUMNS = ("rule_id", "clause", "title", "people", "documents", "held", "restricted", "earliest_on")


def main(arguments: Sequence[str]) -> int:
    """Print the preview, or write the report of a run into a file, and return the exit code.

    Raises:
        CannotStartError: The API does not answer.
    """
    parser = argparse.ArgumentParser(prog="python3 -m devtools retention", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--preview", action="store_true", help="what would go by a day; the default")
    what.add_argument("--report", metavar="DAY", help="the report of the run of a day, such as 2026-11-30")
    parser.add_argument("--out", metavar="FILE", type=Path, help="where the report goes; default: its day")
    parser.add_argument("--language", choices=("en", "da"), default="en", help="of the report")
    parser.add_argument("--as-of", metavar="DATE", help="the day, such as 2027-01-31; default: today")
    parser.add_argument("--most", type=int, help="people to look at; default: 1000")
    parser.add_argument("--json", action="store_true", help="print the answer as the API gives it")
    parser.add_argument("--check", action="store_true", help="see that required retention periods are said")
    parser.add_argument(
        "--deployment",
        choices=["local", "azure"],
        default=os.environ.get("DEPLOYMENT", "azure"),
        help="with --check: a local one is only warned; default: DEPLOYMENT of the environment, else azure",
    )
    options = parser.parse_args(arguments)
    if options.check:
        return check(options.deployment, os.environ)
    try:
        connection = Connection.read(STORE)
        token = access_token(connection, STORE)
        if options.report:
            path = f"operations/retention/runs/{quote(options.report, safe='')}"
            html = page(path, url=connection.url, token=token, language=options.language)
            return _keep(html, options.out or Path(f"retention-{options.report}.html"))
        given = {"as_of": options.as_of, "most": options.most}
        answer = call(operations()["retention-preview"], given, url=connection.url, token=token)
    except NotSignedInError as error:
        print(error, file=sys.stderr)
        return SIGN_IN_EXIT_CODE
    except RefusedError as error:
        print_refusal(error, as_json=options.json)
        return SIGN_IN_EXIT_CODE if error.asks_for_sign_in else REFUSED_EXIT_CODE
    if options.json:
        print(json.dumps(answer, indent=2))
        return 0
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
    console.print(table(answer))
    for line in sentences(answer):
        console.print(line, markup=False, highlight=False)
    return 0


def _keep(html: bytes, file: Path) -> int:
    file.write_bytes(html)
    print(file)
    return 0


def table(answer: Mapping[str, Any]) -> Table:
    """Return a row for each rule."""
    made = Table(title=f"Scheduled deletion by {answer['as_of']}", title_justify="left")
    for name in _COLUMNS:
        made.add_column(name.replace("_", " "))
    for rule in answer["rules"]:
        made.add_row(*("-" if rule[name] is None else str(rule[name]) for name in _COLUMNS))
    return made


def sentences(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the table does not say."""
    if not answer["is_complete"]:
        yield "Not everybody was looked at: there are more people; raise --most."
    yield f"Kept by a later use: {answer['kept_active']} people."
    yield f"To be looked at by a person: {answer['undated']} undated, {answer['unclear']} unclear records."
    yield f"This look needed {answer['request_units']} request units."
    if answer["erasing_request_units"] is None:
        yield "What erasing needs cannot be told: no run erased anything yet."
    else:
        days = len(answer["estimated_from"])
        yield f"Erasing would need about {answer['erasing_request_units']}, by {days} runs before."
    for one in answer["decided"]:
        yield (
            f"Decided by {one['decided_by']} on {one['decided_at']}: {one['activity_id']} ({one['title']}) "
            f"{one['period']} after {one['counts_from']}, from {one['effective_from']}: {one['reason']}"
        )
    for one in answer["own_data"]:
        yield f"Our own: {one['id']} ({one['title']}): {one['kept'] or 'undecided'}."
    for one in answer["undecided"]:
        yield f"Without a period, never deleted by time: {one['activity_id']} ({one['title']})."
