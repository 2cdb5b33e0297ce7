"""R2: which evidence of a consent stays when it has ended, and which goes, while no period is decided."""

import pytest

from shared.domain.consent_ledger import Evidence
from shared.services import leaving
from shared.services.importing import ImportRow, take_in
from shared.services.joining import Joining, join
from tests.factories import KEYS
from tests.unit.services.driving import hold
from tests.unit.services.systems import ids, next_day, run_day, world_on

pytestmark = pytest.mark.clause("5.2")
METTE = "mette@people.example"
KEY = KEYS.subject_key("email", METTE)
MEMBERS, AUTHORS = "member_newsletter", "author_newsletter"


async def signed_up(*purpose_ids: str):
    """Return a world in which Mette signed up some hours ago for some newsletters."""
    world = world_on("2026-03-02")
    joining = Joining(
        email=METTE,
        purpose_ids=purpose_ids,
        at=world.clock.now(),
        channel="form",
        source="form",
        evidence=Evidence(policy_version="1", wording_version="2026-1", wording_sha256="a" * 64),
        event_id="form-1",
    )
    await join(world.context, joining)
    world.queue.sent.clear()
    world.clock.advance(seconds=3600)
    return world


async def leaves(world, *purpose_ids: str) -> None:
    """Let her leave some of them."""
    await leaving.leave(world.context, METTE, purpose_ids, at=world.clock.now(), channel="form")
    world.queue.sent.clear()
    world.clock.advance(seconds=3600)


async def kinds(world) -> list[str]:
    """Return what the ledger says, in order."""
    found = await world.consent_ledger.of_person((KEY,))
    return [one.kind.value for one in sorted(found, key=lambda one: (one.at, one.purpose_id))]


async def test_the_evidence_of_what_ended_goes_and_that_it_ended_stays():
    """The list of addresses not to write to compares with it; an old list brings nobody back."""
    world = await signed_up(MEMBERS)
    await leaves(world, MEMBERS)
    assert await kinds(world) == ["given", "withdrawn"]
    await run_day(world)
    assert ids(world, "newsletter_signups") == []
    assert await kinds(world) == []
    controls = world.controls.stored(KEY).controls
    assert [one.purpose_id for one in controls.withdrawals] == [MEMBERS]
    assert controls.suppression.reason == "withdrawn"
    row = ImportRow(
        email=METTE,
        purpose_id=MEMBERS,
        given_at="2026-01-15T10:00:00+01:00",
        policy_version="1",
        wording_version="2025-3",
        wording_sha256="b" * 64,
    )
    assert await take_in(world.context, [row]) == {"refused_before": 1}
    assert await kinds(world) == []


async def test_while_another_sign_up_is_in_force_all_the_evidence_stays():
    """It goes with the last one."""
    world = await signed_up(MEMBERS, AUTHORS)
    await leaves(world, MEMBERS)
    await run_day(world)
    assert len(ids(world, "newsletter_signups")) == 1
    assert await kinds(world) == ["given", "given", "withdrawn"]
    await leaves(world, AUTHORS)
    await next_day(world, "2026-03-04")
    assert ids(world, "newsletter_signups") == []
    assert await kinds(world) == []


async def test_a_hold_keeps_the_evidence():
    """Until it is released."""
    world = await signed_up(MEMBERS)
    await leaves(world, MEMBERS)
    hold(world, METTE)
    await run_day(world)
    assert len(ids(world, "newsletter_signups")) == 1
    assert await kinds(world) == ["given", "withdrawn"]


async def test_evidence_of_a_sign_up_in_force_stays():
    """Nothing has ended."""
    world = await signed_up(MEMBERS)
    await run_day(world)
    assert await kinds(world) == ["given"]
