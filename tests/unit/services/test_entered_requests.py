"""Requests that staff enter, for the person or for who speaks for them, and what is late for a case."""

import pytest

from shared.domain.errors import Invalid, NotAllowed
from shared.domain.messages import LETTER_QUEUE
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Requester
from shared.services import asking, lifting
from shared.services.entering import Entry, enter
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    MEMBER,
    approve,
    at,
    controls,
    done,
    file,
    held,
    outcome,
    populated,
    seen,
    sweep_at,
    wishing,
)
from tests.unit.services.driving import deliver, letters

LAWYER = "lawyer@chambers.example"


async def _enter(world, **changes) -> str:
    entry = Entry(
        **{
            "rights": (Right.ACCESS,),
            "email": MEMBER.email,
            "channel": "post",
            "received_at": world.clock.now(),
            "language": "en",
            "entered_by": "clerk",
            **changes,
        }
    )
    request_id = await enter(world.context, entry)
    await deliver(world)
    return request_id


async def _looked_at(world, request_id):
    """Let somebody who did not enter it look at the mandate."""
    await approve(world, request_id, by="another")
    await deliver(world)


@pytest.mark.clause("4.2", "7.2")
async def test_who_speaks_for_a_person_gets_that_persons_data_and_not_their_own():
    """The answer goes to the representative, about the person with the mandate."""
    world = populated()
    request_id = await _enter(
        world,
        email=BUYER.email,  # known to us too
        about=MEMBER.email,
        requester="representative",
        mandate="power of attorney seen",
        identity="known office",
    )
    await _looked_at(world, request_id)
    assert outcome(world, request_id, Right.ACCESS).by_store["usage_events"] == 4
    assert "orders" not in outcome(world, request_id, Right.ACCESS).by_store
    assert letters(world, request_id)["letter-package_ready-0"].to == BUYER.email


@pytest.mark.clause("4.4", "7.2")
async def test_a_representatives_erasure_leaves_their_own_data_alone():
    """The person's goes, theirs stays."""
    world = populated()
    before = held(world, BUYER)
    request_id = await _enter(
        world,
        rights=(Right.ERASURE,),
        email=BUYER.email,
        about=MEMBER.email,
        requester="representative",
        mandate="power of attorney seen",
        identity="known office",
    )
    await _looked_at(world, request_id)
    assert held(world, MEMBER) == {}
    assert held(world, BUYER) == before


@pytest.mark.clause("7.2")
async def test_a_representative_who_names_nobody_is_not_taken_for_the_person():
    """Nothing is filed: not at the door for staff, and not by any other way."""
    world = populated()
    with pytest.raises(Invalid, match="person_missing"):
        await _enter(world, email=BUYER.email, requester="representative", mandate="seen", identity="known")
    with pytest.raises(Invalid, match="identifiers_missing"):
        await file(world, LAWYER, Right.ACCESS, requester=Requester(kind="representative", mandate="seen"))
    assert world.cases.partitions == {}


@pytest.mark.clause("7.2")
async def test_a_representative_without_a_mandate_is_asked_for_one():
    """And where it is filed all the same, a person decides, and nothing is done before."""
    world = populated()
    with pytest.raises(NotAllowed, match="mandate_missing"):
        await _enter(world, email=LAWYER, about=MEMBER.email, requester="representative", identity="known")
    request_id = await done(
        world,
        LAWYER,
        Right.RESTRICTION,
        requester=Requester(kind="representative"),
        identifiers={"email": (MEMBER.email,)},
    )
    assert seen(world, request_id).plan.needs_decision == ("mandate_missing", "mandate")
    assert controls(world, MEMBER.email).restrictions == ()


@pytest.mark.clause("4.2", "7.2")
async def test_a_person_is_answered_at_the_address_that_finds_the_data_and_at_no_other():
    """A stranger who claims to be somebody gets nothing sent to an address of their own."""
    world = populated()
    with pytest.raises(Invalid, match="person_unfit"):
        await _enter(world, email="mads.home@people.example", about=MEMBER.email, identity="sounded like it")
    assert world.cases.partitions == {}


@pytest.mark.clause("7.2")
async def test_a_letter_that_lay_about_is_due_from_the_day_it_came():
    """Not from the day somebody typed it in; entered without a check, it waits for one."""
    world = populated("2026-11-20T10:00")
    request_id = await _enter(world, received_at=at("2026-11-02T00:00"))
    request = seen(world, request_id)
    assert request.due_on.isoformat() == "2026-12-02"
    assert request.state is RequestState.RECEIVED
    assert request.entered_by == "clerk"
    await sweep_at(world, "2026-11-26T10:00")
    assert seen(world, request_id).state is RequestState.RECEIVED, "the week counts from its entry"


@pytest.mark.clause("7.2")
@pytest.mark.parametrize("channel", ["web", "customer", "retention", "opendsr"])
async def test_staff_enter_only_what_can_have_come_to_staff(channel):
    """Other channels have doors of their own."""
    world = populated()
    with pytest.raises(Invalid, match="channel_unfit"):
        await _enter(world, channel=channel)


@pytest.mark.clause("4.5", "4.2")
async def test_a_question_that_did_not_leave_before_the_answer_does_not_leave_after_it():
    """Nobody asks what is answered, and the restriction still ends on its day."""
    world = populated()
    request_id = await file(world, AUTHOR, Right.RESTRICTION)
    await asking.ask(world.context, request_id, kind="clarification", text="Which data?", asked_by="op")
    late = [one for one in world.queue.sent if one[0] == LETTER_QUEUE]
    world.queue.sent = [one for one in world.queue.sent if one not in late]
    await deliver(world)
    world.queue.sent = late
    await deliver(world)
    assert seen(world, request_id).state is RequestState.STANDING
    assert "letter-question-0" not in letters(world, request_id)
    await lifting.announce_lifting(world.context, request_id, reason="Checked", decided_by="op")
    await deliver(world)
    await sweep_at(world, "2026-11-09T00:10")
    assert not controls(world, AUTHOR.email).is_restricted
    assert "letter-question-0" not in letters(world, request_id)
    assert seen(world, request_id).state is RequestState.COMPLETED


@pytest.mark.clause("4.3")
async def test_a_correction_by_phone_is_carried_out_like_any_other():
    """Any channel will do."""
    world = populated()
    request_id = await _enter(
        world,
        rights=(Right.RECTIFICATION,),
        channel="phone",
        identity="called from the registered number",
        wishes=wishing(corrections={"city": "Aarhus"}),
    )
    assert outcome(world, request_id, Right.RECTIFICATION).by_store == {"members": 1}
