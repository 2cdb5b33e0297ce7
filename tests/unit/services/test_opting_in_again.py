"""Who signs up anew while a hold keeps a withdrawal waiting has said the later word."""

from datetime import timedelta

import pytest

from shared.domain.identifiers import EMAIL
from shared.domain.rights import Right
from shared.services import consents, holding
from tests.unit.services.cases_world import MEMBER, done, populated, seen
from tests.unit.services.driving import deliver

MOMENT = timedelta(microseconds=1)


def _wants_newsletter(world):
    (profile,) = [one for one in world.documents.bodies("members") if one["id"] == MEMBER.member_id]
    return profile["newsletter"]


@pytest.mark.clause("4.8", "5.2", "5.3")
@pytest.mark.parametrize("right", [Right.WITHDRAWAL, Right.MARKETING_OBJECTION])
@pytest.mark.parametrize(
    ("purpose", "later", "stays"),
    [
        ("member_newsletter", -MOMENT, False),
        ("member_newsletter", 0 * MOMENT, False),
        ("member_newsletter", MOMENT, True),
        ("author_newsletter", MOMENT, False),
    ],
)
async def test_a_choice_made_anew_is_not_switched_off_when_the_hold_ends(right, purpose, later, stays):
    """One given after the request came stays, one of before or for another purpose does not."""
    world = populated()
    placed = await holding.place(
        world.context,
        holding.PlaceHold(
            identifiers={EMAIL: (MEMBER.email,)},
            activity_id=None,
            ground="legal_claim",
            reason="A dispute",
            review_on=world.clock.now().date().replace(year=2027),
            placed_by="op",
        ),
    )
    request_id = await done(world, MEMBER, right)
    assert _wants_newsletter(world)
    received_at = seen(world, request_id).received_at
    world.clock.advance(days=1)
    await consents.record_consent(world.context, MEMBER.email, purpose, "1", received_at + later)
    await holding.release(world.context, placed.hold_id, released_by="op")
    await deliver(world)
    assert seen(world, request_id).is_final
    assert _wants_newsletter(world) is stays
