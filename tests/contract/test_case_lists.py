"""What every store of requests must do when it lists cases and their audit entries."""

import uuid
from datetime import date, timedelta

import pytest

from shared.adapters.cosmos_cases import CosmosCases
from shared.domain.errors import Invalid
from shared.domain.outcomes import Notice
from shared.domain.recipients import Instruction, NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Question
from shared.ports.cases import CaseRow, Write
from tests.contract.test_cases import NOW, created, request

pytestmark = pytest.mark.platform


async def listed(cases, *, limit=2, **wanted) -> list[CaseRow]:
    """Return every row, page by page."""
    rows: list[CaseRow] = []
    cursor = None
    while True:
        page = await cases.listing(**wanted, cursor=cursor, limit=limit)
        assert len(page.rows) <= limit
        rows += page.rows
        cursor = page.cursor
        if cursor is None:
            return rows


async def ids(cases, **wanted) -> list[str]:
    """Return the ids of every row, sorted."""
    return sorted(row.request_id for row in await listed(cases, **wanted))


async def test_a_row_says_where_a_case_stands_and_nothing_of_the_person(cases):
    """Ids, codes and days."""
    one = request(
        rights=(Right.ACCESS, Right.ERASURE),
        state=RequestState.NEEDS_ATTENTION,
        channel="post",
        target_on=date(2026, 3, 30),
        attention="residue_left",
        identifiers={"email": ("a@people.example",)},
    )
    await created(cases, one)
    (row,) = await listed(cases)
    assert row == CaseRow(
        request_id=one.request_id,
        state=RequestState.NEEDS_ATTENTION,
        rights=(Right.ACCESS, Right.ERASURE),
        channel="post",
        received_at=NOW,
        target_on=date(2026, 3, 30),
        due_on=date(2026, 4, 2),
        attention="residue_left",
        closed_at=None,
    )


async def test_a_case_never_fetched_is_not_listed(cases):
    """No case, no row, and no next page."""
    page = await cases.listing(cursor=None, limit=10)
    assert (page.rows, page.cursor) == ((), None)


@pytest.mark.parametrize("cursor", ["x", "x" * 200, "æ", '{"made": "up"}'])
async def test_a_cursor_that_no_page_gave_is_refused(cases, cursor):
    """It comes from a caller, who can correct it."""
    await _created(cases)
    with pytest.raises(Invalid) as refused:
        await cases.listing(cursor=cursor, limit=10)
    assert (refused.value.code, refused.value.field) == ("cursor_invalid", "cursor")


async def test_every_case_is_listed_once_whatever_the_size_of_a_page(cases):
    """One below, at and above what there is; a row a page, too."""
    everyone = sorted([await _created(cases) for _ in range(5)])
    for limit in (1, 2, 4, 5, 6):
        assert await ids(cases, limit=limit) == everyone


async def test_only_what_stands_in_one_of_the_states_is_listed(cases):
    """No state named: all of them. Other documents of a case are no rows."""
    waiting = await _created(cases, state=RequestState.AWAITING_APPROVAL)
    standing = await _created(cases, state=RequestState.STANDING)
    ended = await _created(cases, state=RequestState.COMPLETED, closed_at=NOW)
    assert await ids(cases, states=(RequestState.STANDING,)) == [standing]
    both = (RequestState.STANDING, RequestState.AWAITING_APPROVAL)
    assert await ids(cases, states=both) == sorted([standing, waiting])
    assert await ids(cases, states=(RequestState.REJECTED,)) == []
    assert await ids(cases) == sorted([waiting, standing, ended])


async def test_what_stopped_is_listed_by_its_reason(cases):
    """The whole code, as it is."""
    paused = await _created(cases, state=RequestState.NEEDS_ATTENTION, attention="erasing_paused")
    await _created(cases, state=RequestState.NEEDS_ATTENTION, attention="residue_left")
    await _created(cases)
    assert await ids(cases, attention="erasing_paused") == [paused]
    assert await ids(cases, attention="erasing") == []
    stopped = (RequestState.NEEDS_ATTENTION,)
    assert await ids(cases, states=stopped, attention="erasing_paused") == [paused]
    assert await ids(cases, states=(RequestState.VERIFIED,), attention="erasing_paused") == []


async def test_what_closed_since_a_moment_is_listed(cases):
    """A microsecond below, at and above; what is open has not closed."""
    before, at, later = [
        await _created(cases, state=RequestState.COMPLETED, closed_at=NOW + timedelta(microseconds=off))
        for off in (-1, 0, 1)
    ]
    await _created(cases)
    assert await ids(cases, closed_since=NOW) == sorted([at, later])
    assert await ids(cases, closed_since=NOW - timedelta(microseconds=1)) == sorted([before, at, later])
    assert await ids(cases, closed_since=NOW + timedelta(microseconds=2)) == []


async def test_what_one_of_some_pseudonyms_belongs_to_is_listed_once(cases):
    """Open or closed, page by page; nobody's pseudonym, and no pseudonym at all, lists nothing."""
    mine, alias = (f"k1-{uuid.uuid4().hex}" for _ in range(2))
    both = await _created(cases, subject_keys=(mine, alias))
    one = await _created(cases, subject_keys=(alias,), state=RequestState.COMPLETED, closed_at=NOW)
    await _created(cases)
    assert await ids(cases, subject_keys=(mine, alias), limit=1) == sorted([both, one])
    assert await ids(cases, subject_keys=(mine,)) == [both]
    assert await ids(cases, subject_keys=(alias,), states=(RequestState.COMPLETED,)) == [one]
    assert await ids(cases, subject_keys=("k1-nobody",)) == await ids(cases, subject_keys=()) == []


async def test_a_row_says_whether_a_question_is_open(cases):
    """One that was answered is none, and a closed case has none."""
    asked = Question(number=0, kind="clarification", text="Which?", asked_by="op", created_at=NOW)
    waiting = await _created(cases, questions=(asked,))
    await _created(cases, questions=(asked.model_copy(update={"answered_at": NOW}),))
    await _created(cases, questions=(asked,), state=RequestState.CANCELLED, closed_at=NOW)
    await _created(cases)
    assert [one.request_id for one in await listed(cases) if one.question_open] == [waiting]


async def test_a_row_carries_what_recipients_were_told(cases):
    """For the scorecard: recipients and moments, and nothing of the person."""
    notice = Notice(
        recipient_id="postnord",
        right=Right.ERASURE,
        instruction=Instruction.ERASE,
        state=NoticeState.NOTIFIED,
        at=NOW,
        letter_id="notice-postnord-erasure",
        asked_at=NOW,
        chase_on=date(2026, 4, 2),
    )
    await created(cases, request(notices=(notice,)))
    (row,) = await listed(cases)
    assert row.notices == (notice,)


async def test_audit_entries_come_in_the_order_they_were_made(cases):
    """More than nine, each as it was; other documents of the case and other cases are left out."""
    one, other = request(), request()
    events = []
    for number in range(12):
        one, event = one.noted(NOW + timedelta(seconds=number), "looked", number=number)
        events.append(event)
    await created(cases, one, *reversed(events))
    other, foreign = other.noted(NOW, "received")
    await created(cases, other, foreign)
    assert await cases.events(one.request_id) == tuple(events)
    assert await cases.events(other.request_id) == (foreign,)


async def test_an_unknown_case_has_no_audit_entries(cases):
    """Which is said by none, not by an error."""
    assert await cases.events(uuid.uuid4().hex) == ()


async def test_a_listed_case_is_as_it_was_saved_last(cases):
    """Not as it began."""
    one = request()
    etags = await created(cases, one)
    moved = one.moved_to(RequestState.VERIFIED)
    await cases.commit(one.request_id, [Write(document=moved, etag=etags[one.id])])
    assert [row.state for row in await listed(cases)] == [RequestState.VERIFIED]


async def test_a_record_of_before_these_fields_is_listed_as_it_is_loaded(databases):
    """What an earlier version stored says nothing of its channel and of the day aimed for."""
    one = request()
    old = {
        name: value
        for name, value in one.model_dump(mode="json").items()
        if name not in ("channel", "target_on", "filed_at", "requester", "scope", "wishes")
    }
    await databases.container("compliance", "requests").create_item(old)
    cases = CosmosCases(databases)
    (row,) = await listed(cases)
    assert (row.channel, row.target_on) == ("web", None)
    assert (await cases.load(one.request_id)).request == one


async def _created(cases, **changes) -> str:
    one = request(**changes)
    await created(cases, one)
    return one.request_id
