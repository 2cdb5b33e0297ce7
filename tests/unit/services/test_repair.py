"""What failed: messages that poison, workers that die, and the sweep that takes up what they left."""

import base64
from contextlib import suppress

import pytest

from shared.domain.errors import ComplianceError, Permanent, Retryable
from shared.domain.limits import Limits
from shared.domain.messages import (
    CALLBACK_QUEUE,
    FINISH_QUEUE,
    LETTER_QUEUE,
    PLAN_QUEUE,
    QUEUES,
    REQUEST_QUEUES,
    TASK_QUEUE,
    FinishStage,
    PlanRequest,
    RunTasks,
    SendCallback,
    SendLetter,
)
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services.attention import retry
from shared.services.poison import put_aside
from shared.services.sweeping import sweep
from tests.factories import World
from tests.unit.services.driving import (
    ENDED,
    ERASED_RECORDS,
    ask,
    deliver,
    fulfil,
    handle,
    hold,
    letters,
    marked,
    rest,
    stored,
    submit,
    traces,
)

SMALL = Limits(page_documents=2, page_keys=2, read_bytes=120, message_documents=3, lanes=2, blobs_per_page=1)
BODY = {
    PLAN_QUEUE: lambda request_id: PlanRequest(request_id=request_id),
    TASK_QUEUE: lambda request_id: RunTasks(request_id=request_id, lane=0),
    FINISH_QUEUE: lambda request_id: FinishStage(request_id=request_id),
    LETTER_QUEUE: lambda request_id: SendLetter(request_id=request_id, letter_id="letter-erased-0"),
    CALLBACK_QUEUE: lambda request_id: SendCallback(request_id=request_id),
}


def _body(queue: str, request_id: str) -> bytes:
    return BODY[queue](request_id).model_dump_json().encode()


async def _ask(world: World) -> tuple[str, dict[str, str]]:
    ane = world.add_person("ane")
    return await ask(world, ane["email"], Right.ERASURE), ane


# poison


@pytest.mark.parametrize(
    ("queue", "before", "attention"),
    [
        (PLAN_QUEUE, PLAN_QUEUE, "plan_poisoned"),
        (TASK_QUEUE, TASK_QUEUE, "task_poisoned"),
        (FINISH_QUEUE, FINISH_QUEUE, "finish_poisoned"),
        (LETTER_QUEUE, LETTER_QUEUE, "letter_poisoned"),
    ],
)
async def test_a_poisoned_message_stops_its_request_and_tells_an_operator(queue, before, attention):
    """Nothing is lost: taken up again, the request ends."""
    world = World()
    request_id, ane = await _ask(world)
    await deliver(world, until=before)
    world.queue.sent.clear()
    await put_aside(world.context, queue, _body(queue, request_id))
    request = world.cases.request(request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, attention)
    assert (attention, request_id, "") in world.operators.alarms
    await retry(world.context, request_id, decided_by="operator-1")
    await deliver(world)
    assert world.cases.request(request_id).state in ENDED
    assert world.cases.request(request_id).outcomes[Right.ERASURE].records == ERASED_RECORDS
    assert not [one for one in traces(world, ane) if not one.startswith("invoices")]


@pytest.mark.parametrize("queue", REQUEST_QUEUES)
async def test_a_poisoned_message_of_a_request_that_went_on_changes_nothing(queue):
    """It came late: the case is closed."""
    world = World()
    request_id, _ = await _ask(world)
    await deliver(world)
    before = stored(world, request_id)
    await put_aside(world.context, queue, _body(queue, request_id))
    assert stored(world, request_id) == before


async def test_a_verification_mail_that_cannot_be_sent_is_told_and_tried_again():
    """The request waits as it did; the sweep sends again when mail works."""
    world = World()
    request_id = await submit(world, "ane@people.example", Right.ACCESS)
    world.queue.sent.clear()
    message = SendLetter(request_id=request_id, letter_id="letter-verify-0").model_dump_json().encode()
    await put_aside(world.context, LETTER_QUEUE, message)
    assert world.cases.request(request_id).state is RequestState.RECEIVED
    assert ("letter_poisoned", request_id, "") in world.operators.alarms
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert set(letters(world, request_id)) == {"letter-verify-0"}


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'{"x": 1}', b'{"v": 9, "request_id": "x"}'])
async def test_a_message_that_cannot_be_read_is_kept_whole_for_an_operator(queue, body):
    """Twice is once."""
    world = World()
    for _ in range(2):
        await put_aside(world.context, queue, body)
    (name,) = world.quarantine.records
    assert name.startswith(f"{queue}/")
    kept = world.quarantine.records[name]
    assert base64.b64decode(kept["body_base64"]) == body
    assert kept["code"] == "message_unreadable"
    assert ("message_unreadable", None, queue) in world.operators.alarms


@pytest.mark.parametrize("queue", REQUEST_QUEUES)
async def test_a_message_for_an_unknown_request_is_kept_for_an_operator(queue):
    """It may be from another environment."""
    world = World()
    await put_aside(world.context, queue, _body(queue, "0" * 32))
    assert [kept["code"] for kept in world.quarantine.records.values()] == ["request_unknown"]


async def test_a_failure_to_put_a_message_aside_is_an_error():
    """So that the queue delivers it again."""

    async def turn(name):
        if name == "cases.load" and failing:
            raise Retryable("service_busy", name)

    failing: list[bool] = []
    world = World(turn=turn)
    request_id, _ = await _ask(world)
    failing.append(True)
    with pytest.raises(Retryable):
        await put_aside(world.context, PLAN_QUEUE, _body(PLAN_QUEUE, request_id))


# the sweep


async def test_a_sweep_with_nothing_due_does_nothing():
    """Neither for closed requests nor for ones at work."""
    world = World()
    request_id, _ = await _ask(world)
    assert await sweep(world.context) == 0
    await deliver(world)
    world.clock.advance(days=400)
    before = stored(world, request_id)
    assert await sweep(world.context) == 0
    assert stored(world, request_id) == before


@pytest.mark.parametrize("queue", [PLAN_QUEUE, TASK_QUEUE, FINISH_QUEUE, LETTER_QUEUE])
@pytest.mark.parametrize(("early", "sent"), [(1, 0), (0, 1)])
async def test_a_lost_message_is_sent_again_once_its_time_has_come(queue, early, sent):
    """Not a second early."""
    world = World()
    request_id, _ = await _ask(world)
    await deliver(world, until=queue)
    world.queue.sent.clear()
    world.clock.moment = world.cases.request(request_id).wake_at
    world.clock.advance(seconds=-early)
    await sweep(world.context)
    assert [one[0] for one in world.queue.sent] == [queue] * sent


async def test_one_request_that_cannot_be_taken_up_does_not_hold_up_the_others():
    """An operator is told of it."""
    world = World()
    first, _ = await _ask(world)
    second = await ask(world, "bo@people.example", Right.ACCESS)
    world.queue.sent.clear()
    load = world.cases.load

    async def broken(request_id):
        if request_id == first:
            raise Permanent("document_unreadable", "cases.load")
        return await load(request_id)

    world.cases.load = broken
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    assert [body for queue, body, _ in world.queue.sent] == [_body(PLAN_QUEUE, second)]
    assert ("sweep_failed", first, "document_unreadable") in world.operators.alarms


async def test_a_sweep_takes_up_no_more_than_its_share():
    """The rest comes a minute later."""
    world = World(limits=Limits(sweep_requests=2))
    for number in range(5):
        await submit(world, f"p{number}@people.example", Right.ACCESS)
    world.clock.advance(seconds=world.limits.wake_seconds)
    assert [await sweep(world.context) for _ in range(4)] == [2, 2, 1, 0]


# a failure at each call


class _Dies:
    """Lets the n-th port call fail, and everything after it in the same message with it."""

    def __init__(self, number: int):
        self.left = number
        self.armed = False
        self.place = ""

    async def __call__(self, name: str) -> None:
        if not self.armed:
            return
        self.left -= 1
        if self.left == 0:
            self.place = name
            raise Retryable("service_busy", name)


async def _deliver_once(world: World) -> None:
    """Deliver everything; a message that fails is lost, as with a worker that dies."""
    while world.queue.sent:
        await _deliver_first(world)


async def _deliver_first(world: World) -> None:
    queue, body, delay = world.queue.sent.pop(0)
    world.clock.advance(seconds=delay)
    with suppress(ComplianceError):
        await handle(world, queue, body)


@pytest.mark.parametrize(
    ("rights", "limits"),
    [
        ((Right.ACCESS,), Limits()),
        ((Right.ERASURE,), Limits()),
        ((Right.ERASURE,), SMALL),
        ((Right.ACCESS, Right.ERASURE), Limits()),
    ],
    ids=["access", "erasure", "erasure in pieces", "both"],
)
async def test_the_sweep_repairs_a_failure_at_every_single_call(rights, limits):
    """Before and after every effect: the same end, the same counts, one answer for each right."""
    number, places = 0, set()
    while True:
        number += 1
        dies = _Dies(number)
        world = World(turn=dies, limits=limits)
        ane, bo = world.add_person("ane"), world.add_person("bo")
        bystander = traces(world, bo)
        request_id = await ask(world, ane["email"], *rights)
        dies.armed = True
        await _deliver_once(world)
        dies.armed = False
        if not dies.place:
            break
        places.add(dies.place)
        await rest(world)
        where = f"call {number}, {dies.place}"
        request = world.cases.request(request_id)
        assert request.state in ENDED, where
        assert traces(world, bo) == bystander, where
        assert set(request.outcomes) == set(rights), where
        assert {outcome.records for outcome in request.outcomes.values()} == {ERASED_RECORDS}, where
        assert len(letters(world, request_id)) == 1 + len(rights), where
        assert not marked(stored(world, request_id), list(ane.values())), where
        if Right.ERASURE in rights:
            kept = [one for one in request.outcomes[Right.ERASURE].kept if one.store_id == "invoices"]
            assert [one.records for one in kept] == [1], where
            assert [one for one in traces(world, ane) if not one.startswith("invoices")] == [], where
            (proof,) = world.evidence.records.values()
            assert sum(proof["erased_by_store"].values()) == ERASED_RECORDS, where
    assert number > 20
    assert {"cases.commit", "cases.commit!", "queue.send", "controls.write!"} <= places


@pytest.mark.parametrize("limits", [Limits(), SMALL], ids=["one message", "many messages"])
async def test_what_a_worker_erased_before_it_died_is_counted_though_a_hold_ends_the_erasure(limits):
    """At every single call: the proof and what is left are all there was, and nothing more goes."""
    number, ends = 0, set()
    while True:
        number += 1
        dies = _Dies(number)
        world = World(turn=dies, limits=limits)
        ane = world.add_person("ane")
        request_id = await ask(world, ane["email"], Right.ERASURE)
        dies.armed = True
        while not dies.place and world.queue.sent:
            await _deliver_first(world)
        dies.armed = False
        if not dies.place:
            break
        hold(world, ane["email"])
        there = traces(world, ane)
        await _deliver_once(world)  # what the others find out
        while world.cases.request(request_id).state not in (*ENDED, RequestState.STANDING):
            world.clock.advance(seconds=world.limits.wake_seconds)
            await sweep(world.context)
            await deliver(world)
        assert traces(world, ane) == there, f"call {number}, {dies.place}"
        left = [
            one
            for one in there
            if not one.startswith("files by") and (not one.startswith("invoices") or ane["phone"] in one)
        ]  # a file counts once; an invoice that was cut down is done
        outcome = world.cases.request(request_id).outcomes[Right.ERASURE]
        assert outcome.records + len(left) == ERASED_RECORDS, f"call {number}, {dies.place}"
        ends.add(outcome.records)
    assert {0, ERASED_RECORDS} < ends, "died before, amidst and after"


async def test_a_request_swept_while_it_is_at_work_is_not_done_twice():
    """Every message twice, and sweeps in between."""
    world = World(limits=SMALL)
    request_id, _ = await _ask(world)
    for _ in range(400):
        if not world.queue.sent:
            break
        queue, body, _ = world.queue.sent.pop(0)
        for _ in range(2):
            try:
                await handle(world, queue, body)
            except ComplianceError:
                continue
        world.clock.advance(seconds=world.limits.wake_seconds)
        await sweep(world.context)
    await rest(world)
    request = world.cases.request(request_id)
    assert request.outcomes[Right.ERASURE].records == ERASED_RECORDS
    assert world.cases.what_happened(request_id).count("erased") == 1


async def test_a_request_is_not_taken_up_again_unless_it_stopped():
    """Nothing to retry in a closed one."""
    world = World()
    ane = world.add_person("ane")
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    with pytest.raises(ComplianceError) as caught:
        await retry(world.context, request_id, decided_by="operator-1")
    assert caught.value.code == "not_stopped"
