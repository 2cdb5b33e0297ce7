"""Run Azurite on loopback ports. Standard library only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools.azurite_install import MANIFEST, AzuriteInstallation
from devtools.failures import CannotStartError, PortBusyError
from devtools.processes import ChildProcess

ACCOUNT_NAME = "devstoreaccount1"
# The account key that Azurite's documentation publishes; it opens nothing but local emulators.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
LISTENING = r"Azurite (Blob|Queue|Table) service is successfully listening at http://127\.0\.0\.1:(\d+)"


@dataclass(frozen=True, kw_only=True)
class AzuritePorts:
    """Hold one port per service; 0 asks for any free one."""

    blob: int = 0
    queue: int = 0
    table: int = 0


@dataclass(frozen=True, kw_only=True)
class Azurite:
    """A running Azurite.

    Attributes:
        process: The Node process.
        ports: The ports it listens on, never 0.
    """

    process: ChildProcess
    ports: AzuritePorts

    @property
    def blob_endpoint(self) -> str:
        """Return the URL of the blob account, without a slash at its end."""
        return f"http://127.0.0.1:{self.ports.blob}/{ACCOUNT_NAME}"

    @property
    def queue_endpoint(self) -> str:
        """Return the URL of the queue account, without a slash at its end."""
        return f"http://127.0.0.1:{self.ports.queue}/{ACCOUNT_NAME}"

    @property
    def connection_string(self) -> str:
        """Return the connection string that the Azure SDKs take."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={self.blob_endpoint};QueueEndpoint={self.queue_endpoint};"
            f"TableEndpoint=http://127.0.0.1:{self.ports.table}/{ACCOUNT_NAME};"
        )

    def stop(self) -> None:
        """Stop it and wait until it is gone."""
        self.process.stop()


def launch_azurite(
    installation: AzuriteInstallation,
    *,
    log: Path,
    ports: AzuritePorts | None = None,
    data: Path | None = None,
) -> ChildProcess:
    """Start Azurite without waiting for it.

    Args:
        installation: Where it is.
        log: Its log file.
        ports: Wanted ports; None is any free ones.
        data: Directory that keeps its data; None keeps everything in memory.
    """
    wanted = ports or AzuritePorts()
    storage = ["--inMemoryPersistence"] if data is None else ["--location", str(data)]
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
    command = [
        installation.node,
        *("--require", str(MANIFEST / "stop_with_parent.cjs")),
        str(installation.script),
        *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
        *("--blobHost", "127.0.0.1", "--blobPort", str(wanted.blob)),
        *("--queueHost", "127.0.0.1", "--queuePort", str(wanted.queue)),
        *("--tableHost", "127.0.0.1", "--tablePort", str(wanted.table)),
        # Longer than clients keep idle connections, so that none is closed just as it is used again.
        *("--blobKeepAliveTimeout", "75", "--queueKeepAliveTimeout", "75"),
        *storage,
    ]
    return ChildProcess("Azurite", command, log=log, directory=log.parent)


def await_azurite(process: ChildProcess, *, ports: AzuritePorts | None = None) -> Azurite:
    """Wait until a launched Azurite answers, and return it.

    Raises:
        PortBusyError: One of the wanted ports is taken; the process is stopped.
        CannotStartError: It did not start; the process is stopped.
    """
    try:
        found = process.wait_for_lines(LISTENING, count=3)
    except CannotStartError as error:
        output = process.output()
        process.stop()
        for purpose, port in vars(ports or AzuritePorts()).items():
            if port and "EADDRINUSE" in output and f":{port}" in output:
                raise PortBusyError(port, purpose=f"Azurite {purpose}") from error
        raise
    listening = {match[1].lower(): int(match[2]) for match in found}
    return Azurite(process=process, ports=AzuritePorts(**listening))


@contextlib.contextmanager
def running_azurite(installation: AzuriteInstallation, *, log: Path) -> Iterator[Azurite]:
    """Run an Azurite on free ports with storage in memory for the length of the block."""
    azurite = await_azurite(launch_azurite(installation, log=log))
    try:
        yield azurite
    finally:
        azurite.stop()
