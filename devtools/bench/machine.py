"""Say on what kind of machine the figures arose; nothing that names the machine itself."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are not among the pins


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What matters of a machine. `cores` are the logical ones that this process may use."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    measured_on: date


def describe_machine() -> Machine:
    """Return what kind of machine this is."""
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=platform.system(),
        python=platform.python_version(),
        measured_on=datetime.now(UTC).date(),
    )


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
