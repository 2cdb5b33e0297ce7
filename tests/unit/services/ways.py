"""Each way from one state of a request to another, as services make it; `standing_ways` has the rest."""

from dataclasses import dataclass

from shared.domain.errors import Permanent
from shared.domain.limits import Limits
from shared.domain.messages import (
    LETTER_QUEUE,
    PLAN_QUEUE,
)
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import attention, deciding, intake, lifting, switching, transferring
from shared.services.execution import plan_again
from shared.services.links import CANCEL
from shared.services.poison import put_aside
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    MEMBER,
    done,
    file,
    seen,
    sweep_at,
    wishing,
)
from tests.unit.services.driving import confirm, deliver, step, submit, token

S = RequestState
GRACE = Limits(grace_seconds=60)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A world and the request that has just made the transition."""

    world: object
    request_id: str


async def cancel(world, request_id):
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))


async def refuse(world, request_id):
    await deciding.refuse(
        world.context, request_id, decided_by="op", reason="A reason", provision="GDPR article 12(4)"
    )


async def _approve(world, request_id):
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="op",
        reason="Yes",
    )


async def _stop(world, request_id):
    await attention.stop(world.context, await world.cases.load(request_id), "somebody_must_look")


async def received(world):
    return await submit(world, MEMBER.email, Right.ERASURE)


async def received_to_verified(world):
    request_id = await received(world)
    await confirm(world, request_id)
    return request_id


async def received_to_cancelled(world):
    request_id = await received(world)
    await cancel(world, request_id)
    return request_id


async def received_to_expired(world):
    request_id = await received(world)
    await deliver(world)
    await sweep_at(world, "2026-11-20T10:00")
    await sweep_at(world, "2026-11-20T11:00")
    return request_id


async def received_to_joined(world):
    await received_to_verified(world)
    second = await received(world)
    await confirm(world, second)
    return second


async def received_to_answering(world):
    request_id = await received(world)
    await refuse(world, request_id)
    return request_id


async def verified_to_awaiting(world):
    return await _until_planned(world, MEMBER, Right.OBJECTION)


async def _until_planned(world, who, right, **changes):
    request_id = await file(world, who, right, **changes)
    await deliver(world, only=PLAN_QUEUE)
    return request_id


async def verified_to_planned(world, who=MEMBER):
    request_id = await file(world, who, Right.ERASURE)
    await step(world)
    return request_id


async def verified_to_in_progress(world):
    return await _until_planned(world, MEMBER, Right.ACCESS)


async def verified_to_cancelled(world):
    request_id = await received_to_verified(world)
    await cancel(world, request_id)
    return request_id


async def verified_to_attention(world):
    await switching.throw(world.context, reason="a drill", decided_by="op")
    return await _until_planned(world, MEMBER, Right.ERASURE)


async def awaiting_to_verified(world):
    request_id = await _until_planned(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="unclear"))
    await deciding.reread(
        world.context, request_id, rights=(Right.ACCESS,), decided_by="op", reason="So meant"
    )
    return request_id


async def awaiting_to_planned(world):
    """An erasure waited for a decision because of a restriction, which was lifted while it was taken."""
    restricted = await done(world, BUYER, Right.RESTRICTION)
    request_id = await _until_planned(world, BUYER, Right.ERASURE)
    await lifting.announce_lifting(world.context, restricted, reason="Settled", decided_by="op")
    await deliver(world)
    await _approve(world, request_id)
    world.queue.sent.clear()  # the sweep lifts, and plans what the approval was for
    await sweep_at(world, "2026-11-10T10:00")
    return request_id


async def awaiting_to_in_progress(world):
    request_id = await verified_to_awaiting(world)
    await _approve(world, request_id)
    await deliver(world, only=PLAN_QUEUE)
    return request_id


async def awaiting_to_answering(world):
    request_id = await verified_to_awaiting(world)
    await refuse(world, request_id)
    return request_id


async def awaiting_to_cancelled(world):
    request_id = await verified_to_awaiting(world)
    await cancel(world, request_id)
    return request_id


async def planned_to_awaiting(world):
    """While the person could still cancel, the same person's restriction came."""
    request_id = await verified_to_planned(world, BUYER)
    later, world.queue.sent = world.queue.sent, []
    await done(world, BUYER, Right.RESTRICTION)
    world.queue.sent = later
    await deliver(world, only=PLAN_QUEUE)
    return request_id


async def planned_to_in_progress(world):
    request_id = await verified_to_planned(world)
    await deliver(world, only=PLAN_QUEUE)
    return request_id


async def planned_to_cancelled(world):
    request_id = await verified_to_planned(world)
    await cancel(world, request_id)
    return request_id


async def planned_to_attention(world):
    request_id = await verified_to_planned(world)
    await switching.throw(world.context, reason="a drill", decided_by="op")
    await deliver(world, only=PLAN_QUEUE)
    return request_id


async def in_progress_to_verified(world):
    request_id = await verified_to_in_progress(world)
    await plan_again(world.context, request_id)
    return request_id


async def in_progress_to_answering(world):
    request_id = await file(world, MEMBER, Right.ACCESS)
    await deliver(world, until=LETTER_QUEUE)
    return request_id


async def in_progress_to_cancelled(world):
    request_id = await verified_to_in_progress(world)
    await cancel(world, request_id)
    return request_id


async def in_progress_to_attention(world):
    request_id = await verified_to_in_progress(world)
    await attention.pause(world.context, request_id, decided_by="op")
    return request_id


async def answering_to_received(world):
    request_id = await submit(world, MEMBER.email, Right.ACCESS, Right.WITHDRAWAL)
    await deliver(world)
    return request_id


async def answering_to_verified(world):
    request_id = await file(world, MEMBER, Right.ACCESS, Right.WITHDRAWAL)
    for _ in range(60):
        if seen(world, request_id).outcomes and seen(world, request_id).state is S.VERIFIED:
            return request_id
        await step(world)
    raise AssertionError("it never goes on")


async def answering_to_completed(world):
    return await done(world, AUTHOR, Right.ACCESS)


async def answering_to_retention(world):
    return await done(world, BUYER, Right.ERASURE)


async def answering_to_rejected(world):
    request_id = await verified_to_awaiting(world)
    await refuse(world, request_id)
    await deliver(world)
    return request_id


async def answering_to_standing(world):
    return await done(world, MEMBER, Right.RESTRICTION)


async def answering_to_attention(world):
    request_id = await in_progress_to_answering(world)
    (letter,) = [body for queue, body, _ in world.queue.sent if queue == LETTER_QUEUE]
    await put_aside(world.context, LETTER_QUEUE, letter)
    return request_id


async def attention_to_verified(world):
    request_id = await in_progress_to_attention(world)
    await attention.retry(world.context, request_id, decided_by="op")
    return request_id


async def attention_to_in_progress(world):
    """A transfer that was refused goes on with the link instead."""
    world.transfers.error = Permanent("transfer_refused")
    request_id = await done(
        world, MEMBER, Right.PORTABILITY, wishes=wishing(transfer_url="https://other.example/in")
    )
    await transferring.change_transfer(world.context, request_id, transfer_url=None, decided_by="op")
    return request_id


async def attention_to_answering(world):
    request_id = await in_progress_to_attention(world)
    await refuse(world, request_id)
    return request_id


async def attention_to_cancelled(world):
    request_id = await in_progress_to_attention(world)
    await cancel(world, request_id)
    return request_id
