"""The doors for staff: who may open which, and what each does."""

import json
from datetime import timedelta

import pytest

import function_app  # noqa: F401  loading it makes the doors known
from functions._door import DOORS
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.staff import ALLOWED, Permission, StaffRole
from tests.triggers.conftest import content, problem
from tests.triggers.operations_world import PERMISSIONS, UNKNOWN, call, problem_field, staff_id
from tests.unit.services.driving import ask, deliver, submit


def test_every_door_for_staff_is_in_the_table():
    """So that none is left out below."""
    assert set(PERMISSIONS) == {name for name, one in DOORS.items() if one.guard == "staff"}


@pytest.mark.parametrize("name", list(PERMISSIONS))
async def test_no_door_opens_without_a_token_or_with_a_wrong_one(tokens, name):
    """Whatever else is sent."""
    params = {"request_id": UNKNOWN, "hold_id": "h", "letter_id": "l", "queue": "q"}
    problem(await call(name, None, {}, **params), 401, "staff_token_missing")
    problem(await call(name, "made-up", {}, **params), 401, "staff_token_invalid")


@pytest.mark.parametrize("role", list(StaffRole))
@pytest.mark.parametrize("name", list(PERMISSIONS))
async def test_a_door_opens_for_its_roles_only(everybody, name, role):
    """Before it reads the body or says whether there is such a case."""
    params = {"request_id": UNKNOWN, "hold_id": "h", "letter_id": "letter-x-0", "queue": "q"}
    response = await call(name, everybody[role], {"nonsense": 1}, **params)
    if role in ALLOWED[PERMISSIONS[name]]:
        assert response.status_code not in (401, 403), content(response)
        return
    problem(response, 403, "role_missing")


async def _objection(world, operator):
    """Return a case that waits for a person's decision, and the digest of its plan."""
    body = {
        "rights": ["objection"],
        "email": "ane@people.example",
        "channel": "post",
        "received_at": world.clock.now().isoformat(),
        "identity": "question",
        "message": "I object.",
    }
    request_id = content(await call("operations_enter", operator, body))["request_id"]
    await deliver(world)
    request = world.cases.request(request_id)
    assert request.state is RequestState.AWAITING_APPROVAL
    return request_id, request.plan.digest


async def test_a_list_shows_cases_and_nothing_of_the_person(world, operator):
    """By state where one is named."""
    first = await ask(world, "ane@people.example", Right.ACCESS)
    second = await submit(world, "bo@people.example", Right.ERASURE)
    found = content(await call("operations_list", operator))
    assert {one["request_id"] for one in found["cases"]} == {first, second}
    assert "people.example" not in json.dumps(found)
    assert found["finished_left_out"] is True
    found = content(await call("operations_list", operator, query={"state": "received"}))
    assert found["finished_left_out"] is False
    assert [one["request_id"] for one in found["cases"]] == [second]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "odd"},
        {"attention": "odd"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"cursor": "x"},
        {"unknown": "1"},
    ],
)
async def test_a_query_that_cannot_be_meant_is_refused(operator, query):
    """By the field at fault."""
    assert problem_field(await call("operations_list", operator, query=query)) == next(iter(query))


async def test_a_list_says_what_stopped_a_case_and_whether_a_question_is_open(world, operator):
    """So that nobody asks again."""
    stopped = await ask(world, "ane@people.example", Right.ERASURE)
    await call("operations_pause_case", operator, request_id=stopped)
    asked, _ = await _objection(world, operator)
    await call("operations_ask", operator, {"kind": "clarification", "text": "Which?"}, request_id=asked)
    found = content(await call("operations_list", operator, query={"attention": "paused_by_staff"}))
    assert [(one["request_id"], one["question_open"]) for one in found["cases"]] == [(stopped, False)]
    found = content(await call("operations_list", operator))
    assert {one["request_id"]: one["question_open"] for one in found["cases"]}[asked] is True


@pytest.mark.clause("6.2")
async def test_a_look_is_noted_with_its_purpose_before_anything_is_shown(world, operator, tokens):
    """With the id of who looked, which is not shown to anybody."""
    request_id = await ask(world, "ane@people.example", Right.ACCESS)
    response = await call(
        "operations_view", operator, {"purpose": "a call of the person"}, request_id=request_id
    )
    found = content(response)
    assert found["request"]["request_id"] == request_id
    assert found["timeline"][0]["what"] == "received"
    (noted,) = world.documents.bodies("lookups")
    assert (noted["purpose"], noted["role"]) == ("a call of the person", "Operator")
    assert noted["staff_id"] == staff_id(operator, tokens)


@pytest.mark.parametrize("body", [{}, {"purpose": ""}, {"purpose": "  "}, {"purpose": "x", "more": 1}])
async def test_a_look_without_a_purpose_shows_nothing(world, operator, body):
    """And is noted nowhere."""
    request_id = await ask(world, "ane@people.example", Right.ACCESS)
    assert (await call("operations_view", operator, body, request_id=request_id)).status_code == 400
    assert not world.documents.bodies("lookups")


async def test_a_request_that_came_by_post_is_entered_with_its_true_day(world, operator, tokens):
    """And runs from then."""
    received_at = world.clock.now() - timedelta(days=3)
    body = {
        "rights": ["access", "erasure"],
        "email": "ane@people.example",
        "channel": "post",
        "received_at": received_at.isoformat(),
        "identity": "registered_contact",
        "language": "da",
    }
    response = await call("operations_enter", operator, body)
    assert response.status_code == 201
    request = world.cases.request(content(response)["request_id"])
    assert (request.received_at, request.channel, request.language) == (received_at, "post", "da")
    assert request.entered_by == staff_id(operator, tokens)
    assert request.rights == (Right.ACCESS, Right.ERASURE)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"received_at": "2026-02-30T10:00:00Z"}, "received_at"),
        ({"received_at": "2026-02-20T10:00:00"}, "received_at"),  # of which time zone?
        ({"received_at": "2026-03-03T10:00:00Z"}, None),  # to come
        ({"channel": "web"}, "channel"),
        ({"rights": []}, "rights"),
        ({"rights": ["forgetting"]}, "rights.0"),
        ({"email": "nobody"}, "email"),
        ({"identity": "sounded like it"}, "identity"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_an_entry_that_cannot_be_meant_is_refused(world, operator, change, field):
    """Nothing is put on file."""
    body = {
        "rights": ["access"],
        "email": "ane@people.example",
        "channel": "phone",
        "received_at": world.clock.now().isoformat(),
        **change,
    }
    response = await call("operations_enter", operator, body)
    assert response.status_code == 400
    assert field is None or content(response)["field"] == field
    assert not world.cases.partitions


async def test_a_plan_is_approved_by_its_digest_and_runs(world, operator, approver, tokens):
    """Another digest, a second decision, and it is too late."""
    request_id, digest = await _objection(world, operator)
    body = {"plan_digest": "0" * 64, "reason": "seen"}
    problem(await call("operations_approve", approver, body, request_id=request_id), 409, "plan_changed")
    body = {"plan_digest": digest, "reason": "no ground of ours outweighs it"}
    assert content(await call("operations_approve", approver, body, request_id=request_id)) == {"runs": True}
    assert content(await call("operations_approve", approver, body, request_id=request_id)) == {"runs": True}
    refusal = {"reason": "a reason", "provision": "GDPR article 21(1)"}
    problem(await call("operations_refuse", approver, refusal, request_id=request_id), 409, "decided_already")
    (decision,) = world.cases.request(request_id).decisions
    assert decision.decided_by == staff_id(approver, tokens)
    await deliver(world)
    assert world.cases.request(request_id).outcomes[Right.OBJECTION].result == "objection_upheld"


async def test_a_refusal_needs_its_reason_and_its_provision(world, operator, approver):
    """Then it is sent."""
    request_id, _ = await _objection(world, operator)
    full = {"reason": "It is needed for a legal claim.", "provision": "GDPR article 21(1)"}
    for missing in full:
        body = {name: text for name, text in full.items() if name != missing}
        assert (
            problem_field(await call("operations_refuse", approver, body, request_id=request_id)) == missing
        )
    assert content(await call("operations_refuse", approver, full, request_id=request_id)) == {"done": True}
    assert world.cases.request(request_id).outcomes[Right.OBJECTION].result == "refused"


async def test_time_is_taken_with_a_reason(world, operator, approver):
    """Two months at most."""
    request_id, _ = await _objection(world, operator)
    for months in (0, 3):
        body = {"months": months, "reason": "many stores"}
        assert (
            problem_field(await call("operations_extend", approver, body, request_id=request_id)) == "months"
        )
    body = {"months": 2, "reason": "many stores"}
    assert (await call("operations_extend", approver, body, request_id=request_id)).status_code == 200


async def test_a_question_is_asked_and_its_answer_noted(world, operator):
    """One at a time."""
    request_id, _ = await _objection(world, operator)
    body = {"kind": "clarification", "text": "Which use do you mean?"}
    response = await call("operations_ask", operator, body, request_id=request_id)
    assert (response.status_code, content(response)) == (201, {"number": 0})
    problem(await call("operations_ask", operator, body, request_id=request_id), 409, "question_open")
    body = {"text": "The statistics."}
    assert (await call("operations_note_answer", operator, body, request_id=request_id)).status_code == 200


async def test_a_case_is_paused_and_taken_up_again(world, operator):
    """By staff, with their id in its history."""
    request_id = await ask(world, "ane@people.example", Right.ERASURE)
    problem(await call("operations_retry", operator, request_id=request_id), 409, "not_stopped")
    assert (await call("operations_pause_case", operator, request_id=request_id)).status_code == 200
    assert world.cases.request(request_id).state is RequestState.NEEDS_ATTENTION
    assert (await call("operations_retry", operator, request_id=request_id)).status_code == 200
    await deliver(world)
    assert world.cases.request(request_id).is_final


def test_every_permission_opens_a_door():
    """One that none asks for would be a promise in a table."""
    assert set(PERMISSIONS.values()) == set(Permission)
