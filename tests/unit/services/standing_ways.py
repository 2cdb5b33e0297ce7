"""Each way to a request that stands under a hold or a restriction, and from there."""

from shared.domain.identifiers import EMAIL
from shared.domain.messages import (
    LETTER_QUEUE,
)
from shared.domain.rights import Right
from shared.domain.tasks import Stage
from shared.services import attention, deciding, holding, lifting
from shared.services.telling import note_told
from tests.unit.services.cases_world import (
    AUTHOR,
    MEMBER,
    NEWSLETTERS,
    done,
    file,
    seen,
    sweep_at,
    wishing,
)
from tests.unit.services.driving import deliver, step, submit
from tests.unit.services.ways import GRACE, S, cancel, refuse


async def _place_hold(world):
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
    return placed.hold_id


async def _held_erasure(world, *, until=None):
    """Return a hold on everything and an erasure under it; `until`: approved, and at this stage."""
    hold_id = await _place_hold(world)
    if until is None:
        return hold_id, await done(world, MEMBER, Right.ERASURE)
    request_id = await done(world, MEMBER, Right.ERASURE)
    digest = seen(world, request_id).plan.digest
    await deciding.approve(
        world.context, request_id, plan_digest=digest, decided_by="op", reason="It is right"
    )
    while seen(world, request_id).stage is not until:
        await step(world)
    return hold_id, request_id


async def _restricted_and_open(world):
    """A confirmed restriction beside a correction that waits for a person."""
    request_id = await done(
        world,
        MEMBER,
        Right.RESTRICTION,
        Right.RECTIFICATION,
        wishes=wishing(corrections={"email": "mads.new@people.example"}),
    )
    assert seen(world, request_id).state is S.AWAITING_APPROVAL
    return request_id


async def _restricted_and(world, right, state):
    """A confirmed restriction, and the other right of the message in this state."""
    request_id = await file(world, MEMBER, Right.RESTRICTION, right)
    for _ in range(60):
        request = seen(world, request_id)
        if request.outcomes and request.state is state:
            return request_id
        await step(world)
    raise AssertionError("it never gets there")


async def received_to_standing(world):
    """A withdrawal that a hold put off, beside a copy that nobody confirmed."""
    await _place_hold(world)
    request_id = await submit(world, MEMBER.email, Right.ACCESS, Right.WITHDRAWAL)
    await deliver(world)
    await cancel(world, request_id)
    return request_id


async def verified_to_standing(world):
    request_id = await _restricted_and(world, Right.ACCESS, S.VERIFIED)
    await cancel(world, request_id)
    return request_id


async def awaiting_to_standing(world):
    request_id = await _restricted_and_open(world)
    await cancel(world, request_id)
    return request_id


async def planned_to_standing(world):
    """A withdrawal that a hold put off, beside an erasure that has not begun."""
    await _place_hold(world)
    request_id = await file(world, MEMBER, Right.WITHDRAWAL, Right.ERASURE)
    await deliver(world, until=LETTER_QUEUE)
    while not seen(world, request_id).outcomes or seen(world, request_id).state is not S.PLANNED:
        world.clock.advance(seconds=GRACE.grace_seconds)
        await step(world)
    await cancel(world, request_id)
    return request_id


async def in_progress_to_standing(world):
    request_id = await _restricted_and(world, Right.ACCESS, S.IN_PROGRESS)
    await cancel(world, request_id)
    return request_id


async def attention_to_standing(world):
    request_id = await _restricted_and(world, Right.ACCESS, S.VERIFIED)
    await attention.pause(world.context, request_id, decided_by="op")
    await cancel(world, request_id)
    return request_id


async def standing_to_verified(world):
    hold_id, request_id = await _held_erasure(world)
    await holding.release(world.context, hold_id, released_by="op")
    return request_id


async def standing_to_completed(world):
    request_id = await done(world, AUTHOR, Right.RESTRICTION)
    await lifting.announce_lifting(world.context, request_id, reason="Settled", decided_by="op")
    await deliver(world)
    await sweep_at(world, "2026-11-10T10:00")
    return request_id


async def standing_to_retention(world):
    """The processor's last word was awaited."""
    request_id = await done(world, MEMBER, Right.ERASURE)
    assert NEWSLETTERS in {one.recipient_id for one in seen(world, request_id).open_notices}
    for notice in seen(world, request_id).open_notices:
        await note_told(
            world.context,
            request_id,
            recipient_id=notice.recipient_id,
            right=notice.right,
            state="told",
            why="",
            noted_by="op",
        )
    await deliver(world)
    return request_id


async def standing_to_rejected(world):
    """A hold ended as the processor was told, and the rest, taken up, was refused."""
    await done(world, MEMBER, Right.RESTRICTION)
    hold_id, request_id = await _held_erasure(world, until=Stage.INSTRUCT)
    await holding.release(world.context, hold_id, released_by="op")
    await deliver(world)
    await refuse(world, request_id)
    await deliver(world)
    assert seen(world, request_id).state is S.STANDING
    for notice in seen(world, request_id).open_notices:
        await note_told(
            world.context,
            request_id,
            recipient_id=notice.recipient_id,
            right=notice.right,
            state="told",
            why="",
            noted_by="op",
        )
    await deliver(world)
    return request_id
