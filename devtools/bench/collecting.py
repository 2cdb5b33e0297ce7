"""Make copies of little and of very much data, each in a process of its own, and compare their memory."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from devtools.bench.figures import Figure
from devtools.bench.in_process import local_app
from devtools.bench.population import big_author, store
from devtools.bench.scale import Scale
from devtools.demo.narration import Narrator
from devtools.local_platform import Platform
from devtools.provision import provision
from shared.domain.rights import Right

MOST_GROWTH_MIB = 20.0
MOST_TIMES_PER_DOCUMENT = 1.1
# On Linux the figure is in KiB, on macOS in bytes.
_PEAK_UNITS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return peak memory and time per document of both copies."""
    few, many = scale.access_documents
    with Platform(root) as platform:
        environment = platform.environment
        asyncio.run(provision(root, environment))
        peaks: list[float] = []
        seconds: list[float] = []
        for documents in (few, many):
            person, records = big_author(documents, seed=f"copy{documents}")
            asyncio.run(store(environment, records))
            done = subprocess.run(
                [sys.executable, "-m", __name__, person.asks_as, str(documents)],
                check=True,
                capture_output=True,
                text=True,
                env=environment,
                cwd=root,
            )
            found = json.loads(done.stdout.splitlines()[-1])
            peaks.append(found["peak_mib"])
            seconds.append(found["seconds"])
            narrator.step(
                f"{documents:,} documents: {found['seconds']:.2f} s, peak {found['peak_mib']:.1f} MiB"
            )
    per_document = [1000 * time_taken / count for time_taken, count in zip(seconds, (few, many), strict=True)]
    return [
        Figure(what=f"peak memory, copy of {few:,} documents", value=peaks[0], unit="MiB"),
        Figure(what=f"peak memory, copy of {many:,} documents", value=peaks[1], unit="MiB"),
        Figure(
            what="growth of peak memory between them",
            value=peaks[1] - peaks[0],
            unit="MiB",
            limit=MOST_GROWTH_MIB,
        ),
        Figure(what=f"time per document, {few:,} documents", value=per_document[0], unit="ms"),
        Figure(what=f"time per document, {many:,} documents", value=per_document[1], unit="ms"),
        Figure(
            what="time per document, many / few",
            value=per_document[1] / per_document[0],
            unit="times",
            limit=MOST_TIMES_PER_DOCUMENT,
        ),
    ]


async def make_copy(address: str, documents: int) -> dict[str, float]:
    """Make one person's copy in this process; return its seconds and this process's peak memory in MiB."""
    import os

    async with local_app(os.environ) as app:
        request_id = await app.confirmed_request(address, Right.ACCESS)
        started = time.perf_counter()
        await app.work()
        seconds = time.perf_counter() - started
        request = await app.finished(request_id)
        records = request.outcomes[Right.ACCESS].records
        if records < documents:
            raise RuntimeError(f"only {records} of {documents} documents are in the copy")
    return {"seconds": seconds, "peak_mib": _peak_mib()}


def _peak_mib() -> float:
    """Return the most memory this process ever had resident, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    # Elsewhere; on Linux this figure would begin with the peak of the process that started this one.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PEAK_UNITS_PER_MIB


if __name__ == "__main__":
    print(json.dumps(asyncio.run(make_copy(sys.argv[1], int(sys.argv[2])))))
