"""Command line: `python3 -m devtools.cosmos_emulator --port 8081`."""

import argparse
import asyncio
import json
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from .emulator import CosmosEmulator
from .errors import ServiceError


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="devtools.cosmos_emulator", description="Cosmos DB wire protocol over SQLite."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 chooses a free port")
    parser.add_argument("--data", metavar="FILE", help="keep data in this file (default: in memory)")
    parser.add_argument("--open", action="store_true", help="answer what the service refuses")
    parser.add_argument("--throttle", action="store_true", help="answer 429 beyond a container's throughput")
    parser.add_argument("--faults", metavar="FILE", help="JSON file with fault rules")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when standard input is closed")
    return parser.parse_args()


def _emulator(arguments: argparse.Namespace) -> CosmosEmulator:
    emulator = CosmosEmulator(
        host=arguments.host,
        port=arguments.port,
        data=arguments.data,
        is_open=arguments.open,
        enforce_throughput=arguments.throttle,
    )
    if arguments.faults:
        _add_faults(emulator, arguments.faults)
    return emulator


async def _serve(emulator: CosmosEmulator, *, stop_with_parent: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with emulator:
        if stop_with_parent:
            # A thread, because reading a closed pipe through the event loop differs between systems.
            threading.Thread(target=_wait_for_parent, args=(loop, stopped), daemon=True).start()
        print(f"listening on {emulator.endpoint}", flush=True)
        await stopped.wait()


def _add_faults(emulator: CosmosEmulator, path: str) -> None:
    rules = json.loads(Path(path).read_text(encoding="utf-8"))
    for rule in rules if isinstance(rules, list) else [rules]:
        emulator.faults.add(rule)


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while sys.stdin.buffer.read(1024):
        pass
    loop.call_soon_threadsafe(stopped.set)


def main() -> int:
    """Run the emulator until it is told to stop; returns the exit code."""
    arguments = _arguments()
    try:
        asyncio.run(_serve(_emulator(arguments), stop_with_parent=arguments.stop_with_parent))
    except (OSError, ServiceError, ValueError, sqlite3.Error) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
