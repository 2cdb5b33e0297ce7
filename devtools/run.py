"""Run the local platform on fixed ports until Ctrl-C, keeping its data in `.local/`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path

from devtools.azurite import AzuritePorts
from devtools.failures import CannotStartError
from devtools.free_ports import require_free
from devtools.functions_host.errors import HostRefusedError
from devtools.local_platform import NEWSLETTER_FILE, Platform, PlatformPorts
from devtools.processes import ChildProcess

ROOT = Path(__file__).resolve().parent.parent
PORTS = PlatformPorts(
    functions=7071,
    cosmos=8081,
    campaign_monitor=8082,
    issuer=8083,
    azurite=AzuritePorts(blob=10000, queue=10001, table=10002),
)
LOCAL = ROOT / ".local"
SAMPLE_PEOPLE = 200
# Its first start fetches the extension bundle.
CORE_TOOLS_SECONDS = 180.0
LOOK_SECONDS = 0.3


def main(arguments: Sequence[str]) -> int:
    """Run the platform until Ctrl-C and return 0, or 1 if one of its programs ended by itself.

    Raises:
        CannotStartError: A port is busy, Core Tools is missing, or a program does not start. Nothing is left
            running then.
    """
    parser = argparse.ArgumentParser(prog="python3 -m devtools run", description=__doc__)
    parser.add_argument("--func", action="store_true", help="serve the app with Azure Functions Core Tools")
    options = parser.parse_args(arguments)
    core_tools = shutil.which("func") if options.func else None
    if options.func and core_tools is None:
        raise CannotStartError("Azure Functions Core Tools (func) is not installed; run without --func.")
    require_free(_purposes())
    # A plain kill must clean up just as Ctrl-C does.
    stopped = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):  # a script's shell may have it ignored
        signal.signal(one, partial(_interrupt, stopped))
    local = LOCAL
    with (
        contextlib.suppress(KeyboardInterrupt),
        Platform(
            ROOT, ports=PORTS, data=local, logs=local / "logs", with_processors=True, with_staff=True
        ) as platform,
    ):
        environment = platform.environment
        marker = local / "sample-data"
        sample = asyncio.run(_prepare_stores(environment, load_people=not marker.exists()))
        marker.touch()
        if not (local / NEWSLETTER_FILE).exists():
            asyncio.run(_sign_up(platform.campaign_monitor_url))
        if core_tools is None:
            platform.start_host()
        else:
            _start_core_tools(platform, core_tools)
        print(_greeting(platform, sample), flush=True)
        return _follow(platform, stopped)
    print("Stopped.", file=sys.stderr)
    return 0


def _purposes() -> dict[int, str]:
    azurite = {port: f"Azurite {service}" for service, port in vars(PORTS.azurite).items()}
    others = {PORTS.campaign_monitor: "newsletter processor", PORTS.issuer: "issuer of staff tokens"}
    return {PORTS.functions: "functions", PORTS.cosmos: "Cosmos DB emulator", **others, **azurite}


def _interrupt(stopped: threading.Event, _number: int, _frame: object) -> None:
    stopped.set()  # what is raised within a destructor is lost
    raise KeyboardInterrupt


async def _prepare_stores(environment: Mapping[str, str], *, load_people: bool) -> str:
    """Make stores, and sample people if wanted; return the addresses of some of them."""
    from devtools.provision import provision
    from devtools.sample_data import Role, by_role, people
    from devtools.sample_data.loading import load
    from shared.domain.identifiers import Pseudonymiser
    from shared.settings import read

    try:
        await provision(ROOT, environment)
    except HostRefusedError as error:
        raise CannotStartError(str(error)) from error
    everyone = people(SAMPLE_PEOPLE)
    settings = read(environment)
    if load_people:
        print("Loading sample people (first use).", file=sys.stderr)
        await load(
            endpoint=environment["COSMOS_ENDPOINT"],
            key=environment["COSMOS_KEY"],
            blob_connection_string=environment["STORAGE_CONNECTION"],
            people=everyone,
            subject_key=Pseudonymiser(settings.pseudonym_key_bytes).subject_key,
            database=settings.cosmos_systems_database,
            compliance_database=settings.cosmos_compliance_database,
        )
    shown = (Role.EVERYTHING, Role.CONSULTANT, Role.OLD_INVOICE, Role.ORDINARY)
    return ", ".join(by_role(everyone, role).email for role in shown)


async def _sign_up(url: str) -> None:
    """Put the sample people's newsletter sign-ups where the processor would have them."""
    from devtools.sample_data import people
    from devtools.sample_data.loading import load_subscribers

    await load_subscribers(url=url, people=people(SAMPLE_PEOPLE))


def _start_core_tools(platform: Platform, program: str) -> None:
    scripts = str(Path(sys.executable).parent)
    environment = platform.environment
    # Core Tools starts its worker with the first Python on the path, which must be the one with the packages.
    environment["PATH"] = os.pathsep.join((scripts, environment.get("PATH", os.defpath)))
    environment["VIRTUAL_ENV"] = str(Path(scripts).parent)
    command = [sys.executable, "-m", "devtools.guard", program, "start", "--port", str(PORTS.functions)]
    process = ChildProcess(
        "Core Tools",
        command,
        log=platform.logs / "functions.log",
        environment=environment,
        directory=ROOT,
    )
    platform.processes["functions"] = process
    deadline = time.monotonic() + CORE_TOOLS_SECONDS
    while not _answers(f"{platform.functions_url}/admin/host/status"):
        if not process.is_running() or time.monotonic() > deadline:
            raise CannotStartError(f"Azure Functions Core Tools did not start the app (see {process.log}).")
        time.sleep(LOOK_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - always our own http address
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False


def _greeting(platform: Platform, sample: str) -> str:
    rows = {
        "Functions": f"{platform.functions_url}/api",
        "Cosmos DB": platform.endpoints.cosmos_endpoint,
        "Blobs": platform.azurite.blob_endpoint,
        "Queues": platform.azurite.queue_endpoint,
        "Newsletter": f"{platform.campaign_monitor_url} (a stand-in for the processor)",
        "Staff": f"{platform.issuer_url.rpartition('/')[0]}/devicelogin (made up, no passwords)",
        "Staff sign in by": "python3 -m devtools ops sign-in --as operator (or approver, auditor, …)",
        "Mail arrives in": f"{LOCAL / 'mail'} (one .eml a message; its links are shown here)",
        "Sample people": f"{sample} (made up; all of them: python3 -m devtools people)",
        "Data and logs": str(LOCAL),
    }
    width = max(map(len, rows))
    lines = [f"  {name:<{width}}  {value}" for name, value in rows.items()]
    return "\n".join(["The local platform is up.", *lines, "Ctrl-C stops it."])


def _follow(platform: Platform, stopped: threading.Event) -> int:
    """Show the functions host's log as it grows, and mail; return 1 when any program has ended.

    Raises:
        KeyboardInterrupt: it was stopped.
    """
    from devtools.mail_folder import MailFolder

    folder = MailFolder(platform.environment["STORAGE_CONNECTION"], LOCAL / "mail")
    with (
        contextlib.closing(folder),
        (platform.logs / "functions.log").open(encoding="utf-8", errors="replace") as log,
    ):
        while not stopped.is_set():
            sys.stdout.write(log.read())
            for line in folder.collect():
                print(line)
            sys.stdout.flush()
            for name, process in platform.processes.items():
                if not process.is_running():
                    where = platform.logs / f"{name}.log"
                    print(f"The {name} process has ended (see {where}); stopping the rest.", file=sys.stderr)
                    return 1
            stopped.wait(LOOK_SECONDS)
    raise KeyboardInterrupt
