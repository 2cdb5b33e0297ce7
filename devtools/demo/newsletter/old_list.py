"""An old list is imported again, with everybody who left and some who never came: nobody is added by it."""

from __future__ import annotations

from devtools.demo.findings import StoryEndedError
from devtools.demo.newsletter.evidence import Evidence
from devtools.demo.newsletter.lists import CONFIRMED, PURPOSES
from devtools.demo.newsletter.scene import Scene
from devtools.demo.rights.systems import SYSTEM_KEY

MOST = 300
LEFT = frozenset({"Unsubscribed", "Deleted"})
STRANGERS = 60


def who_said_no(scene: Scene, evidence: Evidence) -> set[str]:
    """Return addresses that left the list, or were taken off it, and have no consent."""
    return {
        seat.address
        for seat, state in evidence.states.items()
        if seat.list_id == CONFIRMED
        and state in LEFT
        and not evidence.consents(scene.judge.key_of(seat.address), PURPOSES[CONFIRMED])
    }


async def _at_our_door(scene: Scene, addresses: list[str]) -> dict[str, int]:
    """Send the file to the app: half of its rows with a consent from before everybody left."""
    given = {
        "given_at": "2020-03-01T10:00:00+01:00",
        "policy_version": "1",
        "wording_version": "made-up-1",
        "wording_sha256": "0" * 64,
    }
    rows = [
        {"email": one, "purpose": PURPOSES[CONFIRMED], **(given if number % 2 else {})}
        for number, one in enumerate(addresses)
        if not (number % 2 and one.startswith("stranger"))  # a consent of a stranger would count
    ]
    response = await scene.client.post(
        f"{scene.api_url}/newsletter/imports", json={"rows": rows}, headers={"X-System-Key": SYSTEM_KEY}
    )
    if not response.is_success:
        raise StoryEndedError(f"importing: HTTP {response.status_code} {response.text[:300]}")
    return dict(response.json())


async def import_again(scene: Scene, evidence: Evidence) -> None:
    """Send the file to our door, and import it at the processor with the tick that brings everybody back."""
    left = sorted(who_said_no(scene, evidence))[:MOST]
    strangers = [f"stranger{number}@crowd.example" for number in range(STRANGERS)]
    scene.said_no |= {*left, *strangers}
    there = await scene.vendor.bring_in(CONFIRMED, sorted(scene.said_no))
    counts = await _at_our_door(scene, sorted(scene.said_no))
    scene.findings.equal(counts["added"], 0, "people added by the old list at our door")
    scene.narrator.step(f"the same file at our own door, with consents of back then: {counts}")
    scene.narrator.step(
        f"{len(left)} who had left and {len(strangers)} who never came are imported at the processor, "
        f"which takes {there}"
    )
