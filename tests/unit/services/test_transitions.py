"""Every transition a request can make is made by a service, and no service makes another."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest

from shared.domain.errors import Conflict, NotAllowed, Permanent
from shared.domain.identifiers import EMAIL
from shared.domain.limits import Limits
from shared.domain.messages import (
    FINISH_QUEUE,
    LETTER_QUEUE,
    PLAN_QUEUE,
    FinishStage,
    PlanRequest,
    RunTasks,
    SendLetter,
)
from shared.domain.request_states import FINAL, TRANSITIONS, RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage
from shared.services import asking, attention, deciding, holding, intake, lifting, switching, transferring
from shared.services.execution import plan_again
from shared.services.links import CANCEL
from shared.services.poison import put_aside
from shared.services.telling import note_told
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    MEMBER,
    NEWSLETTERS,
    done,
    file,
    populated,
    seen,
    sweep_at,
    wishing,
)
from tests.unit.services.driving import confirm, deliver, step, submit, token

S = RequestState


@dataclass(frozen=True, kw_only=True)
class Made:
    """A world and the request that has just made the transition."""

    world: object
    request_id: str


async def _cancel(world, request_id):
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))


async def _refuse(world, request_id):
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
    await _cancel(world, request_id)
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
    await _refuse(world, request_id)
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
    await _cancel(world, request_id)
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
    await _refuse(world, request_id)
    return request_id


async def awaiting_to_cancelled(world):
    request_id = await verified_to_awaiting(world)
    await _cancel(world, request_id)
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
    await _cancel(world, request_id)
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
    await _cancel(world, request_id)
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
    await _refuse(world, request_id)
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
    await _refuse(world, request_id)
    return request_id


async def attention_to_cancelled(world):
    request_id = await in_progress_to_attention(world)
    await _cancel(world, request_id)
    return request_id


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
    await _cancel(world, request_id)
    return request_id


async def verified_to_standing(world):
    request_id = await _restricted_and(world, Right.ACCESS, S.VERIFIED)
    await _cancel(world, request_id)
    return request_id


async def awaiting_to_standing(world):
    request_id = await _restricted_and_open(world)
    await _cancel(world, request_id)
    return request_id


async def planned_to_standing(world):
    """A withdrawal that a hold put off, beside an erasure that has not begun."""
    await _place_hold(world)
    request_id = await file(world, MEMBER, Right.WITHDRAWAL, Right.ERASURE)
    await deliver(world, until=LETTER_QUEUE)
    while not seen(world, request_id).outcomes or seen(world, request_id).state is not S.PLANNED:
        world.clock.advance(seconds=GRACE.grace_seconds)
        await step(world)
    await _cancel(world, request_id)
    return request_id


async def in_progress_to_standing(world):
    request_id = await _restricted_and(world, Right.ACCESS, S.IN_PROGRESS)
    await _cancel(world, request_id)
    return request_id


async def attention_to_standing(world):
    request_id = await _restricted_and(world, Right.ACCESS, S.VERIFIED)
    await attention.pause(world.context, request_id, decided_by="op")
    await _cancel(world, request_id)
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
    await _refuse(world, request_id)
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


GRACE = Limits(grace_seconds=60)
WAYS: dict[tuple[RequestState, RequestState], Callable[[object], Awaitable[str]]] = {
    (S.RECEIVED, S.VERIFIED): received_to_verified,
    (S.RECEIVED, S.CANCELLED): received_to_cancelled,
    (S.RECEIVED, S.EXPIRED): received_to_expired,
    (S.RECEIVED, S.JOINED): received_to_joined,
    (S.RECEIVED, S.ANSWERING): received_to_answering,
    (S.VERIFIED, S.AWAITING_APPROVAL): verified_to_awaiting,
    (S.VERIFIED, S.PLANNED): verified_to_planned,
    (S.VERIFIED, S.IN_PROGRESS): verified_to_in_progress,
    (S.VERIFIED, S.CANCELLED): verified_to_cancelled,
    (S.VERIFIED, S.NEEDS_ATTENTION): verified_to_attention,
    (S.AWAITING_APPROVAL, S.VERIFIED): awaiting_to_verified,
    (S.AWAITING_APPROVAL, S.PLANNED): awaiting_to_planned,
    (S.AWAITING_APPROVAL, S.IN_PROGRESS): awaiting_to_in_progress,
    (S.AWAITING_APPROVAL, S.ANSWERING): awaiting_to_answering,
    (S.AWAITING_APPROVAL, S.CANCELLED): awaiting_to_cancelled,
    (S.PLANNED, S.AWAITING_APPROVAL): planned_to_awaiting,
    (S.PLANNED, S.IN_PROGRESS): planned_to_in_progress,
    (S.PLANNED, S.CANCELLED): planned_to_cancelled,
    (S.PLANNED, S.NEEDS_ATTENTION): planned_to_attention,
    (S.IN_PROGRESS, S.VERIFIED): in_progress_to_verified,
    (S.IN_PROGRESS, S.ANSWERING): in_progress_to_answering,
    (S.IN_PROGRESS, S.CANCELLED): in_progress_to_cancelled,
    (S.IN_PROGRESS, S.NEEDS_ATTENTION): in_progress_to_attention,
    (S.ANSWERING, S.RECEIVED): answering_to_received,
    (S.ANSWERING, S.VERIFIED): answering_to_verified,
    (S.ANSWERING, S.COMPLETED): answering_to_completed,
    (S.ANSWERING, S.COMPLETED_WITH_RETENTION): answering_to_retention,
    (S.ANSWERING, S.REJECTED): answering_to_rejected,
    (S.ANSWERING, S.STANDING): answering_to_standing,
    (S.ANSWERING, S.NEEDS_ATTENTION): answering_to_attention,
    (S.NEEDS_ATTENTION, S.VERIFIED): attention_to_verified,
    (S.NEEDS_ATTENTION, S.IN_PROGRESS): attention_to_in_progress,
    (S.NEEDS_ATTENTION, S.ANSWERING): attention_to_answering,
    (S.NEEDS_ATTENTION, S.CANCELLED): attention_to_cancelled,
    (S.RECEIVED, S.STANDING): received_to_standing,
    (S.VERIFIED, S.STANDING): verified_to_standing,
    (S.AWAITING_APPROVAL, S.STANDING): awaiting_to_standing,
    (S.PLANNED, S.STANDING): planned_to_standing,
    (S.IN_PROGRESS, S.STANDING): in_progress_to_standing,
    (S.NEEDS_ATTENTION, S.STANDING): attention_to_standing,
    (S.STANDING, S.VERIFIED): standing_to_verified,
    (S.STANDING, S.COMPLETED): standing_to_completed,
    (S.STANDING, S.COMPLETED_WITH_RETENTION): standing_to_retention,
    (S.STANDING, S.REJECTED): standing_to_rejected,
}
NEEDS_A_DELAY = {one for one in WAYS if S.PLANNED in one}


def _watched(**changes):
    """Return a world and the states every request of it was saved in, in order."""
    states: dict[str, list[RequestState]] = {}

    async def turn(name):
        if name == "cases.commit!":
            for request_id in world.cases.partitions:
                now = world.cases.request(request_id).state
                if states.setdefault(request_id, []) == [] or states[request_id][-1] is not now:
                    states[request_id].append(now)

    world = populated(turn=turn, **changes)
    return world, states


@pytest.mark.clause("7.2")
@pytest.mark.parametrize(
    ("before", "after"), [(a, b) for a, following in TRANSITIONS.items() for b in sorted(following)]
)
async def test_a_service_makes_this_transition(before, after):
    """A transition without a service would be a rule about nothing."""
    changes = {"limits": GRACE} if (before, after) in NEEDS_A_DELAY else {}
    connected = {"connected": ()} if (before, after) == (S.ANSWERING, S.COMPLETED_WITH_RETENTION) else {}
    world, states = _watched(**changes, **connected)
    request_id = await WAYS[before, after](world)
    assert (before, after) in list(pairwise(states[request_id])), states[request_id]


def test_final_states_are_those_that_nothing_leaves():
    """Closed is closed: whoever asks again files a new request."""
    assert {state for state in RequestState if not TRANSITIONS[state]} == FINAL
    assert set(TRANSITIONS) == set(RequestState)
    reached = {after for _, after in WAYS}
    assert reached == set(RequestState)


LATE = {
    "approve": lambda c, i: deciding.approve(c, i, plan_digest="x", decided_by="op", reason="It is right"),
    "refuse": lambda c, i: deciding.refuse(c, i, decided_by="op", reason="r", provision="p"),
    "reread": lambda c, i: deciding.reread(c, i, rights=(Right.ACCESS,), decided_by="op", reason="r"),
    "retry": lambda c, i: attention.retry(c, i, decided_by="op"),
    "pause": lambda c, i: attention.pause(c, i, decided_by="op"),
    "ask": lambda c, i: asking.ask(c, i, kind="clarification", text="What?", asked_by="op"),
    "answered": lambda c, i: asking.answered(c, i, text="That", noted_by="op"),
    "extend": lambda c, i: asking.extend(c, i, months=1, reason="r", decided_by="op"),
    "lift": lambda c, i: lifting.announce_lifting(c, i, reason="r", decided_by="op"),
    "identify": lambda c, i: intake.identify(c, i, method="document_seen", decided_by="op"),
    "transfer": lambda c, i: transferring.change_transfer(c, i, transfer_url=None, decided_by="op"),
}


@pytest.mark.parametrize("way", [answering_to_completed, received_to_cancelled, answering_to_rejected])
@pytest.mark.parametrize("act", sorted(LATE))
async def test_nothing_is_done_about_a_closed_case(way, act):
    """Not allowed, by a stable code, and nothing is written or sent."""
    world = populated()
    request_id = await way(world)
    await deliver(world)
    before = dict(world.cases.partitions[request_id])
    if (act, way) == ("refuse", answering_to_rejected):  # the same again is no other decision
        await LATE[act](world.context, request_id)
    else:
        with pytest.raises(NotAllowed):
            await LATE[act](world.context, request_id)
    assert world.cases.partitions[request_id] == before
    assert world.queue.sent == []


async def test_a_transition_that_is_none_is_refused():
    """A closed request is not opened by a service that read it before."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.ACCESS)
    with pytest.raises(Conflict, match="transition_forbidden"):
        seen(world, request_id).moved_to(S.IN_PROGRESS)


@pytest.mark.parametrize("what", ["plan", "finish", "tasks", "letter"])
async def test_a_late_message_changes_nothing_of_a_closed_case(what):
    """Queues deliver again long after the end."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.ACCESS)
    before = dict(world.cases.partitions[request_id])
    await world.queue.send(
        [
            {
                "plan": PlanRequest(request_id=request_id),
                "finish": FinishStage(request_id=request_id),
                "tasks": RunTasks(request_id=request_id, lane=0),
                "letter": SendLetter(request_id=request_id, letter_id="letter-package_ready-0"),
            }[what]
        ]
    )
    await deliver(world)
    assert world.cases.partitions[request_id] == before
    assert set(world.notifier.times_sent.values()) == {1}


@pytest.mark.parametrize("queue", [PLAN_QUEUE, FINISH_QUEUE])
async def test_a_poisoned_message_of_a_closed_case_opens_nothing(queue):
    """The case stays closed."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.ACCESS)
    message = (
        PlanRequest(request_id=request_id) if queue == PLAN_QUEUE else FinishStage(request_id=request_id)
    )
    await put_aside(world.context, queue, message.model_dump_json().encode())
    assert seen(world, request_id).state is S.COMPLETED
