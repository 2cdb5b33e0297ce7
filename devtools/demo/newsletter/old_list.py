"""An old list is imported again, with everybody who left and some who never came: nobody is added by it."""

from __future__ import annotations

from devtools.demo.newsletter.evidence import Evidence
from devtools.demo.newsletter.lists import CONFIRMED, PURPOSES
from devtools.demo.newsletter.scene import Scene

MOST = 300
STRANGERS = 60


def who_said_no(scene: Scene, evidence: Evidence) -> set[str]:
    """Return addresses of the list that get no mail and have no consent, and have been there."""
    return {
        seat.address
        for seat in sorted(evidence.states)
        if seat.list_id == CONFIRMED
        and not evidence.gets_mail(seat)
        and not evidence.consents(scene.judge.key_of(seat.address), PURPOSES[CONFIRMED])
    }


async def import_again(scene: Scene) -> None:
    """Import the file in the processor's own pages, with the tick that brings everybody back."""
    evidence = await scene.evidence()
    left = sorted(who_said_no(scene, evidence))[:MOST]
    strangers = [f"stranger{number}@crowd.example" for number in range(STRANGERS)]
    scene.said_no |= {*left, *strangers}
    there = await scene.vendor.bring_in(CONFIRMED, sorted(scene.said_no))
    scene.narrator.step(
        f"{len(left)} who had left and {len(strangers)} who never came are imported at the processor, "
        f"which takes {there}"
    )
