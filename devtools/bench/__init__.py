"""Measure the app against the bare SDKs on the same emulators, in one run, so that ratios mean something."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from devtools.bench import (
    collecting,
    deciding,
    erasing,
    importing,
    population_size,
    retention,
    webhooks,
    whole_requests,
)
from devtools.bench.figures import Figure
from devtools.bench.machine import describe_machine
from devtools.bench.report import as_json, write_document
from devtools.bench.scale import SCALES, Scale
from devtools.demo.narration import Narrator

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"

Benchmark = Callable[[Path, Scale, Narrator], list[Figure]]
BENCHMARKS: dict[str, Benchmark] = {
    "erase": erasing.measure,
    "access": collecting.measure,
    "population": population_size.measure,
    "requests": whole_requests.measure,
    "decisions": deciding.measure,
    "webhooks": webhooks.measure,
    "retention": retention.measure,
    "import": importing.measure,
}


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks and return 0, also when a wanted ratio is missed: the table says so.

    A full run of all benchmarks writes `docs/benchmarks.md` anew.

    Raises:
        CannotStartError: a program of the platform does not start.
    """
    options = _parser().parse_args(arguments)
    scale = SCALES[options.scale]
    names = [options.only] if options.only else list(BENCHMARKS)
    narrator = Narrator()
    figures: dict[str, list[Figure]] = {}
    for name in names:
        narrator.chapter(f"{name} ({scale.name})")
        figures[name] = BENCHMARKS[name](ROOT, scale, narrator)
        narrator.table(
            ("measured", "value", "unit", "wanted", "met"),
            [(one.what, one.shown, one.unit, one.wanted, one.verdict) for one in figures[name]],
        )
    machine = describe_machine()
    if options.json:
        text = json.dumps(as_json(figures, machine, scale), indent=1)
        if options.json == "-":
            sys.stdout.write(text + "\n")
        else:
            Path(options.json).write_text(text + "\n", encoding="utf-8")
    if scale.name == "full" and not options.only:
        write_document(DOCUMENT, figures, machine)
        narrator.step(f"wrote {DOCUMENT.relative_to(ROOT)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m devtools bench", description=__doc__)
    parser.add_argument("--only", choices=list(BENCHMARKS), help="run one benchmark")
    parser.add_argument(
        "--json", metavar="FILE", help="write the figures there as JSON; - is standard output"
    )
    parser.add_argument("--scale", choices=sorted(SCALES), default="full", help="small is for a quick look")
    return parser
