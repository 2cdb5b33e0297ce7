"""Messages that failed for good are taken up again: those whose case stopped, and those kept aside."""

import base64

import pytest

from shared.domain.errors import Conflict, NotFound
from shared.domain.messages import (
    FINISH_QUEUE,
    LETTER_QUEUE,
    PLAN_QUEUE,
    REQUEST_QUEUES,
    TASK_QUEUE,
    PlanRequest,
)
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services.poison import put_aside
from shared.services.redriving import Redriven, redrive
from tests.factories import World
from tests.unit.services.driving import ENDED, ask, deliver
from tests.unit.services.test_repair import BODY


def _body(queue: str, request_id: str) -> bytes:
    return BODY[queue](request_id).model_dump_json().encode()


async def _stopped(world: World, name: str, queue: str) -> str:
    """Return a case that a failed message of this queue stopped."""
    request_id = await ask(world, world.add_person(name)["email"], Right.ERASURE)
    if queue != PLAN_QUEUE:
        await deliver(world, until=TASK_QUEUE)
    world.queue.sent.clear()
    await put_aside(world.context, queue, _body(queue, request_id))
    assert world.cases.request(request_id).state is RequestState.NEEDS_ATTENTION
    return request_id


@pytest.mark.parametrize("queue", [PLAN_QUEUE, TASK_QUEUE, FINISH_QUEUE])
async def test_every_case_a_queue_stopped_goes_on(queue):
    """To its end, and those that another one stopped stay."""
    world = World()
    ids = [await _stopped(world, name, queue) for name in ("ane", "bo", "cai")]
    other = PLAN_QUEUE if queue != PLAN_QUEUE else TASK_QUEUE
    left = await _stopped(world, "dan", other)
    assert await redrive(world.context, queue, decided_by="s-1") == Redriven(cases=3, messages=0, left=0)
    await deliver(world)
    assert all(world.cases.request(one).state in ENDED for one in ids)
    assert world.cases.request(left).state is RequestState.NEEDS_ATTENTION
    assert await redrive(world.context, queue, decided_by="s-1") == Redriven(cases=0, messages=0, left=0)


async def _kept(world: World, request_id: str) -> None:
    """Keep a message aside that can be read: as after a restore, its case is known again."""
    body = PlanRequest(request_id=request_id).model_dump_json().encode()
    await world.quarantine.record(
        f"{PLAN_QUEUE}/{request_id}.json",
        {"queue": PLAN_QUEUE, "code": "request_unknown", "body_base64": base64.b64encode(body).decode()},
    )


async def test_a_kept_message_whose_case_is_known_is_sent_again():
    """It is removed, and the case knows who did it."""
    world = World()
    request_id = await ask(world, world.add_person("ane")["email"], Right.ERASURE)
    world.queue.sent.clear()
    await _kept(world, request_id)
    assert await redrive(world.context, PLAN_QUEUE, decided_by="s-1") == Redriven(cases=0, messages=1, left=0)
    assert world.quarantine.records == {}
    (event,) = [one for one in await world.cases.events(request_id) if one.what == "redriven"]
    assert event.details == {"queue": PLAN_QUEUE, "decided_by": "s-1"}
    await deliver(world)
    assert world.cases.request(request_id).state in ENDED


@pytest.mark.parametrize("queue", REQUEST_QUEUES)
async def test_what_is_still_of_no_use_stays(queue):
    """In every page of the list, whatever is wrong with it."""
    world = World()
    bodies = [
        b"",
        b"\xff\xfe",
        b'{"v": 9, "request_id": "x"}',
        _body(queue, "0" * 32),
        _body(queue, "1" * 32),
    ]
    for body in bodies:
        await put_aside(world.context, queue, body)
    await world.quarantine.record(f"{queue}/odd.json", {"body_base64": "no base64!"})
    await world.quarantine.record(f"{queue}/bare.json", {})
    before = dict(world.quarantine.records)
    assert await redrive(world.context, queue, decided_by="s-1") == Redriven(cases=0, messages=0, left=7)
    assert world.quarantine.records == before
    assert world.queue.sent == []


async def test_messages_of_another_queue_stay_where_they_are():
    """Each is taken up by its own name."""
    world = World()
    request_id = await ask(world, world.add_person("ane")["email"], Right.ERASURE)
    await _kept(world, request_id)
    assert await redrive(world.context, LETTER_QUEUE, decided_by="s-1") == Redriven(
        cases=0, messages=0, left=0
    )
    assert len(world.quarantine.records) == 1


@pytest.mark.parametrize("place", ["queue.send", "quarantine.remove"])
async def test_one_that_died_in_between_is_taken_up_by_the_next(place):
    """Nothing is lost: sent twice at worst, which the handlers bear."""
    fails = [True]

    async def turn(name):
        if name == place and fails[0]:
            raise Conflict("died")

    world = World(turn=turn)
    fails[0] = False
    request_id = await ask(world, world.add_person("ane")["email"], Right.ERASURE)
    await _kept(world, request_id)
    world.queue.sent.clear()
    fails[0] = True
    with pytest.raises(Conflict):
        await redrive(world.context, PLAN_QUEUE, decided_by="s-1")
    assert len(world.quarantine.records) == 1
    fails[0] = False
    assert (await redrive(world.context, PLAN_QUEUE, decided_by="s-1")).messages == 1
    await deliver(world)
    assert world.cases.request(request_id).state in ENDED


@pytest.mark.parametrize("queue", ["", "request", "request-plan-poison", "../request-plan"])
async def test_an_unknown_queue_is_told(queue):
    """Before anything is looked at."""
    with pytest.raises(NotFound, match="queue_unknown"):
        await redrive(World().context, queue, decided_by="s-1")
