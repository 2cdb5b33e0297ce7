"""What a right comes to where it counts: other systems ask before they use the data, and are told no."""

from datetime import date

import pytest

from shared.domain.rights import Right
from shared.services import consents, deciding, holding, intake, lifting
from shared.services.enforcing import decide_processing
from shared.services.links import CANCEL
from tests.unit.services.cases_world import (
    AUTHOR,
    BYG,
    EMPLOYEE,
    MEMBER,
    as_customer,
    done,
    letter_words,
    populated,
    seen,
    sweep_at,
    wishing,
)
from tests.unit.services.driving import deliver, letters, rest, submit, token

NEWSLETTER = ("member_newsletter", "mail")
TARGETED = ("targeted_marketing", "profile")
TELEMETRY = ("user_experience", "use")
REPORTS = ("customer_reports", "report")
MEMBERSHIP = ("membership", "use")
SERVICE_MAIL = ("membership", "mail")


class _DiedError(Exception):
    """A worker that is killed."""


async def _asked(world, purpose_and_operation, person=MEMBER, **identifiers) -> str:
    """Return the code of the answer about a person, by the address unless told otherwise."""
    wanted = identifiers or {"email": person.email}
    values = {kind: (value,) for kind, value in wanted.items()}
    decision = await decide_processing(world.context, values, *purpose_and_operation)
    assert decision.allowed is (decision.code in ("allowed", "basis_not_stated"))
    return decision.code


async def _consenting(person=MEMBER):
    """Return a world in which the person consented to the newsletter and to marketing that fits."""
    world = populated()
    for purpose in ("member_newsletter", "targeted_marketing"):
        assert await consents.record_consent(world.context, person.email, purpose, "1", world.clock.now())
    world.clock.advance(seconds=60)
    return world


async def _approve(world, request_id: str) -> None:
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="officer",
        reason="Followed",
    )
    await deliver(world)


@pytest.mark.case(12)
@pytest.mark.clause("4.7", "4.7.1")
@pytest.mark.parametrize("purpose", [NEWSLETTER, TARGETED, ("targeted_marketing", "retarget")])
async def test_case_12_marketing_of_every_kind_is_denied_from_the_moment_of_the_objection(purpose):
    """No message is delivered yet, and the mail service that asks gets a no; the membership goes on."""
    world = await _consenting()
    if purpose == NEWSLETTER:
        assert await _asked(world, purpose) == "allowed"
    await submit(world, MEMBER.email, Right.MARKETING_OBJECTION)
    assert await _asked(world, purpose) == "marketing_objection"
    assert await _asked(world, SERVICE_MAIL) == "allowed"
    await deliver(world)
    for identifier in ({"user_id": MEMBER.user_id}, {"member_id": MEMBER.member_id}):
        assert await _asked(world, purpose, **identifier) == "marketing_objection"


@pytest.mark.case(13)
@pytest.mark.clause("4.7.2")
@pytest.mark.parametrize("objects_to", [("usage",), ()], ids=["telemetry", "all of letter f"])
async def test_case_13_what_is_objected_to_is_denied_at_once_and_the_contract_goes_on(objects_to):
    """Restricted while it is decided, objected to when it was upheld, free again when it was refused."""
    world = populated()
    upheld = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=objects_to))
    assert await _asked(world, TELEMETRY, user_id=MEMBER.user_id) == "restricted"
    assert await _asked(world, MEMBERSHIP) == "allowed"
    assert await _asked(world, REPORTS) == ("allowed" if objects_to else "restricted")
    await _approve(world, upheld)
    assert await _asked(world, TELEMETRY, user_id=MEMBER.user_id) == "objected"
    assert await _asked(world, MEMBERSHIP) == "allowed"

    other = await done(world, EMPLOYEE, Right.OBJECTION, wishes=wishing(objects_to=objects_to))
    assert await _asked(world, TELEMETRY, EMPLOYEE) == "restricted"
    await deciding.refuse(
        world.context, other, decided_by="op", reason="A claim", provision="GDPR article 21(1)"
    )
    await deliver(world)
    assert await _asked(world, TELEMETRY, EMPLOYEE) == "allowed"


async def _refused(world) -> str:
    """Return an objection that was refused, its letter still in the queue."""
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await deciding.refuse(
        world.context, request_id, decided_by="op", reason="A claim", provision="GDPR article 21(1)"
    )
    return request_id


@pytest.mark.clause("4.5", "4.7.2")
async def test_a_refused_objection_restricts_until_its_letter_is_out():
    """The person is told before the restriction is lifted: denied when the mail leaves, allowed after it."""
    asked = []

    async def turn(name):
        if name == "notifier.send" and watched:
            asked.append(await _asked(world, TELEMETRY))

    watched: list[str] = []
    world = populated(turn=turn)
    watched.append(await _refused(world))
    assert await _asked(world, TELEMETRY) == "restricted"
    await deliver(world)
    assert asked == ["restricted"]
    assert "GDPR article 18(3)" in letter_words(world, watched[0], "letter-refused-0")
    assert await _asked(world, TELEMETRY) == "allowed"


@pytest.mark.clause("4.5", "4.7.2")
@pytest.mark.parametrize(
    ("moment", "is_out"),
    [("notifier.send", False), ("notifier.send!", True), ("controls.write", True)],
)
async def test_a_death_about_the_letter_of_a_refusal_is_repaired(moment, is_out):
    """Whoever takes it up lifts the restriction, never before the letter left, which leaves once."""

    async def turn(name):
        if name == moment and dying:
            dying.clear()
            raise _DiedError

    dying: list[bool] = []
    world = populated(turn=turn)
    request_id = await _refused(world)
    dying.append(True)
    with pytest.raises(_DiedError):
        await deliver(world)
    assert ("letter-refused-0" in letters(world, request_id)) is is_out
    assert await _asked(world, TELEMETRY) == "restricted"
    await rest(world)
    assert seen(world, request_id).is_final
    assert await _asked(world, TELEMETRY) == "allowed"
    assert set(world.notifier.times_sent.values()) == {1}


@pytest.mark.clause("4.7.2", "2.1.1")
async def test_an_objection_to_one_purpose_stops_exactly_that_one():
    """The telemetry serves four others, which go on, and nothing is erased."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("customer_analysis",)))
    assert await _asked(world, ("customer_analysis", "report")) == "restricted"
    assert await _asked(world, TELEMETRY) == "allowed"
    await _approve(world, request_id)
    assert await _asked(world, ("customer_analysis", "report")) == "objected"
    assert await _asked(world, TELEMETRY) == "allowed"
    assert seen(world, request_id).outcomes[Right.OBJECTION].records == 0


@pytest.mark.case(16)
@pytest.mark.clause("4.8", "4.8.1")
async def test_case_16_no_newsletter_leaves_after_the_click():
    """The consent ends before a message is delivered; a new opt-in counts again."""
    world = await _consenting()
    assert await _asked(world, NEWSLETTER) == "allowed"
    await submit(world, MEMBER.email, Right.WITHDRAWAL)
    assert await _asked(world, NEWSLETTER) == "no_consent"
    assert await _asked(world, MEMBERSHIP) == "allowed"
    await deliver(world)
    world.clock.advance(seconds=60)
    await consents.record_consent(world.context, MEMBER.email, "member_newsletter", "1", world.clock.now())
    assert await _asked(world, NEWSLETTER) == "allowed"


@pytest.mark.clause("4.5", "4.5.1")
async def test_restricted_data_is_stored_and_nothing_else_until_the_day_of_the_notice():
    """Not used, mailed, profiled, reported, shipped, looked up or deleted by schedule."""
    world = await _consenting()
    request_id = await done(world, MEMBER, Right.RESTRICTION)
    for operation in ("use", "mail", "profile", "report", "ship", "support", "erase"):
        assert await _asked(world, ("membership", operation)) == "restricted", operation
    assert await _asked(world, ("membership", "store")) == "allowed"
    await lifting.announce_lifting(world.context, request_id, reason="Checked", decided_by="op")
    await deliver(world)
    assert await _asked(world, MEMBERSHIP) == "restricted"
    await sweep_at(world, "2026-11-09T00:10")
    assert await _asked(world, MEMBERSHIP) == "allowed"


@pytest.mark.case(22)
@pytest.mark.clause("5.3")
async def test_case_22_what_is_held_is_used_for_nothing_else():
    """Of the held activity; the others go on."""
    world = populated()
    placed = await holding.place(
        world.context,
        holding.PlaceHold(
            identifiers={"email": (MEMBER.email,)},
            activity_id="usage",
            ground="legal_claim",
            reason="A dispute",
            review_on=date(2027, 1, 1),
            placed_by="op",
        ),
    )
    assert await _asked(world, TELEMETRY, user_id=MEMBER.user_id) == "held"
    assert await _asked(world, MEMBERSHIP) == "allowed"
    await holding.release(world.context, placed.hold_id, released_by="op")
    assert await _asked(world, TELEMETRY, user_id=MEMBER.user_id) == "allowed"


@pytest.mark.clause("4.7.2")
async def test_a_cancelled_objection_leaves_no_restriction():
    """Who takes it back is treated as before."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage",)))
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    await deliver(world)
    assert await _asked(world, TELEMETRY) == "allowed"


@pytest.mark.clause("4.7.1", "4.4")
async def test_an_objection_outlives_the_data_it_was_about():
    """After the erasure an import that brings the address back is still told no."""
    world = await _consenting()
    await done(world, MEMBER, Right.MARKETING_OBJECTION, Right.ERASURE)
    assert await _asked(world, NEWSLETTER) == "marketing_objection"


@pytest.mark.clause("4.3", "4.7.1")
async def test_a_new_address_is_told_no_as_the_old_one_was():
    """And so is the old one, should it come back from somewhere."""
    world = await _consenting()
    await done(world, MEMBER, Right.MARKETING_OBJECTION)
    request_id = await done(
        world, MEMBER, Right.RECTIFICATION, wishes=wishing(corrections={"email": "mads.new@people.example"})
    )
    await _approve(world, request_id)
    assert await _asked(world, NEWSLETTER, email="mads.new@people.example") == "marketing_objection"
    assert await _asked(world, NEWSLETTER) == "marketing_objection"


@pytest.mark.clause("4.2.1", "4.7.1")
async def test_what_a_customer_stops_is_marketing_without_consent():
    """The newsletter the person wants still comes."""
    world = await _consenting(EMPLOYEE)
    await as_customer(world, BYG, EMPLOYEE, Right.MARKETING_OBJECTION, kind="email", value=EMPLOYEE.email)
    assert await _asked(world, NEWSLETTER, EMPLOYEE) == "allowed"


@pytest.mark.clause("4.5")
async def test_a_restriction_of_one_is_none_of_another():
    """People who share an installation or a licence do not share marks."""
    world = populated()
    await done(world, EMPLOYEE, Right.RESTRICTION)
    for person in (MEMBER, AUTHOR):
        assert await _asked(world, TELEMETRY, person) == "allowed"
