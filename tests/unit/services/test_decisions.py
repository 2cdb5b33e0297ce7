"""What a person decides: exactly this plan, one decision, four eyes, reasons that are read as text."""

import asyncio

import pytest

from shared.domain.cases import RequestState
from shared.domain.errors import Conflict, Invalid, NotAllowed
from shared.domain.limits import Limits
from shared.domain.rights import Right
from shared.services import asking, deciding, telling
from shared.services.sweeping import sweep
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    BYG,
    EMPLOYEE,
    FOODS,
    MEMBER,
    alarms,
    answer_token,
    as_customer,
    controls,
    done,
    file,
    held,
    letter_words,
    move_to,
    outcome,
    populated,
    put,
    seen,
    wishing,
    words,
)
from tests.unit.services.driving import deliver, letters, submit

NASTY = "<script>alert(1)</script> {{ 7 * 7 }} {% include 'x' %} \r\nBcc: all@people.example"


def _digest(world, request_id: str) -> str:
    return seen(world, request_id).plan.digest


async def _approve(world, request_id, by="officer", **changes):
    wanted = {"plan_digest": _digest(world, request_id), "decided_by": by, "reason": "It is right", **changes}
    return await deciding.approve(world.context, request_id, **wanted)


async def _refuse(world, request_id, **changes):
    wanted = {"decided_by": "officer", "reason": "A reason", "provision": "GDPR article 12(5)", **changes}
    await deciding.refuse(world.context, request_id, **wanted)


@pytest.mark.clause("4.7.2")
async def test_of_two_decisions_one_after_the_other_the_first_stands():
    """Approved is approved, and refused is refused."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await _refuse(world, request_id)
    with pytest.raises(NotAllowed, match="no_decision_needed"):
        await _approve(world, request_id, by="another")
    with pytest.raises(NotAllowed, match="nothing_to_refuse"):
        await _refuse(world, request_id)
    await deliver(world)
    assert [one.result for one in seen(world, request_id).decisions] == ["refused"]


@pytest.mark.clause("4.7.2")
@pytest.mark.parametrize("first", ["approve", "refuse"])
async def test_of_two_decisions_at_the_same_time_one_is_told_to_read_again(first):
    """Both read the same case; the slower write loses, whatever it was."""

    async def turn(name):
        await asyncio.sleep(0)

    world = populated(turn=turn)
    request_id = await done(world, MEMBER, Right.OBJECTION)
    pair = [_approve(world, request_id), _refuse(world, request_id)]
    if first == "refuse":
        pair.reverse()
    results = await asyncio.gather(*pair, return_exceptions=True)
    failed = [one for one in results if isinstance(one, Exception)]
    assert len(failed) == 1
    assert isinstance(failed[0], Conflict | NotAllowed)
    await deliver(world)
    assert len(seen(world, request_id).decisions) == 1
    assert len(seen(world, request_id).outcomes) == 1


@pytest.mark.clause("4.4")
async def test_a_decision_about_a_plan_that_changed_does_not_count():
    """One more order came since the plan was shown: the person has to look again."""
    world = populated()
    await done(world, BUYER, Right.RESTRICTION)
    request_id = await done(world, BUYER, Right.ERASURE)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    with pytest.raises(NotAllowed, match="plan_changed"):
        await _approve(world, request_id, plan_digest="0" * 64)
    shown = _digest(world, request_id)
    (order,) = world.documents.bodies("orders")
    put(world, "orders", {**order, "id": "ord-new"})
    await _approve(world, request_id)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert _digest(world, request_id) != shown
    assert held(world, BUYER)["members"] == 1
    await _approve(world, request_id)
    await deliver(world)
    assert held(world, BUYER) == {"orders": 2}


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(
    ("most", "waits"), [(-1, True), (0, False), (1, False)], ids=["above", "at", "below"]
)
async def test_a_mass_erasure_is_one_of_more_records_than_the_limit(most, waits):
    """At the number it still runs alone."""
    world = populated()
    counted = await _planned_records(world)
    world = populated(limits=Limits(mass_records=counted + most))
    request_id = await done(world, MEMBER, Right.ERASURE)
    request = seen(world, request_id)
    assert (request.state is RequestState.AWAITING_APPROVAL) is waits
    if waits:
        assert request.plan.needs_decision == ("mass_erasure",)
        assert held(world, MEMBER)["members"] == 1


async def _planned_records(world) -> int:
    request_id = await done(world, MEMBER, Right.ERASURE)
    return seen(world, request_id).plan.records


@pytest.mark.clause("4.4")
async def test_a_mass_erasure_needs_two_people_who_did_not_enter_it():
    """Neither the one who typed it in, nor the same one twice."""
    world = populated(limits=Limits(mass_records=1))
    request_id = await done(world, MEMBER, Right.ERASURE, entered_by="clerk", channel="phone")
    with pytest.raises(NotAllowed, match="four_eyes"):
        await _approve(world, request_id, by="clerk")
    assert await _approve(world, request_id, by="first") is False
    with pytest.raises(NotAllowed, match="four_eyes"):
        await _approve(world, request_id, by="first")
    await deliver(world)
    assert held(world, MEMBER)["members"] == 1
    assert await _approve(world, request_id, by="second") is True
    await deliver(world)
    assert held(world, MEMBER) == {}


@pytest.mark.clause("4.4")
async def test_a_first_approval_of_another_plan_counts_for_nothing():
    """Both have to have seen the same."""
    world = populated(limits=Limits(mass_records=1))
    request_id = await done(world, BUYER, Right.ERASURE)
    await _approve(world, request_id, by="first")
    (order,) = world.documents.bodies("orders")
    put(world, "orders", {**order, "id": "ord-new"})
    await _approve(world, request_id, by="second")
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert await _approve(world, request_id, by="second") is False
    assert await _approve(world, request_id, by="first") is True
    await deliver(world)
    assert held(world, BUYER) == {"orders": 2}


@pytest.mark.clause("4.1")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": " "}, "reason_missing"),
        ({"provision": "\t"}, "provision_missing"),
        ({"reason": "x" * (deciding.MOST_TEXT + 1)}, "reason_too_long"),
        ({"provision": "x" * (deciding.MOST_TEXT + 1)}, "provision_too_long"),
        ({"hint": "x" * (deciding.MOST_TEXT + 1)}, "hint_too_long"),
    ],
)
async def test_a_refusal_needs_a_reason_and_a_provision(changes, code):
    """Without them the case stays open, and no letter goes out."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    with pytest.raises(Invalid) as refused:
        await _refuse(world, request_id, **changes)
    assert refused.value.code == code
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert "letter-refused-0" not in letters(world, request_id)


@pytest.mark.clause("4.1")
async def test_a_reason_of_the_greatest_length_is_taken():
    """At the number."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await _refuse(world, request_id, reason="x" * deciding.MOST_TEXT)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.REJECTED


@pytest.mark.clause("4.1")
async def test_a_person_who_could_not_be_identified_is_refused_with_what_would_help():
    """By a member of staff, before anything was looked up."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ACCESS)
    await deliver(world)
    await _refuse(
        world,
        request_id,
        reason="We could not find out whether the data is yours",
        provision="GDPR article 12(2)",
        hint="The member number from your profile",
    )
    await deliver(world)
    assert seen(world, request_id).state is RequestState.REJECTED
    answer = letter_words(world, request_id, "letter-refused-0")
    assert "The member number from your profile" in answer
    assert "GDPR article 12(2)" in answer


@pytest.mark.clause("4.1", "4.7.2")
@pytest.mark.parametrize("field", ["reason", "provision", "hint"])
async def test_markup_and_template_text_of_a_refusal_stay_text(field):
    """In both forms of the letter, in no header, and not in any log."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await _refuse(world, request_id, **{field: NASTY})
    await deliver(world)
    _require_text(world, letters(world, request_id)["letter-refused-0"])


@pytest.mark.clause("4.1", "4.7.2")
async def test_markup_and_template_text_of_an_approval_stay_text():
    """The letter of an objection that is upheld tells the reason."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await _approve(world, request_id, reason=NASTY, provision=NASTY)
    await deliver(world)
    _require_text(world, letters(world, request_id)["letter-objection_upheld-0"])


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("what", ["question", "extension"])
async def test_markup_and_template_text_to_the_person_stay_text(what):
    """A question and the reason of an extension."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    if what == "question":
        await asking.ask(world.context, request_id, kind="clarification", text=NASTY, asked_by="op")
    else:
        await asking.extend(world.context, request_id, months=1, reason=NASTY, decided_by="op")
    await deliver(world)
    name = "letter-question-0" if what == "question" else "letter-extended-0"
    _require_text(world, letters(world, request_id)[name])


@pytest.mark.clause("4.3")
async def test_markup_in_what_a_person_says_stays_text_in_the_copy():
    """The statement of a correction is shown as it was typed, and runs nowhere."""
    from tests.unit.services.driving import opened

    world = populated()
    await done(
        world,
        MEMBER,
        Right.RECTIFICATION,
        wishes=wishing(statement=NASTY, objects_to=("usage",), corrections={"city": "<b>{{ 7 * 7 }}</b>"}),
    )
    request_id = await done(world, MEMBER, Right.ACCESS)
    pages = {
        name: text.decode() for name, text in opened(world, request_id).items() if name.endswith(".html")
    }
    assert any("&lt;script&gt;" in page for page in pages.values())
    for name, page in pages.items():
        assert "<script>alert" not in page, name
        assert "<b>{{" not in page, name


@pytest.mark.clause("3.2")
async def test_markup_in_what_staff_note_of_a_recipient_stays_text():
    """Why a recipient could not be told is written into the last letter."""
    world = populated()
    request_id = await done(world, MEMBER, Right.ERASURE)
    for notice in seen(world, request_id).open_notices:
        await telling.note_told(
            world.context,
            request_id,
            recipient_id=notice.recipient_id,
            right=notice.right,
            state="impossible",
            why=NASTY,
            noted_by="op",
        )
    await deliver(world)
    _require_text(world, letters(world, request_id)["letter-recipients_done-0"])


@pytest.mark.clause("4.2.1")
async def test_markup_in_a_customers_name_stays_text():
    """It stands in the letter to the administrator and in the one to the person."""
    world = populated()
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.ERASURE, customer_name=NASTY)
    assert set(letters(world, request_id)) == {"letter-customer_done-0", "letter-subject_told-0"}
    for mail in letters(world, request_id).values():
        _require_text(world, mail)


def _require_text(world, mail) -> None:
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "{{ 7 * 7 }}" in words(mail)
    assert "\n" not in mail.subject
    assert "\r" not in mail.text + mail.html
    assert "Bcc" not in mail.subject + mail.to
    for code, _, details in world.operators.alarms:
        assert "script" not in code + details


@pytest.mark.clause("4.2")
async def test_a_second_question_waits_for_the_answer_to_the_first():
    """One at a time, and the answer by the link of the letter is taken once."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    first = await asking.ask(world.context, request_id, kind="clarification", text="Which?", asked_by="op")
    with pytest.raises(NotAllowed, match="question_open"):
        await asking.ask(world.context, request_id, kind="identity", text="Who?", asked_by="op")
    await deliver(world)
    link = answer_token(world, request_id)
    await asking.answer_by_link(world.context, request_id, link, "That one")
    with pytest.raises(NotAllowed, match="no_question_open"):
        await asking.answer_by_link(world.context, request_id, link, "Another")
    second = await asking.ask(world.context, request_id, kind="clarification", text="And?", asked_by="op")
    await deliver(world)
    assert (first, second) == (0, 1)
    assert {"letter-question-0", "letter-question-1"} <= set(letters(world, request_id))
    assert seen(world, request_id).questions[0].answer == "That one"


@pytest.mark.clause("4.2")
async def test_two_overlapping_questions_pause_no_day_twice():
    """Days count once; the second question begins on the day the first is answered."""
    world = populated("2026-11-02T10:00")
    request_id = await done(world, MEMBER, Right.OBJECTION)
    for asked, answered in (("2026-11-03", "2026-11-06"), ("2026-11-06", "2026-11-10")):
        move_to(world, f"{asked}T10:00")
        await asking.ask(world.context, request_id, kind="clarification", text="Which?", asked_by="op")
        await deliver(world)
        move_to(world, f"{answered}T09:00")
        await asking.answered(world.context, request_id, text="This", noted_by="op")
        move_to(world, f"{answered}T10:00")
    request = seen(world, request_id)
    assert (request.due_on - request.target_on).days == 7


@pytest.mark.clause("7.2")
@pytest.mark.parametrize(
    ("received", "code"),
    [("2026-11-02T09:00:01+00:00", "received_in_future"), ("2018-05-24T12:00", "received_impossible")],
)
async def test_a_day_of_receipt_that_cannot_be_is_not_taken(received, code):
    """The one who enters it corrects it; nothing is filed."""
    from tests.unit.services.cases_world import at

    world = populated("2026-11-02T09:00:00+00:00")
    with pytest.raises(Invalid) as refused:
        await file(world, MEMBER, Right.ACCESS, channel="post", received_at=at(received))
    assert refused.value.code == code
    assert world.cases.partitions == {}


@pytest.mark.clause("7.2")
@pytest.mark.parametrize("received", ["2026-11-02T09:00:00+00:00", "2018-05-25T00:00"])
async def test_the_first_and_the_last_moment_a_request_can_have_come_are_taken(received):
    """A letter that lay for years is overdue, and on file."""
    from tests.unit.services.cases_world import at

    world = populated("2026-11-02T09:00:00+00:00")
    request_id = await done(world, MEMBER, Right.OBJECTION, channel="post", received_at=at(received))
    assert seen(world, request_id).received_at == at(received)
    world.clock.advance(days=1)
    await sweep(world.context)
    assert ("overdue" in alarms(world, request_id)) is received.startswith("2018")


@pytest.mark.clause("4.2.1")
async def test_a_customers_objection_is_a_hint_and_never_upheld_as_the_persons():
    """Nothing is restricted; the customer is pointed to the person, and staff know."""
    world = populated()
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.OBJECTION)
    request = seen(world, request_id)
    assert request.plan.needs_decision == ("customer_hint",)
    assert controls(world, "user_id", EMPLOYEE.user_id).restrictions == ()
    with pytest.raises(NotAllowed, match="not_theirs"):
        await _approve(world, request_id)
    await _refuse(world, request_id, reason="It is the person's right", provision="GDPR article 21(1)")
    await deliver(world)
    assert seen(world, request_id).state is RequestState.REJECTED
    assert "The person concerned has these rights" in letter_words(world, request_id, "letter-refused-0")


@pytest.mark.clause("4.2.1")
@pytest.mark.parametrize("right", [Right.PORTABILITY, Right.WITHDRAWAL, Right.COMPLAINT])
async def test_what_is_the_persons_alone_is_not_done_for_a_customer(right):
    """Even where somebody files it: nothing takes effect at once, and a person refuses it."""
    from shared.domain.cases import Requester, Scope

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
        await _approve(world, request_id)


@pytest.mark.clause("4.2.1")
@pytest.mark.parametrize("scope", [None, FOODS.customer_id])
async def test_a_customer_does_not_reach_beyond_its_installations(scope):
    """Neither without a scope, nor into another's."""
    from shared.domain.cases import Requester, Scope

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
    from shared.domain.errors import Retryable
    from shared.ports.notifier import NOT_ACCEPTED
    from tests.unit.services.driving import rest

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


@pytest.mark.clause("4.1")
async def test_an_author_refused_at_first_can_ask_again():
    """A refusal closes the case, not the right."""
    world = populated()
    first = await done(world, AUTHOR, Right.PORTABILITY)
    await _refuse(world, first)
    await deliver(world)
    second = await done(world, AUTHOR, Right.PORTABILITY)
    assert first != second
    assert seen(world, second).state is RequestState.AWAITING_APPROVAL
    assert outcome(world, first, Right.PORTABILITY).result == "refused"
