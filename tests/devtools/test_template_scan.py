"""The scan of the templates fails on what it finds, on what it cannot read, and when it looked at nothing."""

import json
import sys

import pytest

from devtools import template_scan
from devtools.failures import CannotStartError
from devtools.template_scan import PINS, main, scan

GOOD = {"results": {"failed_checks": [], "parsing_errors": []}, "summary": {"passed": 3, "skipped": 1}}
FAILED = {
    "check_id": "CKV_AZURE_1",
    "check_name": "Ensure something",
    "file_path": "/modules/a.bicep",
    "file_line_range": [7, 9],
    "resource": "Microsoft.A/b.c",
}


@pytest.fixture
def says(tmp_path):
    """A program in checkov's place that prints what a test wants."""

    def made(text: str):
        program = tmp_path / "checkov"
        program.write_text(f"#!{sys.executable}\nprint({text!r})\n", "utf-8")
        program.chmod(0o755)
        return program

    return made


def _report(**changes) -> str:
    found = json.loads(json.dumps(GOOD))
    for name, value in changes.items():
        found["results" if name in found["results"] else "summary"][name] = value
    return json.dumps(found)


@pytest.mark.parametrize(
    ("changes", "is_good"),
    [
        ({}, True),
        ({"failed_checks": [FAILED]}, False),
        ({"parsing_errors": ["infra/modules/a.bicep"]}, False),
        ({"passed": 0}, False),
    ],
)
def test_a_scan_is_good_when_all_was_read_and_nothing_failed(says, tmp_path, changes, is_good):
    assert scan(says(_report(**changes)), tmp_path).is_good is is_good


def test_a_failed_check_is_told_with_its_place(says, monkeypatch, capsys):
    program = says(_report(failed_checks=[FAILED]))
    monkeypatch.setattr(template_scan, "ensure_checkov", lambda _: program)
    assert main([]) == 1
    assert "CKV_AZURE_1 Ensure something: modules/a.bicep:7 Microsoft.A/b.c" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{}", "no json", '{"passed": 0}'])
def test_a_program_without_a_result_is_no_good_scan(says, tmp_path, text):
    with pytest.raises(CannotStartError):
        scan(says(text), tmp_path)


def test_what_cannot_be_installed_is_no_good_scan(monkeypatch, capsys):
    def refused(_root):
        raise CannotStartError("checkov cannot be fetched")

    monkeypatch.setattr(template_scan, "ensure_checkov", refused)
    assert main([]) == 2
    assert "checkov cannot be fetched" in capsys.readouterr().err


def test_every_package_of_its_environment_is_pinned():
    lines = [one for one in PINS.read_text("utf-8").splitlines() if not one.startswith("#")]
    assert "checkov==3.3.30" in lines
    assert all("==" in one and " @ " not in one for one in lines)
