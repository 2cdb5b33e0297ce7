"""Start a developer command: `python3 -m devtools <command>`.

Until the environment exists this may run under any Python 3, so this file imports nothing newer or foreign
before it has looked.
"""

from __future__ import annotations

import os
import sys

OLDEST_PYTHON = (3, 11)


def main(arguments: list[str]) -> int:
    """Run one developer command and return its exit code; 2 means that it could not start."""
    if sys.version_info < OLDEST_PYTHON:
        wanted, found = ".".join(map(str, OLDEST_PYTHON)), ".".join(map(str, sys.version_info[:3]))
        print(f"Python {wanted} or newer is needed; this is {found} ({sys.executable}).", file=sys.stderr)
        return 2
    from devtools.command_line import run_command_line

    return run_command_line(arguments)


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # The reader of our output has gone; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    sys.exit(code)
