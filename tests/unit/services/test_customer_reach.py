"""How far a customer's administrator reaches: its own people and records, and no letters to strangers."""

import pytest

from shared.domain.errors import NotAllowed
from shared.domain.identifiers import EMAIL
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import holding
from shared.services.customers import CustomerAsk, ask_for_person
from tests.unit.services.cases_world import (
    ADMIN,
    BUYER,
    BYG,
    CONTACT,
    EMPLOYEE,
    FOODS,
    MEMBER,
    as_customer,
    at,
    controls,
    done,
    held,
    outcome,
    populated,
    put,
    seen,
    wishing,
)
from tests.unit.services.driving import letters


async def _hold(world, person) -> str:
    placed = await holding.place(
        world.context,
        holding.PlaceHold(
            identifiers={EMAIL: (person.email,)},
            activity_id=None,
            ground="legal_claim",
            reason="a dispute",
            review_on=at("2027-05-01").date(),
            placed_by="officer",
        ),
    )
    return placed.hold_id


@pytest.mark.clause("4.5", "4.2.1")
async def test_a_customer_restricts_nobody_of_another_customer():
    """Else it could stop the use of anybody's data, and block their erasure, everywhere."""
    world = populated()
    request_id = await as_customer(world, FOODS, MEMBER, Right.RESTRICTION, wishes=wishing(ground="accuracy"))
    assert controls(world, "user_id", MEMBER.user_id).restrictions == ()
    assert controls(world, MEMBER.email).restrictions == ()
    assert outcome(world, request_id, Right.RESTRICTION).result == "nothing_held"
    assert list(letters(world, request_id)) == ["letter-nothing_held-0"]
    assert seen(world, request_id).state is RequestState.COMPLETED
    await done(world, MEMBER, Right.ERASURE)
    assert held(world, MEMBER) == {}


@pytest.mark.clause("4.5", "4.2.1")
async def test_a_customer_restricts_a_person_of_its_own_under_the_name_it_knows():
    """The person's other names are none of its business."""
    world = populated()
    request_id = await as_customer(world, BYG, MEMBER, Right.RESTRICTION, wishes=wishing(ground="accuracy"))
    assert outcome(world, request_id, Right.RESTRICTION).result == "restricted"
    assert len(controls(world, "user_id", MEMBER.user_id).restrictions) == 1
    assert controls(world, MEMBER.email).restrictions == ()


@pytest.mark.clause("4.7.1", "4.2.1")
@pytest.mark.parametrize(("customer", "marks"), [(FOODS, 0), (BYG, 1)])
async def test_a_customer_stops_marketing_to_its_own_people_only(customer, marks):
    """The answer says so."""
    world = populated()
    request_id = await as_customer(
        world, customer, CONTACT, Right.MARKETING_OBJECTION, kind="email", value=CONTACT.email
    )
    assert len(controls(world, CONTACT.email).objections) == marks
    done_or_nothing = "customer_done" if marks else "nothing_held"
    assert list(letters(world, request_id)) == [f"letter-{done_or_nothing}-0"]


@pytest.mark.clause("4.3", "4.2.1")
@pytest.mark.parametrize("right", [Right.ERASURE, Right.RECTIFICATION])
async def test_a_customer_makes_us_write_to_no_stranger_and_leaves_no_note_about_one(right):
    """Whoever it names is told only of what was done for data it has."""
    world = populated()
    request_id = await as_customer(
        world,
        FOODS,
        BUYER,
        right,
        kind="email",
        value=BUYER.email,
        customer_name="Your account is in danger, write to evil at example",
        wishes=wishing(statement="a statement", objects_to=("members",))
        if right is Right.RECTIFICATION
        else wishing(),
    )
    assert {mail.to for mail in letters(world, request_id).values()} == {ADMIN}
    assert not [row for row in world.documents.bodies("correction_notes") if row["request_id"] == request_id]


@pytest.mark.clause("5.3", "4.2.1")
async def test_a_hold_tells_a_customer_nothing_of_records_at_another():
    """Neither how many there are nor that there is a hold on somebody it has no data of."""
    world = populated()
    await _hold(world, CONTACT)
    request_id = await as_customer(world, FOODS, CONTACT, Right.ERASURE, kind="email", value=CONTACT.email)
    assert outcome(world, request_id, Right.ERASURE).kept == ()
    (mail,) = letters(world, request_id).values()
    assert "legal claim" not in mail.text
    own = await as_customer(world, BYG, CONTACT, Right.ERASURE, kind="email", value=CONTACT.email)
    assert [(one.store_id, one.records) for one in outcome(world, own, Right.ERASURE).kept] == [
        ("licences", 2)
    ]


@pytest.mark.clause("5.3", "4.2.1")
async def test_a_hold_under_one_name_keeps_what_a_customer_asks_for_under_a_later_one():
    """The user id came after the hold, which stands under the names of that day."""
    world = populated()
    await _hold(world, EMPLOYEE)
    put(
        world,
        "usage_links",
        {"id": "link-new", "member_id": EMPLOYEE.member_id, "user_id": "u-new", "linked_at": "2026-11-03"},
    )
    put(
        world,
        "cloud_activity",
        {"id": "act-new", "user_id": "u-new", "customer_id": BYG.customer_id, "at": "2026-11-03T10:00:00Z"},
    )
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.ERASURE, value="u-new")
    assert [one.reason for one in outcome(world, request_id, Right.ERASURE).kept] == ["hold"]
    assert [body["id"] for body in world.documents.bodies("cloud_activity") if body["user_id"] == "u-new"]


async def test_a_customer_may_not_flood_us():
    """One more than the bound of an hour is refused, and nothing is filed."""
    world = populated(limits=Limits(requests_per_client_hour=2))
    ask = CustomerAsk(
        customer_id=BYG.customer_id,
        customer_name=BYG.name,
        right=Right.ACCESS,
        kind="email",
        value=CONTACT.email,
        answer_to=ADMIN,
        language="en",
        entered_by="admin",
    )
    for _ in range(2):
        await ask_for_person(world.context, ask)
    with pytest.raises(NotAllowed, match="too_many_requests"):
        await ask_for_person(world.context, ask)
    assert len(world.cases.partitions) == 2


@pytest.mark.clause("4.5", "4.2.1")
async def test_what_a_person_restricted_is_told_to_no_customer_before_somebody_decided():
    """The letter of the restriction says: no reports to customers."""
    world = populated()
    await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="accuracy"))
    request_id = await as_customer(world, BYG, MEMBER, Right.ACCESS)
    request = seen(world, request_id)
    assert (request.state, request.plan.needs_decision) == (RequestState.AWAITING_APPROVAL, ("restricted",))
    assert request_id not in world.packages.contents
