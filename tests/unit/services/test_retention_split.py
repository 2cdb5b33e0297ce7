"""A case of several people that is split or stopped, and how each of them is counted once."""

import asyncio
import contextlib
import contextvars
import json
from datetime import timedelta

import pytest

from shared.datamap.models import DocumentStore
from shared.datamap.treatment import visible_record
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Retryable
from shared.domain.limits import Limits
from shared.domain.messages import FINISH_QUEUE, PLAN_QUEUE, TASK_QUEUE
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.ports.cases import Write
from shared.services import attention, governing, retention, retention_looking, switching
from shared.services.retention_looking import Candidate
from shared.services.sweeping import sweep
from tests.factories import KEYS
from tests.unit.services.driving import ask, deliver, handle, hold, opened, rest, restrict, step
from tests.unit.services.systems import (
    archived,
    cases,
    ids,
    installation,
    licence,
    lines,
    member,
    next_day,
    on,
    put,
    run_day,
    world_on,
)
from tests.unit.services.together_world import DUE, NAMES, due_members, key_of

pytestmark = pytest.mark.clause("5.1", "5.3", "5.4")


async def begun(world) -> SubjectRequest:
    """File the day's only case and plan it, none of its work done yet."""
    await retention.daily(world.context)
    (case,) = cases(world)
    assert case.is_of_several
    await deliver(world, until=TASK_QUEUE)
    return world.cases.request(case.request_id)


def split_cases(world) -> list[SubjectRequest]:
    """Return the cases that were split."""
    return [one for one in cases(world) if one.outcomes and one.outcomes[Right.ERASURE].result == "split"]


@pytest.mark.parametrize("delay", [hold, restrict])
@pytest.mark.parametrize("messages", [0, 1, 2])
async def test_a_delay_for_one_splits_the_case_and_keeps_nobody_else(delay, messages):
    """It comes after the filing, after the plan, or when everything is erased and looked at."""
    world = due_members(*NAMES)
    await retention.daily(world.context)
    for _ in range(messages):
        await step(world)
    there = ids(world, "members")
    delay(world, "bo@people.example")
    await run_day(world)
    kept = ["member-bo-1"] if "member-bo-1" in there else []
    assert ids(world, "members") == [*kept, "member-eva-1"]
    if kept:
        assert len(split_cases(world)) == 1
        assert sum(one.subject_count == 1 for one in cases(world)) == 3
    assert all(not world.controls.stored(key_of(name)).controls.claims for name in NAMES)


@pytest.mark.parametrize("queue", [TASK_QUEUE, FINISH_QUEUE])
async def test_a_login_of_one_after_the_filing_splits_the_case(queue):
    """Asked again when it is planned and before each page."""
    world = due_members(*NAMES)
    await retention.daily(world.context)
    if queue == TASK_QUEUE:
        await deliver(world, until=TASK_QUEUE)
    there = ids(world, "members")
    member(world, "bo", DUE)
    await run_day(world)
    assert "member-bo-1" in there
    assert ids(world, "members") == ["member-bo-1", "member-eva-1"]
    assert len(split_cases(world)) == 1


async def test_the_erasure_that_one_of_them_asks_for_waits_for_nobody_else():
    """Hers is at work when the run files the others: the case is split, and hers goes on."""
    world = due_members(*NAMES)
    request_id = await ask(world, "bo@people.example", Right.ERASURE)
    await deliver(world, until=TASK_QUEUE)
    await retention.daily(world.context)
    planned = next(one for one in world.queue.sent if one[0] == PLAN_QUEUE)
    world.queue.sent.remove(planned)
    await handle(world, *planned[:2])
    assert len(split_cases(world)) == 1
    await deliver(world)
    await run_day(world)
    await rest(world)
    assert world.cases.request(request_id).state is RequestState.COMPLETED
    assert ids(world, "members") == ["member-eva-1"]


async def test_a_line_nobody_can_read_stops_its_own_person_alone():
    """The others are in cases of their own, and an operator is told of that one."""
    world = world_on(DUE)
    for name, where in (("ane", "A"), ("bo", "B"), ("kim", "C")):
        installation(world, name, "2025-03-01", where=where)
        archived(world, name, "2025-03-01", where=where)
    old = world.blobs.current[("usage-archive", "B/events.ndjson")][1]
    world.blobs.put("usage-archive", "B/events.ndjson", old + b'{"user_id": "user-bo", "kind": \n')
    await run_day(world)
    assert ids(world, "installations") == []
    assert (lines(world, "A"), lines(world, "C")) == ([], [])
    stopped = [one for one in cases(world) if one.state is RequestState.NEEDS_ATTENTION]
    assert [(one.subject_count, one.attention) for one in stopped] == [(1, "records_undecidable")]
    assert KEYS.subject_key("user_id", "user-bo") in stopped[0].subject_keys
    assert len(split_cases(world)) == 1


async def test_a_message_that_failed_too_often_splits_the_case():
    """Whoever is left is looked at alone by the same run."""
    world = due_members(*NAMES)
    case = await begun(world)
    world.queue.sent.clear()
    await attention.fail_lane(world.context, case.request_id, 0, "task_poisoned")
    assert world.cases.request(case.request_id).outcomes[Right.ERASURE].result == "split"
    await run_day(world)
    assert ids(world, "members") == ["member-eva-1"]
    assert sorted(one.subject_count for one in cases(world)) == [1, 1, 1, 3]
    run = (await world.retention_runs.latest()).run
    assert run.erased == {"members": 3, "usage_links": 3}


async def test_the_kill_switch_stops_a_case_of_several_and_does_not_split_it():
    """It goes on where it was when the switch is reset."""
    world = due_members(*NAMES)
    case = await begun(world)
    await switching.throw(world.context, reason="a drill", decided_by="staff")
    await deliver(world)
    stopped = world.cases.request(case.request_id)
    assert (stopped.state, stopped.attention) == (RequestState.NEEDS_ATTENTION, switching.PAUSED)
    assert len(ids(world, "members")) == 4
    await switching.reset(world.context, decided_by="staff")
    await attention.retry_all(world.context, switching.PAUSED, decided_by="staff")
    await run_day(world)
    assert ids(world, "members") == ["member-eva-1"]
    assert [one.subject_count for one in cases(world)] == [3]


@pytest.mark.parametrize("limit", [2, 3, 4])
async def test_an_hour_takes_so_many_people_however_they_are_put_together(limit):
    """The rest waits for the next hour, and everybody is counted once."""
    world = due_members(*NAMES, limits=Limits(deletions_per_hour=limit))
    await retention.daily(world.context)
    assert [one.subject_count for one in cases(world)] == [min(limit, 3)]
    await retention.daily(world.context)
    assert len(cases(world)) == 1
    world.clock.advance(hours=1)
    await run_day(world)
    run = (await world.retention_runs.latest()).run
    assert (run.filed, run.by_rule, run.erased["members"]) == (3, {"R4a": 3}, 3)
    assert ids(world, "members") == ["member-eva-1"]


async def test_whoever_dies_after_filing_leaves_a_case_that_is_found_and_counted_once():
    """The page is looked at again, and nobody is filed a second time."""
    world = due_members(*NAMES)

    class DiesError(Exception):
        """A worker is killed."""

    async def turn(place):
        if place == "retention_runs.watch":
            raise DiesError

    world.retention_runs.turn = turn
    with pytest.raises(DiesError):
        await retention.daily(world.context)
    assert len(cases(world)) == 1

    async def none(_place):
        return

    world.retention_runs.turn = none
    await run_day(world)
    assert len(cases(world)) == 1
    run = (await world.retention_runs.latest()).run
    assert run.erased == {"members": 3, "usage_links": 3}
    assert ids(world, "members") == ["member-eva-1"]


async def test_a_worker_that_is_late_leaves_nobody_on_watch():
    """It looked at everybody before the other had them erased, and writes it down when the run has ended."""
    world = due_members(*NAMES)
    late, ended = contextvars.ContextVar("late", default=False), asyncio.Event()

    async def turn(place):
        if late.get() and place == "retention_runs.watch":
            await ended.wait()

    world.retention_runs.turn = turn

    async def second() -> None:
        late.set(True)
        await retention.daily(world.context)

    waiting = asyncio.create_task(second())
    for _ in range(50):
        await asyncio.sleep(0)
    await run_day(world)
    assert (await world.retention_runs.latest()).run.is_done
    ended.set()
    await waiting
    assert ids(world, "members") == ["member-eva-1"]
    assert world.retention_runs.watched() == []


async def test_a_record_that_is_gone_is_not_watched_for_what_else_there_is_of_its_person():
    """Two searches found it at once, and the case of the first was faster than the look at the second."""
    world = due_members("ane")
    licence(world, "1", "2026-02-01", "ane")
    _, store = world.datamap.store("members")
    found = (await world.documents.walk(store, cursor=None, limit=9)).documents[0]
    await run_day(world)
    run = (await world.retention_runs.latest()).run
    assert ids(world, "members") == ["member-eva-1"]
    await retention_looking.look_at(world.context, run, [Candidate(store=store, document=found)])
    assert world.retention_runs.watched() == []


async def test_a_person_with_several_records_is_one_person_and_none_of_them_is_left_on_watch():
    """Two memberships, two installations: each is found by itself, and what it came to is counted once."""
    world = due_members("ane")
    member(world, "ane", "2023-03-01", number=2)
    for where in ("A", "B"):
        installation(world, "bo", "2025-03-01", where=where)
    await run_day(world)
    run = (await world.retention_runs.latest()).run
    assert run.erased == {"members": 2, "usage_links": 1, "installations": 2}
    assert [one.subject_count for one in cases(world)] == [1, 1]
    assert world.retention_runs.watched() == []


async def test_no_copy_shows_one_of_them_the_others():
    """The register says that the case was of three, and whose they are is nobody's business."""
    world = due_members(*NAMES)
    await retention.daily(world.context)
    _, register = world.datamap.store("own_requests")
    assert isinstance(register, DocumentStore)
    for _ in range(2):  # while it is open, and when it is closed
        (case,) = cases(world)
        shown = json.dumps(visible_record(case.model_dump(mode="json"), register.fields))
        assert '"subject_count": 3' in shown
        for name in NAMES:
            assert key_of(name) not in shown
            assert f"{name}@people.example" not in shown
            assert f"member-{name}" not in shown
        await run_day(world)


async def test_a_copy_made_while_the_case_waits_shows_its_own_person_alone():
    """The register lies in the database that is searched for the copy."""
    world = due_members(*NAMES)
    await retention.daily(world.context)
    world.queue.sent.clear()
    (case,) = cases(world)
    put(world, "own_requests", case.model_dump(mode="json"))
    request_id = await ask(world, "bo@people.example", Right.ACCESS)
    await deliver(world)
    whole = b"".join(opened(world, request_id).values()).decode("utf-8", "replace")
    assert [name for name in (*NAMES, "eva") if f"{name}@people.example" in whole] == ["bo"]
    assert "member-ane-1" not in whole


async def test_a_lane_that_is_at_work_when_its_case_is_split_erases_nothing_more(monkeypatch):
    """The claims are given back: somebody's copy may be made in that moment."""
    world = due_members(*NAMES)
    case = await begun(world)
    calls = 0
    held_of = governing.held_of

    async def split_meanwhile(context, request):
        nonlocal calls
        calls += request.request_id == case.request_id
        if calls == 1:
            await attention.fail_lane(world.context, case.request_id, 1, "task_poisoned")
        return await held_of(context, request)

    monkeypatch.setattr(governing, "held_of", split_meanwhile)
    await step(world)
    assert world.cases.request(case.request_id).outcomes[Right.ERASURE].result == "split"
    assert len(ids(world, "members")) == len(ids(world, "usage_links")) == 4
    monkeypatch.undo()
    await run_day(world)
    assert ids(world, "members") == ["member-eva-1"]
    assert (await world.retention_runs.latest()).run.erased == {"members": 3, "usage_links": 3}


async def test_a_case_is_not_split_while_another_lane_erases_a_page():
    """What that page took would be counted by nobody."""
    world = due_members(*NAMES)
    case = await begun(world)
    loaded = await world.cases.load(case.request_id)
    task = loaded.tasks[0].with_(claimed_until=world.clock.now() + timedelta(seconds=60), lane=1)
    await world.cases.commit(case.request_id, [Write(document=task, etag=loaded.etags[task.id])])
    for lane, error in ((0, pytest.raises(Retryable, match="case_at_work")), (1, contextlib.nullcontext())):
        with error:
            await attention.fail_lane(world.context, case.request_id, lane, "task_poisoned")
    assert len(split_cases(world)) == 1


async def test_a_split_person_with_two_records_is_counted_once():
    """Both records wait for the case that goes on with the person."""
    world = due_members("ane", "bo")
    member(world, "ane", "2023-03-01", number=2)
    case = await begun(world)
    world.queue.sent.clear()
    await attention.fail_lane(world.context, case.request_id, 0, "task_poisoned")
    await run_day(world)
    assert (await world.retention_runs.latest()).run.erased == {"members": 3, "usage_links": 2}


async def test_a_person_found_on_two_pages_is_counted_once(monkeypatch):
    """One record a page here."""
    monkeypatch.setattr(retention, "_PAGE_RECORDS", 1)
    world = due_members("ane")
    member(world, "ane", "2023-03-01", number=2)
    await run_day(world)
    assert (await world.retention_runs.latest()).run.erased == {"members": 2, "usage_links": 1}


async def test_people_a_processor_has_to_be_told_of_are_not_put_together():
    """It is told of one person at a time."""
    world = due_members(*NAMES)
    world.processors.recipients = ("campaign_monitor",)
    recipients = {one.id: one.recipients for one in world.datamap.activities}
    told = any(
        "campaign_monitor" in recipients[activity.id]
        for activity, store in world.datamap.stores()
        if store.id in ("members", "usage_links", "membership_warnings")
    )
    await run_day(world)
    assert {one.subject_count for one in cases(world)} == ({1} if told else {3})
    assert ids(world, "members") == ["member-eva-1"]


async def test_somebody_who_turns_up_after_the_filing_splits_the_case():
    """A new record that leads from one of them to an account nobody has asked about."""
    world = due_members(*NAMES)
    await retention.daily(world.context)
    put(
        world,
        "usage_links",
        {"id": "link-new", "member_id": "member-bo-1", "user_id": "user-of-before", "linked_at": on(DUE)},
    )
    await run_day(world)
    assert len(split_cases(world)) == 1
    assert ids(world, "members") == ["member-eva-1"]


async def test_a_split_case_is_repaired_by_the_sweep_and_the_run_alike():
    """Whoever dies while it is split leaves it to the next message."""
    world = due_members(*NAMES)
    case = await begun(world)
    hold(world, "bo@people.example")

    class DiesError(Exception):
        """A worker is killed."""

    async def turn(place):
        if place == "evidence.record":
            raise DiesError

    world.evidence.turn = turn
    with pytest.raises(DiesError):
        await deliver(world)

    async def none(_place):
        return

    world.evidence.turn = none
    world.clock.advance(seconds=2 * world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert world.cases.request(case.request_id).is_final
    await run_day(world)
    assert ids(world, "members") == ["member-bo-1", "member-eva-1"]
    assert json.dumps([one.model_dump(mode="json") for one in cases(world)]).count("bo@people.example") == 0


async def test_the_next_day_begins_with_nobody_left_over():
    """A run of the day after finds nothing to do."""
    world = due_members(*NAMES)
    await run_day(world)
    assert await next_day(world, "2026-03-03") == 0
    assert world.retention_runs.watched() == []
