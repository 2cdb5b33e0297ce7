"""How long importing the app takes, against importing the libraries it stands on; fresh interpreters each."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from devtools.bench.figures import Figure
from devtools.bench.scale import Scale
from devtools.demo.narration import Narrator

MOST_TIMES = 1.3
OWN_PACKAGES = frozenset({"functions", "shared"})
_TIMED = "import time; s = time.perf_counter(); {imports}; print(time.perf_counter() - s)"


def measure(root: Path, scale: Scale, narrator: Narrator) -> list[Figure]:
    """Return both times and their ratio."""
    libraries = imported_libraries(root)
    narrator.step(f"the app's code imports {len(libraries)} modules of libraries")
    app: list[float] = []
    bare: list[float] = []
    _seconds(root, "import function_app")  # the first one also writes the compiled files
    for _ in range(scale.import_rounds):
        app.append(_seconds(root, "import function_app"))
        bare.append(_seconds(root, "; ".join(f"import {name}" for name in libraries)))
    app_median, bare_median = statistics.median(app), statistics.median(bare)
    return [
        Figure(what="import function_app", value=1000 * app_median, unit="ms"),
        Figure(what="import the libraries it imports", value=1000 * bare_median, unit="ms"),
        Figure(what="app / libraries", value=app_median / bare_median, unit="times", limit=MOST_TIMES),
    ]


def imported_libraries(root: Path) -> list[str]:
    """Return the modules of libraries that the app's own code imports while it is imported, sorted."""
    found: set[str] = set()
    files = [root / "function_app.py", *(one for name in OWN_PACKAGES for one in (root / name).rglob("*.py"))]
    for path in files:
        found.update(_imports(ast.parse(path.read_text(encoding="utf-8"))))
    return sorted(
        name
        for name in found
        if name.split(".")[0] not in OWN_PACKAGES and name.split(".")[0] not in sys.stdlib_module_names
    )


def _imports(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports at its top; what stands in functions or under conditions comes later."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module


def _seconds(root: Path, imports: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(imports=imports)],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
    )
    return float(done.stdout)
