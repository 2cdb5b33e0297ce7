"""Every clause that something meets has a test that says so with the marker `clause`."""

from pathlib import Path

from devtools.coverage.marks import marks_below
from devtools.coverage.table import state_of
from shared.datamap.loader import load

ROOT = Path(__file__).resolve().parents[2]


def test_every_clause_that_is_met_has_a_test() -> None:
    marks = marks_below(ROOT)
    clauses = load().policy.clauses

    assert [clause.number for clause in clauses if state_of(clause, marks) == "untested"] == []


def test_no_test_is_for_a_clause_the_policy_does_not_have() -> None:
    known = {clause.number for clause in load().policy.clauses}
    marks = [mark for mark in marks_below(ROOT) if mark.kind == "clause"]

    assert marks
    assert [mark for mark in marks if mark.value not in known] == []
