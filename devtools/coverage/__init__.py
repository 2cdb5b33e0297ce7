"""Write docs/policy-coverage.md: which rule, code and test make each clause of the policy true."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from devtools.coverage.code import CoverageError
from devtools.coverage.table import document
from shared.datamap.loader import load
from shared.domain.errors import Invalid

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "policy-coverage.md"


def main(arguments: Sequence[str]) -> int:
    """Write the document anew and return 0; with `--check` write nothing and return 1 when it is old."""
    parser = argparse.ArgumentParser(prog="python3 -m devtools coverage", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if the document is old"
    )
    options = parser.parse_args(arguments)
    try:
        text = document(ROOT, load())
    except (CoverageError, Invalid, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    shown = DOCUMENT.relative_to(ROOT)
    if not options.check:
        DOCUMENT.write_text(text, encoding="utf-8")
        print(f"wrote {shown}")
    elif not DOCUMENT.is_file() or DOCUMENT.read_text(encoding="utf-8") != text:
        print(f"{shown} is not up to date: run python3 -m devtools coverage", file=sys.stderr)
        return 1
    return 0
