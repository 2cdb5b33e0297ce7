"""Run every check and then the tests: what CI runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = "2"


def main(arguments: Sequence[str]) -> int:
    """Run the checks and pytest, and return the exit code of the first step that fails.

    Args:
        arguments: For pytest. With any, only pytest runs and takes exactly these; without, the checks run
            first and the tests run on two processes.
    """
    if arguments:
        return _run(_python("pytest", *arguments), announce=False)
    steps = [
        _python("ruff", "check", "."),
        _python("ruff", "format", "--check", "."),
        _python("mypy"),
        [str(Path(sys.executable).parent / "lint-imports")],
        _python("devtools.template_scan"),
        _python("pytest", "-n", WORKERS),
    ]
    for step in steps:
        code = _run(step, announce=True)
        if code:
            return code
    return 0


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _run(command: Sequence[str], *, announce: bool) -> int:
    if announce:
        shown = " ".join(command[2:] if command[1:2] == ["-m"] else [Path(command[0]).name])
        print(f"$ {shown}", file=sys.stderr, flush=True)
    try:
        return subprocess.call(list(command), cwd=ROOT)
    except KeyboardInterrupt:
        # The step got the same Ctrl-C and has said what it had to say.
        return 130
