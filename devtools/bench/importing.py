"""How long importing the app takes, against importing the libraries it stands on; fresh interpreters each."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from devtools.bench.figures import Figure
from devtools.bench.scale import Scale
from devtools.demo.narration import Narrator

MOST_TIMES = 1.3
OWN_PACKAGES = frozenset({"functions", "shared"})
_TIMED = "import time; s = time.perf_counter(); {imports}; print(time.perf_counter() - s)"


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return both times and their ratio."""
    libraries = library_imports(root)
    narrator.step(f"the app's own code imports {len(libraries)} names of libraries")
    app: list[float] = []
    bare: list[float] = []
    _seconds(root, ["import function_app"])  # the first one also writes the compiled files
    for _ in range(scale.import_rounds):
        app.append(_seconds(root, ["import function_app"]))
        bare.append(_seconds(root, libraries))
    app_median, bare_median = statistics.median(app), statistics.median(bare)
    return [
        Figure(what="import function_app", value=1000 * app_median, unit="ms"),
        Figure(what="import what it imports of libraries", value=1000 * bare_median, unit="ms"),
        Figure(what="app / libraries", value=app_median / bare_median, unit="times", limit=MOST_TIMES),
    ]


def library_imports(root: Path) -> list[str]:
    """Return as statements what the app's own code imports of libraries while it is imported, sorted.

    Names count and not only modules: some libraries import their parts when a name is first asked for.
    """
    found: set[str] = set()
    files = [root / "function_app.py", *(one for name in OWN_PACKAGES for one in (root / name).rglob("*.py"))]
    for path in files:
        found.update(_imports(ast.parse(path.read_text(encoding="utf-8"))))
    return sorted(found)


def _imports(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports at its top; what stands in functions or under conditions comes later."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (f"import {alias.name}" for alias in statement.names if _is_library(alias.name))
        elif isinstance(statement, ast.ImportFrom) and statement.module and _is_library(statement.module):
            yield from (f"from {statement.module} import {alias.name}" for alias in statement.names)


def _is_library(module: str) -> bool:
    package = module.split(".", maxsplit=1)[0]
    return package not in OWN_PACKAGES and package not in sys.stdlib_module_names


def _seconds(root: Path, imports: Sequence[str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(imports="; ".join(imports))],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
    )
    return float(done.stdout)
