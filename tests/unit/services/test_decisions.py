"""What a person decides: exactly this plan, one decision, four eyes, with reasons; and what is asked."""

import asyncio

import pytest

from shared.domain.errors import Conflict, Invalid, NotAllowed
from shared.domain.limits import Limits
from shared.domain.plans import Action
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import asking, deciding, switching
from shared.services.sweeping import sweep
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    MEMBER,
    alarms,
    answer_token,
    approve,
    at,
    controls,
    done,
    file,
    held,
    letter_words,
    move_to,
    outcome,
    populated,
    put,
    refuse,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver, letters, submit


@pytest.mark.clause("4.7.2")
async def test_of_two_decisions_one_after_the_other_the_first_stands():
    """Approved is approved, and refused is refused."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await refuse(world, request_id)
    for _ in range(2):  # while the letter is on its way, and when it is out
        with pytest.raises(Conflict, match="decided_already"):
            await approve(world, request_id, by="another")
        with pytest.raises(Conflict, match="decided_already"):
            await refuse(world, request_id, decided_by="another")
        await refuse(world, request_id, reason="Said again")
        await deliver(world)
    (decision,) = seen(world, request_id).decisions
    assert (decision.result, decision.reason) == ("refused", "A reason")


@pytest.mark.clause("4.7.2")
@pytest.mark.parametrize("delivered", [False, True], ids=["before it runs", "after it ran"])
async def test_what_was_approved_is_not_refused_any_more(delivered):
    """The person would get an answer that contradicts what was decided first."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    digest = seen(world, request_id).plan.digest
    assert await approve(world, request_id)
    if delivered:
        await deliver(world)
    else:
        assert await approve(world, request_id, plan_digest=digest), "the same again does no harm"
    with pytest.raises(Conflict, match="decided_already"):
        await refuse(world, request_id)
    with pytest.raises(Conflict, match="decided_already"):
        await refuse(world, request_id, decided_by="another")
    await deliver(world)
    assert [one.result for one in seen(world, request_id).decisions] == ["upheld"]
    assert outcome(world, request_id, Right.OBJECTION).result == "objection_upheld"
    assert "letter-refused-0" not in letters(world, request_id)


@pytest.mark.clause("4.7.2")
async def test_what_was_approved_stands_though_its_work_stopped():
    """The switch is no reason to tell the person the opposite."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await switching.throw(world.context, reason="something is wrong", decided_by="op")
    await approve(world, request_id)
    await deliver(world)
    with pytest.raises(Conflict, match="decided_already"):
        await refuse(world, request_id)
    await switching.reset(world.context, decided_by="op")
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert outcome(world, request_id, Right.OBJECTION).result == "objection_upheld"


@pytest.mark.clause("4.4")
async def test_a_decision_is_open_again_when_the_plan_became_another():
    """What was approved was something else; now it may be refused."""
    world = populated()
    await done(world, BUYER, Right.RESTRICTION)
    request_id = await done(world, BUYER, Right.ERASURE)
    (order,) = world.documents.bodies("orders")
    put(world, "orders", {**order, "id": "ord-new"})
    await approve(world, request_id)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    await refuse(world, request_id)
    await deliver(world)
    assert outcome(world, request_id, Right.ERASURE).result == "refused"


@pytest.mark.clause("4.7.2")
@pytest.mark.parametrize("first", ["approve", "refuse"])
async def test_of_two_decisions_at_the_same_time_one_is_told_to_read_again(first):
    """Both read the same case; the slower write loses, whatever it was."""

    async def turn(name):
        await asyncio.sleep(0)

    world = populated(turn=turn)
    request_id = await done(world, MEMBER, Right.OBJECTION)
    pair = [approve(world, request_id), refuse(world, request_id)]
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
        await approve(world, request_id, plan_digest="0" * 64)
    shown = seen(world, request_id).plan.digest
    (order,) = world.documents.bodies("orders")
    put(world, "orders", {**order, "id": "ord-new"})
    await approve(world, request_id)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert seen(world, request_id).plan.digest != shown
    assert held(world, BUYER)["members"] == 1
    await approve(world, request_id)
    await deliver(world)
    assert held(world, BUYER) == {"orders": 2}


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(
    ("most", "waits"), [(-1, True), (0, False), (1, False)], ids=["above", "at", "below"]
)
async def test_a_mass_erasure_is_one_of_more_records_than_the_limit(most, waits):
    """At the number it still runs alone; records that stay, as our own register does, are none of it."""
    world = populated()
    counted = await _records_to_go(world)
    world = populated(limits=Limits(mass_records=counted + most))
    request_id = await done(world, MEMBER, Right.ERASURE)
    request = seen(world, request_id)
    assert (request.state is RequestState.AWAITING_APPROVAL) is waits
    if waits:
        assert request.plan.needs_decision == ("mass_erasure",)
        assert held(world, MEMBER)["members"] == 1


async def _records_to_go(world) -> int:
    request_id = await done(world, MEMBER, Right.ERASURE)
    plan = seen(world, request_id).plan
    assert any(one.action is Action.KEEP and one.records for one in plan.entries)
    return sum(one.records for one in plan.entries if one.action is Action.ERASE)


@pytest.mark.clause("4.4")
async def test_a_mass_erasure_needs_two_people_who_did_not_enter_it():
    """Neither the one who typed it in, nor the same one twice."""
    world = populated(limits=Limits(mass_records=1))
    request_id = await done(world, MEMBER, Right.ERASURE, entered_by="clerk", channel="phone")
    with pytest.raises(NotAllowed, match="four_eyes"):
        await approve(world, request_id, by="clerk")
    assert await approve(world, request_id, by="first") is False
    with pytest.raises(NotAllowed, match="four_eyes"):
        await approve(world, request_id, by="first")
    await deliver(world)
    assert held(world, MEMBER)["members"] == 1
    assert await approve(world, request_id, by="second") is True
    await deliver(world)
    assert held(world, MEMBER) == {}


@pytest.mark.clause("4.4")
async def test_a_first_approval_of_another_plan_counts_for_nothing():
    """Both have to have seen the same."""
    world = populated(limits=Limits(mass_records=1))
    request_id = await done(world, BUYER, Right.ERASURE)
    await approve(world, request_id, by="first")
    (order,) = world.documents.bodies("orders")
    put(world, "orders", {**order, "id": "ord-new"})
    await approve(world, request_id, by="second")
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert await approve(world, request_id, by="second") is False
    assert await approve(world, request_id, by="first") is True
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
        await refuse(world, request_id, **changes)
    assert refused.value.code == code
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert "letter-refused-0" not in letters(world, request_id)


@pytest.mark.clause("4.1")
async def test_a_reason_of_the_greatest_length_is_taken():
    """At the number."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await refuse(world, request_id, reason="x" * deciding.MOST_TEXT)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.REJECTED


@pytest.mark.clause("4.1")
async def test_a_person_who_could_not_be_identified_is_refused_with_what_would_help():
    """By a member of staff, before anything was looked up."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ACCESS)
    await deliver(world)
    await refuse(
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
    world = populated("2026-11-02T09:00:00+00:00")
    with pytest.raises(Invalid) as refused:
        await file(world, MEMBER, Right.ACCESS, channel="post", received_at=at(received))
    assert refused.value.code == code
    assert world.cases.partitions == {}


@pytest.mark.clause("7.2")
@pytest.mark.parametrize("received", ["2026-11-02T09:00:00+00:00", "2018-05-25T00:00"])
async def test_the_first_and_the_last_moment_a_request_can_have_come_are_taken(received):
    """A letter that lay for years is overdue, and on file."""
    world = populated("2026-11-02T09:00:00+00:00")
    request_id = await done(world, MEMBER, Right.OBJECTION, channel="post", received_at=at(received))
    assert seen(world, request_id).received_at == at(received)
    world.clock.advance(days=1)
    await sweep(world.context)
    assert ("overdue" in alarms(world, request_id)) is received.startswith("2018")


@pytest.mark.clause("4.1")
async def test_an_author_refused_at_first_can_ask_again():
    """A refusal closes the case, not the right."""
    world = populated()
    first = await done(world, AUTHOR, Right.PORTABILITY)
    await refuse(world, first)
    await deliver(world)
    second = await done(world, AUTHOR, Right.PORTABILITY)
    assert first != second
    assert seen(world, second).state is RequestState.AWAITING_APPROVAL
    assert outcome(world, first, Right.PORTABILITY).result == "refused"


@pytest.mark.clause("4.7.2")
async def test_an_objection_that_takes_very_many_records_needs_two_people_too():
    """It erases as an erasure does."""
    world = populated(limits=Limits(mass_records=5))
    request_id = await done(world, MEMBER, Right.OBJECTION)
    plan = seen(world, request_id).plan
    assert plan.needs_decision == ("objection", "mass_erasure")
    before = held(world, MEMBER)
    assert not await deciding.approve(
        world.context, request_id, plan_digest=plan.digest, decided_by="officer-1", reason="Upheld"
    )
    await deliver(world)
    assert held(world, MEMBER) == before
    assert await deciding.approve(
        world.context, request_id, plan_digest=plan.digest, decided_by="officer-2", reason="Upheld"
    )
    await deliver(world)
    assert outcome(world, request_id, Right.OBJECTION).result == "objection_upheld"


@pytest.mark.clause("4.7.2", "4.5")
async def test_the_refusal_of_an_objection_tells_that_the_restriction_ends():
    """The one that held since it arrived; who was never protected is told of no end."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    assert controls(world, MEMBER.email).is_restricted
    await refuse(world, request_id)
    await deliver(world)
    ending = "held while we looked into your objection (GDPR article 18(1)(d)) ends with this letter"
    assert ending in letter_words(world, request_id, "letter-refused-0")
    assert not controls(world, MEMBER.email).is_restricted
    unconfirmed = await submit(world, MEMBER.email, Right.OBJECTION)
    await deliver(world)
    await refuse(world, unconfirmed)
    await deliver(world)
    assert "ends with this letter" not in letter_words(world, unconfirmed, "letter-refused-0")


@pytest.mark.clause("4.5")
async def test_the_refusal_of_unclear_words_tells_that_the_protection_ends():
    """In words that do not call it a wish of the person."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="unclear"))
    await refuse(world, request_id)
    await deliver(world)
    answer = letter_words(world, request_id, "letter-refused-0")
    assert "While we looked into it, your data was stored and not used. That ends with this letter" in answer
