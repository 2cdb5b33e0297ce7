"""Run the host: `python3 -m devtools.functions_host --root . --port 7071`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.functions_host.access import LOCAL_HOST_KEY, LOCAL_MASTER_KEY
from devtools.functions_host.errors import HostRefusedError
from devtools.functions_host.host import FunctionsHost
from devtools.functions_host.http_server import AddressBusyError
from devtools.functions_host.settings import read_local_settings

DIFFERENCES = (
    "Unlike Azure: one instance and no lease, functions in threads are not killed at functionTimeout, "
    "HTTP, Queue and Timer only, no Application Insights."
)

logger = logging.getLogger("host")


def main(arguments: Sequence[str]) -> int:
    """Serve an app until a signal comes; return 1 if it was refused or failed, 2 if it cannot listen."""
    options = _parser().parse_args(arguments)
    _log_to(options.log)
    root = options.root.resolve()
    try:
        local = read_local_settings(root / options.settings)
        _prepare_process(root, local.values, port=options.port)
        host = FunctionsHost(
            root,
            local=local,
            host=options.host,
            port=options.port,
            enable_auth=options.enable_auth,
            cors=options.cors,
            functions=options.functions,
            timers=not options.no_timers,
            timer_status=options.timer_status or root / ".local" / "timers.json",
        )
        asyncio.run(_serve(host, stop_with_parent=options.stop_with_parent, enable_auth=options.enable_auth))
    except HostRefusedError as error:
        print(error, file=sys.stderr)
        return 1
    except AddressBusyError as error:
        print(f"Port {error.port} is in use by another program; stop it and try again.", file=sys.stderr)
        return 2
    except Exception:
        logger.exception("The host stops")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devtools.functions_host", description=DIFFERENCES)
    parser.add_argument("--root", type=Path, default=Path(), help="directory of the app")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7071, help="port, 0 for any free one")
    parser.add_argument("--enable-auth", action="store_true", help="check function keys")
    parser.add_argument("--cors", help="allowed origins, separated by commas")
    parser.add_argument("--functions", nargs="+", help="serve only these functions")
    parser.add_argument("--no-timers", action="store_true", help="run timers only by hand")
    parser.add_argument(
        "--settings", default="local.settings.json", help="settings file in the app's directory"
    )
    parser.add_argument("--timer-status", type=Path, help="file that keeps the timers' status")
    parser.add_argument("--log", type=Path, help="write the log there instead of standard error")
    parser.add_argument("--stop-with-parent", action="store_true", help="end when standard input ends")
    return parser


def _log_to(path: Path | None) -> None:
    handler = logging.StreamHandler() if path is None else logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # The SDKs log each request with its URL, which names documents and queues.
    logging.getLogger("azure").setLevel(logging.WARNING)
    # Nothing reads these parts of a record, and each costs on every line.
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False


def _prepare_process(root: Path, values: Mapping[str, str], *, port: int) -> None:
    """Set what Core Tools sets: the working directory and the app's environment."""
    os.chdir(root)
    for name, value in values.items():
        os.environ.setdefault(name, value)
    os.environ["AZURE_FUNCTIONS_ENVIRONMENT"] = "Development"
    os.environ["AzureWebJobsScriptRoot"] = str(root)  # noqa: SIM112 - the name that Core Tools sets
    if port:
        os.environ.setdefault("WEBSITE_HOSTNAME", f"localhost:{port}")


async def _serve(host: FunctionsHost, *, stop_with_parent: bool, enable_auth: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    if stop_with_parent:
        await _watch_parent(stopped)
    await host.start()
    logger.info(DIFFERENCES)
    if enable_auth:
        logger.info("Keys: %s (master), %s (host)", LOCAL_MASTER_KEY, LOCAL_HOST_KEY)
    print(f"listening on {host.url}", flush=True)
    waits = [asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(host.wait_for_failure())]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in done:
            wait.result()
    finally:
        for wait in waits:
            wait.cancel()
        await host.stop()


async def _watch_parent(stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    class Watch(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
            stopped.set()

    await loop.connect_read_pipe(Watch, sys.stdin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
