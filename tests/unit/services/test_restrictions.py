"""Restrictions of a case: what they forbid and let pass, who learns of them, and how they end."""

from datetime import date

import pytest

from shared.domain.errors import Invalid, NotAllowed, Retryable
from shared.domain.messages import TASK_QUEUE
from shared.domain.recipients import Instruction, NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Requester, Scope
from shared.ports.notifier import OUTCOME_UNKNOWN
from shared.services import deciding, lifting
from shared.services.planning import plan
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    MEMBER,
    NEWSLETTERS,
    alarms,
    at,
    controls,
    done,
    file,
    held,
    letter_words,
    outcome,
    populated,
    seen,
    sweep_at,
    wishing,
)
from tests.unit.services.driving import deliver, letters, step


@pytest.mark.case(23)
@pytest.mark.clause("4.5", "4.5.1", "5.1")
async def test_case_23_what_falls_due_while_restricted_is_neither_used_nor_deleted():
    """The run of the retention leaves it; after the notice, and not before its day, the mark is lifted."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="claims"))
    for kind, value in (("email", MEMBER.email), ("user_id", MEMBER.user_id)):
        (mark,) = controls(world, kind, value).restrictions
        assert mark.forbids("usage", "user_experience")
        assert mark.forbids("members", "targeted_marketing")
    before = held(world, MEMBER)
    run = await _retention_run(world, "usage")
    assert held(world, MEMBER) == before
    assert seen(world, run).is_final
    assert {one.reason for one in outcome(world, run, Right.ERASURE).kept} == {"restriction"}

    day = await lifting.announce_lifting(
        world.context, request_id, reason="The claim is settled", decided_by="op"
    )
    assert day == date(2026, 11, 9)
    assert controls(world, MEMBER.email).is_restricted
    await deliver(world)
    assert controls(world, MEMBER.email).is_restricted, "the notice comes before the end"
    notice = letter_words(world, request_id, "letter-restriction_lifting-0")
    assert "The claim is settled" in notice
    assert "9 November 2026" in notice
    await sweep_at(world, "2026-11-08T23:50")
    assert controls(world, MEMBER.email).is_restricted
    await sweep_at(world, "2026-11-09T00:10")
    assert not controls(world, MEMBER.email).is_restricted
    await _retention_run(world, "usage")
    assert "usage_events" not in held(world, MEMBER)


async def _retention_run(world, activity_id: str) -> str:
    return await done(
        world,
        MEMBER,
        Right.ERASURE,
        channel="retention",
        requester=Requester(kind="controller"),
        email=None,
        identifiers={"user_id": (MEMBER.user_id,)},
        scope=Scope(activity_ids=(activity_id,)),
    )


@pytest.mark.clause("4.5.1")
@pytest.mark.parametrize("ground", ["accuracy", "unlawful", "claims", None])
async def test_each_ground_restricts_and_is_confirmed(ground):
    """A person who names none contests the accuracy, the ground that lasts until it is checked."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground=ground))
    request = seen(world, request_id)
    assert request.state is RequestState.STANDING
    assert outcome(world, request_id, Right.RESTRICTION).result == "restricted"
    assert controls(world, MEMBER.email).restrictions[0].ground == (ground or "accuracy")
    assert request.email == MEMBER.asks_as, "the notice before lifting needs it"
    letter = {"accuracy": "(a)", "unlawful": "(b)", "claims": "(c)", None: "(a)"}[ground]
    assert f"article 18(1){letter}" in letter_words(world, request_id, "letter-restricted-0")


@pytest.mark.clause("4.5", "3.2")
async def test_processors_and_recipients_learn_of_a_restriction():
    """The newsletter stops, and whoever received data is to be told. Source: GDPR article 19."""
    world = populated()
    assert world.processors.mails(BUYER.email)
    request_id = await done(world, BUYER, Right.RESTRICTION)
    assert (NEWSLETTERS, Instruction.RESTRICT, (BUYER.email,)) in world.processors.told
    assert not world.processors.mails(BUYER.email)
    notices = {one.recipient_id: one for one in seen(world, request_id).notices}
    assert notices[NEWSLETTERS].state is NoticeState.AWAITING_STAFF
    assert (notices["postnord"].state, notices["postnord"].instruction) == (
        NoticeState.DUE,
        Instruction.RESTRICT,
    )
    assert "notices_open" in alarms(world, request_id)
    assert "Campaign Monitor" in letter_words(world, request_id, "letter-restricted-0")


@pytest.mark.clause("4.5", "3.2")
async def test_staff_learn_that_recipients_restrict_still_when_a_restriction_ends():
    """What a processor was told has to be taken back there by hand."""
    world = populated()
    request_id = await done(world, BUYER, Right.RESTRICTION)
    await lifting.announce_lifting(world.context, request_id, reason="Checked", decided_by="op")
    await deliver(world)
    await sweep_at(world, "2026-11-10T10:00")
    assert "recipients_restrict_still" in alarms(world, request_id)
    assert not controls(world, BUYER.email).is_restricted


@pytest.mark.clause("4.5")
async def test_an_unreachable_processor_keeps_a_restriction_unconfirmed_but_in_force():
    """Our own systems restrict at once; the letter waits for the processor."""
    world = populated()
    world.processors.is_unreachable = True
    request_id = await file(world, MEMBER, Right.RESTRICTION)
    for _ in range(8):
        await step(world)
    assert controls(world, MEMBER.email).is_restricted
    assert letters(world, request_id) == {}
    world.processors.is_unreachable = False
    await deliver(world)
    assert set(letters(world, request_id)) == {"letter-restricted-0"}


@pytest.mark.clause("4.5", "4.4")
async def test_an_erasure_of_restricted_data_waits_for_a_person():
    """The person asked for the opposite before; what they want now is decided by a person."""
    world = populated()
    await done(world, AUTHOR, Right.RESTRICTION)
    request_id = await done(world, AUTHOR, Right.ERASURE)
    request = seen(world, request_id)
    assert (request.state, request.plan.needs_decision) == (RequestState.AWAITING_APPROVAL, ("restricted",))
    assert held(world, AUTHOR)["authors"] == 1


@pytest.mark.clause("4.5", "4.8")
async def test_a_restriction_does_not_stand_in_the_way_of_a_withdrawal():
    """What a person asks to end ends."""
    world = populated()
    await done(world, MEMBER, Right.RESTRICTION)
    await done(world, MEMBER, Right.WITHDRAWAL)
    assert "newsletter_signups" not in held(world, MEMBER)


@pytest.mark.clause("4.5")
@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"reason": " "}, Invalid, "reason_missing"),
        ({"reason": "x" * 2001}, Invalid, "reason_too_long"),
        ({"lift_on": date(2026, 11, 2)}, Invalid, "lift_on_past"),
    ],
)
async def test_a_notice_of_lifting_needs_a_reason_and_a_day_to_come(changes, error, code):
    """The restriction goes on."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.RESTRICTION)
    with pytest.raises(error) as refused:
        await lifting.announce_lifting(
            world.context, request_id, **{"reason": "Checked", "decided_by": "op", **changes}
        )
    assert refused.value.code == code
    assert controls(world, AUTHOR.email).is_restricted


@pytest.mark.clause("4.5")
async def test_the_end_of_a_restriction_is_decided_once():
    """The first reason stays, until its day passed and the letter never left."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.RESTRICTION)
    first = date(2026, 11, 9)
    await lifting.announce_lifting(
        world.context, request_id, reason="Checked", decided_by="op", lift_on=first
    )

    async def again():
        await lifting.announce_lifting(world.context, request_id, reason="Again", decided_by="another")
        letters = (await world.cases.load(request_id)).letters
        return next(one.reason for one in letters if one.lift_on)

    for moment in ("2026-11-02T12:00", "2026-11-08T12:00"):
        world.clock.moment = at(moment)
        with pytest.raises(NotAllowed, match="lifting_announced"):
            await again()
    (notice,) = (one for one in (await world.cases.load(request_id)).letters if one.lift_on)
    assert (notice.reason, notice.lift_on) == ("Checked", first)
    world.clock.moment = at("2026-11-09T12:00")
    assert await again() == "Again"


@pytest.mark.clause("4.5")
async def test_a_notice_that_may_be_out_is_not_written_anew():
    """Nobody knows whether the first left: a second decision meanwhile does not send it twice."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.RESTRICTION)
    await lifting.announce_lifting(world.context, request_id, reason="Checked", decided_by="op")
    world.notifier.faults = [("notifier.send!", Retryable(OUTCOME_UNKNOWN, "lost"))]
    with pytest.raises(Retryable):
        await deliver(world)
    with pytest.raises(NotAllowed, match="lifting_announced"):
        await lifting.announce_lifting(world.context, request_id, reason="Again", decided_by="another")
    await sweep_at(world, "2026-11-02T12:00")
    mail_id = f"{request_id}-letter-restriction_lifting-0"
    assert world.notifier.times_sent[mail_id] == 1
    assert seen(world, request_id).lifts_on == date(2026, 11, 9)


@pytest.mark.clause("4.5", "4.4")
async def test_a_decision_about_one_restriction_is_none_about_a_later_one():
    """An erasure was approved in spite of the first; the second is for a legal claim and stops it."""
    world = populated()
    first = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="accuracy"))
    request_id = await done(world, MEMBER, Right.ERASURE)
    request = seen(world, request_id)
    assert request.plan.restricted_by == (f"{first}-restriction",)
    await deciding.approve(
        world.context, request_id, plan_digest=request.plan.digest, decided_by="officer", reason="asked for"
    )
    later = await file(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="claims"))
    await plan(world.context, later)
    before = held(world, MEMBER)
    await deliver(world)
    request = seen(world, request_id)
    assert (request.state, request.approved_digest) == (RequestState.AWAITING_APPROVAL, None)
    assert len(request.plan.restricted_by) == 2
    assert held(world, MEMBER) == before
    await deciding.approve(
        world.context, request_id, plan_digest=request.plan.digest, decided_by="officer", reason="both"
    )
    await deliver(world)
    assert held(world, MEMBER) == {}


@pytest.mark.clause("4.5", "4.4")
async def test_a_restriction_between_the_approved_plan_and_the_deed_stops_the_deed():
    """It is asked for again at the moment of destruction, whatever was decided about another one."""
    world = populated()
    await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="accuracy"))
    request_id = await done(world, MEMBER, Right.ERASURE)
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="officer",
        reason="asked for",
    )
    before = held(world, MEMBER)
    await deliver(world, until=TASK_QUEUE)
    await plan(world.context, await file(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="claims")))
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert held(world, MEMBER) == before
