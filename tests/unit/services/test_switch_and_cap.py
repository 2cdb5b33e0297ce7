"""The kill switch and the cap of an hour: nothing more is erased, nothing lost, nothing counted twice."""

import pytest

from shared.domain.errors import NotAllowed
from shared.domain.limits import Limits
from shared.domain.messages import LETTER_QUEUE
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import attention, deciding, switching
from shared.services.sweeping import sweep
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    CONTACT,
    EMPLOYEE,
    MEMBER,
    alarms,
    approve,
    controls,
    done,
    file,
    held,
    letter_words,
    outcome,
    populated,
    refuse,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver, letters, submit

SMALL = Limits(page_documents=1, page_keys=1, message_documents=1, lanes=2, blobs_per_page=1)


async def _throw(world) -> None:
    await switching.throw(world.context, reason="something is wrong", decided_by="op")


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(
    "moment", ["controls.write", "documents.change", "documents.change!", "blobs.commit"]
)
async def test_a_switch_thrown_in_mid_erasure_stops_it_and_a_retry_counts_what_was_done_once(moment):
    """What went is counted, what is left stays, and together they are what an undisturbed run erases."""
    undisturbed = populated(limits=SMALL)
    whole = outcome(undisturbed, await done(undisturbed, MEMBER, Right.ERASURE), Right.ERASURE)
    running: list[bool] = []

    async def turn(name):
        if name == moment and running:
            running.clear()
            await _throw(world)

    world = populated(limits=SMALL, turn=turn)
    request_id = await file(world, MEMBER, Right.ERASURE)
    running.append(True)
    await deliver(world)
    request = seen(world, request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "erasing_paused")
    left = held(world, MEMBER)
    assert left["members"] == 1
    assert letters(world, request_id) == {}

    with pytest.raises(NotAllowed):
        await deciding.approve(
            world.context, request_id, plan_digest="x", decided_by="op", reason="It is right"
        )
    await attention.retry(world.context, request_id, decided_by="op")
    await deliver(world)
    assert seen(world, request_id).attention == "erasing_paused", "the switch is still thrown"
    assert held(world, MEMBER) == left

    await switching.reset(world.context, decided_by="op")
    assert await attention.retry_all(world.context, "erasing_paused", decided_by="op") == 1
    await deliver(world)
    assert held(world, MEMBER) == {}
    found = outcome(world, request_id, Right.ERASURE)
    assert (found.records, found.by_store) == (whole.records, whole.by_store)
    (proof,) = world.evidence.records.values()
    assert proof["erased_by_store"] == whole.by_store


@pytest.mark.clause("4.2", "4.3", "4.5")
@pytest.mark.parametrize("right", [Right.ACCESS, Right.RECTIFICATION, Right.RESTRICTION, Right.COMPLAINT])
async def test_the_switch_stops_destruction_and_nothing_else(right):
    """Copies, corrections, restrictions and complaints go on."""
    world = populated()
    await _throw(world)
    request_id = await done(world, MEMBER, right, wishes=wishing(corrections={"city": "Aarhus"}))
    assert right in seen(world, request_id).outcomes


@pytest.mark.clause("4.8", "4.7.1")
@pytest.mark.parametrize("right", [Right.WITHDRAWAL, Right.MARKETING_OBJECTION])
async def test_what_holds_at_once_holds_though_its_erasure_waits(right):
    """Nothing is mailed while the record of the sign-up waits for the switch."""
    world = populated()
    await _throw(world)
    request_id = await submit(world, MEMBER.email, right)
    await deliver(world)
    found = controls(world, MEMBER.email)
    assert found.stops_marketing or found.withdrawn_at
    assert seen(world, request_id).attention == "erasing_paused"
    assert held(world, MEMBER)["newsletter_signups"] == 1
    assert set(letters(world, request_id)) == {"letter-delayed_by_review-0"}
    assert "holds already" in letter_words(world, request_id, "letter-delayed_by_review-0")
    await attention.retry(world.context, request_id, decided_by="op")
    await deliver(world)
    assert set(world.notifier.times_sent.values()) == {1}, "told once that it waits"
    await switching.reset(world.context, decided_by="op")
    await attention.retry(world.context, request_id, decided_by="op")
    await deliver(world)
    assert "newsletter_signups" not in held(world, MEMBER)


@pytest.mark.clause("4.5", "4.7.2")
@pytest.mark.parametrize("decided", ["approved", "refused"])
async def test_an_objection_is_answered_to_and_decided_while_erasing_is_paused(decided):
    """Restricted at once, told at once, decided by a person: what is upheld waits for the switch alone."""
    world = populated()
    await _throw(world)
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage",)))
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert set(letters(world, request_id)) == {"letter-objection_received-0"}
    assert controls(world, MEMBER.email).is_restricted
    if decided == "refused":
        await refuse(world, request_id)
        await deliver(world)
        assert outcome(world, request_id, Right.OBJECTION).result == "refused"
        assert "letter-refused-0" in letters(world, request_id)
        return
    await approve(world, request_id)
    await deliver(world)
    assert "erasing_paused" in alarms(world, request_id)
    assert held(world, MEMBER)["usage_events"] == 4
    await switching.reset(world.context, decided_by="op")
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert outcome(world, request_id, Right.OBJECTION).result == "objection_upheld"
    assert "usage_events" not in held(world, MEMBER)


@pytest.mark.clause("4.7.1")
async def test_a_letter_whose_message_was_lost_is_sent_though_the_case_waits_for_a_person():
    """The sweep sends it beside its alarm."""
    world = populated()
    await _throw(world)
    request_id = await submit(world, MEMBER.email, Right.MARKETING_OBJECTION)
    await deliver(world, until=LETTER_QUEUE)
    world.queue.sent.clear()
    assert letters(world, request_id) == {}
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert set(letters(world, request_id)) == {"letter-delayed_by_review-0"}


@pytest.mark.clause("4.4")
async def test_throwing_and_resetting_twice_changes_nothing():
    """The first reason stands; the history of the switch stays short."""
    world = populated()
    await _throw(world)
    await switching.throw(world.context, reason="another", decided_by="op")
    (hold,) = world.controls.stored(switching.SWITCH_KEY).controls.holds
    assert hold.reason == "something is wrong"
    await switching.reset(world.context, decided_by="op")
    await switching.reset(world.context, decided_by="op")
    assert not switching.is_thrown(world.controls.stored(switching.SWITCH_KEY).controls)
    for _ in range(30):
        world.clock.advance(seconds=1)
        await _throw(world)
        await switching.reset(world.context, decided_by="op")
    assert len(world.controls.stored(switching.SWITCH_KEY).controls.holds) <= 21


PEOPLE = (MEMBER, BUYER, AUTHOR, CONTACT, EMPLOYEE)


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(("cap", "erased"), [(4, 4), (5, 5), (6, 5)], ids=["above", "at", "below"])
async def test_the_cap_of_an_hour_lets_so_many_begin_and_stops_the_next(cap, erased):
    """One below, at and above; whoever comes after is stopped until a person has looked."""
    world = populated(limits=Limits(erasures_per_hour=cap))
    ids = [await done(world, person, Right.ERASURE) for person in PEOPLE]
    finished = [one for one in ids if Right.ERASURE in seen(world, one).outcomes]
    assert len(finished) == erased
    thrown = switching.is_thrown(world.controls.stored(switching.SWITCH_KEY).controls)
    assert thrown is (erased < len(PEOPLE))
    assert ("erasures_over_cap" in alarms(world)) is thrown
    assert [person.key for person in PEOPLE if not held(world, person)] == [
        person.key for person in PEOPLE[:erased] if person is not BUYER
    ]


@pytest.mark.clause("4.4")
async def test_the_next_hour_goes_on_after_a_person_has_looked():
    """The switch does not reset itself, and what was stopped is taken up."""
    world = populated(limits=Limits(erasures_per_hour=1))
    await done(world, MEMBER, Right.ERASURE)
    second = await done(world, CONTACT, Right.ERASURE)
    assert seen(world, second).attention == "erasing_paused"
    world.clock.advance(seconds=3600)
    await sweep(world.context)
    await deliver(world)
    assert held(world, CONTACT) == {"licences": 2}
    await switching.reset(world.context, decided_by="op")
    await attention.retry_all(world.context, "erasing_paused", decided_by="op")
    await deliver(world)
    assert held(world, CONTACT) == {}


@pytest.mark.clause("4.4", "4.7.2")
async def test_an_approved_case_waits_for_the_switch_without_a_second_approval():
    """The decision stands; when the switch is reset the sweep begins what was approved."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage",)))
    await _throw(world)
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="officer",
        reason="Followed",
    )
    await deliver(world)
    assert "erasing_paused" in alarms(world, request_id)
    assert held(world, MEMBER)["usage_events"] == 4
    await switching.reset(world.context, decided_by="op")
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert "usage_events" not in held(world, MEMBER)


@pytest.mark.clause("4.4")
async def test_a_reset_within_the_hour_lets_nothing_more_begin():
    """The cap throws the switch again; with the next hour the case goes on."""
    world = populated(limits=Limits(erasures_per_hour=2))
    await done(world, MEMBER, Right.ERASURE)
    await done(world, AUTHOR, Right.ERASURE)
    third = await done(world, CONTACT, Right.ERASURE)
    assert seen(world, third).attention == "erasing_paused"
    for _ in range(3):
        await switching.reset(world.context, decided_by="op")
        await attention.retry(world.context, third, decided_by="op")
        await deliver(world)
    assert held(world, CONTACT) == {"licences": 2}, "within the hour the cap holds"
    world.clock.advance(seconds=3600)
    await switching.reset(world.context, decided_by="op")
    await attention.retry(world.context, third, decided_by="op")
    await deliver(world)
    assert held(world, CONTACT) == {}
