"""Find free loopback ports and tell which wanted ones are taken. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Mapping

from devtools.failures import PortBusyError


def free_port() -> int:
    """Return a port nobody listens on now; someone may take it before the caller does."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(ports: Mapping[int, str]) -> None:
    """Check that all wanted ports are free.

    Args:
        ports: Purpose by port number.

    Raises:
        PortBusyError: One is taken; the first such port is named.
    """
    for port, purpose in ports.items():
        with contextlib.closing(socket.socket()) as probe:
            # As servers do it: a connection that was closed a moment ago does not make a port busy.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise PortBusyError(port, purpose=purpose) from error
                raise
