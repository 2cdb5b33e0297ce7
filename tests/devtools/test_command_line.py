"""The launcher: usage, wrong Python, wrong directory, and sentences for failed installs."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools import __main__ as launcher
from devtools.command_line import COMMANDS, run_command_line
from devtools.failures import CannotStartError
from devtools.install_output import InstallRun, failure_sentence

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("arguments", [[], ["nothing-like-it"], ["--version"]])
def test_unknown_command_prints_usage_and_is_code_2(arguments, capsys):
    assert run_command_line(arguments) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert all(name in errors for name in COMMANDS)


def test_help_prints_usage_and_is_code_0(capsys):
    assert run_command_line(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: ")


def test_old_python_is_one_sentence_and_code_2(monkeypatch, capsys):
    monkeypatch.setattr(launcher.sys, "version_info", (3, 10, 4))
    assert launcher.main(["test"]) == 2
    errors = capsys.readouterr().err
    assert "3.11" in errors
    assert "3.10.4" in errors
    assert errors.count("\n") == 1


def test_other_directory_is_one_sentence_and_code_2(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run_command_line(["test"]) == 2
    assert capsys.readouterr().err == "Run this from the root of the repository, where function_app.py is.\n"


def test_launcher_imports_nothing_but_the_standard_library():
    code = (
        "import sys; import devtools.__main__, devtools.command_line; "
        "files = [getattr(module, '__file__', None) or '' for module in sys.modules.values()]; "
        "print([file for file in files if 'site-packages' in file])"
    )
    asked = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("output", "part"),
    [
        ("OSError: [Errno 28] No space left on device", "no space is left"),
        ("npm error code ENOSPC", "no space is left"),
        ("ERROR: No matching distribution found for x==1", "registry does not answer"),
        ("npm error code EAI_AGAIN", "registry does not answer"),
        ("Building\nERROR: Failed building wheel for x\nbye", "Failed building wheel for x"),
        ("", "no reason given"),
    ],
)
def test_failed_install_is_one_sentence(output, part, tmp_path):
    sentence = failure_sentence(output, what="The thing", log=tmp_path / "log")
    assert sentence.startswith("The thing cannot be ")
    assert part in sentence
    assert "\n" not in sentence


def test_installer_that_does_not_exist_is_one_sentence(tmp_path):
    run = InstallRun(command=[str(tmp_path / "none")], environment={}, log=tmp_path / "log")
    with pytest.raises(CannotStartError, match=r"does not run"):
        run.finish(what="The thing")


def test_progress_counts_packages(tmp_path, capsys):
    lines = [f"Collecting name{number}==1" for number in range(9)] + ["Processing /x/last_one-2.0-py3.whl"]
    run = InstallRun(
        command=[sys.executable, "-c", f"print({chr(10).join(lines)!r})"],
        environment={},
        log=tmp_path / "log",
    )
    run.finish(counted=("Collecting ", "Processing "), total=10, what="The thing")
    assert capsys.readouterr().err == "  [10/10] last_one\n"
    assert (tmp_path / "log").read_text().splitlines() == lines
