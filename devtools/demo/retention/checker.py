"""Compare what was there before a run with what is there after it: what came too early, and what too late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from devtools.demo.retention.estate import Estate, Item
from devtools.demo.retention.rules import STATES_NO_PERIOD, Delay, Fate, Verdict, verdicts

RULES = ("R1", "R2", "R3", "R4a", "R4b", "R4c")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An item that is not as it must be, and why."""

    item: Item
    why: str

    def __str__(self) -> str:
        return f"{self.item}: {self.why}"


@dataclass(kw_only=True)
class Comparison:
    """What a run did.

    Attributes:
        erased: By rule, whose data went: a person (R1), a sign-up, a licence's contact or a membership.
        held: Whose data fell due and is kept by a hold or a restriction.
        too_early: What is gone and had to be there.
        overdue: What is there and had to be gone.
        altered: What says something else than before, or was not there.
        gone: Every item that went, rightly or not.
    """

    erased: dict[str, set[str]] = field(default_factory=lambda: {rule: set() for rule in RULES})
    held: set[str] = field(default_factory=set)
    too_early: list[Fault] = field(default_factory=list)
    overdue: list[Fault] = field(default_factory=list)
    altered: list[Fault] = field(default_factory=list)
    gone: set[Item] = field(default_factory=set)

    @property
    def is_right(self) -> bool:
        """Whether everything is as it must be."""
        return not (self.too_early or self.overdue or self.altered)


def compare(before: Estate, after: Estate, *, today: date, delays: Iterable[Delay] = ()) -> Comparison:
    """Judge one run of one day, in which nobody but the app changed anything."""
    comparison = Comparison()
    known = tuple(delays)
    judged = verdicts(before, today=today, delays=known)
    old, new = before.items(), after.items()
    for item, content in old.items():
        verdict = judged.get(item, STATES_NO_PERIOD)
        if item not in new:
            comparison.gone.add(item)
            if verdict.fate is Fate.GOES:
                comparison.erased[verdict.rule].add(_counted(item, verdict))
            else:
                comparison.too_early.append(Fault(item=item, why=verdict.why))
        elif new[item] != content:
            comparison.altered.append(Fault(item=item, why="it says something else than before"))
        if item in new and verdict.fate is Fate.GOES:
            comparison.overdue.append(Fault(item=item, why=verdict.why))
        if verdict.fate is Fate.HELD:
            comparison.held.add(f"{verdict.rule} {_counted(item, verdict)}")
    comparison.altered += [
        Fault(item=item, why="it was not there before") for item in new.keys() - old.keys()
    ]
    comparison.altered += _out_of_order(before.lines, after.lines)
    return comparison


def _counted(item: Item, verdict: Verdict) -> str:
    """Return what counts as one: for telemetry and a membership's link the person, else the item."""
    if verdict.rule == "R1" or item.store == "usage_links":
        return verdict.person
    return str(item) if verdict.rule in ("R2", "R3") else verdict.person


def _out_of_order(before: Mapping[str, object], after: Mapping[str, object]) -> list[Fault]:
    """Lines that stay keep their order and their number; no blob is emptied and left."""
    faults = []
    for name, lines in after.items():
        left = list(lines) if isinstance(lines, list) else []
        waiting: defaultdict[bytes, int] = defaultdict(int)
        for line in left:
            waiting[line] += 1
        old = before.get(name, [])
        stayed = [line for line in (old if isinstance(old, list) else []) if waiting[line] > 0]
        if stayed != left:
            item = Item(store="usage_archive", name=name)
            faults.append(Fault(item=item, why="lines that stay changed their order or their number"))
    return faults
