"""Fences, holds, restrictions, waiting times: what has to come before what."""

import json

import pytest

from shared.domain.errors import Retryable
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import holding
from shared.services.sweeping import sweep
from tests.factories import World
from tests.unit.services.driving import (
    ENDED,
    ERASED_RECORDS,
    ask,
    deliver,
    fulfil,
    hold,
    letters,
    marked,
    rest,
    step,
    stored,
    traces,
)
from tests.unit.services.ordering_world import SECOND, marks_left, world_of_marks

TASKS = "request-task"


async def test_an_erasure_waits_for_the_copy_of_the_same_person_under_another_address():
    """The copy is published whole, then the erasure begins."""
    world, ane = world_of_marks()
    copy = await ask(world, ane["email"], Right.ACCESS)
    await deliver(world, only="request-plan")
    erasure = await ask(world, SECOND, Right.ERASURE)
    await step_of(world, "request-plan")
    assert world.cases.request(erasure).state is RequestState.VERIFIED
    assert traces(world, ane)
    await deliver(world)
    assert world.cases.request(copy).outcomes[Right.ACCESS].records == ERASED_RECORDS + 1
    assert world.cases.request(copy).package.published_at <= world.cases.request(erasure).begun_at
    assert marks_left(world, ane) == []


async def test_a_copy_waits_for_the_erasure_of_the_same_person_under_another_address():
    """It is never published while the erasure is at work, and holds what the erasure left."""
    world, ane = world_of_marks()
    erasure = await ask(world, SECOND, Right.ERASURE)
    await deliver(world, only="request-plan")
    copy = await ask(world, ane["email"], Right.ACCESS)
    await step_of(world, "request-plan")
    assert world.cases.request(copy).state is RequestState.VERIFIED
    await deliver(world)
    ended = world.cases.request(erasure)
    assert ended.state in ENDED
    assert world.cases.request(copy).package.published_at >= ended.closed_at
    assert world.cases.request(copy).outcomes[Right.ACCESS].result == "nothing_held"


async def test_two_copies_of_one_person_do_not_wait_for_each_other():
    """Reading beside reading is fine."""
    world, ane = world_of_marks()
    first = await ask(world, ane["email"], Right.ACCESS)
    second = await ask(world, SECOND, Right.ACCESS)
    await deliver(world, only="request-plan")
    for request_id in (first, second):
        assert world.cases.request(request_id).state is RequestState.IN_PROGRESS


async def test_two_people_do_not_wait_for_each_other():
    """The fence is around one person."""
    world, ane = world_of_marks()
    await ask(world, ane["email"], Right.ERASURE)
    other = await ask(world, "bo@people.example", Right.ACCESS)
    await deliver(world, only="request-plan")
    assert world.cases.request(other).state is RequestState.IN_PROGRESS


async def test_who_waits_asks_again_later_each_time():
    """Up to a bound, so that nobody hammers a busy person."""
    world, ane = world_of_marks()
    await ask(world, ane["email"], Right.ERASURE)
    await deliver(world, only="request-plan")
    waiting = await ask(world, SECOND, Right.ACCESS)
    delays = []
    for _ in range(12):
        await step_of(world, "request-plan")
        delays.append(next(delay for queue, _, delay in world.queue.sent if queue == "request-plan"))
        world.clock.advance(seconds=delays[-1])
    assert delays[:4] == [5, 10, 20, 40]
    assert max(delays) == world.limits.wake_seconds
    assert world.cases.request(waiting).wake_at > world.clock.now()


async def step_of(world: World, queue: str) -> None:
    """Deliver the first message of one queue."""
    found = next(one for one in world.queue.sent if one[0] == queue)
    world.queue.sent.remove(found)
    world.queue.sent.insert(0, found)
    await step(world)


def _assert_stands(world: World, request_id: str, marks: dict[str, str]) -> None:
    """It was answered, keeps what finds and reaches the person, and stands in nobody's way."""
    request = world.cases.request(request_id)
    assert request.state is RequestState.STANDING
    assert request.email is not None
    assert marked(json.dumps(request.identifiers), [marks["user_id"]])
    assert request.closed_at is None
    assert all(row["sent_at"] for _, row in world.cases.partitions[request_id].values() if "closes" in row)
    for key in request.subject_keys:
        controls = world.controls.stored(key).controls
        assert (controls.claims, controls.open_requests) == ((), ())
    # where it holds a value of the person: in the request itself alone
    for name, (_, row) in world.cases.partitions[request_id].items():
        assert name == "request" or not marked(json.dumps(row), list(marks.values())), name


async def _assert_ends_with_release(
    world: World, request_id: str, marks: dict[str, str], *, erased: int = ERASED_RECORDS + 1
) -> None:
    """After the release everything goes that waited, is counted with what went before, and nothing stays."""
    assert (await holding.release(world.context, "h-1", released_by="officer-1")).taken_up == 1
    assert (await holding.release(world.context, "h-1", released_by="officer-1")).taken_up == 0
    await rest(world)
    assert marks_left(world, marks) == []
    request = world.cases.request(request_id)
    assert request.state is RequestState.COMPLETED_WITH_RETENTION  # the books keep the invoice
    assert (request.email, request.identifiers) == (None, {})
    assert not marked(stored(world, request_id), list(marks.values()))
    assert all(world.controls.stored(key).controls.claims == () for key in request.subject_keys)
    outcome = request.outcomes[Right.ERASURE]
    assert [(one.store_id, one.reason) for one in outcome.kept] == [("invoices", "bookkeeping")]
    assert (outcome.records, sum(outcome.by_store.values())) == (erased, erased)
    answers = [name for name in letters(world, request_id) if name.startswith("letter-erased")]
    assert answers == ["letter-erased-0", "letter-erased-100"]
    proofs = {name for name in world.evidence.records if name.startswith(request_id)}
    assert proofs == {f"{request_id}/erasure-0.json", f"{request_id}/erasure-0-1.json"}


@pytest.mark.clause("5.3")
async def test_a_hold_keeps_everything_and_is_named_until_it_is_released():
    """Nothing goes, and the letter says why; then everything goes, and a second letter says so."""
    world, ane = world_of_marks()
    before = traces(world, ane)
    hold(world, ane["email"])
    request_id = await fulfil(world, SECOND, Right.ERASURE)
    request = world.cases.request(request_id)
    assert traces(world, ane) == before
    _assert_stands(world, request_id, ane)
    kept = {one.store_id: one for one in request.outcomes[Right.ERASURE].kept}
    assert set(kept) == {"people", "events", "invoices", "teams", "log", "files"}
    assert all(one.reason == "hold" for one in kept.values())
    text = " ".join(letters(world, request_id)["letter-erased-0"].text.split())
    assert "a legal claim that it is needed for. Provision: GDPR article 17(3)(e)." in text
    assert "a dispute" not in text
    await _assert_ends_with_release(world, request_id, ane)


@pytest.mark.clause("5.3")
async def test_what_stands_is_called_to_mind_and_not_erased_by_itself():
    """Each time its review comes; only a person releases a hold."""
    world, ane = world_of_marks()
    hold(world, ane["email"])
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    before = traces(world, ane)
    for times in (1, 2):
        world.clock.advance(days=world.limits.standing_review_days)
        assert await sweep(world.context) == 1
        assert await sweep(world.context) == 0
        assert world.operators.alarms.count(("standing_review", request_id, "")) == times
    assert traces(world, ane) == before
    _assert_stands(world, request_id, ane)


@pytest.mark.clause("5.3")
async def test_another_right_goes_on_while_an_erasure_stands_under_a_hold():
    """A copy needs no release, and holds all that was kept."""
    world, ane = world_of_marks()
    hold(world, ane["email"])
    erasure = await fulfil(world, ane["email"], Right.ERASURE)
    copy = await fulfil(world, SECOND, Right.ACCESS)
    assert world.cases.request(copy).outcomes[Right.ACCESS].records == ERASED_RECORDS + 1
    _assert_stands(world, erasure, ane)


@pytest.mark.clause("5.3")
async def test_a_released_hold_keeps_nothing():
    """And neither does one on another activity."""
    for changes in ({"released_at": World().clock.now()}, {"activity_id": "orders"}):
        world, ane = world_of_marks()
        hold(world, ane["email"], **changes)
        await fulfil(world, ane["email"], Right.ERASURE)
        assert marks_left(world, ane) == []


@pytest.mark.clause("5.3")
@pytest.mark.parametrize("moment", ["controls.write", "documents.change", "blobs.commit", "blobs.erase"])
async def test_a_hold_placed_while_the_erasure_runs_stops_it_at_the_next_destruction(moment):
    """Between plan and claim, or between two pages: what is there then stays and is named."""
    placed = []

    async def turn(name):
        if name == moment and running and not placed:
            placed.append(len(traces(world, ane)))
            hold(world, ane["email"])

    running: list[bool] = []
    limits = Limits(page_documents=1, page_keys=1, message_documents=2, blobs_per_page=1)
    world, ane = world_of_marks(turn=turn, limits=limits)
    world.blobs.put("files", f"{ane['person_id']}/photo.txt", b"x")
    request_id = await ask(world, ane["email"], Right.ERASURE)
    running.append(True)
    await deliver(world)
    request = world.cases.request(request_id)
    assert placed
    _assert_stands(world, request_id, ane)
    # the one record or blob whose deletion was already on its way when the hold came may still go
    assert len(traces(world, ane)) >= placed[0] - (2 if moment.startswith("blobs") else 1)
    outcome = request.outcomes[Right.ERASURE]
    assert {one.reason for one in outcome.kept} >= {"hold"}
    assert "plan_outdated" in world.cases.what_happened(request_id) or moment == "controls.write"
    await _assert_ends_with_release(world, request_id, ane, erased=ERASED_RECORDS + 2)  # the photo


async def test_a_hold_placed_between_claim_and_destruction_saves_the_claimed_records():
    """They were written down to go, and stay."""
    asked = []

    async def turn(name):
        # the claim is saved just before the controls are read again
        if name == "controls.read" and running and not asked:
            claimed = stored(world, request_id).count('"claimed": ["')
            if claimed:
                asked.append(claimed)
                hold(world, ane["email"])

    running: list[bool] = []
    world, ane = world_of_marks(turn=turn)
    before = traces(world, ane)
    request_id = await ask(world, ane["email"], Right.ERASURE)
    running.append(True)
    await deliver(world)
    assert asked
    assert traces(world, ane) == before
    request = world.cases.request(request_id)
    assert request.outcomes[Right.ERASURE].records == 0
    _assert_stands(world, request_id, ane)
    await _assert_ends_with_release(world, request_id, ane)


async def test_holds_that_cannot_be_read_are_never_no_holds():
    """The message fails, nothing goes, and the next attempt asks again."""
    failing: list[bool] = []

    async def turn(name):
        if name == "controls.read" and failing:
            raise Retryable("service_busy", name)

    world, ane = world_of_marks(turn=turn)
    before = traces(world, ane)
    await ask(world, ane["email"], Right.ERASURE)
    await deliver(world, only="request-plan")
    failing.append(True)
    with pytest.raises(Retryable):
        await deliver(world)
    assert traces(world, ane) == before
    failing.clear()
    world.clock.advance(seconds=world.limits.lease_seconds)
    await rest(world)
    assert marks_left(world, ane) == []


async def test_a_hold_on_somebody_without_data_keeps_no_documents_to_name():
    """What is not there is not kept."""
    world, _ = world_of_marks()
    hold(world, "nobody@people.example")
    request_id = await fulfil(world, "nobody@people.example", Right.ERASURE)
    kept = world.cases.request(request_id).outcomes[Right.ERASURE].kept
    assert not {one.store_id for one in kept} & {"people", "events", "invoices", "teams"}
