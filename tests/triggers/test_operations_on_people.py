"""The doors for staff to holds, pauses and people: what each does and shows."""

import json
from dataclasses import replace
from datetime import timedelta

import azure.functions as func
import pytest

import function_app  # noqa: F401  loading it makes the doors known
from functions._door import DOORS
from functions.http_health import show as show_health
from shared.domain.messages import PLAN_QUEUE, PlanRequest
from shared.domain.rights import Right
from shared.domain.staff import ALLOWED, StaffRole
from shared.domain.wishes import Wishes
from shared.services import people
from shared.services.poison import put_aside
from shared.services.resolving import Resolved
from shared.services.retention import go_on
from tests.triggers.conftest import content, problem, wire
from tests.triggers.operations_world import PERMISSIONS, UNKNOWN, call, problem_field, staff_id
from tests.unit.services.driving import ask, deliver, submit


async def test_a_hold_is_placed_listed_and_released(world, operator, approver):
    """By an operator and an approver."""
    body = {
        "kind": "email",
        "value": "ane@people.example",
        "ground": "legal_claim",
        "reason": "a claim about an invoice",
        "review_on": "2026-06-01",
    }
    response = await call("operations_hold", operator, body)
    assert response.status_code == 201
    hold_id = content(response)["hold_id"]
    assert content(response)["matches"] > 0
    (line,) = content(await call("operations_holds", operator))["holds"]
    assert (line["hold_id"], line["review_on"], line["is_overdue"]) == (hold_id, "2026-06-01", False)
    assert "people.example" not in json.dumps(line)
    why = {"reason": "the claim was settled"}
    problem(await call("operations_release", operator, why, hold_id=hold_id), 403, "role_missing")
    assert problem_field(await call("operations_release", approver, {}, hold_id=hold_id)) == "reason"
    for again, reason in enumerate(("the claim was settled", "once more")):
        response = await call("operations_release", approver, {"reason": reason}, hold_id=hold_id)
        assert content(response) == {"taken_up": 0, "was_released_already": bool(again)}
    assert content(await call("operations_holds", operator)) == {"holds": []}


async def test_a_hold_on_somebody_nobody_knows_is_answered_with_that(world, operator):
    """Placed, and the name can be looked at again."""
    body = {
        "kind": "email",
        "value": "nobody@people.example",
        "ground": "legal_claim",
        "reason": "a claim about an invoice",
        "review_on": "2026-06-01",
    }
    response = await call("operations_hold", operator, body)
    assert (response.status_code, content(response)["matches"]) == (201, 0)
    assert len(content(await call("operations_holds", operator))["holds"]) == 1


async def test_a_hold_that_stands_is_not_placed_twice(world, operator, approver):
    """Another dispute is another hold, and each is told of the other; the first reason for release stays."""
    body = {
        "kind": "email",
        "value": "ane@people.example",
        "ground": "legal_claim",
        "reason": "a claim about an invoice",
        "review_on": "2026-06-01",
    }
    first = content(await call("operations_hold", operator, body))
    assert (first["existed_already"], first["beside"]) == (False, [])
    response = await call("operations_hold", operator, {**body, "review_on": "2026-07-01"})
    assert (response.status_code, content(response)) == (200, {**first, "existed_already": True})
    response = await call("operations_hold", operator, {**body, "reason": "another claim"})
    second = content(response)
    assert (response.status_code, second["beside"]) == (201, [first["hold_id"]])
    assert len(content(await call("operations_holds", operator))["holds"]) == 2
    for reason in ("settled", "again"):
        await call("operations_release", approver, {"reason": reason}, hold_id=first["hold_id"])
    (line,) = content(await call("operations_holds", operator))["holds"]
    assert line["hold_id"] == second["hold_id"]
    kept = [hold for key in world.controls.rows for hold in world.controls.stored(key).controls.holds]
    assert {one.release_reason for one in kept if one.hold_id == first["hold_id"]} == {"settled"}


async def test_all_erasing_is_paused_and_resumed(world, operator, approver):
    """Whoever works on cases may stop it, and an approver lets it go on."""
    body = {"reason": "something is wrong"}
    assert (await call("operations_pause_erasing", operator, body)).status_code == 200
    request_id = await ask(world, "ane@people.example", Right.ERASURE)
    await deliver(world)
    assert not world.cases.request(request_id).is_final
    problem(await call("operations_resume_erasing", operator, body), 403, "role_missing")
    assert content(await call("operations_resume_erasing", approver, body)) == {"resumed": 1}
    await deliver(world)
    assert world.cases.request(request_id).is_final


async def test_scheduled_deletion_alone_is_paused_and_resumed(world, operator, approver):
    """With a reason and who; what people ask for goes on, and the run is told to go on at once."""
    assert problem_field(await call("operations_pause_retention", operator, {})) == "reason"
    body = {"reason": "a period is looked at"}
    assert (await call("operations_pause_retention", operator, body)).status_code == 200
    health = func.HttpRequest(method="GET", url="http://127.0.0.1:7071/api/health", body=b"")
    assert content(await show_health(health))["retention"] == "paused"
    request_id = await ask(world, "ane@people.example", Right.ERASURE)
    await deliver(world)
    assert world.cases.request(request_id).is_final
    await go_on(world.context)
    (line,) = content(await call("operations_retention_runs", operator))["runs"]
    assert (line["waits_for"], line["waits_until"], line["rests"]) == ("paused", None, {"paused": 1})
    problem(await call("operations_resume_retention", operator, body), 403, "role_missing")
    assert (await call("operations_resume_retention", approver, body)).status_code == 200
    assert [queue for queue, _, _ in world.queue.sent] == ["retention-run"]
    assert (await go_on(world.context)).waits_for == ""


async def test_failed_messages_are_sent_again(world, operator):
    """Of one queue, by its name."""
    request_id = await ask(world, "ane@people.example", Right.ERASURE)
    world.queue.sent.clear()
    body = PlanRequest(request_id=request_id).model_dump_json().encode()
    await put_aside(world.context, PLAN_QUEUE, body)
    found = content(await call("operations_redrive", operator, queue=PLAN_QUEUE))
    assert found == {"cases": 1, "messages": 0, "left": 0}
    problem(await call("operations_redrive", operator, queue="other"), 404, "queue_unknown")


async def test_a_forecast_names_no_person(world, operator):
    """Only cases and days."""
    await ask(world, "ane@people.example", Right.ERASURE)
    found = content(await call("operations_forecast", operator))
    assert set(found) == {"answered_per_working_day", "late"}
    assert "people.example" not in json.dumps(found)


async def test_a_customer_s_administrator_asks_for_its_own_customer_only(world, everybody):
    """Another one's is refused before anybody is looked for."""
    token = everybody[StaffRole.CUSTOMER_ADMIN]
    body = {
        "customer_id": "c-2",
        "right": "access",
        "kind": "email",
        "value": "ane@people.example",
        "answer_to": "admin@customer.example",
    }
    problem(await call("operations_customer_request", token, body), 403, "customer_not_theirs")
    assert not world.cases.partitions


async def test_a_customer_s_name_with_a_link_in_it_is_refused(world, everybody):
    """At the door, by its own code; a plain one passes."""
    token = everybody[StaffRole.CUSTOMER_ADMIN]
    body = {
        "customer_id": "c-1",
        "right": "access",
        "kind": "email",
        "value": "ane@people.example",
        "answer_to": "admin@customer.example",
    }
    refused = await call("operations_customer_request", token, {**body, "customer_name": "evil.example"})
    problem(refused, 400, "customer_name_unfit")
    assert not world.cases.partitions
    passed = await call("operations_customer_request", token, {**body, "customer_name": "Ærø & Søn A/S"})
    assert passed.status_code == 201


@pytest.mark.parametrize("name", [one for one in PERMISSIONS if "{request_id" in DOORS[one].route])
async def test_an_unknown_case_is_told_as_that(everybody, name):
    """To those who may ask."""
    bodies = {
        "operations_view": {"purpose": "a call"},
        "operations_transfer": {"transfer_url": None},
        "operations_notice": {"recipient_id": "r", "right": "erasure", "state": "told"},
        "operations_letter": {"was_sent": True},
        "operations_approve": {"plan_digest": "0" * 64, "reason": "seen"},
        "operations_refuse": {"reason": "r", "provision": "p"},
        "operations_reread": {"rights": ["access"]},
        "operations_extend": {"months": 1, "reason": "r"},
        "operations_ask": {"kind": "identity", "text": "t"},
        "operations_note_answer": {"text": "t"},
        "operations_lift": {"reason": "r"},
        "operations_identity": {"method": "question"},
    }
    role = min(ALLOWED[PERMISSIONS[name]])
    params = {"request_id": UNKNOWN, "letter_id": "letter-answer_access-0"}
    response = await call(name, everybody[role], bodies.get(name), **params)
    problem(response, 404, "request_unknown")


async def test_a_person_who_was_identified_by_another_way_needs_no_link(world, operator):
    """Only the method is kept."""
    request_id = await submit(world, "ane@people.example", Right.ACCESS)
    answered = await call("operations_identity", operator, {"method": "code_by_post"}, request_id=request_id)
    assert content(answered) == {"request_id": request_id, "state": "verified"}
    again = await call("operations_identity", operator, {"method": "code_by_post"}, request_id=request_id)
    problem(again, 409, "identity_not_open")


async def test_a_replay_after_a_restore_is_called_until_it_is_done(world, operator):
    """Nobody was erased since, so nothing is filed."""
    body = {"restored_from": "2026-02-02T03:00:00Z"}
    found = content(await call("operations_replay", operator, body))
    assert found["filed"] == 0
    assert found["done"] in (True, False)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"kind": "telepathy"}, "identifier_unknown"),
        ({"kind": "subject_key"}, "identifier_unknown"),
        ({"kind": "person_id"}, "identifier_shared"),
        ({"value": "not an address"}, "email_invalid"),
        ({"review_on": "2099-01-01"}, "hold_review_far"),
        ({"activity_id": False}, "field_invalid"),
        ({"activity_id": 0}, "field_invalid"),
    ],
)
async def test_a_hold_on_nobody_is_refused(world, monkeypatch, tokens, operator, changed, code):
    """It would keep nothing, and nobody would notice."""
    policy = world.context.datamap.policy
    kinds = tuple(one.model_copy(update={"shared": one.id == "person_id"}) for one in policy.identifiers)
    policy = policy.model_copy(update={"identifiers": kinds})
    datamap = world.context.datamap.model_copy(update={"policy": policy})
    monkeypatch.setattr(world, "context", replace(world.context, datamap=datamap))
    wire(monkeypatch, world, staff_tokens=tokens)
    body = {
        "kind": "email",
        "value": "ane@people.example",
        "ground": "legal_claim",
        "reason": "A claim is being prepared.",
        "review_on": (world.clock.now() + timedelta(days=90)).date().isoformat(),
    }
    problem(await call("operations_hold", operator, {**body, **changed}), 400, code)
    assert (await call("operations_hold", operator, {**body, "activity_id": ""})).status_code == 201


@pytest.mark.parametrize(
    ("name", "body", "field", "said"),
    [
        ("operations_extend", {"months": 3, "reason": "r"}, "months", "1 to 2"),
        ("operations_extend", {"months": "two", "reason": "r"}, "months", "1 to 2"),
        ("operations_lift", {"reason": "r", "lift_on": "tomorrow"}, "lift_on", "2026-11-23"),
        ("operations_lift", {"reason": "r", "lift_on": "2026-02-30"}, "lift_on", "2026-11-23"),
        ("operations_replay", {"restored_from": "yesterday"}, "restored_from", "2026-11-23T09:15:00Z"),
        ("operations_ask", {"kind": "other", "text": "t"}, "kind", "identity, clarification"),
        ("operations_ask", {"kind": "identity", "text": "t", "why": "w"}, "why", "kind, text"),
        ("operations_ask", {"kind": "identity", "text": "x" * 2001}, "text", "2000"),
        ("operations_enter", {"rights": []}, "rights", "at least 1"),
    ],
)
async def test_a_field_that_is_refused_says_what_may_stand_there(everybody, name, body, field, said):
    """In words of ours, without the value that was sent."""
    token = everybody[min(ALLOWED[PERMISSIONS[name]])]
    found = content(await call(name, token, body, request_id=UNKNOWN))
    assert found["field"] == field
    assert said in found["detail"]


async def test_a_limit_that_is_refused_says_its_range(operator):
    """As it stands in the query, as text."""
    for limit in ("0", "201", "many"):
        found = content(await call("operations_list", operator, query={"limit": limit}))
        assert "1 to 200" in found["detail"]


async def test_what_a_state_forbids_is_a_conflict_that_says_what_to_do(world, everybody, operator, approver):
    """Whoever asks may ask; another request, or a later one, is let through."""
    request_id = await submit(world, "ane@people.example", Right.ACCESS)
    found = problem(await call("operations_pause_case", operator, request_id=request_id), 409, "not_pausable")
    assert "waits already" in found["detail"]
    request_id = await ask(world, "bo@people.example", Right.ACCESS)
    body = {"reason": "r", "provision": "p"}
    refused = await call("operations_refuse", approver, body, request_id=request_id)
    assert "waits for a decision" in problem(refused, 409, "nothing_to_refuse")["detail"]
    body = {
        "customer_id": "c-2",
        "right": "access",
        "kind": "email",
        "value": "ane@people.example",
        "answer_to": "admin@customer.example",
    }
    asked = await call("operations_customer_request", everybody[StaffRole.CUSTOMER_ADMIN], body)
    assert "does not act for" in problem(asked, 403, "customer_not_theirs")["detail"]


@pytest.mark.clause("6.2")
async def test_a_person_on_the_phone_is_found_by_address_or_user_id(world, operator, tokens):
    """Requests, open and closed, and holds in force; the look is noted under the person's pseudonym."""
    closed = await ask(world, "ane@people.example", Right.ACCESS)
    await deliver(world)
    opened = await submit(world, "ane@people.example", Right.ERASURE)
    await submit(world, "bo@people.example", Right.ERASURE)
    hold = {
        "kind": "email",
        "value": "ane@people.example",
        "ground": "legal_claim",
        "reason": "a claim about an invoice",
        "review_on": "2026-06-01",
    }
    hold_id = content(await call("operations_hold", operator, hold))["hold_id"]
    for named in ({"email": "Ane@People.example"}, {"user_id": "user-ane"}):
        found = content(await call("operations_find", operator, {**named, "purpose": "a call"}))
        assert {one["request_id"] for one in found["requests"]} >= {closed, opened}, named
        assert len(found["requests"]) == 2
        assert [(one["hold_id"], one["reason"]) for one in found["holds"]] == [(hold_id, hold["reason"])]
        assert (found["restrictions"], found["unclear"], found["has_more"]) == ([], None, False)
        assert "people.example" not in json.dumps(found)
    noted = world.documents.bodies("lookups")
    assert [one["purpose"] for one in noted] == ["a call", "a call"]
    keys = world.cases.request(opened).subject_keys + world.cases.request(closed).subject_keys
    assert noted[0]["subject_key"] in keys
    assert {one["staff_id"] for one in noted} == {staff_id(operator, tokens)}


async def test_a_restriction_in_force_is_shown_with_the_person(world, operator):
    """And not when it is lifted, as one of the person who is not known shows nothing."""
    await ask(world, "ane@people.example", Right.RESTRICTION, wishes=Wishes(ground="accuracy"))
    await deliver(world)
    body = {"email": "ane@people.example", "purpose": "a call"}
    (found,) = content(await call("operations_find", operator, body))["restrictions"]
    assert (found["ground"], found["activity_ids"]) == ("accuracy", [])
    body = {"email": "nobody@people.example", "purpose": "a call"}
    found = content(await call("operations_find", operator, body))
    assert found == {"holds": [], "restrictions": [], "requests": [], "unclear": None, "has_more": False}


async def test_a_name_that_leads_to_several_people_shows_what_stands_under_it_alone(
    world, operator, monkeypatch
):
    """And says why; nothing of the others is shown."""

    async def unsure(_context, known):
        return Resolved(identifiers={**known, "user_id": ("user-bo",)}, problem="too_many_email")

    mine = await submit(world, "ane@people.example", Right.ACCESS)
    await submit(world, "bo@people.example", Right.ACCESS)
    monkeypatch.setattr(people, "resolve", unsure)
    body = {"email": "ane@people.example", "purpose": "a call"}
    found = content(await call("operations_find", operator, body))
    assert found["unclear"] == "too_many_email"
    assert [one["request_id"] for one in found["requests"]] == [mine]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "ane@people.example"}, "field_missing"),
        ({"email": "ane@people.example", "purpose": " "}, "purpose_missing"),
        ({"email": "nobody", "purpose": "x"}, "email_invalid"),
        ({"purpose": "x"}, "person_not_named"),
        ({"email": "ane@people.example", "user_id": "u", "purpose": "x"}, "person_not_named"),
    ],
)
async def test_a_person_is_looked_for_with_one_name_and_a_purpose(world, operator, body, code):
    """Or nothing is shown and nothing noted."""
    problem(await call("operations_find", operator, body), 400, code)
    assert not world.documents.bodies("lookups")


async def test_the_scorecard_shows_each_recipient_and_nobody(world, operator):
    """Numbers only: the list names recipients of the map, and no person."""
    response = await call("operations_recipients", operator)
    found = content(response)
    assert response.status_code == 200
    assert [one["recipient_id"] for one in found["recipients"]] == ["host"]
    assert found["recipients"][0] | {"asked": 0, "overdue": 0, "median_days": None} == found["recipients"][0]
    assert found["is_complete"] is True
