"""The doors for messages and for the clock."""

import azure.functions as func
import pytest

from functions import (
    queue_poison,
    queue_requests,
    queue_retention,
    timer_retention,
    timer_sweep,
    timer_warnings,
)
from shared.domain.errors import CannotTell, ComplianceError, Permanent
from shared.domain.limits import Limits
from shared.domain.messages import (
    CALLBACK_QUEUE,
    FINISH_QUEUE,
    LETTER_QUEUE,
    PLAN_QUEUE,
    RETENTION_QUEUE,
    TASK_QUEUE,
    PlanRequest,
)
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from tests.triggers.conftest import wire
from tests.unit.services.driving import ENDED, ask, submit, traces
from tests.unit.services.systems import member, world_on

WORK = {
    PLAN_QUEUE: queue_requests.request_plan,
    TASK_QUEUE: queue_requests.request_task,
    FINISH_QUEUE: queue_requests.request_finish,
    LETTER_QUEUE: queue_requests.request_letter,
    CALLBACK_QUEUE: queue_requests.request_callback,
}
POISON = {
    PLAN_QUEUE: queue_poison.poison_plan,
    TASK_QUEUE: queue_poison.poison_task,
    FINISH_QUEUE: queue_poison.poison_finish,
    LETTER_QUEUE: queue_poison.poison_letter,
    CALLBACK_QUEUE: queue_poison.poison_callback,
}


def _message(body: bytes) -> func.QueueMessage:
    return func.QueueMessage(id="m-1", body=body)


class _Timer(func.TimerRequest):
    def __init__(self, *, past_due: bool = False):
        self._past_due = past_due

    @property
    def past_due(self) -> bool:
        return self._past_due


@pytest.mark.clause("4.4")
async def test_the_doors_alone_take_an_erasure_to_its_end(world):
    """Every message through its own function."""
    request_id = await ask(world, "ane@people.example", Right.ERASURE)
    while world.queue.sent:
        queue, body, _ = world.queue.sent.pop(0)
        await WORK[queue](_message(body))
    assert world.cases.request(request_id).state in ENDED
    assert traces(world, {"user": "user-ane"}) == []


@pytest.mark.parametrize("queue", list(WORK))
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"v": 2, "request_id": "%s"}' % (b"0" * 32), b'{"request_id": "ane@people.example"}'],
)
async def test_a_message_that_cannot_be_read_is_an_error(world, queue, body):
    """So that the host delivers it again and at last poisons it; its text is in no error."""
    with pytest.raises(Permanent) as caught:
        await WORK[queue](_message(body))
    assert caught.value.code == "message_unreadable"
    assert "ane@" not in str(caught.value)


@pytest.mark.parametrize("queue", list(POISON))
@pytest.mark.parametrize("body", [b"", b"not json"])
async def test_a_poisoned_message_that_cannot_be_read_is_quarantined(world, queue, body):
    """Under the name of its queue."""
    await POISON[queue](_message(body))
    assert [name.partition("/")[0] for name in world.quarantine.records] == [queue]


async def test_a_poisoned_plan_stops_its_request(world):
    """The door of each queue calls for its own kind."""
    request_id = await ask(world, "ane@people.example", Right.ERASURE)
    await queue_poison.poison_plan(_message(PlanRequest(request_id=request_id).model_dump_json().encode()))
    assert world.cases.request(request_id).state is RequestState.NEEDS_ATTENTION


async def test_a_message_for_an_unknown_request_is_an_error(world):
    """It may have come before its state was readable; at last it is poisoned and quarantined."""
    with pytest.raises(ComplianceError) as caught:
        await queue_requests.request_plan(
            _message(PlanRequest(request_id="0" * 32).model_dump_json().encode())
        )
    assert caught.value.code == "request_unknown"


@pytest.mark.parametrize("past_due", [False, True])
async def test_the_clock_sends_again_what_is_due(world, past_due):
    """Late or in time."""
    await submit(world, "ane@people.example", Right.ACCESS)
    world.queue.sent.clear()
    world.clock.advance(seconds=world.limits.wake_seconds)
    await timer_sweep.sweep_requests(_Timer(past_due=past_due))
    assert [queue for queue, _, _ in world.queue.sent] == [LETTER_QUEUE]


async def test_the_clock_tells_members_whose_membership_is_about_to_end(monkeypatch):
    """Once, however often it rings."""
    world = world_on("2026-03-02", limits=Limits(membership_warning_days=30))
    member(world, "ane", "2023-03-10")
    wire(monkeypatch, world)
    for _ in range(2):
        await timer_warnings.warn(_Timer(past_due=False))
    assert len(world.notifier.mails) == 1


async def test_the_clock_sends_word_of_the_run_of_retention(monkeypatch):
    """Where it stands is saved with our own data; when the day's run is done, no word is sent."""
    world = world_on("2026-03-02")
    member(world, "ane", "2023-03-01")
    wire(monkeypatch, world)
    work = {**WORK, RETENTION_QUEUE: queue_retention.retention_run}
    for _ in range(3):
        await timer_retention.walk_for_retention(_Timer(past_due=False))
        while world.queue.sent:
            queue, body, _ = world.queue.sent.pop(0)
            await work[queue](_message(body))
    run = (await world.retention_runs.latest()).run
    assert (run.is_done, run.seen, run.filed, run.erased) == (True, 1, 1, {"members": 1})


async def test_what_is_wrong_with_one_kind_of_work_holds_up_no_other(world, monkeypatch):
    """The clock fails, after it took up everything else."""
    await submit(world, "ane@people.example", Right.ACCESS)
    world.queue.sent.clear()
    world.clock.advance(seconds=world.limits.wake_seconds)

    async def fails(_):
        raise CannotTell("document_unreadable")

    swept = []

    async def sweeps(_):
        swept.append(True)
        return 0

    monkeypatch.setattr(timer_sweep.signing_up, "sweep", fails)
    monkeypatch.setattr(timer_sweep.newsletter_webhooks, "sweep", sweeps)
    with pytest.raises(CannotTell):
        await timer_sweep.sweep_requests(_Timer(past_due=False))
    assert [queue for queue, _, _ in world.queue.sent] == [LETTER_QUEUE]
    assert swept == [True]
