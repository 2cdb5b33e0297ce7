"""Every transition a request can make is made by a service, and no service makes another."""

from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from shared.domain.errors import Conflict, NotAllowed
from shared.domain.messages import (
    FINISH_QUEUE,
    PLAN_QUEUE,
    FinishStage,
    PlanRequest,
    RunTasks,
    SendLetter,
)
from shared.domain.request_states import FINAL, TRANSITIONS, RequestState
from shared.domain.rights import Right
from shared.services import asking, attention, deciding, intake, lifting, transferring
from shared.services.poison import put_aside
from tests.unit.services.cases_world import (
    AUTHOR,
    done,
    populated,
    seen,
)
from tests.unit.services.driving import deliver
from tests.unit.services.standing_ways import (
    attention_to_standing,
    awaiting_to_standing,
    in_progress_to_standing,
    planned_to_standing,
    received_to_standing,
    standing_to_completed,
    standing_to_rejected,
    standing_to_retention,
    standing_to_verified,
    verified_to_standing,
)
from tests.unit.services.ways import (
    GRACE,
    S,
    answering_to_attention,
    answering_to_completed,
    answering_to_received,
    answering_to_rejected,
    answering_to_retention,
    answering_to_standing,
    answering_to_verified,
    attention_to_answering,
    attention_to_cancelled,
    attention_to_in_progress,
    attention_to_verified,
    awaiting_to_answering,
    awaiting_to_cancelled,
    awaiting_to_in_progress,
    awaiting_to_planned,
    awaiting_to_verified,
    in_progress_to_answering,
    in_progress_to_attention,
    in_progress_to_cancelled,
    in_progress_to_verified,
    planned_to_attention,
    planned_to_awaiting,
    planned_to_cancelled,
    planned_to_in_progress,
    received_to_answering,
    received_to_cancelled,
    received_to_expired,
    received_to_joined,
    received_to_verified,
    verified_to_attention,
    verified_to_awaiting,
    verified_to_cancelled,
    verified_to_in_progress,
    verified_to_planned,
)

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
