"""The traceability table: clause, rule, code and test, and the numbered cases with theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, get_args

import yaml

from devtools.coverage.code import Code, code_of
from devtools.coverage.marks import Mark, marks_below
from shared.datamap.models import Clause, DataMap

State = Literal["met", "partly", "planned", "untested"]

CASES_FILE = Path(__file__).with_name("cases.yaml")
THROUGH_THE_SERVICES = ("tests/unit/services/", "tests/triggers/", "tests/simulation/", "tests/stack/")
"""Where a case is played as a whole; the same marker on a pure rule's test is shown and not enough."""

_HEAD = """\
# What makes the policy true

Written by `python3 -m devtools coverage` from the data map, the code and the tests' markers, not by hand: the
suite fails when it is not what the command writes. *Planned* is what nothing does yet; *partly* is a clause
with something planned beside what is there; *untested* is code that no test vouches for, and fails the suite.
A numbered case counts when a test plays it through the services; a test of its rules alone is not enough.
"""


def cases() -> dict[int, str]:
    """Return the numbered cases of the specification, each in one sentence."""
    return dict(yaml.safe_load(CASES_FILE.read_text(encoding="utf-8")))


def played(marks: Iterable[Mark]) -> frozenset[int]:
    """Return the cases that a test plays through the services."""
    return frozenset(
        int(mark.value)
        for mark in marks
        if mark.kind == "case" and mark.file.startswith(THROUGH_THE_SERVICES)
    )


def state_of(clause: Clause, marks: Iterable[Mark]) -> State:
    """Return how much of a clause is built, as its `met_by` says, and whether a test vouches for it."""
    planned = [met.startswith("planned:") for met in clause.met_by]
    if all(planned):
        return "planned"
    if not any((mark.kind, mark.value) == ("clause", clause.number) for mark in marks):
        return "untested"
    return "partly" if any(planned) else "met"


def document(root: Path, datamap: DataMap) -> str:
    """Return the whole Markdown document. The same map, code and tests give the same text.

    Raises:
        CoverageError: an entry of the map leads to no code.
        ValueError: a marker is not literal.
    """
    marks = marks_below(root)
    return "\n".join([_HEAD, *_clauses(root, datamap, marks), "", *_cases(marks), ""])


def _clauses(root: Path, datamap: DataMap, marks: tuple[Mark, ...]) -> Iterator[str]:
    clauses = datamap.policy.clauses
    states = [state_of(clause, marks) for clause in clauses]
    counts = ", ".join(f"{states.count(state)} {state}" for state in get_args(State) if state in states)
    yield f"## Clauses\n\n{len(clauses)} clauses: {counts}.\n"
    yield from _heading("Clause", "What it demands", "Rule", "Code", "Tests", "State")
    rules = {rule.id: rule for rule in datamap.policy.retention_rules}
    periods = {name: rule.period is not None for name, rule in rules.items()}
    titles = {f"rule:{name}": rule.title.en for name, rule in rules.items()}
    for clause, state in zip(clauses, states, strict=True):
        code = dict.fromkeys(
            one
            for met in clause.met_by
            for one in code_of(root, met, has_period=periods.get(met.removeprefix("rule:"), False))
        )
        yield _row(
            clause.number,
            clause.demands,
            _lines(_rule(met, titles) for met in clause.met_by if not met.startswith("module:")),
            _code(code),
            _tests(mark for mark in marks if (mark.kind, mark.value) == ("clause", clause.number)),
            state,
        )


def _cases(marks: tuple[Mark, ...]) -> Iterator[str]:
    through, known = played(marks), cases()
    yield f"## Numbered cases\n\n{len(through)} of {len(known)} are played through the services.\n"
    yield from _heading("Case", "What happens", "Tests", "State")
    for number, what in known.items():
        tests = _tests(mark for mark in marks if (mark.kind, mark.value) == ("case", number))
        state = "played" if number in through else "its rules only" if tests else "missing"
        yield _row(str(number), what, tests, state)


def _rule(met: str, titles: Mapping[str, str]) -> str:
    kind, _, name = met.partition(":")
    if kind == "planned":
        return f"*planned:* {name}"
    if kind == "rule":
        return f"retention rule `{name}`: {titles[met]}"
    return f"{kind} `{name}`"


def _code(code: Iterable[Code]) -> str:
    return _grouped((one.file, one.name) for one in code)


def _tests(marks: Iterable[Mark]) -> str:
    return _grouped((mark.file, mark.test) for mark in marks)


def _grouped(pairs: Iterable[tuple[str, str]]) -> str:
    """Write each file once, with a link and its names."""
    files: dict[str, list[str]] = {}
    for file, name in pairs:
        files.setdefault(file, []).append(name)
    return _lines(
        " ".join([f"[{file}](../{file})", ", ".join(f"`{name}`" for name in names if name)]).strip()
        for file, names in files.items()
    )


def _heading(*cells: str) -> tuple[str, str]:
    return _row(*cells), _row(*("---" for _ in cells))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _lines(parts: Iterable[str]) -> str:
    return "<br>".join(parts)
