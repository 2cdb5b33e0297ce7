"""The last line of the newsletter scenario, and everything in it that is not as it should be."""

from __future__ import annotations

from collections.abc import Collection

from devtools.demo.findings import Findings
from devtools.demo.newsletter.evidence import Evidence
from devtools.demo.newsletter.verdict import Judge, accepted, duplicates

RESULT_KEYS = (
    "webhook_events",
    "lost",
    "duplicates_without_effect",
    "diverging_after_reconciliation",
    "re_added_by_import",
)
LEAST_EVENTS = 10_000
_SHOWN = 10  # of each kind of finding


def outcome(
    judge: Judge, findings: Findings, *, before: Evidence, after: Evidence, said_no: Collection[str]
) -> dict[str, int]:
    """Note what is not so, and return the values of `RESULT_KEYS`.

    Args:
        judge: Compares both sides.
        findings: Where faults are noted.
        before: Both sides at rest, before they were compared by the app.
        after: Both sides at rest at the end.
        said_no: Addresses that no import may bring back.
    """
    lost, diverging = judge.lost(before), judge.diverging(after)
    re_added = judge.re_added(after, said_no)
    for what, found in (
        ("an accepted event had no effect", lost),
        ("both sides differ after reconciliation", diverging),
        ("added by an import", re_added),
        ("the gate says something else than the ledger", judge.gates_that_differ(after)),
    ):
        for one in found[:_SHOWN]:
            findings.add(f"{what}: {one}")
    for seat in diverging[:_SHOWN]:
        findings.add(f"{seat}: {after.told_of(seat, judge.key_of(seat.address))}")
    events, repeated, again = accepted(after), duplicates(after), judge.said_again(after)
    findings.equal(again, 0, "words that the ledger says again though it knew them")
    findings.expect(events >= LEAST_EVENTS, f"only {events} events were accepted")
    findings.expect(repeated > 0, "no event came twice")
    findings.expect(any(not one.accepted for one in after.told), "no event was lost on its way")
    findings.expect(bool(said_no), "nobody who said no was imported")
    return {
        "webhook_events": events,
        "lost": len(lost),
        "duplicates_without_effect": repeated - again,
        "diverging_after_reconciliation": len(diverging),
        "re_added_by_import": len(re_added),
    }
