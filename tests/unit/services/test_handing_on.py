"""Data leaves for a recipient only when nothing stands against it, and then the ledger says so."""

from dataclasses import replace

import pytest

from shared.datamap.loader import load
from shared.domain.controls import Consent, Controls, Restriction
from shared.domain.errors import Invalid, Retryable
from shared.domain.rights import Right
from shared.domain.times import utc_text
from shared.services.handing_on import hand_on, handing
from tests.factories import KEYS, World
from tests.unit.services.cases_world import BUYER, done, populated, seen

ANE = "ane@people.example"
FIELDS = ("/addressee/name", "/addressee/street")


def told(world, email=ANE, **changes):
    """Return a parcel to the post, as the shop would tell of it."""
    given = {
        "handing_id": "s-1",
        "recipient_id": "postnord",
        "purpose_id": "delivery",
        "fields": FIELDS,
        "reference": "order-1",
        **changes,
    }
    identifiers = given.pop("identifiers", {"email": (email,)})
    return handing(world.context, identifiers, **given)


async def code_of(world, **changes):
    (found,) = await hand_on(world.context, [told(world, **changes)])
    return found.decision.code, found.is_noted


def rows(world):
    return world.documents.bodies("disclosures")


def restrict(world, email=ANE):
    mark = Restriction(restriction_id="r", ground="accuracy", placed_at=world.clock.now())
    world.controls.put(Controls(subject_key=KEYS.subject_key("email", email), restrictions=(mark,)))


def with_recipient(datamap, recipient_id, **changes):
    """Return the map with one recipient changed, as if somebody had entered it."""
    return datamap.model_copy(
        update={
            "recipients": tuple(
                one.model_copy(update=changes) if one.id == recipient_id else one
                for one in datamap.recipients
            )
        }
    )


@pytest.mark.clause("3.1")
async def test_a_parcel_that_is_let_go_stands_in_the_ledger_with_carrier_date_fields_order_and_purpose():
    world = World(datamap=load())
    assert await code_of(world) == ("allowed", True)
    (row,) = rows(world)
    assert row == {
        "id": "given-s-1",
        "subject_key": KEYS.subject_key("email", ANE),
        "recipient": "postnord",
        "purpose": "delivery",
        "fields": list(FIELDS),
        "reference": "order-1",
        "disclosed_at": utc_text(world.clock.now()),
        "clause": "3.1",
    }


@pytest.mark.clause("4.5", "3.1")
async def test_nothing_is_written_of_what_a_restriction_keeps_here():
    world = World(datamap=load())
    restrict(world)
    assert await code_of(world) == ("restricted", False)
    assert rows(world) == []


@pytest.mark.clause("3.2")
@pytest.mark.parametrize(
    ("recipient_id", "purpose_id", "fields", "code"),
    [
        ("google_analytics", "membership", ("/email",), "contract_missing"),
        ("microsoft_azure", "delivery", FIELDS, "contract_missing"),
        ("retargeting_unnamed", "membership", ("/email",), "recipient_unnamed"),
        ("postnord", "bookkeeping", FIELDS, "recipient_unfit"),  # a carrier carries, and keeps no books
        ("customer", "delivery", FIELDS, "recipient_unfit"),
    ],
)
async def test_a_recipient_without_name_contract_or_this_purpose_gets_nothing(
    recipient_id, purpose_id, fields, code
):
    world = World(datamap=load())
    wanted = {"recipient_id": recipient_id, "purpose_id": purpose_id, "fields": fields}
    assert await code_of(world, **wanted) == (code, False)
    assert rows(world) == []


@pytest.mark.clause("3.2", "2.4.2")
async def test_a_contract_opens_the_way_to_a_processor_and_consent_is_asked_for_all_the_same():
    datamap = with_recipient(load(), "campaign_monitor", contract_ref="dpa-2026-1")
    world = World(datamap=datamap)
    wanted = {
        "recipient_id": "campaign_monitor",
        "purpose_id": "member_newsletter",
        "fields": ("/email",),
        "reference": None,
    }
    assert await code_of(world, **wanted) == ("no_consent", False)
    consent = Consent(
        consent_id="c", purpose_id="member_newsletter", given_at=world.clock.now(), policy_version="1"
    )
    world.controls.put(Controls(subject_key=KEYS.subject_key("email", ANE), consents=(consent,)))
    assert await code_of(world, **wanted) == ("allowed", True)


async def test_the_same_id_again_changes_no_row_and_is_decided_anew():
    """The first call was allowed; by the second the person has said stop."""
    world = World(datamap=load())
    await code_of(world)
    before = rows(world)
    world.clock.advance(days=1)
    assert await code_of(world) == ("allowed", True)
    restrict(world)
    assert await code_of(world) == ("restricted", False)
    assert rows(world) == before


@pytest.mark.parametrize(
    "changes", [{"recipient_id": "dhl"}, {"reference": "order-2"}, {"fields": FIELDS[:1]}]
)
async def test_an_id_that_stands_for_another_sending_is_denied(changes):
    world = World(datamap=load())
    await code_of(world)
    before = rows(world)
    assert await code_of(world, **changes) == ("id_used", False)
    assert rows(world) == before


async def test_what_is_restricted_while_the_row_is_written_does_not_leave():
    """The ledger then names one sending too many, and never one too few."""
    world = World(datamap=load())
    wanted = told(world)
    add = world.own_records.add

    async def slow(container, row):
        found = await add(container, row)
        restrict(world)
        return found

    world.own_records.add = slow
    (found,) = await hand_on(world.context, [wanted])
    assert (found.decision.code, found.is_noted) == ("restricted", True)
    assert len(rows(world)) == 1


async def test_a_row_stands_under_every_pseudonym_of_the_person():
    world = World(datamap=load())
    both = {"email": (ANE, "other@people.example")}
    assert await code_of(world, identifiers=both) == ("allowed", True)
    assert {row["subject_key"] for row in rows(world)} == {
        KEYS.subject_key("email", value) for value in both["email"]
    }


async def test_one_of_several_denied_leaves_the_others():
    world = World(datamap=load())
    restrict(world, "bo@people.example")
    found = await hand_on(
        world.context, [told(world), told(world, "bo@people.example"), told(world, "cy@people.example")]
    )
    assert [one.decision.code for one in found] == ["allowed", "restricted", "allowed"]
    assert len(rows(world)) == 2


async def test_controls_that_do_not_answer_are_no_leave():
    world = World(datamap=load())
    wanted = told(world)

    async def silent(_keys):
        raise Retryable("service_unreachable")

    unread = replace(world.context, controls=type("Silent", (), {"read": staticmethod(silent)})())
    with pytest.raises(Retryable):
        await hand_on(unread, [wanted])
    assert rows(world) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"recipient_id": "pigeons"}, "recipient_unknown"),
        ({"purpose_id": "joy"}, "purpose_unknown"),
        ({"fields": ("Ane Madeup",)}, "field_not_mapped"),  # a value, and no name of a field
        ({"fields": ("/display_name",)}, "field_not_mapped"),  # of another activity
        ({"identifiers": {"installation_id": ("i-1",)}}, "identifier_shared"),
    ],
)
async def test_what_the_map_does_not_know_is_refused(changes, code):
    world = World(datamap=load())
    with pytest.raises(Invalid) as caught:
        told(world, **changes)
    assert caught.value.code == code


@pytest.mark.clause("3.1", "4.2.1", "4.4")
async def test_who_got_something_is_shown_in_a_copy_and_is_told_of_an_erasure():
    world = populated()
    assert await code_of(world, email=BUYER.member_email, handing_id="s-9", recipient_id="gls") == (
        "allowed",
        True,
    )
    request_id = await done(world, BUYER, Right.ERASURE)
    assert "gls" in {one.recipient_id for one in seen(world, request_id).notices}
