"""Every clause that something meets has a test that says so with the marker `clause`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.datamap.checks import only_planned
from shared.datamap.loader import load

TESTS = Path(__file__).resolve().parents[1]


def marked(tree: ast.AST) -> Iterator[str]:
    """Yield the numbers in every `pytest.mark.clause(...)` of a file."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if ast.unparse(node.func) == "pytest.mark.clause":
            for argument in node.args:
                if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                    pytest.fail(f"line {node.lineno}: a clause is a literal text such as '4.2'")
                yield argument.value


def clauses_with_a_test() -> dict[str, set[str]]:
    """Return the clauses named in test files, each with the files that name it."""
    found: dict[str, set[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if path == Path(__file__).resolve():
            continue
        for number in marked(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
            found.setdefault(number, set()).add(str(path.relative_to(TESTS)))
    return found


def test_every_clause_that_is_met_has_a_test() -> None:
    datamap = load()
    met = [one.number for one in datamap.policy.clauses if one.number not in only_planned(datamap)]

    assert [number for number in met if number not in clauses_with_a_test()] == []


def test_no_test_is_for_a_clause_the_policy_does_not_have() -> None:
    known = {clause.number for clause in load().policy.clauses}

    unknown = {number: files for number, files in clauses_with_a_test().items() if number not in known}
    assert unknown == {}


def test_markers_are_found_on_functions_classes_and_modules() -> None:
    source = """
import pytest
pytestmark = [pytest.mark.clause("1.1")]

@pytest.mark.clause("1.2", "1.3")
class TestSomething:
    @pytest.mark.clause("2")
    async def test_it(self): ...
"""

    assert sorted(marked(ast.parse(source))) == ["1.1", "1.2", "1.3", "2"]
