"""The Cosmos DB wire protocol over SQLite."""

from .auth import EMULATOR_KEY
from .clock import Clock
from .emulator import CosmosEmulator
from .faults import FaultRule

__all__ = ["EMULATOR_KEY", "Clock", "CosmosEmulator", "FaultRule"]
