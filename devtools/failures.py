"""The one way in which a developer command says that it cannot start."""

from __future__ import annotations

USAGE_EXIT_CODE = 2


class CannotStartError(Exception):
    """Tell the user in one sentence why nothing was started; the exit code is 2."""


class PortBusyError(CannotStartError):
    """Name the port that another program holds."""

    def __init__(self, port: int, *, purpose: str) -> None:
        """Say which port is busy and what it was wanted for."""
        super().__init__(f"Port {port} ({purpose}) is in use by another program; stop it and try again.")
        self.port = port
