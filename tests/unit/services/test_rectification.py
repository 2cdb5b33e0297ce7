"""A correction reaches every place of a fact, rewrites no duty and nobody else, and is looked at again."""

import json
from datetime import date

import pytest

from shared.domain.errors import Invalid, NotAllowed
from shared.domain.messages import TASK_QUEUE
from shared.domain.recipients import Instruction, NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import deciding, holding
from shared.services.wishing import checked_wishes
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    BYG,
    CONTACT,
    EMPLOYEE,
    MEMBER,
    NEWSLETTERS,
    alarms,
    approve,
    as_customer,
    controls,
    done,
    everybody_else,
    file,
    held,
    letter_words,
    outcome,
    populated,
    put,
    refuse,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver, letters, opened, step

NEW = "Elin Rightname"


async def _correct(world, who, wishes=None, **facts) -> str:
    return await done(world, who, Right.RECTIFICATION, wishes=wishes or wishing(corrections=facts))


@pytest.mark.clause("4.3", "4.3.1")
async def test_a_name_is_corrected_in_every_store_it_occurs():
    """Profile, sign-up, licence contact of both customers, rows of reports; the newsletter processor too."""
    world = populated()
    others = everybody_else(world, EMPLOYEE)
    request_id = await _correct(world, EMPLOYEE, name=NEW)
    found = outcome(world, request_id, Right.RECTIFICATION)
    assert found.result == "rectified"
    assert found.by_store == {"members": 1, "newsletter_signups": 1, "licences": 4, "customer_reports": 4}
    assert found.facts == ("name",)
    everything = json.dumps({name: world.documents.bodies(name) for name in world.documents.rows})
    assert EMPLOYEE.name not in everything
    assert everything.count(NEW) == 10
    assert everybody_else(world, EMPLOYEE) == others
    assert (NEWSLETTERS, Instruction.CORRECT, (EMPLOYEE.email,)) in world.processors.told
    assert set(world.processors.names.values()) >= {NEW}
    notices = {one.recipient_id: (one.instruction, one.state) for one in seen(world, request_id).notices}
    assert notices == {
        "customer": (Instruction.CORRECT, NoticeState.DUE),
        NEWSLETTERS: (Instruction.CORRECT, NoticeState.TOLD),
    }
    assert NEW not in letter_words(world, request_id, "letter-rectified-0"), "letters carry no data"


@pytest.mark.clause("4.3")
async def test_an_invoice_is_not_rewritten_and_a_note_says_what_is_right():
    """The books stay as they were; the note stands beside them and in the next copy."""
    world = populated()
    before = world.documents.bodies("orders")
    request_id = await _correct(world, BUYER, name="Oda Rightname")
    assert world.documents.bodies("orders") == before
    found = outcome(world, request_id, Right.RECTIFICATION)
    assert found.noted == ("orders",)
    assert [one.store_id for one in found.kept] == ["orders"]
    (note,) = world.documents.bodies("notes")
    assert note["corrections"] == {"name": "Oda Rightname"}
    assert note["stores"] == ["orders"]
    answer = letter_words(world, request_id, "letter-rectified-0")
    assert "Where a note was attached".upper() in answer.upper()
    assert "The books must be kept" in answer
    assert ("postnord", NoticeState.DUE) in {
        (one.recipient_id, one.state) for one in seen(world, request_id).notices
    }
    copy = await done(world, BUYER, Right.ACCESS)
    assert (
        "Oda Rightname" in opened(world, copy)["data/correction_notes/correction_notes-000001.json"].decode()
    )
    await done(world, BUYER, Right.ERASURE)
    assert world.documents.bodies("notes") == []


@pytest.mark.clause("4.3")
async def test_what_may_be_changed_on_an_order_is_changed():
    """The phone is no part of the books."""
    world = populated()
    await _correct(world, BUYER, phone="+44 113 496 0999")
    (order,) = world.documents.bodies("orders")
    assert order["addressee"]["phone"] == "+44 113 496 0999"
    assert order["addressee"]["name"] == BUYER.name


@pytest.mark.clause("4.3")
async def test_the_other_contacts_of_a_shared_licence_are_not_touched():
    """Only the element that is the person's."""
    world = populated()
    await _correct(world, CONTACT, name="Lise Rightname")
    for licence in world.documents.bodies("licences"):
        if licence["customer_id"] == BYG.customer_id:
            names = {one["email"]: one["name"] for one in licence["contacts"]}
            assert names == {CONTACT.email: "Lise Rightname", EMPLOYEE.email: EMPLOYEE.name}


@pytest.mark.clause("4.3")
async def test_a_new_address_needs_a_decision_and_is_then_followed_everywhere():
    """It identifies the person: a person looks first. The answer goes to the address that asked."""
    world = populated()
    request_id = await _correct(world, EMPLOYEE, email="elin.new@people.example")
    request = seen(world, request_id)
    assert (request.state, request.plan.needs_decision) == (
        RequestState.AWAITING_APPROVAL,
        ("identifier_changes",),
    )
    assert held(world, EMPLOYEE)["members"] == 1
    await deciding.approve(
        world.context, request_id, plan_digest=request.plan.digest, decided_by="officer", reason="Proven"
    )
    await deliver(world)
    everything = json.dumps({name: world.documents.bodies(name) for name in world.documents.rows})
    assert EMPLOYEE.email not in everything
    found = outcome(world, request_id, Right.RECTIFICATION)
    assert found.by_store == {"members": 1, "newsletter_signups": 1, "licences": 4}
    assert letters(world, request_id)["letter-rectified-0"].to == EMPLOYEE.email
    (notice,) = [one for one in seen(world, request_id).notices if one.recipient_id == NEWSLETTERS]
    assert (notice.state, notice.why) == (NoticeState.AWAITING_STAFF, "address_changed")
    again = await done(world, "elin.new@people.example", Right.ACCESS)
    assert outcome(world, again, Right.ACCESS).by_store["usage_events"] == 4


@pytest.mark.clause("4.3")
async def test_a_new_address_that_is_anothers_stops_before_anything_more_is_done():
    """Two members would become one: a person has to look."""
    world = populated()
    before = {one.key: held(world, one) for one in (MEMBER, BUYER)}
    request_id = await _correct(world, MEMBER, email=BUYER.email)
    request = seen(world, request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "address_of_another")
    assert {one.key: held(world, one) for one in (MEMBER, BUYER)} == before


@pytest.mark.clause("4.3")
async def test_a_new_address_under_which_something_stands_already_is_shown_to_who_decides():
    """A licence contact of that address may be the same person, or not."""
    world = populated()
    request_id = await _correct(world, MEMBER, email=CONTACT.email)
    assert seen(world, request_id).plan.needs_decision == ("identifier_changes", "address_in_use")


@pytest.mark.clause("4.3")
async def test_facts_of_use_are_not_rewritten_but_get_a_note():
    """The person's statement stands beside the telemetry it is about."""
    world = populated()
    before = world.documents.bodies("usage_events")
    request_id = await _correct(
        world, MEMBER, wishing(statement="That was a colleague at my desk", objects_to=("usage",))
    )
    await approve(world, request_id)
    await deliver(world)
    assert world.documents.bodies("usage_events") == before
    (note,) = world.documents.bodies("notes")
    assert note["statement"] == "That was a colleague at my desk"
    assert set(note["stores"]) == {"usage_events", "installations", "usage_archive", "activity_clocks"}
    assert "Starts, stops and features used" in letter_words(world, request_id, "letter-rectified-0")
    assert seen(world, request_id).wishes.statement == "", "gone with the case"


@pytest.mark.clause("4.3")
async def test_a_statement_about_nothing_in_particular_is_noted_and_answered():
    """It need not name an activity."""
    world = populated()
    request_id = await _correct(world, MEMBER, wishing(statement="I never used it in March"))
    await approve(world, request_id)
    await deliver(world)
    assert len(world.documents.bodies("notes")) == 1
    assert seen(world, request_id).state is RequestState.COMPLETED
    assert set(letters(world, request_id)) == {"letter-delayed_by_review-0", "letter-rectified-0"}


@pytest.mark.clause("4.3")
async def test_what_words_alone_say_is_wrong_is_read_by_a_person():
    """Nobody but a person can judge the accuracy; until then nothing is noted and nothing is answered."""
    world = populated()
    request_id = await _correct(world, MEMBER, wishing(statement="My name is not spelt so"))
    request = seen(world, request_id)
    assert (request.state, request.plan.needs_decision) == (
        RequestState.AWAITING_APPROVAL,
        ("accuracy_disputed",),
    )
    assert alarms(world, request_id) == ["approval_needed"]
    assert world.documents.bodies("notes") == []
    assert set(letters(world, request_id)) == {"letter-delayed_by_review-0"}
    await refuse(world, request_id, reason="It is as on your licence", provision="GDPR article 16")
    await deliver(world)
    assert "It is as on your licence" in letter_words(world, request_id, "letter-refused-0")
    assert world.documents.bodies("notes") == []
    assert seen(world, request_id).state is RequestState.REJECTED


@pytest.mark.clause("4.3")
async def test_words_beside_right_values_keep_no_correction_waiting():
    """The values say what is wrong; the words are noted where a value is not rewritten."""
    world = populated()
    request_id = await _correct(
        world, MEMBER, wishing(corrections={"city": "Aarhus"}, statement="I moved in May")
    )
    assert seen(world, request_id).state is RequestState.COMPLETED


@pytest.mark.clause("4.3")
async def test_missing_data_is_completed_where_its_surroundings_are():
    """Completion is part of the right; a store that does not know the person gets nothing."""
    world = populated()
    (profile,) = [one for one in world.documents.bodies("members") if one["id"] == MEMBER.member_id]
    put(world, "members", {name: value for name, value in profile.items() if name != "phone"})
    await _correct(world, MEMBER, phone="+44 113 496 0998")
    (profile,) = [one for one in world.documents.bodies("members") if one["id"] == MEMBER.member_id]
    assert profile["phone"] == "+44 113 496 0998"


@pytest.mark.clause("4.3")
async def test_a_correction_that_says_nothing_is_asked_about():
    """Nobody guesses what was meant."""
    world = populated()
    request_id = await _correct(world, MEMBER, wishing())
    assert seen(world, request_id).plan.needs_decision == ("correction_unclear",)


@pytest.mark.clause("4.3")
async def test_a_correction_twice_finds_it_right():
    """The second counts what is right and writes nothing."""
    world = populated()
    await _correct(world, AUTHOR, name="Anna Rightname")
    before = json.dumps(world.documents.bodies("authors"))
    second = await _correct(world, AUTHOR, name="Anna Rightname")
    assert json.dumps(world.documents.bodies("authors")) == before
    assert outcome(world, second, Right.RECTIFICATION).result == "rectified"


@pytest.mark.clause("4.3")
@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"corrections": {"shoe_size": "43"}}, "fact_unknown"),
        ({"corrections": {"name": "  "}}, "correction_empty"),
        ({"corrections": {"email": "<b>@x"}}, "email_invalid"),
        ({"corrections": {"phone": "my husband's"}}, "field_invalid"),
        ({"corrections": {"phone": "12 34"}}, "field_invalid"),
        ({"corrections": {"phone": "+45 12345 x"}}, "field_invalid"),
        ({"corrections": {"phone": "+-() - ()"}}, "field_invalid"),
        ({"objects_to": ("everything",)}, "activity_unknown"),
    ],
)
def test_a_wish_that_names_nothing_we_know_is_refused(wishes, code):
    """An objection to an unknown thing would be read as one to all, a blank value as an erasure."""
    with pytest.raises(Invalid) as refused:
        checked_wishes(populated().context, wishing(**wishes))
    assert refused.value.code == code


@pytest.mark.clause("4.3", "4.5")
async def test_what_a_correction_restricted_is_lifted_when_its_letter_is_out():
    """The person is told before. Source: GDPR article 18(3)."""
    world = populated()
    await _correct(world, EMPLOYEE, name=NEW)
    request_id = await as_customer(
        world, BYG, EMPLOYEE, Right.RECTIFICATION, wishes=wishing(corrections={"name": "Customer's Name"})
    )
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="op",
        reason="Checked",
    )
    while seen(world, request_id).state is not RequestState.ANSWERING:
        await step(world)
    assert controls(world, "user_id", EMPLOYEE.user_id).is_restricted
    await deliver(world)
    assert not controls(world, "user_id", EMPLOYEE.user_id).is_restricted


@pytest.mark.clause("4.3")
@pytest.mark.parametrize("phone", ["12345", "123456", "+45 (12) 34-56 78", " 12 34 5 "])
def test_a_phone_of_five_digits_or_more_is_one(phone):
    """However it is spaced."""
    wishes = wishing(corrections={"phone": phone})
    assert checked_wishes(populated().context, wishes) == wishes


@pytest.mark.clause("4.3", "4.2.1")
async def test_a_customer_does_not_overrule_what_the_person_corrected():
    """Restricted until the person was asked; refused, the person's own value stays."""
    world = populated()
    await _correct(world, EMPLOYEE, name=NEW)
    request_id = await as_customer(
        world, BYG, EMPLOYEE, Right.RECTIFICATION, wishes=wishing(corrections={"name": "Customer's Name"})
    )
    request = seen(world, request_id)
    assert (request.state, request.plan.needs_decision) == (
        RequestState.AWAITING_APPROVAL,
        ("contradicts_person",),
    )
    assert controls(world, "user_id", EMPLOYEE.user_id).restricts("content_cloud")
    asked = letters(world, request_id)["letter-subject_asked-0"]
    assert asked.to == EMPLOYEE.email
    assert "Name" in asked.text
    assert "Customer's Name" not in asked.text
    await deciding.refuse(
        world.context, request_id, decided_by="op", reason="They said otherwise", provision="GDPR article 16"
    )
    await deliver(world)
    assert not controls(world, "user_id", EMPLOYEE.user_id).is_restricted
    everything = json.dumps({name: world.documents.bodies(name) for name in world.documents.rows})
    assert "Customer's Name" not in everything


@pytest.mark.clause("4.3", "4.2.1")
async def test_a_customers_correction_reaches_its_own_reports_only():
    """The row in another customer's report and the profile keep their value."""
    world = populated()
    await as_customer(
        world, BYG, EMPLOYEE, Right.RECTIFICATION, wishes=wishing(corrections={"name": "Byg's Elin"})
    )
    shown = {
        report["customer_id"]: row["display_name"]
        for report in world.documents.bodies("customer_reports")
        for row in report["rows"]
        if row["user_id"] == EMPLOYEE.user_id
    }
    assert shown == {"cust-0001": "Byg's Elin", "cust-0002": EMPLOYEE.name}
    (profile,) = [one for one in world.documents.bodies("members") if one["id"] == EMPLOYEE.member_id]
    assert profile["name"] == EMPLOYEE.name


@pytest.mark.clause("5.3", "4.3")
async def test_what_a_hold_keeps_is_overwritten_only_after_a_person_decided():
    """The wrong value may be the evidence: a dispute about an order needs the name it was made under."""
    world = populated()
    await _hold(world, BUYER)
    request_id = await done(world, BUYER, Right.RECTIFICATION, wishes=wishing(corrections={"name": "New"}))
    request = seen(world, request_id)
    assert (request.state, request.plan.needs_decision) == (RequestState.AWAITING_APPROVAL, ("held",))
    assert BUYER.name in [one["name"] for one in world.documents.bodies("members")]
    await deciding.approve(
        world.context, request_id, plan_digest=request.plan.digest, decided_by="officer", reason="copied"
    )
    await deliver(world)
    assert outcome(world, request_id, Right.RECTIFICATION).result == "rectified"
    assert BUYER.name not in [one["name"] for one in world.documents.bodies("members")]


@pytest.mark.clause("5.3", "4.3")
async def test_a_hold_that_came_after_the_plan_stops_a_correction():
    """It is asked for again before the first value is overwritten."""
    world = populated()
    request_id = await file(world, BUYER, Right.RECTIFICATION, wishes=wishing(corrections={"name": "New"}))
    await deliver(world, until=TASK_QUEUE)
    await _hold(world, BUYER)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert BUYER.name in [one["name"] for one in world.documents.bodies("members")]


async def _hold(world, person) -> None:
    await holding.place(
        world.context,
        holding.PlaceHold(
            identifiers={"email": (person.email,)},
            activity_id=None,
            ground="legal_claim",
            reason="a dispute",
            review_on=date(2027, 5, 1),
            placed_by="officer",
        ),
    )


@pytest.mark.clause("4.3")
async def test_who_enters_a_new_address_for_a_person_does_not_approve_it():
    """Whoever holds the address gets the person's copy next."""
    world = populated()
    request_id = await done(
        world,
        BUYER,
        Right.RECTIFICATION,
        wishes=wishing(corrections={"email": "new@people.example"}),
        entered_by="clerk",
        channel="phone",
    )
    digest = seen(world, request_id).plan.digest
    with pytest.raises(NotAllowed, match="four_eyes"):
        await deciding.approve(world.context, request_id, plan_digest=digest, decided_by="clerk", reason="x")
    assert await deciding.approve(
        world.context, request_id, plan_digest=digest, decided_by="officer", reason="called back"
    )
