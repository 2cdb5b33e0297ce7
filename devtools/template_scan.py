"""Scan the templates in `infra/` with checkov, in an environment of its own that works without a network."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools.environment import Environment
from devtools.failures import CannotStartError
from devtools.file_lock import exclusive
from devtools.install_output import InstallRun

ROOT = Path(__file__).resolve().parent.parent
PINS = Path(__file__).parent / "checkov_package" / "requirements.txt"
STAMP_NAME = "devtools-stamp"


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """Checks passed and skipped, failed ones as lines, and files that the scanner could not read."""

    passed: int
    skipped: int
    failed: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether everything was read and nothing failed; a scan of nothing is not good."""
        return not self.failed and not self.unread and self.passed > 0


def main(arguments: Sequence[str]) -> int:
    """Install checkov if needed, scan, and return 0 when every check passed or is skipped with its reason.

    Args:
        arguments: None are taken.
    """
    if arguments:
        print("This command takes no arguments.", file=sys.stderr)
        return 2
    try:
        program = ensure_checkov(ROOT)
    except CannotStartError as error:
        print(error, file=sys.stderr)
        return 2
    found = scan(program, ROOT / "infra")
    for line in (*found.failed, *(f"cannot be read: {path}" for path in found.unread)):
        print(line)
    print(f"templates: {found.passed} checks passed, {found.skipped} skipped with a reason")
    return 0 if found.is_good else 1


def ensure_checkov(root: Path) -> Path:
    """Return checkov's program, fetching it with everything pinned on first use.

    Raises:
        CannotStartError: A registry cannot be reached or the disk is full.
    """
    directory = root / ".local" / "checkov"
    windows = sys.platform == "win32"
    program = directory / ("Scripts" if windows else "bin") / ("checkov.cmd" if windows else "checkov")
    wanted = hashlib.sha256(PINS.read_bytes()).hexdigest()
    try:
        with exclusive(root / ".local" / "checkov.lock", on_wait=_say_waiting):
            if not _is_ready(directory, wanted) or not program.exists():
                _install(root, directory, wanted)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotStartError(f"checkov cannot be installed into .local: {reason}.") from error
    return program


def scan(program: Path, directory: Path) -> Scanned:
    """Scan every template below a directory. Nothing is asked of any network.

    Raises:
        CannotStartError: It printed no result.
    """
    options = ["--framework", "bicep", "--skip-download", "--compact", "--output", "json"]
    done = subprocess.run(
        [str(program), "--directory", str(directory), *options],
        capture_output=True,
        text=True,
        check=False,
        # A proxy variable of the caller would make it look for updates.
        env={**os.environ, "LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false"},
    )
    try:
        return _read(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise CannotStartError(f"checkov gave no result: {last[0][:200]}") from None


def _read(report: Any) -> Scanned:
    results, summary = report["results"], report["summary"]
    return Scanned(
        passed=summary["passed"],
        skipped=summary["skipped"],
        failed=tuple(
            f"{one['check_id']} {one['check_name']}: {one['file_path'].lstrip('/')}:"
            f"{one['file_line_range'][0]} {one['resource']}"
            for one in results["failed_checks"]
        ),
        unread=tuple(results["parsing_errors"]),
    )


def _install(root: Path, directory: Path, wanted: str) -> None:
    print("Installing checkov into .local/checkov (first use, about half a minute).", file=sys.stderr)
    (directory / STAMP_NAME).unlink(missing_ok=True)
    environment = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    python = Environment(root=root).python
    for name, command in (
        ("checkov-venv.log", [str(python), "-m", "venv", "--clear", str(directory)]),
        ("checkov-pip.log", [*_pip_of(directory), "install", "-r", str(PINS)]),
    ):
        run = InstallRun(command=command, environment=environment, log=root / ".local" / name)
        run.finish(what="checkov")
    (directory / STAMP_NAME).write_text(wanted, encoding="utf-8")


def _pip_of(directory: Path) -> list[str]:
    scripts = directory / ("Scripts" if sys.platform == "win32" else "bin")
    return [str(scripts / "python"), "-m", "pip"]


def _is_ready(directory: Path, wanted: str) -> bool:
    stamp = directory / STAMP_NAME
    return stamp.exists() and stamp.read_text(encoding="utf-8") == wanted


def _say_waiting() -> None:
    print("Another start is installing checkov; waiting for it.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
