"""Restrictions, decisions, waiting times: what an erasure waits for beside other requests."""

import json
from datetime import timedelta

import pytest

from shared.domain.errors import NotAllowed
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import downloads, intake
from shared.services.deciding import approve
from shared.services.links import CANCEL, PACKAGE
from shared.services.sweeping import sweep
from tests.unit.services.driving import (
    ENDED,
    ask,
    deliver,
    fulfil,
    opened,
    rest,
    restrict,
    step,
    token,
    traces,
)
from tests.unit.services.ordering_world import SECOND, marks_left, world_of_marks


@pytest.mark.clause("4.5")
async def test_an_erasure_under_a_restriction_waits_for_a_person_to_decide():
    """The person may need the data; an operator is asked, nothing goes meanwhile."""
    world, ane = world_of_marks()
    restrict(world, ane["email"])
    before = traces(world, ane)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    await rest(world)
    request = world.cases.request(request_id)
    assert request.state is RequestState.AWAITING_APPROVAL
    assert request.plan.needs_decision == ("restricted",)
    assert ("approval_needed", request_id, "") in world.operators.alarms
    assert traces(world, ane) == before


@pytest.mark.clause("4.5")
async def test_only_the_plan_that_was_decided_on_runs():
    """A wrong digest is refused, the right one begins, a second decision finds none to take."""
    world, ane = world_of_marks()
    restrict(world, ane["email"])
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    digest = world.cases.request(request_id).plan.digest
    for wrong in ("", "0" * 64, digest.upper()):
        with pytest.raises(NotAllowed) as caught:
            await approve(
                world.context, request_id, plan_digest=wrong, decided_by="officer-1", reason="It is right"
            )
        assert caught.value.code == "plan_changed"
    await approve(world.context, request_id, plan_digest=digest, decided_by="officer-1", reason="It is right")
    await deliver(world)
    assert world.cases.request(request_id).state in ENDED
    assert marks_left(world, ane) == []
    with pytest.raises(NotAllowed) as caught:
        await approve(
            world.context, request_id, plan_digest=digest, decided_by="officer-2", reason="It is right"
        )
    assert caught.value.code == "no_decision_needed"


async def test_a_plan_that_changed_after_the_decision_is_decided_again():
    """New data came in between."""
    world, ane = world_of_marks()
    restrict(world, ane["email"])
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    digest = world.cases.request(request_id).plan.digest
    await approve(world.context, request_id, plan_digest=digest, decided_by="officer-1", reason="It is right")
    world.documents.put("events", "/user_id", {"id": "new", "user_id": ane["user_id"], "what": "x"})
    before = traces(world, ane)
    await deliver(world)
    request = world.cases.request(request_id)
    assert request.state is RequestState.AWAITING_APPROVAL
    assert request.plan.digest != digest
    assert traces(world, ane) == before


async def test_a_restriction_placed_while_the_erasure_runs_stops_it():
    """What is left waits for a decision."""
    placed = []

    async def turn(name):
        if name == "controls.read" and running and not placed:
            placed.append(True)
            restrict(world, ane["email"])

    running: list[bool] = []
    world, ane = world_of_marks(turn=turn)
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await deliver(world, only="request-plan")
    running.append(True)
    before = traces(world, ane)
    await deliver(world)
    assert world.cases.request(request_id).state is RequestState.AWAITING_APPROVAL
    assert traces(world, ane) == before


@pytest.mark.clause("4.5")
async def test_a_restriction_does_not_stand_in_the_way_of_a_copy():
    """And the copy says that there is one."""
    world, ane = world_of_marks()
    restrict(world, ane["email"])
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    assert world.cases.request(request_id).state is RequestState.COMPLETED
    assert json.loads(opened(world, request_id)["about.json"])


async def test_an_erasure_waits_its_grace_period():
    """Not a second less; then it begins by itself."""
    world, ane = world_of_marks(limits=Limits(grace_seconds=3600))
    before = traces(world, ane)
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await step(world)
    asked_at = world.clock.now()
    request = world.cases.request(request_id)
    assert request.state is RequestState.PLANNED
    assert request.start_at == asked_at + timedelta(hours=1)
    ((queue, body, delay),) = world.queue.sent
    assert (queue, delay > 3600) == ("request-plan", True)
    world.clock.advance(seconds=3599)
    world.queue.sent.append((queue, body, 0))
    world.queue.sent.pop(0)
    await step(world)
    assert traces(world, ane) == before
    assert world.cases.request(request_id).start_at == asked_at + timedelta(hours=1)
    await deliver(world)
    assert world.cases.request(request_id).begun_at >= asked_at + timedelta(hours=1)
    assert marks_left(world, ane) == []


async def test_a_plan_that_changes_in_its_grace_period_waits_anew():
    """The person was told of another plan, as it were."""
    world, ane = world_of_marks(limits=Limits(grace_seconds=3600))
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await step(world)
    first = world.cases.request(request_id)
    world.clock.advance(seconds=3601)
    world.documents.put("events", "/user_id", {"id": "new", "user_id": ane["user_id"], "what": "x"})
    await step(world)
    second = world.cases.request(request_id)
    assert second.state is RequestState.PLANNED
    assert second.plan.digest != first.plan.digest
    assert second.start_at > first.start_at
    await deliver(world)
    assert world.cases.request(request_id).outcomes[Right.ERASURE].by_store["events"] == 4


async def test_a_plan_that_never_stops_changing_needs_a_person():
    """After the allowed number of plans."""
    world, ane = world_of_marks(limits=Limits(grace_seconds=60))
    request_id = await ask(world, ane["email"], Right.ERASURE)
    for number in range(20):
        if not world.queue.sent:
            break
        world.documents.put(
            "events", "/user_id", {"id": f"n{number}", "user_id": ane["user_id"], "what": "x"}
        )
        world.clock.advance(seconds=61)
        await step(world)
    request = world.cases.request(request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "plan_keeps_changing")
    assert request.plans_made == world.limits.replans


async def test_a_grace_period_can_be_used_to_cancel():
    """Nothing was erased."""
    world, ane = world_of_marks(limits=Limits(grace_seconds=3600))
    before = traces(world, ane)
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await step(world)
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    await deliver(world)
    assert traces(world, ane) == before


@pytest.mark.parametrize("waits", [RequestState.AWAITING_APPROVAL, RequestState.NEEDS_ATTENTION])
async def test_a_copy_goes_on_its_day_while_the_erasure_behind_it_waits_for_an_operator(waits):
    """Its life was promised, whatever else is open; the operator is reminded, once a day."""
    world, ane = world_of_marks()
    request_id = await ask(world, ane["email"], Right.ACCESS, Right.ERASURE)
    while world.cases.request(request_id).phase == 0:
        await step(world)
    if waits is RequestState.AWAITING_APPROVAL:
        restrict(world, ane["email"])
    else:
        person = {"id": "person-3", "email": SECOND, "user_id": 3, "name": "x"}
        world.documents.put("people", "/id", person)
    await deliver(world)
    assert world.cases.request(request_id).state is waits
    world.clock.moment = world.cases.request(request_id).package.expires_at
    world.clock.advance(seconds=-1)
    assert [await sweep(world.context) for _ in range(2)] == [1, 0]
    assert request_id in world.packages.contents
    alarms = len(world.operators.alarms)
    world.clock.advance(seconds=1)
    assert [await sweep(world.context) for _ in range(3)] == [1, 1, 0]
    assert len(world.operators.alarms) == alarms + 1
    world.clock.advance(seconds=world.limits.alarm_repeat_seconds - 1)
    assert await sweep(world.context) == 0
    world.clock.advance(seconds=1)
    assert await sweep(world.context) == 1
    assert len(world.operators.alarms) > alarms + 1
    assert world.packages.contents == {}
    request = world.cases.request(request_id)
    assert request.state is waits
    assert world.queue.sent == []


async def test_deleting_the_copy_does_not_put_the_erasure_behind_it_to_sleep():
    """A lost message is still sent again by the sweep."""
    world, ane = world_of_marks()
    request_id = await ask(world, ane["email"], Right.ACCESS, Right.ERASURE)
    while world.cases.request(request_id).phase == 0:
        await step(world)
    await downloads.delete_copy(world.context, request_id, token(world, request_id, PACKAGE))
    world.queue.sent.clear()
    await rest(world)
    assert world.cases.request(request_id).state in ENDED
    assert marks_left(world, ane) == []
