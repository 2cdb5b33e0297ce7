"""The door our other systems come to before they hand data on: key, batch, answers, errors."""

import hashlib

import pytest

from functions.http_disclosures import MOST_BYTES, disclosures_record
from shared.datamap.loader import load
from shared.domain.controls import Controls, Restriction
from tests.factories import KEYS, World
from tests.triggers.conftest import call, content, problem, wire

KEY = "a key that only tests send"
ANE = "ane@people.example"
BO = "bo@people.example"


@pytest.fixture
def world(monkeypatch) -> World:
    """The shipped policy, and a key that opens the door."""
    made = World(datamap=load())
    wire(monkeypatch, made, system_key_sha256=hashlib.sha256(KEY.encode()).hexdigest())
    return made


def row(value=ANE, **changes):
    return {
        "id": "s-1",
        "recipient": "postnord",
        "identifier": {"kind": "email", "value": value},
        "purpose": "delivery",
        "fields": ["/addressee/name"],
        "reference": "order-1",
        **changes,
    }


async def tell(*rows, **headers):
    return await call(
        disclosures_record, body={"disclosures": list(rows)}, **{"x_system_key": KEY, **headers}
    )


def restrict(world, email):
    mark = Restriction(restriction_id="r", ground="accuracy", placed_at=world.clock.now())
    world.controls.put(Controls(subject_key=KEYS.subject_key("email", email), restrictions=(mark,)))


@pytest.mark.clause("3.1")
async def test_each_sending_is_answered_in_its_order_and_only_what_may_leave_is_noted(world):
    restrict(world, BO)
    response = await tell(row(), row(BO, id="s-2"))
    assert response.status_code == 200
    first, second = content(response)["disclosures"]
    assert (first["id"], first["decision"], first["code"], first["noted"]) == (
        "s-1",
        "allow",
        "allowed",
        True,
    )
    assert (second["id"], second["decision"], second["code"], second["noted"]) == (
        "s-2",
        "deny",
        "restricted",
        False,
    )
    assert [one["id"] for one in world.documents.bodies("disclosures")] == ["given-s-1"]
    assert ANE not in response.get_body().decode()


@pytest.mark.clause("3.2")
@pytest.mark.parametrize(
    ("language", "start"), [("en", "No contract is recorded"), ("da", "Der er ikke registreret nogen aftale")]
)
async def test_a_recipient_without_a_contract_reference_blocks_the_sending(world, language, start):
    wanted = row(recipient="google_analytics", purpose="membership", fields=["/email"])
    response = await tell(wanted, accept_language=language)
    (found,) = content(response)["disclosures"]
    assert found.pop("reason").startswith(start)
    assert found == {
        "id": "s-1",
        "decision": "deny",
        "code": "contract_missing",
        "clause": "3.2",
        "until": None,
        "noted": False,
    }
    assert world.documents.bodies("disclosures") == []


async def test_a_stranger_is_not_let_in(world):
    problem(await tell(row(), x_system_key="another"), 401, "system_key_wrong")
    assert world.documents.bodies("disclosures") == []


@pytest.mark.parametrize(("count", "status"), [(1, 200), (100, 200), (101, 400)])
async def test_a_hundred_sendings_come_at_once_and_no_more(world, count, status):
    response = await tell(*(row(id=f"s-{number}") for number in range(count)))
    assert response.status_code == status
    if status == 400:
        problem(response, 400, "too_many")
        assert world.documents.bodies("disclosures") == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"recipient": "pigeons"}, "recipient_unknown", "disclosures.1.recipient"),
        ({"fields": ["/secret"]}, "field_not_mapped", "disclosures.1.fields"),
        ({"purpose": "joy"}, "purpose_unknown", "disclosures.1.purpose"),
        ({"id": BO}, "field_invalid", "disclosures.1.id"),
        ({"reference": "to Ane, by hand"}, "field_invalid", "disclosures.1.reference"),
        ({"fields": []}, "field_invalid", "disclosures.1.fields"),
        ({"identifier": {"kind": "email", "value": "no address"}}, "email_invalid", "disclosures.1.email"),
        ({"identifiers": [{"kind": "email", "value": BO}]}, "identifier_missing", "disclosures.1"),
        ({"sent_to": "Mars"}, "field_unknown", "disclosures.1.sent_to"),
    ],
)
async def test_one_that_is_wrong_is_named_and_nothing_of_the_batch_is_noted(world, changes, code, field):
    found = problem(await tell(row(), row(**{"id": "s-2", **changes})), 400, code)
    assert found["field"] == field
    assert BO not in str(found)
    assert world.documents.bodies("disclosures") == []


async def test_a_body_without_end_is_refused(world):
    too_large = row(reference="r" * MOST_BYTES)
    problem(await tell(too_large), 413, "body_too_large")
