"""Cancelling what is still open of a case leaves what was answered: that ends only as the person was told."""

import pytest

from shared.domain.errors import NotAllowed
from shared.domain.identifiers import EMAIL
from shared.domain.messages import PLAN_QUEUE
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage
from shared.services import deciding, holding, intake
from shared.services.links import CANCEL
from shared.services.parts import all_parts
from shared.services.reminding import NOTICES_DUE
from tests.unit.services.cases_world import (
    BUYER,
    MEMBER,
    alarms,
    controls,
    done,
    file,
    held,
    outcome,
    populated,
    seen,
    sweep_at,
    wishing,
)
from tests.unit.services.driving import deliver, letters, step, submit, token

NEW_ADDRESS = wishing(corrections={"email": "mads.new@people.example"})  # waits for a person


async def _cancel(world, request_id):
    return await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))


async def _hold(world, person):
    placed = await holding.place(
        world.context,
        holding.PlaceHold(
            identifiers={EMAIL: (person.email,)},
            activity_id=None,
            ground="legal_claim",
            reason="A dispute",
            review_on=world.clock.now().date().replace(year=2027),
            placed_by="op",
        ),
    )
    return placed.hold_id


@pytest.mark.clause("4.5", "4.1")
async def test_a_confirmed_restriction_stays_when_the_open_correction_is_cancelled():
    """It ends after a notice alone; only the correction is dropped, and a second press changes nothing."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, Right.RECTIFICATION, wishes=NEW_ADDRESS)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    before = alarms(world, request_id)
    for _ in range(2):
        assert await _cancel(world, request_id) is RequestState.STANDING
        await deliver(world)
        request = seen(world, request_id)
        assert (request.rights, request.dropped) == ((Right.RESTRICTION,), (Right.RECTIFICATION,))
        assert controls(world, MEMBER.email).is_restricted
    await sweep_at(world, "2026-11-02T12:00")
    await sweep_at(world, "2026-12-02T12:00")
    assert controls(world, MEMBER.email).is_restricted
    assert seen(world, request_id).state is RequestState.STANDING
    assert [one for one in alarms(world, request_id) if one != NOTICES_DUE] == before
    assert "letter-restriction_lifting-0" not in letters(world, request_id)


@pytest.mark.clause("4.5", "4.7.2")
async def test_what_was_restricted_while_an_objection_waited_ends_when_the_objection_is_cancelled():
    """The restriction that was asked for itself stays beside it."""
    world = populated()
    request_id = await done(
        world, MEMBER, Right.RESTRICTION, Right.OBJECTION, wishes=wishing(objects_to=("usage",))
    )
    marks = {one.restriction_id: one.lifted_at for one in controls(world, MEMBER.email).restrictions}
    assert set(marks.values()) == {None}
    assert len(marks) == 2
    assert await _cancel(world, request_id) is RequestState.STANDING
    (left,) = [one for one in controls(world, MEMBER.email).restrictions if one.lifted_at is None]
    assert left.restriction_id == f"{request_id}-{Right.RESTRICTION}"


@pytest.mark.clause("4.5", "4.7.2")
async def test_who_died_before_the_provisional_mark_was_lifted_is_followed_by_the_sweep(monkeypatch):
    """The case was saved first."""
    world = populated()
    request_id = await done(
        world, MEMBER, Right.RESTRICTION, Right.OBJECTION, wishes=wishing(objects_to=("usage",))
    )

    async def dies(*_arguments, **_options):
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(world.controls, "write", dies)
        with pytest.raises(TimeoutError):
            await _cancel(world, request_id)
    await sweep_at(world, "2026-11-02T13:00")
    (left,) = [one for one in controls(world, MEMBER.email).restrictions if one.lifted_at is None]
    assert left.restriction_id == f"{request_id}-{Right.RESTRICTION}"
    assert seen(world, request_id).state is RequestState.STANDING


@pytest.mark.clause("4.5", "4.2")
async def test_a_copy_that_was_being_made_is_forgotten_however_far_it_is():
    """Cancelled after each delivery in turn: no copy is left, nothing is claimed, the restriction stands."""
    for steps in range(100):
        world = populated()
        request_id = await file(world, MEMBER, Right.RESTRICTION, Right.ACCESS)
        while seen(world, request_id).stage is not Stage.COLLECT:
            await step(world)
        for _ in range(steps):
            await step(world)
        if Right.ACCESS in seen(world, request_id).outcomes:
            break
        assert await _cancel(world, request_id) is RequestState.STANDING
        await deliver(world)
        await sweep_at(world, "2026-11-02T13:00")
        request = seen(world, request_id)
        assert (request.state, request.rights) == (RequestState.STANDING, (Right.RESTRICTION,))
        assert (world.packages.contents, request.package) == ({}, None)
        assert await all_parts(world.context, request_id) == []
        assert controls(world, MEMBER.email).claims == ()
        assert controls(world, MEMBER.email).is_restricted
    assert steps > 1


@pytest.mark.clause("4.8", "5.3")
@pytest.mark.parametrize("ends", ["cancelled", "lapsed"])
async def test_a_withdrawal_that_a_hold_put_off_is_owed_when_the_rest_ends(ends):
    """The letter said that it goes on when the hold is over, and so it does."""
    world = populated()
    hold_id = await _hold(world, MEMBER)
    request_id = await submit(world, MEMBER.email, Right.WITHDRAWAL, Right.ACCESS)
    await deliver(world)
    assert "newsletter_signups" in held(world, MEMBER)
    if ends == "cancelled":
        assert await _cancel(world, request_id) is RequestState.STANDING
    else:
        await sweep_at(world, "2026-11-12T10:00")
        await sweep_at(world, "2026-11-12T11:00")
        assert seen(world, request_id).state is RequestState.STANDING
    await holding.release(world.context, hold_id, released_by="op")
    await _cancel(world, request_id)  # pressed again, it takes nothing back
    await deliver(world)
    assert "newsletter_signups" not in held(world, MEMBER)
    request = seen(world, request_id)
    assert request.state is RequestState.COMPLETED
    assert set(request.outcomes) == {Right.WITHDRAWAL}


@pytest.mark.clause("4.8", "5.3")
async def test_what_is_taken_up_after_a_hold_was_answered_and_cannot_be_cancelled():
    """Its letter is out."""
    world = populated()
    hold_id = await _hold(world, MEMBER)
    request_id = await done(world, MEMBER, Right.WITHDRAWAL, Right.ACCESS)
    key = token(world, request_id, CANCEL)
    await holding.release(world.context, hold_id, released_by="op")
    assert seen(world, request_id).state is RequestState.VERIFIED
    with pytest.raises(NotAllowed, match="too_late"):
        await intake.cancel(world.context, request_id, key)
    await deliver(world)
    assert "newsletter_signups" not in held(world, MEMBER)


@pytest.mark.clause("4.5")
async def test_a_restriction_that_was_refused_keeps_nothing_open():
    """Nothing stands: the rest is cancelled as a whole."""
    world = populated()
    request_id = await done(
        world, BUYER, Right.RESTRICTION, Right.ERASURE, wishes=wishing(ground="unclear", statement="?")
    )
    await deciding.refuse(
        world.context, request_id, decided_by="op", reason="A reason", provision="GDPR article 12(4)"
    )
    await deliver(world, until=PLAN_QUEUE)
    if seen(world, request_id).is_irreversible:
        pytest.fail("the erasure began before it could be cancelled")
    assert outcome(world, request_id, Right.RESTRICTION).result == "refused"
    assert await _cancel(world, request_id) is RequestState.CANCELLED
    assert not controls(world, BUYER.email).is_restricted
