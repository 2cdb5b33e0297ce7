"""Stop by stop: the products write, the app runs, the checker reads everything and judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools.demo.findings import Findings
from devtools.demo.holdings import Stores
from devtools.demo.narration import Narrator
from devtools.demo.retention.acts import Act, Products
from devtools.demo.retention.checker import RULES, Comparison, Fault, compare
from devtools.demo.retention.civil import local_day
from devtools.demo.retention.clockwork import RUN, SWEEP, Clockwork
from devtools.demo.retention.delays import Delayed
from devtools.demo.retention.estate import Estate
from devtools.demo.retention.journey import NEW_YEAR, Stop
from devtools.demo.retention.left import left_of
from devtools.sample_data import BLOB_CONTAINERS
from devtools.sample_data.containers import DATABASE, USAGE_ARCHIVE

_FAULTS_TOLD = 5  # of each kind at each stop; the count tells of the rest


@dataclass(kw_only=True)
class Story:
    """Four years of one platform.

    Attributes:
        acts: Everything that products write, in the order of time.
        comparisons: What the checker found at each stop.
    """

    clockwork: Clockwork
    delayed: Delayed
    products: Products
    stores: Stores
    acts: Sequence[Act]
    narrator: Narrator
    findings: Findings
    comparisons: list[Comparison] = field(default_factory=list)

    async def visit(self, stop: Stop) -> None:
        """Let everything happen until then, run what the day brings, and judge it."""
        self.narrator.chapter(stop.title)
        if not stop.is_back:
            done = await self.products.do(self.acts, until=stop.at)
            self.narrator.step(f"the products have written {done} times")
        await self.clockwork.start(stop.at)
        for happened in await self.delayed.at(stop):
            self.narrator.step(happened)
        await self.clockwork.quiet()
        before = await self._read()
        if stop == NEW_YEAR.stops[0]:
            self.delayed.lift()
        await self.clockwork.run(SWEEP)
        turns = await self.clockwork.run(RUN)
        found = compare(before, await self._read(), today=local_day(stop.at), delays=self.delayed.in_force)
        self.comparisons.append(found)
        self._tell(found, turns, stop)

    async def last_look(self, logs: Path) -> None:
        """Search everything there is, logs too, for what was erased."""
        gone = {item for found in self.comparisons for item in found.gone}
        left = left_of(gone, await self.stores.read_all(logs))
        for where in left[:_FAULTS_TOLD]:
            self.findings.add(f"left of what was erased: {where}")
        self.narrator.step(
            f"{len(gone)} records, contacts and lines are gone, and {len(left)} traces are left"
        )

    def result(self) -> dict[str, Any]:
        """Return the numbers of the last line, and note what never happened though it had to."""
        by_rule = {rule: sum(len(one.erased[rule]) for one in self.comparisons) for rule in RULES}
        held = {name for one in self.comparisons for name in one.held}
        for rule, count in by_rule.items():
            self.findings.expect(count > 0, f"nothing was erased by rule {rule}")
        self.findings.expect(bool(held), "nothing was held")
        return {
            "by_rule": by_rule,
            "held": len(held),
            "erased_too_early": sum(len(one.too_early) for one in self.comparisons),
            "overdue": sum(len(one.overdue) for one in self.comparisons),
        }

    async def _read(self) -> Estate:
        holdings = await self.stores.read_systems(DATABASE, BLOB_CONTAINERS)
        return Estate.of(holdings, database=DATABASE, archive=USAGE_ARCHIVE, containers=BLOB_CONTAINERS)

    def _tell(self, found: Comparison, turns: int, stop: Stop) -> None:
        erased = ", ".join(f"{rule} {len(found.erased[rule])}" for rule in RULES if found.erased[rule])
        self.narrator.step(f"erased after {turns} turns: {erased or 'nothing'}; held: {len(found.held)}")
        kinds: tuple[tuple[str, list[Fault]], ...] = (
            ("erased too early", found.too_early),
            ("overdue", found.overdue),
            ("altered", found.altered),
        )
        for kind, faults in kinds:
            for fault in faults[:_FAULTS_TOLD]:
                self.findings.add(f"{stop.title}: {kind}: {fault}")
            if len(faults) > _FAULTS_TOLD:
                self.findings.add(f"{stop.title}: {kind}: {len(faults)} in all")
