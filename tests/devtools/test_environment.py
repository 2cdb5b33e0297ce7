"""The environment in `.venv`: made once, kept in step, rebuilt when half-made. No package is fetched here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devtools import environment as module
from devtools.environment import Environment, ensure_environment, wanted_stamp
from devtools.failures import CannotStartError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository root whose pin files name no package."""
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / name).write_text("# none\n")
    return tmp_path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a finished environment, made once because that takes seconds."""
    directory = tmp_path_factory.mktemp("template")
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (directory / name).write_text("# none\n")
    ensure_environment(directory)
    return directory


@pytest.fixture
def finished(template: Path, tmp_path: Path) -> Environment:
    """A finished environment of the test's own."""
    shutil.copytree(template, tmp_path / "copy", symlinks=True)
    return Environment(root=tmp_path / "copy")


@pytest.fixture
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)


def forbid_building(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: object) -> None:
        raise AssertionError("must not build")

    monkeypatch.setattr(module, "_build", build)


def test_finished_environment_is_stamped_and_not_made_again(finished, monkeypatch):
    assert finished.python.exists()
    assert json.loads(finished.stamp.read_text()) == wanted_stamp(finished.root)
    assert not finished.incomplete_mark.exists()
    forbid_building(monkeypatch)
    assert ensure_environment(finished.root) == finished


def test_changed_pins_bring_it_up_to_date_in_place(finished):
    kept = finished.directory / "kept"
    kept.touch()
    (finished.root / "constraints.txt").write_text("# changed\n")
    ensure_environment(finished.root)
    assert json.loads(finished.stamp.read_text()) == wanted_stamp(finished.root)
    assert kept.exists()


def test_half_made_environment_is_rebuilt(finished):
    finished.stamp.unlink()
    finished.incomplete_mark.touch()
    rest = finished.directory / "rest-of-the-first-try"
    rest.touch()
    ensure_environment(finished.root)
    assert not rest.exists()
    assert finished.stamp.exists()
    assert not finished.incomplete_mark.exists()


def test_environment_whose_python_is_gone_is_rebuilt(finished):
    finished.stamp.write_text(json.dumps({"python": "3.1", "pins": "x"}))
    finished.python.unlink()
    ensure_environment(finished.root)
    assert json.loads(finished.stamp.read_text()) == wanted_stamp(finished.root)
    assert finished.python.exists()


def test_directory_that_somebody_else_made_is_not_removed(root):
    (root / ".venv").mkdir()
    precious = root / ".venv" / "precious"
    precious.touch()
    with pytest.raises(CannotStartError, match=r"move it away"):
        ensure_environment(root)
    assert precious.exists()


def test_unreachable_registry_is_one_sentence_and_nothing_looks_finished(root, no_registry):
    (root / "requirements-dev.txt").write_text("a-package-that-nobody-has==1\n")
    with pytest.raises(CannotStartError, match=r"package registry") as caught:
        ensure_environment(root)
    assert "\n" not in str(caught.value)
    environment = Environment(root=root)
    assert not environment.stamp.exists()
    assert environment.incomplete_mark.exists()


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_python_without_venv_is_one_sentence(root, monkeypatch, missing):
    real = module.importlib.util.find_spec
    monkeypatch.setattr(
        module.importlib.util, "find_spec", lambda name: None if name == missing else real(name)
    )
    with pytest.raises(CannotStartError, match=r"python3-venv"):
        ensure_environment(root)


def test_unwritable_root_is_one_sentence(root, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CannotStartError, match=r"Permission denied"):
        ensure_environment(root)


def test_two_starts_at_once_make_one_environment(root):
    code = (
        "from pathlib import Path; from devtools.environment import ensure_environment; "
        f"ensure_environment(Path({str(root)!r}))"
    )
    both = [
        subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Making the environment" in text for text in said) == 1
    assert json.loads(Environment(root=root).stamp.read_text()) == wanted_stamp(root)
