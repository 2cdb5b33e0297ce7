"""What operators are told, again and again until they answer, and what nobody may wait for in silence."""

from datetime import timedelta

import pytest

from shared.domain.errors import Permanent, Retryable
from shared.domain.messages import TASK_QUEUE
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.services.attention import retry
from shared.services.execution import run_lane
from shared.services.intake import cancel
from shared.services.links import CANCEL
from shared.services.poison import put_aside
from shared.services.sweeping import sweep
from tests.factories import World
from tests.unit.services.driving import ask, deliver, fulfil, rest, step, token


def codes(world: World) -> list[str]:
    """Return the codes of all alarms."""
    return [code for code, _, _ in world.operators.alarms]


async def test_an_alarm_lost_in_a_crash_is_raised_by_the_sweep():
    """The state was saved, the alarm was not."""
    world = World()
    ane = world.add_person("ane")
    world.documents.put("people", "/id", {"id": "p-9", "email": ane["email"], "user_id": 3, "name": "x"})
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).state is RequestState.NEEDS_ATTENTION
    world.operators.alarms.clear()
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    assert codes(world) == [world.cases.request(request_id).attention]


@pytest.mark.parametrize(
    ("days", "expected"), [(-8, []), (-7, ["due_soon"]), (0, ["due_soon"]), (1, ["overdue"])]
)
async def test_an_answer_that_is_due_is_an_alarm_once_a_day(days, expected):
    """A week before the legal day, on it, and after it."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ACCESS)
    request = world.cases.request(request_id)
    distance = request.due_on + timedelta(days=days) - copenhagen_day(world.clock.now())
    world.clock.advance(days=distance.days)
    for _ in range(2):
        await sweep(world.context)
        world.clock.advance(seconds=world.limits.wake_seconds)
    assert codes(world) == expected


async def test_a_failure_that_lasts_gives_back_its_lease_and_ends_in_the_poison_queue():
    """Otherwise each redelivery would leave the work to the one that failed, for ever."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await step(world)
    message = next(body for queue, body, _ in world.queue.sent if queue == TASK_QUEUE)
    refused = 0

    async def refuse(store, changes):
        nonlocal refused
        refused += 1
        raise Permanent("service_refused", "documents.change 413")

    world.documents.change = refuse
    for _ in range(5):
        with pytest.raises(Permanent):
            await run_lane(world.context, request_id, 0)
    assert refused == 5
    await put_aside(world.context, TASK_QUEUE, message)
    assert world.cases.request(request_id).state is RequestState.NEEDS_ATTENTION
    assert "task_poisoned" in codes(world)


async def test_a_blob_that_never_stands_still_ends_a_message_and_not_the_worker():
    """Reading anew is bounded."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ACCESS)
    await step(world)
    read = world.blobs.read

    async def restless(blob, *, offset, length):
        data = world.blobs.current[blob.container, blob.name][1]
        world.blobs.put(blob.container, blob.name, data)
        return await read(blob, offset=offset, length=length)

    world.blobs.read = restless
    with pytest.raises(Retryable):
        await run_lane(world.context, request_id, 0)


async def test_a_case_with_very_many_findings_can_be_taken_up_again():
    """They do not fit into one batch."""
    world = World()
    ane = world.add_person("ane")
    for number in range(120):
        document = {"id": f"i-{number}", "customer_id": "c-2", "email": ane["email"], "name": ane["name"]}
        world.documents.put("invoices", "/customer_id", document)
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).attention == "records_undecidable"
    for _, _, body in list(world.documents.rows["invoices"].values()):
        if "invoice_on" not in body:
            world.documents.put("invoices", "/customer_id", {**body, "invoice_on": "2024-01-01"})
    await retry(world.context, request_id, decided_by="operator")
    await rest(world)
    assert world.cases.request(request_id).is_final


async def test_somebody_linked_during_the_erasure_is_planned_for_before_anything_of_theirs_goes():
    """Only that plan runs."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await step(world)
    world.documents.put(
        "people", "/id", {"id": "p-2", "email": ane["email"], "user_id": "user-second", "name": "x"}
    )
    world.documents.put("events", "/user_id", {"id": "e-2", "user_id": "user-second", "what": "x"})
    await deliver(world)
    await rest(world)
    request = world.cases.request(request_id)
    assert request.is_final
    assert request.plans_made >= 2
    assert not [body for body in world.documents.bodies("events") if body["user_id"] == "user-second"]


async def test_the_proof_is_the_answer_also_after_a_retry():
    """It is written when the letter is out."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ERASURE)
    while world.cases.request(request_id).state is not RequestState.ANSWERING:
        await step(world)
    assert world.evidence.records == {}
    world.documents.put("events", "/user_id", {"id": "late", "user_id": ane["user_id"], "what": "x"})
    await put_aside(world.context, "request-letter", world.queue.sent[-1][1])
    world.queue.sent.clear()
    await retry(world.context, request_id, decided_by="operator")
    await rest(world)
    (proof,) = world.evidence.records.values()
    outcome = world.cases.request(request_id).outcomes[Right.ERASURE]
    assert proof["erased_by_store"] == outcome.by_store
    assert outcome.by_store["events"] == 4


async def test_nobody_with_data_in_our_own_register_alone_is_told_that_we_hold_data():
    """The request finds itself, which is no answer to it."""
    world = World()
    request_id = await fulfil(world, "stranger@people.example", Right.ACCESS)
    assert world.cases.request(request_id).outcomes[Right.ACCESS].result == "nothing_held"


async def test_a_cancelled_copy_leaves_no_names_of_files_behind():
    """Its parts name what was collected."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ACCESS)
    await step(world)
    await step(world)
    assert any(name.startswith("part-") for name in world.cases.partitions[request_id])
    await cancel(world.context, request_id, token(world, request_id, CANCEL))
    assert not any(name.startswith("part-") for name in world.cases.partitions[request_id])
    assert world.packages.staged == {}


async def test_an_erasure_forgets_the_findings_of_an_earlier_copy_however_many_they_are():
    """They name the person's lines, and do not fit into one batch."""
    world = World()
    ane = world.add_person("ane")
    for number in range(120):
        world.blobs.put("log", f"2026/b{number}.ndjson", f'{{"user_id": "{ane["user_id"]}"'.encode())
    copy = await fulfil(world, ane["email"], Right.ACCESS)
    await rest(world)
    assert sum(name.startswith("finding-") for name in world.cases.partitions[copy]) == 120
    for number in range(120):
        world.blobs.put("log", f"2026/b{number}.ndjson", b"")
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    await rest(world)
    assert world.cases.request(request_id).is_final
    assert not any(name.startswith("finding-") for name in world.cases.partitions[copy])
