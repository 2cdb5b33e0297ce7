"""Run a program that does not watch its parent, and end it when standard input ends.

`python -m devtools.guard PROGRAM ARGUMENTS`: for programs that cannot be taught to do it themselves.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

PATIENCE_SECONDS = 5.0


def main(command: Sequence[str]) -> int:
    """Run the program until it ends or standard input does, and return its exit code."""
    process = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_after_input, args=(process,), daemon=True).start()
    return process.wait()


def _end_after_input(process: subprocess.Popen[bytes]) -> None:
    # Read without Python's buffer, whose lock a daemon thread would hold when the interpreter ends.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # The whole group: the program may have started others.
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
