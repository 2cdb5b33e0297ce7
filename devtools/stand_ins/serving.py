"""Run a stand-in as a program of its own until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Protocol, Self


class StandIn(Protocol):
    """Something that listens inside its block; `url` says where."""

    url: str

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exception: object) -> None: ...


async def serve(stand_in: StandIn, *, stop_with_parent: bool) -> None:
    """Listen and print where, until SIGTERM, SIGINT or, if wanted, the end of standard input."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with stand_in:
        if stop_with_parent:
            # A thread, because reading a closed pipe through the event loop differs between systems.
            threading.Thread(target=_wait_for_parent, args=(loop, stopped), daemon=True).start()
        print(f"listening on {stand_in.url}", flush=True)
        await stopped.wait()


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while sys.stdin.buffer.read(1024):
        pass
    loop.call_soon_threadsafe(stopped.set)
