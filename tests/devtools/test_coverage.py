"""The table of clauses: marks are found, entries lead to code, and the command compares or writes."""

from pathlib import Path

import pytest

from devtools import coverage
from devtools.coverage import code
from devtools.coverage.code import Code, CoverageError, code_of
from devtools.coverage.marks import Mark, marks_below, marks_in
from devtools.coverage.table import document, played, state_of
from shared.datamap.loader import load
from shared.datamap.models import Clause

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """
import pytest
pytestmark = [pytest.mark.clause("1.1"), pytest.mark.asyncio]

@pytest.mark.clause("1.2", "1.3")
class TestSomething:
    @pytest.mark.clause("2")
    async def test_it(self): ...

@pytest.mark.case(3)
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.clause("2.1"))])
def test_that(x): ...
"""


def clause(*met_by: str) -> Clause:
    return Clause(number="1", demands="Something.", met_by=met_by)


def marked(value: str | int, *, kind: str = "clause", file: str = "tests/unit/test_x.py") -> Mark:
    return Mark(kind=kind, value=value, file=file, test="test_x")


def test_marks_are_found_on_files_classes_functions_and_parameters():
    found = [(mark.kind, mark.value, mark.test) for mark in marks_in(SOURCE, "tests/test_a.py")]
    assert found == [
        ("clause", "1.1", ""),
        ("clause", "1.2", "TestSomething"),
        ("clause", "1.3", "TestSomething"),
        ("clause", "2", "TestSomething.test_it"),
        ("case", 3, "test_that"),
        ("clause", "2.1", "test_that"),
    ]


@pytest.mark.parametrize(
    "argument", ["clause(4.2)", "clause(number)", "case('4')", "case(True)", "case(1.0)", "clause(4)"]
)
def test_a_mark_that_is_not_literal_is_named_with_its_line(argument):
    source = f"import pytest\n\n@pytest.mark.{argument}\ndef test_it(): ...\n"
    with pytest.raises(ValueError, match=r"^tests/test_a\.py:3: "):
        list(marks_in(source, "tests/test_a.py"))


def test_marks_of_a_directory_are_sorted_by_file(tmp_path):
    for name, number in (("test_b.py", "1.2"), ("test_a.py", "1.1"), ("not_a_test.py", "1.3")):
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / name).write_text(
            f"import pytest\npytestmark = pytest.mark.clause({number!r})\n"
        )
    assert [mark.file for mark in marks_below(tmp_path)] == ["tests/test_a.py", "tests/test_b.py"]


def test_an_entry_leads_to_a_file_and_a_name():
    assert code_of(ROOT, "module:shared.domain.contacts") == (
        Code(file="shared/domain/contacts.py", name="Contacts.require_complete"),
    )
    assert code_of(ROOT, "module:shared.domain.times") == (Code(file="shared/domain/times.py", name=""),)
    assert code_of(ROOT, "activity:usage") == (Code(file="shared/datamap/maps/usage.yaml", name=""),)
    assert code_of(ROOT, "planned:anything") == ()


@pytest.mark.parametrize(
    "met", ["activity:nothing", "module:shared.nothing", "shape:round", "module:nothing.at.all"]
)
def test_an_entry_that_leads_nowhere_is_an_error(met):
    with pytest.raises(CoverageError):
        code_of(ROOT, met)


def test_a_name_that_is_gone_is_an_error(monkeypatch):
    monkeypatch.setitem(code.MODULES, "shared.domain.contacts", ("Contacts.nothing",))
    with pytest.raises(CoverageError, match=r"has no Contacts\.nothing"):
        code_of(ROOT, "module:shared.domain.contacts")


def test_a_clause_is_met_only_with_a_test():
    assert state_of(clause("right:access"), [marked("1")]) == "met"
    assert state_of(clause("right:access"), [marked("1.1")]) == "untested"
    assert state_of(clause("right:access", "planned:more"), [marked("1")]) == "partly"
    assert state_of(clause("right:access", "planned:more"), []) == "untested"
    assert state_of(clause("planned:all"), [marked("1")]) == "planned"


def test_a_case_is_played_by_a_test_through_the_services_only():
    marks = [
        marked(1, kind="case", file="tests/unit/domain/test_deadlines.py"),
        marked(2, kind="case", file="tests/unit/services/test_cases.py"),
    ]
    assert played(marks) == {2}


def test_the_document_has_a_row_for_every_clause_and_case_and_no_line_numbers():
    text = document(ROOT, load())
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    numbers = [one.number for one in load().policy.clauses]
    assert rows == ["Clause", "---", *numbers, "Case", "---", *map(str, range(1, 26))]
    assert ".py:" not in text
    assert text == document(ROOT, load())


def test_check_writes_nothing_and_fails_for_an_old_document(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(coverage, "DOCUMENT", tmp_path / "policy-coverage.md")
    monkeypatch.setattr(coverage, "document", lambda _root, _datamap: "as it is now\n")
    monkeypatch.setattr(coverage, "ROOT", tmp_path)
    assert coverage.main(["--check"]) == 1
    assert not coverage.DOCUMENT.exists()
    assert coverage.main([]) == 0
    assert coverage.main(["--check"]) == 0
    coverage.DOCUMENT.write_text("as it was\n")
    assert coverage.main(["--check"]) == 1
    assert coverage.DOCUMENT.read_text() == "as it was\n"
    assert "run python3 -m devtools coverage" in capsys.readouterr().err


def test_an_entry_that_leads_nowhere_is_one_sentence(monkeypatch, capsys):
    def broken(_root, _datamap):
        raise CoverageError("there is no module shared.nothing")

    monkeypatch.setattr(coverage, "document", broken)
    assert coverage.main([]) == 1
    assert capsys.readouterr().err == "there is no module shared.nothing\n"
