"""What every store of requests must do."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.case_documents import Finding, LetterDocument, Part
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Conflict, NotFound
from shared.domain.plans import Action
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Task
from shared.ports.cases import Write

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def request(**changes) -> SubjectRequest:
    """Return a request nobody else has."""
    return SubjectRequest(
        **{
            "request_id": uuid.uuid4().hex,
            "rights": (Right.ACCESS,),
            "state": RequestState.RECEIVED,
            "language": "en",
            "received_at": NOW,
            "due_on": date(2026, 4, 2),
            "email": "a@people.example",
            "subject_keys": (f"k1-{uuid.uuid4().hex}",),
            "wake_at": NOW,
            **changes,
        }
    )


def task(one: SubjectRequest, **changes) -> Task:
    """Return a task of a request."""
    return Task(
        **{
            "id": "task-0-collect-events",
            "request_id": one.request_id,
            "store_id": "events",
            "action": Action.COLLECT,
            "lane": 0,
            **changes,
        }
    )


async def created(cases, *documents) -> dict[str, str]:
    """Save new documents of one request."""
    writes = [Write(document=document, etag=None) for document in documents]
    return await cases.commit(documents[0].request_id, writes)


async def test_what_was_saved_is_loaded_equal(cases):
    """Times, tuples and nested models come back as they went."""
    one = request(identifiers={"email": ("a@people.example",)}, verified_at=NOW)
    letter = LetterDocument(id="letter-verify-0", request_id=one.request_id, kind="verify", created_at=NOW)
    finding = Finding(
        id="finding-1", request_id=one.request_id, store_id="log", code="x", place="y", found_at=NOW
    )
    etags = await created(cases, one, task(one), letter, finding)
    case = await cases.load(one.request_id)
    assert case.request == one
    assert case.tasks == (task(one),)
    assert case.letters == (letter,)
    assert case.findings == (finding,)
    assert {name: case.etags[name] for name in etags} == etags


async def test_an_unknown_request_is_not_found(cases):
    """No empty case."""
    with pytest.raises(NotFound):
        await cases.load(uuid.uuid4().hex)


async def test_creating_twice_is_a_conflict(cases):
    """The first one stays."""
    one = request()
    await created(cases, one)
    with pytest.raises(Conflict):
        await created(cases, one.with_(language="da"))
    assert (await cases.load(one.request_id)).request.language == "en"


async def test_a_batch_with_one_stale_document_writes_nothing(cases):
    """All or nothing."""
    one = request()
    etags = await created(cases, one, task(one))
    await cases.commit(one.request_id, [Write(document=task(one, pages=1), etag=etags[task(one).id])])
    with pytest.raises(Conflict):
        await cases.commit(
            one.request_id,
            [
                Write(document=one.with_(language="da"), etag=etags[one.id]),
                Write(document=task(one, pages=2), etag=etags[task(one).id]),
            ],
        )
    case = await cases.load(one.request_id)
    assert case.request.language == "en"
    assert case.tasks[0].pages == 1


async def test_replacing_a_document_that_is_gone_is_a_conflict(cases):
    """It was deleted meanwhile."""
    one = request()
    finding = Finding(
        id="finding-1", request_id=one.request_id, store_id="log", code="x", place="y", found_at=NOW
    )
    etags = await created(cases, one, finding)
    await cases.commit(one.request_id, [], deletes=[finding.id])
    with pytest.raises(Conflict):
        await cases.commit(one.request_id, [Write(document=finding, etag=etags[finding.id])])


async def test_deleting_what_is_gone_is_a_conflict(cases):
    """Somebody else did it."""
    one = request()
    await created(cases, one)
    with pytest.raises(Conflict):
        await cases.commit(one.request_id, [], deletes=["part-9"])


async def test_a_commit_of_nothing_is_fine(cases):
    """Nothing to do."""
    one = request()
    await created(cases, one)
    if hasattr(cases, "partitions"):
        return
    assert await cases.commit(one.request_id, []) == {}


async def test_parts_come_in_pages_and_are_not_loaded_with_the_case(cases):
    """There may be thousands."""
    one = request()
    parts = [
        Part(id=f"part-{number}", request_id=one.request_id, blocks=(), members=({"name": "x"},))
        for number in range(5)
    ]
    await created(cases, one, *parts)
    assert set((await cases.load(one.request_id)).etags) >= {one.id}
    found, cursor = [], None
    while True:
        page, cursor = await cases.parts(one.request_id, cursor=cursor)
        found += page
        if cursor is None:
            break
    assert sorted(found, key=lambda part: part.id) == parts


async def test_only_requests_whose_time_has_come_wake(cases):
    """One second below, at and above."""
    early, due, late, done = (
        request(wake_at=wake_at)
        for wake_at in (NOW - timedelta(seconds=1), NOW, NOW + timedelta(seconds=1), None)
    )
    for one in (early, due, late, done):
        await created(cases, one)
    found = await cases.waking(NOW, limit=1000)
    assert {early.request_id, due.request_id} <= set(found)
    assert not {late.request_id, done.request_id} & set(found)


async def test_waking_takes_up_no_more_than_asked(cases):
    """A sweep is bounded."""
    for _ in range(3):
        await created(cases, request())
    assert len(await cases.waking(NOW, limit=2)) == 2


async def test_requests_of_a_person_are_found_by_any_pseudonym(cases):
    """Open or closed, each once."""
    one = request(subject_keys=("k1-" + uuid.uuid4().hex, "k1-" + uuid.uuid4().hex))
    other = request()
    await created(cases, one)
    await created(cases, other)
    assert await cases.of_person(one.subject_keys) == (one.request_id,)
    assert await cases.of_person(one.subject_keys[1:]) == (one.request_id,)
    assert await cases.of_person(("k1-unknown",)) == ()


async def test_closed_cases_are_found_by_the_day_they_were_closed(cases):
    """Those below the text alone, without work left; a page goes on while cases before it are deleted."""
    closed = {"state": RequestState.COMPLETED, "email": None, "wake_at": None}
    year = f"19{uuid.uuid4().int % 90 + 10}"
    at = datetime(int(year), 3, 2, 9, 0, tzinfo=UTC)
    found = [request(**closed, closed_at=at) for _ in range(3)]
    others = [
        request(**closed, closed_at=at + timedelta(days=1)),
        request(**{**closed, "wake_at": NOW}, closed_at=at),
        request(),
    ]
    for one in (*found, *others):
        await created(cases, one)
    until = f"{year}-03-03T00:00:00Z"
    seen: list[str] = []
    cursor = None
    while True:
        page, cursor = await cases.closed_before(until, cursor=cursor, limit=2)
        seen += page
        for request_id in page:
            await cases.commit(request_id, [], deletes=await cases.document_ids(request_id))
        if cursor is None:
            break
    assert {one.request_id for one in found} <= set(seen)
    assert not {one.request_id for one in others} & set(seen)


async def test_all_of_a_case_is_named(cases):
    """Events and parts too; of an unknown one nothing."""
    one = request()
    noted, event = one.noted(NOW, "closed")
    part = Part(id="part-0001-x", request_id=one.request_id, blocks=(), members=())
    await created(cases, noted, task(one), event, part)
    assert set(await cases.document_ids(one.request_id)) == {noted.id, task(one).id, event.id, part.id}
    assert await cases.document_ids(uuid.uuid4().hex) == ()
