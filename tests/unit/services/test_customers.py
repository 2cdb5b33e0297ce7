"""What a customer can have of a person of its installation, and what stays the person's."""

import pytest

from shared.domain.errors import NotAllowed, Retryable
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Requester, Scope
from shared.ports.notifier import NOT_ACCEPTED
from tests.unit.services.cases_world import (
    BYG,
    EMPLOYEE,
    FOODS,
    approve,
    as_customer,
    controls,
    done,
    file,
    held,
    letter_words,
    populated,
    refuse,
    seen,
)
from tests.unit.services.driving import deliver, letters, rest


@pytest.mark.clause("4.2.1")
async def test_a_customers_objection_is_a_hint_and_never_upheld_as_the_persons():
    """Nothing is restricted; the customer is pointed to the person, and staff know."""
    world = populated()
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.OBJECTION)
    request = seen(world, request_id)
    assert request.plan.needs_decision == ("customer_hint",)
    assert controls(world, "user_id", EMPLOYEE.user_id).restrictions == ()
    with pytest.raises(NotAllowed, match="not_theirs"):
        await approve(world, request_id)
    await refuse(world, request_id, reason="It is the person's right", provision="GDPR article 21(1)")
    await deliver(world)
    assert seen(world, request_id).state is RequestState.REJECTED
    assert "The person concerned has these rights" in letter_words(world, request_id, "letter-refused-0")


@pytest.mark.clause("4.2.1")
@pytest.mark.parametrize("right", [Right.PORTABILITY, Right.WITHDRAWAL, Right.COMPLAINT])
async def test_what_is_the_persons_alone_is_not_done_for_a_customer(right):
    """Even where somebody files it: nothing takes effect at once, and a person refuses it."""
    world = populated()
    request_id = await done(
        world,
        "admin@byg.example",
        right,
        channel="customer",
        requester=Requester(kind="customer", customer_id=BYG.customer_id),
        scope=Scope(customer_id=BYG.customer_id),
        identifiers={"email": (EMPLOYEE.email,)},
    )
    request = seen(world, request_id)
    assert request.state is RequestState.AWAITING_APPROVAL
    assert controls(world, EMPLOYEE.email).withdrawn_at is None
    assert world.processors.mails(EMPLOYEE.email)
    with pytest.raises(NotAllowed, match="not_theirs"):
        await approve(world, request_id)


@pytest.mark.clause("4.2.1")
@pytest.mark.parametrize("scope", [None, FOODS.customer_id])
async def test_a_customer_does_not_reach_beyond_its_installations(scope):
    """Neither without a scope, nor into another's."""
    world = populated()
    with pytest.raises(NotAllowed, match="scope_not_theirs"):
        await file(
            world,
            "admin@byg.example",
            Right.ACCESS,
            requester=Requester(kind="customer", customer_id=BYG.customer_id),
            scope=Scope(customer_id=scope),
            identifiers={"user_id": (EMPLOYEE.user_id,)},
        )
    assert world.cases.partitions == {}


@pytest.mark.clause("4.2.1", "4.4")
async def test_a_customers_erasure_leaves_what_the_person_has_otherwise_and_tells_the_person():
    """Another customer's records, the membership and the newsletter stay."""
    world = populated()
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.ERASURE)
    left = held(world, EMPLOYEE)
    assert left["members"] == left["newsletter_signups"] == left["usage_links"] == 1
    assert left["usage_events"] == 2
    assert left["installations"] == 1
    assert left["cloud_activity"] == 2
    assert left["customer_reports"] == 2
    assert left["licences"] == 4, "it named a user, not an address"
    assert left["usage-archive"] == 3
    told = letters(world, request_id)
    assert told["letter-subject_told-0"].to == EMPLOYEE.email
    assert told["letter-customer_done-0"].to == "admin@byg.example"
    assert EMPLOYEE.email not in told["letter-customer_done-0"].text
    assert world.processors.mails(EMPLOYEE.email)


@pytest.mark.clause("4.2.1")
async def test_the_person_is_told_of_a_customers_request_even_when_the_first_mail_fails():
    """The case does not close, and forget the person's address, before that letter is out."""
    world = populated()
    world.notifier.faults = [("notifier.send", Retryable(NOT_ACCEPTED, "busy"))] * 2
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.ERASURE)
    await rest(world)
    assert set(letters(world, request_id)) == {"letter-customer_done-0", "letter-subject_told-0"}
    assert seen(world, request_id).is_final
    assert set(world.notifier.times_sent.values()) == {1}


@pytest.mark.clause("4.2.1", "4.7.1")
async def test_a_customers_marketing_objection_stops_no_consent_of_the_person():
    """Mail on letter f ends; the newsletter the person signed up for goes on."""
    world = populated()
    request_id = await as_customer(
        world, BYG, EMPLOYEE, Right.MARKETING_OBJECTION, kind="email", value=EMPLOYEE.email
    )
    found = controls(world, EMPLOYEE.email)
    assert not found.stops_marketing
    assert [one.purpose_ids for one in found.objections] == [("targeted_marketing",)]
    assert world.processors.mails(EMPLOYEE.email)
    assert held(world, EMPLOYEE)["newsletter_signups"] == 1
    assert set(letters(world, request_id)) == {"letter-customer_done-0"}
