"""Know the developer commands and run one of them inside the environment. Standard library only."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from devtools.azurite_install import ensure_azurite
from devtools.environment import ensure_environment, restart_inside
from devtools.failures import USAGE_EXIT_CODE, CannotStartError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Command:
    """Describe one developer command.

    Attributes:
        module: Module with `main(arguments) -> exit code`, imported inside the environment only.
        summary: One line for the usage text.
        needs_azurite: Whether Azurite is installed first.
    """

    module: str
    summary: str
    needs_azurite: bool


COMMANDS = {
    "demo": Command(
        module="devtools.demo",
        summary="play a scenario: requests, rights, newsletter or retention, on an empty local platform",
        needs_azurite=True,
    ),
    "test": Command(
        module="devtools.checks",
        summary="run every check and the tests; arguments go to pytest",
        needs_azurite=True,
    ),
    "run": Command(
        module="devtools.run",
        summary="start the local platform on fixed ports and keep its data",
        needs_azurite=True,
    ),
    "bench": Command(
        module="devtools.bench",
        summary="measure against the bare SDK",
        needs_azurite=True,
    ),
    "ops": Command(
        module="devtools.ops",
        summary="sign in as staff and work on cases through the operations API",
        needs_azurite=False,
    ),
    "retention": Command(
        module="devtools.retention_preview",
        summary="show what scheduled deletion would erase by a day (sign in with ops first)",
        needs_azurite=False,
    ),
    "people": Command(
        module="devtools.sample_people",
        summary="print the made-up people that demo and run load",
        needs_azurite=False,
    ),
    "datamap": Command(
        module="devtools.datamap",
        summary="print the data map as a table",
        needs_azurite=False,
    ),
    "infra": Command(
        module="devtools.template_scan",
        summary="scan the Bicep templates with checkov",
        needs_azurite=False,
    ),
    "coverage": Command(
        module="devtools.coverage",
        summary="write which rule, code and test make each clause true; --check only compares",
        needs_azurite=False,
    ),
}


def usage() -> str:
    """Return the usage text."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: python3 -m devtools <command> [arguments]", "", "commands:", *lines])


def run_command_line(arguments: Sequence[str]) -> int:
    """Run the named command and return its exit code.

    The first use makes the environment; then the whole command starts again inside it. A command that cannot
    start says why in one sentence on standard error and gives exit code 2.
    """
    if not arguments or arguments[0] not in COMMANDS:
        asked = bool(arguments) and arguments[0] in {"-h", "--help", "help"}
        print(usage(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else USAGE_EXIT_CODE
    try:
        return _run(COMMANDS[arguments[0]], arguments)
    except CannotStartError as error:
        print(error, file=sys.stderr)
        return USAGE_EXIT_CODE


def _run(command: Command, arguments: Sequence[str]) -> int:
    if Path.cwd().resolve() != ROOT:
        raise CannotStartError("Run this from the root of the repository, where function_app.py is.")
    environment = ensure_environment(ROOT)
    if not environment.is_current_process():
        return restart_inside(environment, arguments)
    if command.needs_azurite:
        ensure_azurite(ROOT)
    module = importlib.import_module(command.module)
    run = cast(Callable[[list[str]], int], module.main)
    return run(list(arguments[1:]))
