"""States of a request and of its tasks."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.case_documents import Event
from shared.domain.cases import DOCUMENT_TYPES, SubjectRequest
from shared.domain.errors import Conflict
from shared.domain.outcomes import KeptRecords, Outcome, summed
from shared.domain.plans import Action
from shared.domain.request_states import FINAL, TRANSITIONS, RequestState
from shared.domain.rights import CLAUSES, Right
from shared.domain.tasks import Task, TaskState

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STATES = list(RequestState)


def request(**changes) -> SubjectRequest:
    return SubjectRequest(
        **{
            "request_id": "a" * 32,
            "rights": (Right.ACCESS, Right.ERASURE),
            "state": RequestState.RECEIVED,
            "language": "en",
            "received_at": NOW,
            "due_on": date(2026, 4, 2),
            "email": "ane@people.example",
            "subject_keys": ("k1-0",),
            "wake_at": NOW,
            **changes,
        }
    )


def task(**changes) -> Task:
    return Task(
        **{
            "id": "task-0-erase-log",
            "request_id": "a" * 32,
            "store_id": "log",
            "action": Action.ERASE,
            "lane": 0,
        }
        | changes
    )


def test_every_state_has_its_transitions():
    """None is forgotten in the table."""
    assert set(TRANSITIONS) == set(RequestState)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("state", STATES)
def test_a_request_moves_as_the_table_says_and_not_otherwise(before, state):
    """Every pair of states, both ways; moving to where it stands is no move."""
    one = request(state=before)
    if state is before or state in TRANSITIONS[before]:
        assert one.moved_to(state, deferrals=2).state is state
        return
    with pytest.raises(Conflict) as caught:
        one.moved_to(state)
    assert caught.value.code == "transition_forbidden"


def test_final_states_lead_nowhere():
    """What is closed stays closed."""
    names = {"completed", "completed_with_retention", "rejected", "cancelled", "expired", "joined"}
    assert {state.value for state in FINAL} == names
    assert all(not TRANSITIONS[state] for state in FINAL)
    assert all(request(state=state).is_final == (state in FINAL) for state in STATES)


def test_every_open_state_can_reach_an_end():
    """No request is caught in a circle."""
    for state in STATES:
        reached, front = {state}, {state}
        while front:
            front = {following for one in front for following in TRANSITIONS[one]} - reached
            reached |= front
        assert reached & FINAL


@given(st.lists(st.sampled_from(STATES), max_size=30))
def test_no_walk_through_the_table_leaves_a_final_state(states):
    """Whatever order messages come in."""
    one, ended = request(), None
    for state in states:
        try:
            one = one.moved_to(state)
        except Conflict:
            continue
        if ended is not None:
            assert one.state is ended
        if one.is_final:
            ended = one.state


def test_a_confirmed_request_can_be_cancelled_until_it_answers():
    """By the table; that erasing cannot be undone is the service's to know."""
    cancellable = {state for state in STATES if RequestState.CANCELLED in TRANSITIONS[state]}
    assert cancellable == {
        RequestState.RECEIVED,
        RequestState.VERIFIED,
        RequestState.AWAITING_APPROVAL,
        RequestState.PLANNED,
        RequestState.IN_PROGRESS,
        RequestState.NEEDS_ATTENTION,
    }


def test_what_stands_is_answered_and_not_closed():
    """It ends as it was answered or is taken up again; never cancelled.

    It comes from an answer, or from a request whose other rights ended unanswered.
    """
    before = {state for state in STATES if RequestState.STANDING in TRANSITIONS[state]}
    assert before == {
        RequestState.ANSWERING,
        *(state for state in STATES if RequestState.CANCELLED in TRANSITIONS[state]),
    }
    assert TRANSITIONS[RequestState.STANDING] == {
        RequestState.VERIFIED,
        RequestState.COMPLETED,
        RequestState.COMPLETED_WITH_RETENTION,
        RequestState.REJECTED,
    }
    assert not request(state=RequestState.STANDING).is_final
    assert not request(state=RequestState.STANDING).waits_for_operator


def test_only_a_decision_or_an_answer_leads_to_an_answer():
    """A complaint is answered as it comes in; nobody is refused but by a person."""
    before = {state for state in STATES if RequestState.ANSWERING in TRANSITIONS[state]}
    assert before == {
        RequestState.RECEIVED,
        RequestState.AWAITING_APPROVAL,
        RequestState.IN_PROGRESS,
        RequestState.NEEDS_ATTENTION,
    }
    assert {state for state in STATES if RequestState.REJECTED in TRANSITIONS[state]} == {
        RequestState.ANSWERING,
        RequestState.STANDING,  # was refused, and a recipient of its first life had to be told
    }


def test_audit_entries_are_numbered_and_sort_in_order():
    """Two at once get one number, and the batch of the second fails."""
    one, first = request().noted(NOW, "received", rights="access")
    two, second = one.noted(NOW, "verified")
    assert (first.id, second.id, two.events) == ("event-000001", "event-000002", 2)
    assert first.details == {"rights": "access"}


def test_rights_are_worked_on_in_the_order_given():
    """A copy first; after the last right there is none."""
    one = request()
    assert one.right is Right.ACCESS
    assert one.next_phase == 1
    assert one.with_(phase=1).right is Right.ERASURE
    assert one.with_(phase=1).next_phase is None


def test_a_right_that_has_its_outcome_is_not_worked_on_again():
    """A request taken up after a hold goes from the deferred right to the next one without an outcome."""
    rights = (Right.WITHDRAWAL, Right.ACCESS, Right.ERASURE)
    answered = {Right.ACCESS: Outcome(result="answered", at=NOW)}
    assert request(rights=rights, outcomes=answered).next_phase == 2
    answered[Right.ERASURE] = Outcome(result="erased", at=NOW)
    assert request(rights=rights, outcomes=answered).next_phase is None
    assert request(rights=rights, outcomes=answered, phase=2).next_phase is None


def test_a_document_is_written_and_read_unchanged():
    """Through JSON, as it is stored."""
    one, event = request(email=None, identifiers={"email": ("ane@people.example",)}).noted(NOW, "received")
    for document in (one, event, task(claimed=("e:x",), claimed_until=NOW)):
        model = DOCUMENT_TYPES[document.type]
        assert model.model_validate(document.model_dump(mode="json")) == document


def test_an_unknown_field_or_a_naive_moment_is_refused():
    """Stored by newer code or by hand: never read half."""
    content = request().model_dump(mode="json")
    with pytest.raises(ValidationError):
        SubjectRequest.model_validate({**content, "colour": "red"})
    with pytest.raises(ValidationError):
        SubjectRequest.model_validate({**content, "received_at": "2026-03-02T09:00:00"})
    with pytest.raises(ValidationError):
        SubjectRequest.model_validate({**content, "v": 2})


def test_a_document_cannot_be_changed_in_place():
    """Changes are copies, so that what was read can still be compared."""
    with pytest.raises(ValidationError):
        request().state = RequestState.VERIFIED


def test_a_document_that_cannot_be_read_does_not_quote_its_content():
    """What is wrong is named by its place; the person's address stays out of the error's text."""
    content = request().model_dump(mode="json")
    with pytest.raises(ValidationError) as caught:
        SubjectRequest.model_validate({**content, "email": ["ane@people.example"]})
    assert "ane@" not in str(caught.value)


def test_a_task_taken_up_again_keeps_what_it_counted():
    """Erased is erased; what was kept is found and named anew."""
    again = task(
        state=TaskState.FAILED, records=7, rewritten=2, cursor="c", lane=3, problem="x", claimed_until=NOW
    ).again()
    assert (again.records, again.rewritten, again.round) == (7, 2, 1)
    assert (again.state, again.lane, again.cursor, again.problem) == (TaskState.QUEUED, 0, None, None)
    assert again.claimed_until is None


def test_a_claimed_task_taken_up_again_goes_on_at_its_page():
    """Only there can its claim be counted."""
    again = task(cursor="c", claimed=("e:p|d",)).again()
    assert (again.cursor, again.claimed) == ("c", ("e:p|d",))


def test_a_task_is_final_when_done_or_failed():
    """And at work otherwise."""
    assert {state for state in TaskState if task(state=state).is_final} == {TaskState.DONE, TaskState.FAILED}


def test_every_right_names_its_clause():
    """The policy's section 4, from access to complaint."""
    clauses = ["4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.7.1", "4.8", "4.9"]
    assert [CLAUSES[right] for right in Right] == clauses


def test_audit_details_hold_counts_and_codes_only():
    """No field of an entry takes a nested value to hide data in."""
    with pytest.raises(ValidationError):
        Event(id="event-000001", request_id="a" * 32, at=NOW, what="x", details={"person": {"name": "Ane"}})


def _kept(records: int, until: str = "2029-12-31") -> KeptRecords:
    return KeptRecords(
        store_id="log",
        reason="bookkeeping",
        provision="Act",
        until=date.fromisoformat(until),
        records=records,
    )


def test_settled_records_leave_the_claim_and_what_stays_of_them_is_counted():
    """Of those somebody else deleted nothing stays; the others stay claimed."""
    claimed = task(
        claimed=("r:a", "r:b", "r:c", "e:d"),
        claimed_kept={name: (_kept(1),) for name in ("r:a", "r:b", "r:c")},
        kept=(_kept(2), _kept(1, "2030-12-31")),
    )
    one = claimed.settled(["r:a", "r:b", "e:d"], gone=["r:b"])
    assert one.claimed == ("r:c",)
    assert one.claimed_kept == {"r:c": (_kept(1),)}
    assert one.kept == (_kept(3), _kept(1, "2030-12-31"))
    assert one.settled(["r:a"]) == one
    assert (one.unclaimed().claimed, one.unclaimed().claimed_kept) == ((), {})


@given(st.lists(st.tuples(st.sampled_from(["2029-12-31", "2030-12-31"]), st.integers(1, 9)), max_size=9))
def test_summing_kept_records_loses_none_and_names_each_day_once(groups):
    """However they were counted, and again."""
    kept = [_kept(records, until) for until, records in groups]
    once = summed(kept)
    assert sum(one.records for one in once) == sum(records for _, records in groups)
    assert len(once) == len({until for until, _ in groups})
    assert summed(once) == once
