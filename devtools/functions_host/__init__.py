"""Serve a Python Functions app on this machine as the Azure Functions host would."""

from devtools.functions_host.errors import Fault, HostRefusedError
from devtools.functions_host.host import FunctionsHost
from devtools.functions_host.http_server import AddressBusyError
from devtools.functions_host.listener import Timing

__all__ = ["AddressBusyError", "Fault", "FunctionsHost", "HostRefusedError", "Timing"]
