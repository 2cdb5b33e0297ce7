"""A representative asks for somebody else: the answer goes to the one, the data is the other's."""

import pytest

from shared.domain.errors import Invalid
from shared.domain.rights import Right
from shared.services.entering import Entry, enter
from tests.unit.services.cases_world import BUYER, MEMBER, held, populated, seen
from tests.unit.services.driving import deliver, letters


def _entry(world, **changes) -> Entry:
    return Entry(
        **{
            "rights": (Right.ERASURE,),
            "email": BUYER.email,
            "channel": "post",
            "received_at": world.clock.now(),
            "language": "en",
            "entered_by": "operator",
            "identity": "known to the office",
            "requester": "representative",
            "mandate": "original seen",
            "about": MEMBER.email,
            **changes,
        }
    )


@pytest.mark.clause("4.4")
async def test_a_representative_erases_the_data_of_the_person_and_none_of_its_own():
    """The letter goes to the representative, who is in our systems too."""
    world = populated()
    own = held(world, BUYER)
    request_id = await enter(world.context, _entry(world))
    await deliver(world)
    assert held(world, MEMBER) == {}
    assert held(world, BUYER) == own
    (mail,) = letters(world, request_id).values()
    assert mail.to == BUYER.email
    assert seen(world, request_id).requester.mandate == "original seen"


async def test_whose_data_a_representative_means_has_to_be_said():
    """Its own address would find its own data."""
    world = populated()
    with pytest.raises(Invalid, match="person_missing"):
        await enter(world.context, _entry(world, about=" "))
    assert not world.cases.partitions


async def test_a_person_is_answered_at_no_address_but_the_one_that_finds_the_data():
    """Else whoever confirms an address of their own gets the data of another."""
    world = populated()
    with pytest.raises(Invalid, match="person_unfit"):
        await enter(world.context, _entry(world, requester="subject", mandate="", identity=""))
    assert not world.cases.partitions
