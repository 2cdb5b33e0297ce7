"""What a case ends stands in the ledger too: the gate and what proves it say the same."""

from datetime import timedelta

import pytest

from shared.datamap.loader import load
from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import ConsentEvent, EventKind, Evidence, present_state
from shared.domain.identifiers import EMAIL
from shared.domain.rights import Right
from shared.services import consent_ledger
from tests.factories import KEYS, World
from tests.unit.services.driving import deliver, hold, submit

METTE = "mette@people.example"
NEWS = "member_newsletter"
KEY = KEYS.subject_key(EMAIL, METTE)

pytestmark = pytest.mark.clause("4.8", "2.4.2")


async def consenting(world: World, *, minutes_ago: int = 60, name: str = "given") -> None:
    """Note that Mette consented some time ago."""
    at = world.clock.now() - timedelta(minutes=minutes_ago)
    await consent_ledger.note(
        world.context,
        ConsentEvent(
            event_id=f"{name}-{minutes_ago}",
            subject_key=KEY,
            purpose_id=NEWS,
            kind=EventKind.GIVEN,
            at=at,
            noted_at=at,
            channel="form",
            evidence=Evidence(policy_version="1"),
        ),
    )


async def ledger_of(world: World) -> list[ConsentEvent]:
    """Return what the ledger says of Mette, in the order in which it happened."""
    return sorted(await world.consent_ledger.of_person((KEY,)), key=lambda one: one.at)


def is_open(world: World) -> bool:
    """Whether the gate is open for Mette."""
    controls = world.controls.stored(KEY).controls
    return not controls.stops_marketing and (
        consent_in_force(controls, NEWS, now=world.clock.now()) is not None
    )


@pytest.mark.parametrize(
    ("right", "kind"),
    [(Right.WITHDRAWAL, EventKind.WITHDRAWN), (Right.MARKETING_OBJECTION, EventKind.OBJECTED)],
)
async def test_what_a_case_ends_is_an_end_in_the_ledger(right, kind):
    """Once, however often the case looks at it. It goes with the evidence, unless a hold keeps that."""
    world = World(datamap=load())
    await consenting(world)
    hold(world, METTE)
    await submit(world, METTE, right)
    assert not is_open(world)
    await deliver(world)
    found = await ledger_of(world)
    assert [(one.kind, one.channel) for one in found[1:]] == [(kind, "request")]
    assert not present_state(found, NEWS).in_force


@pytest.mark.parametrize("right", [Right.WITHDRAWAL, Right.MARKETING_OBJECTION])
async def test_whoever_asks_again_ends_nothing_more(right):
    """Anybody may ask, so a hundred messages must not fill the ledger."""
    world = World(datamap=load())
    await consenting(world)
    hold(world, METTE)
    for _ in range(3):
        await submit(world, METTE, right)
        await deliver(world)
        world.clock.advance(minutes=5)
    assert len(await ledger_of(world)) == 2


@pytest.mark.parametrize("right", [Right.WITHDRAWAL, Right.MARKETING_OBJECTION])
async def test_of_somebody_the_ledger_does_not_know_nothing_is_begun(right):
    """The gate is closed all the same."""
    world = World(datamap=load())
    await submit(world, METTE, right)
    await deliver(world)
    assert await ledger_of(world) == []
    assert not is_open(world)


async def test_evidence_of_a_consent_since_then_stays():
    """Only what ended goes with the case; each end belongs to the consent before it."""
    world = World(datamap=load())
    await consenting(world)
    await submit(world, METTE, Right.WITHDRAWAL)
    world.clock.advance(minutes=10)
    await consenting(world, minutes_ago=0, name="again")
    assert is_open(world)
    await deliver(world)
    assert is_open(world)
    assert [one.event_id for one in await ledger_of(world)] == ["again-0"]
    world.clock.advance(minutes=10)
    await submit(world, METTE, Right.WITHDRAWAL)
    await deliver(world)
    assert await ledger_of(world) == []
    assert not is_open(world)
