"""Run a package installer, show how far it is, and say in one sentence why it failed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from devtools.failures import CannotStartError

NETWORK_SIGNS = (
    "name resolution",
    "name or service not known",
    "nodename nor servname",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "newconnectionerror",
    "connecttimeout",
    "readtimeout",
    "no matching distribution found",
    "enotfound",
    "eai_again",
    "econnrefused",
    "econnreset",
    "etimedout",
    "enetunreach",
    "socket timeout",
)
SPACE_SIGNS = ("no space left", "enospc", "disk quota exceeded")


def failure_sentence(output: str, *, what: str, log: Path) -> str:
    """Return one sentence on why an installer failed, judged by what it printed.

    Args:
        output: Everything the installer printed.
        what: The subject of the sentence, such as `The pinned Python packages`.
        log: Where the whole output was kept.
    """
    lowered = output.lower()
    if any(sign in lowered for sign in SPACE_SIGNS):
        return f"{what} cannot be installed: no space is left on the disk."
    if any(sign in lowered for sign in NETWORK_SIGNS):
        return f"{what} cannot be fetched: the package registry does not answer or lacks one (see {log})."
    marked = [line.strip() for line in output.splitlines() if "error" in line.lower()]
    last = (marked or output.strip().splitlines() or ["no reason given"])[-1]
    return f"{what} cannot be installed: {last[:200]} (see {log})."


@dataclass(kw_only=True)
class InstallRun:
    """One run of an installer.

    Attributes:
        command: Program and arguments.
        environment: Its whole environment.
        log: File that receives everything it prints.
        directory: Where it runs; None is the current directory.
    """

    command: list[str]
    environment: dict[str, str]
    log: Path
    directory: Path | None = None
    _lines: list[str] = field(default_factory=list)

    def finish(self, *, counted: Sequence[str] = (), total: int = 0, what: str) -> None:
        """Run it to its end, showing how many of its packages it has come to.

        Args:
            counted: Beginnings of lines that stand for one package each.
            total: How many such lines to expect; 0 shows no count.
            what: Subject of the sentence used when it fails.

        Raises:
            CannotStartError: It ended with an error or could not be run at all.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.directory,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise CannotStartError(f"{what} cannot be installed: {self.command[0]} does not run.") from error
        with process, self.log.open("w", encoding="utf-8") as log:
            try:
                # stdout is a pipe, asked for above.
                assert process.stdout is not None  # noqa: S101 - tells the type checker the same
                self._follow(process.stdout, log, counted=tuple(counted), total=total)
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise CannotStartError(failure_sentence("".join(self._lines), what=what, log=self.log))

    def _follow(self, output: IO[str], log: IO[str], *, counted: tuple[str, ...], total: int) -> None:
        seen = 0
        live = sys.stderr.isatty()
        for line in output:
            log.write(line)
            self._lines.append(line)
            if not total or not line.startswith(counted):
                continue
            seen += 1
            text = f"  [{min(seen, total)}/{total}] {_package_in(line)}"
            if live:
                print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
            elif seen % 10 == 0 or seen == total:
                print(text, file=sys.stderr, flush=True)
        if live and seen:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _package_in(line: str) -> str:
    """Return the package a line is about: its second word, as a name with a version or a path to a file."""
    word = [*line.split(), "", ""][1]
    return re.split(r"[<>=!~\[;-]", word.replace("\\", "/").rsplit("/", 1)[-1])[0]
