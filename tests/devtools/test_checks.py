"""What `test` runs, in which order, and which exit code it gives."""

import pytest

from devtools import checks


@pytest.fixture
def ran(monkeypatch):
    """Record the steps instead of running them; a test may set codes by a word of the command."""
    steps: list[str] = []
    codes: dict[str, int] = {}

    def call(command, cwd):
        assert cwd == checks.ROOT
        text = " ".join(command)
        steps.append(text)
        return next((code for word, code in codes.items() if word in text), 0)

    monkeypatch.setattr(checks.subprocess, "call", call)
    return steps, codes


def test_checks_come_before_the_tests_and_pytest_comes_last(ran):
    steps, _ = ran
    assert checks.main([]) == 0
    words = ["ruff check", "ruff format --check", "mypy", "lint-imports", "template_scan", "pytest -n 2"]
    assert len(steps) == len(words)
    assert all(word in step for word, step in zip(words, steps, strict=True))


def test_first_failing_step_ends_it_with_its_code(ran):
    steps, codes = ran
    codes.update({"mypy": 3, "lint-imports": 4})
    assert checks.main([]) == 3
    assert len(steps) == 3


def test_arguments_go_to_pytest_alone(ran):
    steps, codes = ran
    codes["pytest"] = 5
    assert checks.main(["tests/unit", "-k", "x"]) == 5
    assert [step.partition(" -m ")[2] for step in steps] == ["pytest tests/unit -k x"]
