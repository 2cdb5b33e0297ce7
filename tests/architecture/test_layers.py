"""Imports run one way, as the contracts in pyproject.toml say."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
BREACHES = {
    "doors-above-shared": ("shared/services/intake.py", "import functions.http_health"),
    "doors-independent": ("functions/http_health.py", "import functions.timer_sweep"),
    "layers-of-shared": ("shared/domain/rights.py", "import shared.ports.clock"),
    "vendors": ("shared/rendering/dates.py", "import azure.core"),
    "adapters-and-settings": ("shared/services/planning.py", "import shared.settings"),
    "nothing-from-devtools": ("shared/ports/clock.py", "import devtools.failures"),
}


def _lint(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo", *options],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _contracts() -> dict[str, str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return {one["id"]: one["name"] for one in settings["tool"]["importlinter"]["contracts"]}


def test_imports_keep_every_contract():
    """Doors, bootstrap, adapters and services, ports and rendering, map, rules."""
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_sees_a_breach(tmp_path):
    """One is planted for each, in a copy of the code."""
    assert set(BREACHES) == set(_contracts())
    _copy(tmp_path)
    for path, line in BREACHES.values():
        file = tmp_path / path
        file.write_text(file.read_text("utf-8") + f"\n{line}\n", "utf-8")
    done = _lint(tmp_path)
    assert done.returncode != 0
    for name in _contracts().values():
        assert f"{name} BROKEN" in done.stdout, done.stdout + done.stderr


def test_a_new_module_has_to_find_its_layer(tmp_path):
    """Otherwise nothing would be checked about it."""
    _copy(tmp_path)
    for path in ("shared/utils.py", "functions/http_new.py"):
        (tmp_path / path).write_text('"""New."""\n', "utf-8")
    done = _lint(tmp_path)
    assert done.returncode != 0
    for contract in ("doors-independent", "layers-of-shared"):
        assert f"{_contracts()[contract]} BROKEN" in done.stdout, done.stdout + done.stderr


def _copy(root: Path) -> None:
    for name in ("functions", "shared"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
