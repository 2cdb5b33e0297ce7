"""A lock between processes that the operating system frees when its holder dies."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO


def _try_lock(stream: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def exclusive(path: Path, *, on_wait: Callable[[], None], poll_seconds: float = 0.2) -> Iterator[None]:
    """Hold the lock file for the length of the block, waiting as long as another process holds it.

    Args:
        path: The lock file; it is created and stays. Only the lock on it counts, not its existence, so that a
            killed holder blocks nobody.
        on_wait: Called once if the lock is not free at once.
        poll_seconds: Pause between two tries.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        told = False
        while not _try_lock(stream):
            if not told:
                on_wait()
                told = True
            time.sleep(poll_seconds)
        yield
