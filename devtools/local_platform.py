"""The local platform: Azurite, the Cosmos DB emulator and the functions host, started and stopped as one."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from devtools.app_environment import EXAMPLE_SETTINGS, Endpoints, app_environment
from devtools.azurite import Azurite, AzuritePorts, await_azurite, launch_azurite
from devtools.azurite_install import AzuriteInstallation, ensure_azurite
from devtools.failures import CannotStartError
from devtools.free_ports import free_port
from devtools.processes import ChildProcess

REFUSAL = "The app cannot start:"
LISTENING = r"(?m)^listening on (http://127\.0\.0\.1:\d+\S*)"
NEWSLETTER_FILE = "campaign-monitor.json"
GOOGLE_KEY_FILE = "google-key.json"


@dataclass(frozen=True, kw_only=True)
class PlatformPorts:
    """Hold one port per program; 0 asks for any free one."""

    functions: int = 0
    cosmos: int = 0
    campaign_monitor: int = 0
    issuer: int = 0
    google_analytics: int = 0
    azurite: AzuritePorts = field(default_factory=AzuritePorts)


class Platform:
    """Run the local services on loopback; all of them end with this process, however it ends.

    `with Platform(root) as platform:` starts the stores and not the host, so that the caller can put data
    into them first; then `start_host`. Nothing outlives the block.

    Attributes:
        app_root: Directory of the app that the host serves; the repository root unless it is changed.
        logs: Directory of the log files, one per program.
        processes: Running programs by name: `azurite`, `cosmos`, `campaign_monitor`,
            `google_analytics`, `issuer`, `functions`.

    Args:
        root: The repository root.
        ports: Wanted ports; None is any free ones.
        data: Directory that keeps the stores' data between runs; None keeps nothing.
        logs: Directory of the log files; None is a temporary one that goes with the platform.
        overrides: App settings that win over the example settings and the endpoints.
        with_processors: Whether a stand-in for the newsletter processor runs too, and the app tells it.
        with_staff: Whether an issuer of staff tokens runs too, and the app believes it.
    """

    def __init__(
        self,
        root: Path,
        *,
        ports: PlatformPorts | None = None,
        data: Path | None = None,
        logs: Path | None = None,
        overrides: Mapping[str, str] | None = None,
        with_processors: bool = False,
        with_staff: bool = False,
    ) -> None:
        """Start nothing yet."""
        self.root = root
        self.app_root = root
        self._ports = ports or PlatformPorts()
        self._data = data
        self._temporary = None if logs is not None else Path(tempfile.mkdtemp(prefix="platform-"))
        self.logs = logs or self._temporary or Path()
        self._overrides = dict(overrides or {})
        self._functions_port = self._ports.functions
        self._azurite: Azurite | None = None
        self._cosmos_endpoint = ""
        self._with_processors = with_processors
        self._campaign_monitor_url = ""
        self._google_analytics_url = ""
        self._with_staff = with_staff
        self._issuer_url = ""
        self._installation: AzuriteInstallation | None = None
        self.processes: dict[str, ChildProcess] = {}

    def __enter__(self) -> Self:
        try:
            self.start_stores()
            if self._with_processors:
                self.start_processors()
            if self._with_staff:
                self.start_issuer()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def azurite(self) -> Azurite:
        """Return the running Azurite.

        Raises:
            CannotStartError: It was not started.
        """
        if self._azurite is None:
            raise CannotStartError("Azurite is not running.")
        return self._azurite

    @property
    def cosmos_endpoint(self) -> str:
        """Return the URL of the Cosmos DB emulator with a slash at its end; empty before it runs."""
        return self._cosmos_endpoint

    @property
    def campaign_monitor_url(self) -> str:
        """Return the base URL of the newsletter processor's API; empty where none runs."""
        return self._campaign_monitor_url

    @property
    def google_analytics_url(self) -> str:
        """Return the base URL of the web analytics' API; empty where none runs."""
        return self._google_analytics_url

    @property
    def issuer_url(self) -> str:
        """Return the authority of the issuer of staff tokens; empty where none runs."""
        return self._issuer_url

    @property
    def endpoints(self) -> Endpoints:
        """Return where the services are; the host's URL is known before the host runs."""
        return Endpoints(
            storage_connection_string=self.azurite.connection_string,
            cosmos_endpoint=self._cosmos_endpoint,
            functions_url=self.functions_url,
            campaign_monitor_url=self._campaign_monitor_url,
            google_analytics_url=self._google_analytics_url,
            google_key_file=str(self._kept(GOOGLE_KEY_FILE)) if self._google_analytics_url else "",
            issuer_url=self._issuer_url,
        )

    @property
    def functions_url(self) -> str:
        """Return the URL of the functions host, without a slash at its end."""
        if not self._functions_port:
            self._functions_port = free_port()
        return f"http://127.0.0.1:{self._functions_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the whole environment for a process that runs the app or talks to the stores."""
        return app_environment(self.root, self.endpoints, overrides=self._overrides)

    def start_stores(self) -> None:
        """Start Azurite and the Cosmos DB emulator side by side and wait until both answer.

        Raises:
            CannotStartError: One of them does not start.
        """
        azurite = self._launch_azurite()
        cosmos = self._launch_cosmos()
        self._azurite = await_azurite(azurite, ports=self._ports.azurite)
        self._cosmos_endpoint = cosmos.wait_for_lines(LISTENING)[0][1] + "/"

    def start_azurite(self) -> None:
        """Start Azurite alone and wait until it answers."""
        self._azurite = await_azurite(self._launch_azurite(), ports=self._ports.azurite)

    def start_cosmos(self) -> None:
        """Start the Cosmos DB emulator alone and wait until it answers."""
        self._cosmos_endpoint = self._launch_cosmos().wait_for_lines(LISTENING)[0][1] + "/"

    def start_processors(self) -> None:
        """Start the stand-in for the newsletter processor and wait until it answers."""
        port = str(self._ports.campaign_monitor)
        command = [sys.executable, "-m", "devtools.stand_ins.campaign_monitor", "--port", port]
        if self._data is not None:
            command += ["--data", str(self._data / NEWSLETTER_FILE)]
        process = self._launch("campaign_monitor", [*command, "--stop-with-parent"], environment=None)
        self._campaign_monitor_url = process.wait_for_lines(LISTENING)[0][1]

    def start_analytics(self) -> None:
        """Start the stand-in for the web analytics and wait until it answers; call it before `start_host`.

        A new start has a new key.
        """
        command = [
            *(sys.executable, "-m", "devtools.stand_ins.google_analytics"),
            *("--port", str(self._ports.google_analytics)),
            *("--key-file", str(self._kept(GOOGLE_KEY_FILE)), "--stop-with-parent"),
        ]
        process = self._launch("google_analytics", command, environment=None)
        self._google_analytics_url = process.wait_for_lines(LISTENING)[0][1]

    def start_issuer(self) -> None:
        """Start the issuer of staff tokens and wait until it answers. A new start has a new key."""
        command = [sys.executable, "-m", "devtools.stand_ins.issuer", "--port", str(self._ports.issuer)]
        process = self._launch("issuer", [*command, "--stop-with-parent"], environment=None)
        self._issuer_url = process.wait_for_lines(LISTENING)[0][1]

    def start_host(self, *, options: Sequence[str] = (), settings: Mapping[str, str] | None = None) -> str:
        """Start the functions host on running stores, wait until it listens, and return its URL.

        Args:
            options: More command line options of the host, such as `--no-timers`.
            settings: App settings of this start alone, which win over all others.

        Raises:
            CannotStartError: It refuses the app or does not start; its log says all.
        """
        url = self.functions_url
        command = [
            *(sys.executable, "-m", "devtools.functions_host"),
            *("--root", str(self.app_root), "--port", str(self._functions_port)),
            *("--settings", EXAMPLE_SETTINGS, "--stop-with-parent"),
            *("--timer-status", str(self._kept("timers.json"))),
            *options,
        ]
        environment = {**self.environment, **(settings or {})}
        host = self._launch("functions", command, environment=environment)
        try:
            host.wait_for_lines(LISTENING)
        except CannotStartError as error:
            refusal = host.output().partition(REFUSAL)
            if refusal[1]:
                raise CannotStartError((refusal[1] + refusal[2]).strip()) from error
            raise
        return url

    def stop_host(self) -> None:
        """Stop the functions host and let running work finish; `start_host` starts it again."""
        self._end("functions", kill=False)

    def kill_host(self) -> None:
        """End the functions host as a crash would."""
        self._end("functions", kill=True)

    def stop(self) -> None:
        """Stop everything, the host before its stores, and remove what was temporary."""
        for name in ("functions", "issuer", "google_analytics", "campaign_monitor", "cosmos", "azurite"):
            self._end(name, kill=False)
        self._azurite = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _end(self, name: str, *, kill: bool) -> None:
        process = self.processes.pop(name, None)
        if process is not None:
            (process.kill if kill else process.stop)()

    def _launch_azurite(self) -> ChildProcess:
        if self._installation is None:
            self._installation = ensure_azurite(self.root)
        process = launch_azurite(
            self._installation,
            log=self.logs / "azurite.log",
            ports=self._ports.azurite,
            data=None if self._data is None else self._data / "azurite-data",
        )
        self.processes["azurite"] = process
        return process

    def _launch_cosmos(self) -> ChildProcess:
        command = [sys.executable, "-m", "devtools.cosmos_emulator", "--port", str(self._ports.cosmos)]
        if self._data is not None:
            self._data.mkdir(parents=True, exist_ok=True)
            command += ["--data", str(self._data / "cosmos.db")]
        return self._launch("cosmos", [*command, "--stop-with-parent"], environment=None)

    def _launch(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None
    ) -> ChildProcess:
        process = ChildProcess(
            name, command, log=self.logs / f"{name}.log", environment=environment, directory=self.root
        )
        self.processes[name] = process
        return process

    def _kept(self, name: str) -> Path:
        return (self._data or self.logs) / name
