"""The doors that our other systems ask at: keys, bodies, batches, errors."""

import hashlib
import json

import pytest

from functions._http import MAX_BODY_BYTES
from functions.http_processing import consents_record, processing_decisions
from shared.datamap.loader import load
from shared.domain.controls import Consent, Controls, Objection, Restriction
from shared.domain.errors import CannotTell, Retryable
from tests.factories import KEYS, World
from tests.triggers.conftest import call, content, problem, wire

KEY = "a key that only tests send"
ANE = "ane@people.example"
NOBODY = "nobody@people.example"


@pytest.fixture
def world(monkeypatch) -> World:
    """The shipped policy, and a key that opens the door."""
    made = World(datamap=load())
    wire(monkeypatch, made, system_key_sha256=hashlib.sha256(KEY.encode()).hexdigest())
    return made


def question(value=ANE, purpose="delivery", operation="ship", **more):
    return {
        "identifier": {"kind": "email", "value": value},
        "purpose": purpose,
        "operation": operation,
        **more,
    }


def opt_in(world, **changes):
    moment = world.clock.now().isoformat()
    return {
        "email": ANE,
        "purpose": "member_newsletter",
        "policy_version": "1",
        "given_at": moment,
        **changes,
    }


async def ask(body, handler=processing_decisions, **headers):
    return await call(handler, body=body, **{"x_system_key": KEY, **headers})


def restrict(world, email=ANE):
    mark = Restriction(restriction_id="r", ground="accuracy", placed_at=world.clock.now())
    world.controls.put(Controls(subject_key=KEYS.subject_key("email", email), restrictions=(mark,)))


@pytest.mark.clause("4.5")
@pytest.mark.parametrize(
    ("language", "start"), [("en", "Processing is restricted"), ("da", "Behandlingen er begrænset")]
)
async def test_a_denied_use_is_answered_with_its_reason_and_clause(world, language, start):
    """In the language asked for."""
    restrict(world)
    response = await ask(question(), accept_language=language)
    assert response.status_code == 200
    found = content(response)
    assert found.pop("reason").startswith(start)
    assert found == {"decision": "deny", "code": "restricted", "clause": "4.5", "until": None}
    assert response.headers["Cache-Control"] == "no-store"


async def test_known_and_unknown_people_get_the_same_answers(world):
    """Byte for byte, apart from what the controls say."""
    world.documents.put("members", "/id", {"id": "m-1", "email": ANE})
    world.controls.put(Controls(subject_key=KEYS.subject_key("email", ANE)))
    for purpose, operation in [("delivery", "ship"), ("author_newsletter", "mail"), ("membership", "erase")]:
        one, other = [await ask(question(value, purpose, operation)) for value in (ANE, NOBODY)]
        assert one.get_body() == other.get_body()
        assert dict(one.headers) == dict(other.headers)


async def test_a_batch_is_answered_in_its_order(world):
    """With one read."""
    restrict(world)
    reads = []

    async def turn(where):
        reads.append(where)

    world.controls.turn = turn
    asked = [question(), question(NOBODY), question(NOBODY, "member_newsletter", "mail"), question()]
    found = content(await ask({"questions": asked}))
    assert [one["code"] for one in found["decisions"]] == [
        "restricted",
        "allowed",
        "no_consent",
        "restricted",
    ]
    assert reads == ["controls.read"]


async def test_several_identifiers_of_one_person_are_asked_together(world):
    """Up to ten."""
    restrict(world)
    several = [{"kind": "email", "value": ANE}, *({"kind": "user_id", "value": f"u-{n}"} for n in range(10))]
    body = {"identifiers": several[:10], "purpose": "delivery", "operation": "ship"}
    assert content(await ask(body))["code"] == "restricted"
    problem(await ask({**body, "identifiers": several}), 400, "too_many")


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, 200), (100, 200), (101, 400)])
async def test_a_batch_has_one_to_a_hundred_questions(world, count, status):
    """Also with addresses of full length, which need more room than other bodies get."""
    longest = "a" * 63 + "@" + ".".join(["b" * 60] * 3) + ".example"
    body = {"questions": [question(longest)] * count}
    response = await ask(body)
    assert response.status_code == status
    if count == 100:
        assert len(json.dumps(body)) > MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "field_missing", "purpose"),
        (question(identifier=None), "identifier_missing", None),
        (question(identifiers=[{"kind": "email", "value": ANE}]), "identifier_missing", None),
        (question(identifier=ANE), "field_invalid", "identifier"),
        (question(identifier={"kind": "email"}), "field_missing", "identifier.value"),
        (question(identifier={"kind": 1, "value": ANE}), "field_invalid", "identifier.kind"),
        (question(identifier={"kind": "shoe", "value": "43"}), "identifier_unknown", "identifier"),
        (question(identifier={"kind": "installation_id", "value": "i"}), "identifier_shared", "identifier"),
        (question("not an address"), "email_invalid", "email"),
        (question("a" * 255), "text_too_long", "identifier.value"),
        (question(purpose="anything"), "purpose_unknown", "purpose"),
        (question(operation="sell"), "operation_unknown", "operation"),
        (question(operation=None), "operation_unknown", "operation"),
        (question(operation=["mail"]), "operation_unknown", "operation"),
        (question(colour="red"), "field_unknown", "colour"),
        ({"questions": question()}, "field_invalid", "questions"),
        ({"questions": [question()], "purpose": "delivery"}, "field_unknown", "purpose"),
        (
            {"questions": [question(), question(operation="sell")]},
            "operation_unknown",
            "questions.1.operation",
        ),
        ({"questions": [question(), question(purpose="any")]}, "purpose_unknown", "questions.1.purpose"),
        ({"questions": [question(), 7]}, "field_invalid", "questions.1"),
    ],
)
async def test_a_question_that_means_nothing_is_refused_by_name(world, body, code, field):
    """And not with what it said of a person."""
    response = await ask(body)
    found = problem(response, 400, code)
    assert found.get("field") == field
    assert ANE not in response.get_body().decode()


@pytest.mark.parametrize(
    ("error", "status"), [(Retryable("controls_down"), 503), (CannotTell("document_unreadable"), 500)]
)
async def test_what_cannot_be_read_is_an_error_and_no_decision(world, error, status):
    """Whoever asks does nothing."""

    async def turn(where):
        raise error

    world.controls.turn = turn
    response = await ask(question())
    problem(response, status, error.code)
    assert b"decision" not in response.get_body()


@pytest.mark.clause("6.2")
@pytest.mark.parametrize("handler", [processing_decisions, consents_record])
@pytest.mark.parametrize(
    "key", ["", "another key", KEY.upper(), f"{KEY} ", hashlib.sha256(KEY.encode()).hexdigest()]
)
async def test_another_key_opens_nothing(world, handler, key):
    """Not even the hash in the settings, and whatever the body."""
    response = await ask(question(), handler, x_system_key=key)
    problem(response, 401, "system_key_wrong")
    assert response.headers["WWW-Authenticate"].startswith("SystemKey")
    problem(await call(handler, body=b"{"), 401, "system_key_wrong")
    assert not world.controls.rows


@pytest.mark.parametrize("handler", [processing_decisions, consents_record])
async def test_without_a_key_in_the_settings_the_doors_stay_shut(world, monkeypatch, handler):
    """No key is not any key."""
    wire(monkeypatch, world, system_key_sha256="")
    for key in ("", KEY):
        problem(await ask(question(), handler, x_system_key=key), 501, "system_key_not_configured")


@pytest.mark.clause("4.8")
async def test_an_opt_in_lets_mail_of_its_purpose_out(world):
    """Noted once, however often it is sent."""
    mail = question(purpose="member_newsletter", operation="mail")
    assert content(await ask(mail))["code"] == "no_consent"
    for _ in range(2):
        response = await ask(opt_in(world), consents_record)
        assert (response.status_code, content(response)) == (
            200,
            {"purpose": "member_newsletter", "counts": True},
        )
    assert content(await ask(mail))["decision"] == "allow"
    stored = world.controls.stored(KEYS.subject_key("email", ANE)).controls
    assert [type(one) for one in stored.consents] == [Consent]


async def test_an_opt_in_that_was_overtaken_does_not_count(world):
    """The system that sent it learns that."""
    mark = Objection(objection_id="o", kind="marketing", placed_at=world.clock.now())
    world.controls.put(Controls(subject_key=KEYS.subject_key("email", ANE), objections=(mark,)))
    assert content(await ask(opt_in(world), consents_record))["counts"] is False


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"given_at": "yesterday"}, "field_invalid", "given_at"),
        ({"given_at": "2026-02-30T00:00:00Z"}, "field_invalid", "given_at"),
        ({"given_at": "2026-02-01T00:00:00"}, "field_invalid", "given_at"),
        ({"given_at": "1999-01-01T00:00:00Z"}, "given_at_invalid", "given_at"),
        ({"email": "not an address"}, "email_invalid", "email"),
        ({"purpose": "membership"}, "purpose_without_consent", "purpose"),
        ({"policy_version": "0"}, "policy_version_unknown", "policy_version"),
        ({"name": "Ane"}, "field_unknown", "name"),
    ],
)
async def test_an_opt_in_that_means_nothing_is_refused_by_name(world, changes, code, field):
    """Nothing is noted."""
    found = problem(await ask(opt_in(world, **changes), consents_record), 400, code)
    assert found["field"] == field
    assert not world.controls.rows
