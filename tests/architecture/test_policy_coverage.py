"""docs/policy-coverage.md is what the command writes; each numbered case is played or known as missing."""

import ast
import re
from pathlib import Path

from devtools import coverage
from devtools.coverage.code import MODULES, RETENTION, RIGHTS, code_of
from devtools.coverage.marks import marks_below
from devtools.coverage.table import cases, document, played
from shared.datamap.loader import load
from shared.domain.rights import Right

ROOT = Path(__file__).resolve().parents[2]

MISSING_CASES: frozenset[int] = frozenset()
"""Cases no test plays through the services yet. It only shrinks: take out the number of a played one."""


def test_the_document_is_what_the_command_writes() -> None:
    written = coverage.DOCUMENT.read_text(encoding="utf-8")

    assert written == document(ROOT, load()), "run python3 -m devtools coverage"


def test_every_right_has_its_code_and_every_name_exists() -> None:
    assert set(RIGHTS) == set(Right)
    for right in Right:
        assert code_of(ROOT, f"right:{right}")
    for module in MODULES:
        assert code_of(ROOT, f"module:{module}")
    assert RETENTION


def test_there_are_twenty_five_cases() -> None:
    assert list(cases()) == list(range(1, 26))


def test_every_case_has_a_test_or_is_known_as_missing() -> None:
    through = played(marks_below(ROOT))

    assert set(cases()) - through - MISSING_CASES == set()
    assert MISSING_CASES & through == set(), "these are played: take them off the list"


def test_no_test_plays_a_case_there_is_not() -> None:
    numbers = {mark.value for mark in marks_below(ROOT) if mark.kind == "case"}

    assert numbers <= set(cases())


def test_a_test_named_after_a_case_carries_its_marker() -> None:
    marked = {(mark.file, mark.test.rpartition(".")[2], mark.value) for mark in marks_below(ROOT)}
    unmarked = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                number = re.match(r"test_case_(\d+)_", node.name)
                if number and (file, node.name, int(number[1])) not in marked:
                    unmarked.append(f"{file}: {node.name}")

    assert unmarked == []
