"""How the app starts."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHOWN = "import gc, function_app; print(gc.isenabled(), gc.get_freeze_count() > 0)"


def test_the_garbage_collector_works_after_the_start_and_leaves_alone_what_was_imported():
    """A worker whose collector stayed off would run out of memory."""
    done = subprocess.run(  # noqa: S603  our own interpreter and our own words
        [sys.executable, "-c", SHOWN], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.split() == ["True", "True"]


def test_it_is_switched_off_before_anything_else_of_the_app_is_imported():
    """Otherwise the collector would look through everything while it comes in."""
    lines = (ROOT / "function_app.py").read_text("utf-8").splitlines()
    own = [line for line in lines if line.startswith(("from functions.", "import functions"))]
    assert own[0] == "from functions._starting import started"
    assert lines[-1] == "started()"
