"""Write the figures down: as JSON for programs, as a page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devtools.bench.figures import Figure
from devtools.bench.machine import Machine
from devtools.bench.scale import Scale

TITLES = {
    "erase": "Erasing a person with very many documents",
    "access": "A copy of little and of much data",
    "population": "One person beside few and many others",
    "requests": "Whole requests",
    "decisions": "May this be done with a person's data?",
    "webhooks": "Webhooks of the newsletter's processor",
    "retention": "A run of scheduled deletion",
    "import": "Importing the app",
}
TEXTS = {
    "erase": """
The app does all it always does: it resolves the person, plans with counts, writes down what goes before it
goes, asks for holds again before each page, guards each deletion with an ETag, looks again at every store,
records the proof and sends the letter. The bare loops look up the ids and delete them. Both have used their
connections before. Medians of rounds that take turns.
""",
    "access": """
Each copy is made by a fresh process, from plan to letter. Peak memory is the whole process's.
""",
    "population": """
The same request for a person with 100 documents in six containers, while the containers hold other people's
documents. Counted on the wire.
""",
    "requests": """
Through HTTP, queues and mail on the running local platform: 2,000 people with 100 documents each in six
containers; a burst of access requests, then a burst of erasures by the same people, from the first POST to
the last closed case. Each person opens the mailed link and presses its button; the mailbox is read from
Azurite and costs it a little. Idle queues are asked every half second. The lines after the CPU figures count
what one request asks of the stores, most frequent first.

What still costs most is the number of calls: most of the CPU is the SDK's and the transport's share of each;
making the files of a copy comes second. A third of an erasure's calls go to the containers that also tell who
the person is, which are asked to plan, to count, to erase and to look again; another third read and write the
case and the fence. Of its RU, the deletions need about a third and the case's own records, which make it safe
to repeat, half.
""",
    "decisions": """
What other systems ask before they mail, profile, report or ship. A decision makes the pseudonym, reads the
controls under it and applies the rules; the bare SDK reads the same documents by id. They take turns call by
call, warm, in one process, without HTTP; medians of rounds. Then the same question through the door, one
after the other on one connection: what is added is the host and its worker, not the decision.
""",
    "webhooks": """
Bodies of 1,000 events, each another body, to the app's door and to a function beside it in the same host that
does nothing but store the body. They take turns: first one after the other, which gives the times, then four
at once, which gives the rates. Queues are not worked on meanwhile. Then what it costs to work on an event,
counted on the wire in one process, with a body of as many events as there are people: each event asks the
processor how its person stands there. "Our stores" are Cosmos DB and blobs; messages are handed over in the
process.
""",
    "retention": """
A hundred people with a thousand records of telemetry each, of whom five are due. The run searches for
what fell due under every rule, puts several people into one case, and works on eight messages at once in one
process, as one instance does: plans, holds asked again, guarded deletions, a second look, proofs, its own
record. The bare loop knows which two containers to ask, deletes in batches, and asks nothing. What a run and
a case cost is the same whatever they hold, so the pace depends on how many records a person has. Medians of
rounds, each on a platform of its own; counts and RU are those of the first.
""",
    "import": """
Fresh interpreters that take turns, medians. The libraries' share is every import of theirs that stands at the
top of the app's own modules. The app switches the garbage collector off while it imports; the libraries alone
are imported with it, as they are by an app that does nothing about it.
""",
}
INTRODUCTION = """
Written by `python3 -m devtools bench`; a run takes some minutes and is not part of the tests. Every ratio
compares two measurements of the same run on the same emulators, so it says more than the seconds beside it.
A limit that was missed stands here as missed.
"""


def as_json(figures: Mapping[str, Sequence[Figure]], machine: Machine, scale: Scale) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "machine": {**asdict(machine), "measured_on": machine.measured_on.isoformat()},
        "scale": asdict(scale),
        "figures": {
            name: [{**asdict(one), "met": one.is_met} for one in measured]
            for name, measured in figures.items()
        },
    }


def write_document(path: Path, figures: Mapping[str, Sequence[Figure]], machine: Machine) -> None:
    """Write the page anew; what was there before is replaced."""
    measured_on = (
        f"Measured on {machine.measured_on.isoformat()}: {machine.cpu}, {machine.cores} logical cores, "
        f"{machine.memory_gib:g} GiB of memory, {machine.system}, Python {machine.python}."
    )
    lines = ["# Benchmarks", "", INTRODUCTION.strip(), "", measured_on]
    for name, measured in figures.items():
        lines += [
            "",
            f"## {TITLES[name]}",
            "",
            TEXTS[name].strip(),
            "",
            "| | | | wanted | met |",
            "|---|---:|---|---|---|",
        ]
        lines += [
            f"| {one.what} | {one.shown} | {one.unit} | {one.wanted} | {one.verdict} |" for one in measured
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
