"""A hold keeps what a processor has for us, too: it is not told to erase before the hold is released."""

from datetime import date

from shared.domain.controls import Hold
from shared.domain.messages import FINISH_QUEUE
from shared.domain.recipients import Instruction
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage
from shared.services import marking, switching
from shared.services.attention import retry_all
from shared.services.holding import PlaceHold, place, release
from tests.factories import KEYS
from tests.unit.services.cases_world import MEMBER, controls, done, file, populated, seen
from tests.unit.services.driving import deliver, step


def hold_on(activity_id):
    return PlaceHold(
        identifiers={"email": (MEMBER.email,)},
        activity_id=activity_id,
        ground="legal_claim",
        reason="A claim is before the court",
        review_on=date(2026, 12, 24),
        placed_by="op",
    )


def erased_at_processor(world):
    return [one for one in world.processors.told if one[1] is Instruction.ERASE]


async def test_a_processor_is_told_to_erase_only_after_the_hold():
    """Under a hold on everything nothing is erased anywhere; the second life of the case does it."""
    world = populated()
    hold_id = (await place(world.context, hold_on(None))).hold_id
    request_id = await done(world, MEMBER, Right.ERASURE)
    assert seen(world, request_id).state is RequestState.STANDING
    assert world.processors.mails(MEMBER.email)
    assert erased_at_processor(world) == []
    assert seen(world, request_id).notices == ()
    assert (await release(world.context, hold_id, released_by="approver")).taken_up == 1
    await deliver(world)
    assert len(erased_at_processor(world)) == 1
    assert not world.processors.mails(MEMBER.email)


async def test_a_hold_on_other_data_leaves_the_processor_to_be_told():
    """What is not held goes, also there."""
    world = populated()
    await place(world.context, hold_on("orders"))
    await done(world, MEMBER, Right.ERASURE)
    assert len(erased_at_processor(world)) == 1


async def test_a_hold_that_comes_after_the_plan_is_seen_before_the_processor_is_told():
    """It is asked for at that moment, not when the plan was made."""
    world = populated()
    await file(world, MEMBER, Right.ERASURE)
    held = Hold(
        hold_id="late",
        activity_id="newsletter",
        ground="law",
        reason="why",
        placed_at=world.clock.now(),
        review_on=date(2026, 12, 24),
    )
    await deliver(world, until=FINISH_QUEUE)
    await marking.change(
        world.context,
        (KEYS.subject_key("email", MEMBER.email),),
        lambda one: one.model_copy(update={"holds": (held,)}),
    )
    await deliver(world)
    assert controls(world, MEMBER.email).holds
    assert erased_at_processor(world) == []
    assert world.processors.mails(MEMBER.email)


async def test_an_objection_to_mail_is_passed_on_under_a_hold():
    """A hold keeps data; it is no reason to go on using it."""
    world = populated()
    await place(world.context, hold_on(None))
    await done(world, MEMBER, Right.MARKETING_OBJECTION)
    assert not world.processors.mails(MEMBER.email)


async def test_a_hold_reaches_the_processor_also_where_we_keep_nothing_ourselves():
    """Our own sign-up is gone; what the processor has waits for the release, and is erased after it."""
    world = populated()
    world.documents.rows["newsletter_signups"].clear()
    hold_id = (await place(world.context, hold_on("newsletter"))).hold_id
    request_id = await done(world, MEMBER, Right.ERASURE)
    assert seen(world, request_id).state is RequestState.STANDING
    assert erased_at_processor(world) == []
    assert (await release(world.context, hold_id, released_by="approver")).taken_up == 1
    await deliver(world)
    assert len(erased_at_processor(world)) == 1


async def test_no_processor_is_told_to_erase_while_the_switch_is_thrown():
    """It stops between our own stores and theirs, and goes on there when it is reset."""
    world = populated()
    request_id = await file(world, MEMBER, Right.ERASURE)
    await deliver(world, until=FINISH_QUEUE)
    while seen(world, request_id).stage is not Stage.INSTRUCT:
        await step(world)
    await switching.throw(world.context, reason="a wrong rule", decided_by="op")
    await deliver(world)
    assert seen(world, request_id).attention == switching.PAUSED
    assert erased_at_processor(world) == []
    await switching.reset(world.context, decided_by="op")
    assert await retry_all(world.context, switching.PAUSED, decided_by="op") == 1
    await deliver(world)
    assert len(erased_at_processor(world)) == 1
