"""Child processes that end with their parent, however the parent ends. Standard library only.

Each child gets a pipe as standard input whose other end only this process holds. The operating system
closes that end when this process dies, even by SIGKILL, and the child takes the end of its input as the
order to stop.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.failures import CannotStartError

READY_SECONDS = 60.0
STOP_SECONDS = 10.0


class ChildProcess:
    """One running program with its log file.

    Args:
        name: What it is, for messages, such as `Azurite`.
        command: Program and arguments; it must stop at the end of its standard input.
        log: File that receives its output and its errors; it is emptied first.
        environment: Its whole environment; None passes on this process's own.
        directory: Where it runs.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Start the program; `wait_for_lines` tells when it is ready."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if environment is None else environment),
                cwd=directory,
                # Ctrl-C goes to the parent alone, which then stops its children in the right order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    def is_running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._process.poll() is None

    def wait_for_lines(self, pattern: str, *, count: int = 1) -> list[re.Match[str]]:
        """Wait until its log holds so many matches of a pattern, and return them.

        Raises:
            CannotStartError: It ended before, or took longer than a minute. The message quotes its last line;
                `output` has the rest.
        """
        deadline = time.monotonic() + READY_SECONDS
        while True:
            running = self.is_running()
            found = list(re.finditer(pattern, self.output()))
            if len(found) >= count:
                return found
            if not running:
                said = self._last_line()
                raise CannotStartError(f"{self.name} ended while starting: {said} (see {self.log}).")
            if time.monotonic() > deadline:
                raise CannotStartError(f"{self.name} is not ready after a minute (see {self.log}).")
            time.sleep(0.02)

    def output(self) -> str:
        """Return what it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End it and wait until it is gone: ask through its input, then SIGTERM, then SIGKILL.

        A second call does nothing.
        """
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        for harder in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                harder()
        self._process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _last_line(self) -> str:
        lines = [line.strip() for line in self.output().splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it said nothing"
