"""Make `.venv` in the repository root and keep it in step with the pins. Standard library only.

A build that was cut short must never be taken for a whole one: `.venv` carries the incomplete mark from
before its first file until after its last, and the stamp is written only then.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.failures import CannotStartError
from devtools.file_lock import exclusive
from devtools.install_output import InstallRun

PIN_FILES = ("requirements.txt", "requirements-dev.txt", "constraints.txt")
STAMP_NAME = "devtools-stamp.json"
INCOMPLETE_NAME = "devtools-incomplete"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Name the places of one environment.

    Attributes:
        root: The repository root, where the pin files are.
    """

    root: Path

    @property
    def directory(self) -> Path:
        """Return the directory of the virtual environment."""
        return self.root / ".venv"

    @property
    def scripts(self) -> Path:
        """Return the directory of its programs."""
        return self.directory / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        """Return its interpreter, which need not exist yet."""
        return self.scripts / ("python.exe" if sys.platform == "win32" else "python")

    @property
    def stamp(self) -> Path:
        """Return the file that says with which pins it was finished."""
        return self.directory / STAMP_NAME

    @property
    def incomplete_mark(self) -> Path:
        """Return the file that exists while it is being built."""
        return self.directory / INCOMPLETE_NAME

    def is_current_process(self) -> bool:
        """Tell whether this very process runs in it."""
        return Path(sys.prefix).resolve() == self.directory.resolve()


def python_version() -> str:
    """Return major and minor version of the running interpreter, such as `3.11`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def wanted_stamp(root: Path) -> dict[str, str]:
    """Return what the stamp of an up-to-date environment holds: `python` and a digest of the `pins`."""
    digest = hashlib.sha256()
    for name in PIN_FILES:
        digest.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return {"python": python_version(), "pins": digest.hexdigest()}


def ensure_environment(root: Path) -> Environment:
    """Return an environment that has exactly the pinned packages, making or updating it if needed.

    Two callers at once are safe: the second waits and then finds the work done.

    Raises:
        CannotStartError: Python lacks venv, the registry cannot be reached, the disk is full, or the
            directory cannot be written. Nothing that looks finished is left behind.
    """
    environment = Environment(root=root)
    wanted = wanted_stamp(root)
    if _is_ready(environment, wanted):
        return environment
    try:
        with exclusive(root / ".local" / "environment.lock", on_wait=_say_waiting):
            if not _is_ready(environment, wanted):
                _build(environment, wanted)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotStartError(f"The environment in .venv cannot be made: {reason}.") from error
    return environment


def install_extra(environment: Environment, requirement: str) -> None:
    """Install one more pinned package into a finished environment.

    Raises:
        CannotStartError: It cannot be fetched or written.
    """
    with exclusive(environment.root / ".local" / "environment.lock", on_wait=_say_waiting):
        _pip(environment, ["install", requirement], log="pip-extra.log")


def restart_inside(environment: Environment, arguments: Sequence[str]) -> int:
    """Run `python -m devtools` again with the environment's interpreter; on POSIX this does not return."""
    command = [str(environment.python), "-m", "devtools", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606 - the command is built here, no shell wanted
    # On Windows execv would hand the terminal back before the new process is done.
    return subprocess.call(command)


def _say_waiting() -> None:
    print("Another start is making the environment; waiting for it.", file=sys.stderr)


def _is_ready(environment: Environment, wanted: dict[str, str]) -> bool:
    return (
        environment.python.exists()
        and not environment.incomplete_mark.exists()
        and _read_stamp(environment) == wanted
    )


def _read_stamp(environment: Environment) -> dict[str, str] | None:
    try:
        found = json.loads(environment.stamp.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _build(environment: Environment, wanted: dict[str, str]) -> None:
    stamp = _read_stamp(environment)
    unfinished = environment.incomplete_mark.exists()
    ours = stamp is not None or unfinished
    usable = environment.python.exists() and _version_of(environment.python) == wanted["python"]
    inside = environment.is_current_process()
    if usable and (inside or not unfinished):
        print("Bringing .venv up to date with the pinned packages.", file=sys.stderr)
        environment.stamp.unlink(missing_ok=True)
    elif environment.directory.exists() and not ours and any(environment.directory.iterdir()):
        raise CannotStartError(
            f"The directory .venv was not made by this command and has no Python {wanted['python']}; "
            "move it away and try again."
        )
    else:
        print("Making the environment in .venv (first use, a minute or two).", file=sys.stderr)
        _make_empty(environment)
    environment.incomplete_mark.touch()
    pins = environment.root / "constraints.txt"
    arguments = ["install", "-r", str(environment.root / "requirements-dev.txt"), "-c", str(pins)]
    total = sum(1 for line in pins.read_text(encoding="utf-8").splitlines() if "==" in line)
    _pip(environment, arguments, log="pip.log", total=total)
    environment.stamp.write_text(json.dumps(wanted), encoding="utf-8")
    environment.incomplete_mark.unlink()


def _make_empty(environment: Environment) -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise CannotStartError(
            "This Python cannot make virtual environments; install its venv package "
            "(on Debian and Ubuntu: python3-venv) and try again."
        )
    if environment.directory.is_symlink():
        environment.directory.unlink()
    if environment.directory.exists():
        shutil.rmtree(environment.directory)
    environment.directory.mkdir()
    environment.incomplete_mark.touch()
    made = subprocess.run(
        [_base_python(), "-m", "venv", str(environment.directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        last = (made.stderr or made.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise CannotStartError(f"The virtual environment cannot be made: {last[0].strip()}")


def _base_python() -> str:
    # Inside a virtual environment sys.executable is that environment's own, which may be about to be removed.
    return getattr(sys, "_base_executable", None) or sys.executable


def _version_of(python: Path) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        asked = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def _pip(environment: Environment, arguments: list[str], *, log: str, total: int = 0) -> None:
    command = [str(environment.python), "-m", "pip", *arguments]
    # A user's own setting "install for the user" is an error inside a virtual environment.
    variables = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}
    run = InstallRun(command=command, environment=variables, log=environment.root / ".local" / log)
    # pip says "Processing" for files on this machine and "Collecting" for everything else.
    run.finish(counted=("Collecting ", "Processing "), total=total, what="The pinned Python packages")
