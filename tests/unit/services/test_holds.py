"""Holds of a case: they delay, they match every name of the person, and they end."""

import json
from dataclasses import replace
from datetime import date

import pytest

from shared.domain.errors import Invalid, NotAllowed, NotFound
from shared.domain.identifiers import EMAIL
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import deciding, holding
from tests.unit.services.cases_world import (
    BUYER,
    CONTACT,
    EMPLOYEE,
    MEMBER,
    at,
    controls,
    done,
    held,
    letter_words,
    made_up,
    move_to,
    outcome,
    populated,
    put,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver, letters, opened

OTHER = made_up(
    "tove", 6, author_id="author-tove", member_id="member-tove", user_id="user-tove", is_linked=True
)


TWO_ADDRESSES = replace(OTHER, other_email="tove.privat@people.example")  # one user, two addresses


async def _place(world, identifiers, **changes) -> holding.PlacedHold:
    wanted = {
        "identifiers": identifiers,
        "activity_id": None,
        "ground": "legal_claim",
        "reason": "A dispute about an invoice",
        "review_on": date(2027, 5, 1),
        "placed_by": "officer",
        **changes,
    }
    return await holding.place(world.context, holding.PlaceHold(**wanted))


async def _hold(world, identifiers, **changes) -> str:
    return (await _place(world, identifiers, **changes)).hold_id


@pytest.mark.case(22)
@pytest.mark.clause("5.3", "4.4.1")
async def test_case_22_a_hold_keeps_licence_data_is_shown_in_the_copy_and_ends_with_an_erasure():
    """Kept with its reason and the day of its review; released, the same case erases at last."""
    world = populated()
    hold_id = await _hold(world, {EMAIL: (CONTACT.email,)}, activity_id="licences", ground="policy_5_3")
    request_id = await done(world, CONTACT, Right.ERASURE)
    assert held(world, CONTACT) == {"licences": 2}
    request = seen(world, request_id)
    assert request.state is RequestState.STANDING
    assert [(one.store_id, one.reason) for one in outcome(world, request_id, Right.ERASURE).kept] == [
        ("licences", "hold")
    ]
    assert "a legal claim or a duty in law" in letter_words(world, request_id, "letter-erased-0")

    copy = await done(world, CONTACT, Right.ACCESS)
    (shown,) = json.loads(opened(world, copy)["about.json"])["holds"]
    assert "A dispute about an invoice" in shown.values()
    assert "2027-05-01" in shown.values()

    assert (await holding.release(world.context, hold_id, released_by="officer")).taken_up == 1
    await deliver(world)
    assert held(world, CONTACT) == {}
    request = seen(world, request_id)
    assert request.is_final
    assert outcome(world, request_id, Right.ERASURE).records == 2
    assert {one.store_id for one in outcome(world, request_id, Right.ERASURE).kept} == {"packages"}
    assert set(letters(world, request_id)) == {"letter-erased-0", "letter-erased-100"}
    assert "contact person of a licence: 2 records" in letter_words(world, request_id, "letter-erased-100")
    assert set(world.notifier.times_sent.values()) == {1}
    assert request.email is None


@pytest.mark.clause("5.3")
@pytest.mark.parametrize("kind", ["email", "other", "member_id", "user_id", "author_id"])
async def test_a_hold_placed_under_one_name_keeps_what_is_asked_for_under_another(kind):
    """It stands under every pseudonym of the person."""
    world = populated(people=(TWO_ADDRESSES,))
    known = {
        "email": {EMAIL: (TWO_ADDRESSES.email,)},
        "other": {EMAIL: (TWO_ADDRESSES.other_email,)},
        "member_id": {"member_id": (TWO_ADDRESSES.member_id,)},
        "user_id": {"user_id": (TWO_ADDRESSES.user_id,)},
        "author_id": {"author_id": (TWO_ADDRESSES.author_id,)},
    }
    before = held(world, TWO_ADDRESSES)
    await _hold(world, known[kind])
    for address in TWO_ADDRESSES.emails:
        await done(world, address, Right.ERASURE)
        assert held(world, TWO_ADDRESSES) == before, address


@pytest.mark.clause("5.3")
async def test_a_hold_is_shown_once_in_the_copy_however_many_names_it_stands_under():
    """Four pseudonyms, one hold."""
    world = populated(people=(TWO_ADDRESSES,))
    await _hold(world, {EMAIL: (TWO_ADDRESSES.email,)})
    request_id = await done(world, TWO_ADDRESSES, Right.ACCESS)
    assert len(json.loads(opened(world, request_id)["about.json"])["holds"]) == 1


@pytest.mark.clause("5.3")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": " "}, "hold_reason_missing"),
        ({"reason": "x" * 2001}, "hold_reason_too_long"),
        ({"review_on": date(2026, 11, 2)}, "hold_review_past"),
        ({"review_on": date(2027, 11, 4)}, "hold_review_far"),
        ({"ground": "policy_5_3", "activity_id": "members"}, "hold_ground_unfit"),
        ({"ground": "policy_5_3", "activity_id": None}, "hold_ground_unfit"),
        ({"activity_id": "nothing"}, "activity_unknown"),
    ],
)
async def test_a_hold_without_a_reason_a_day_or_a_fitting_ground_is_not_placed(changes, code):
    """Nothing is written."""
    world = populated()
    with pytest.raises(Invalid) as refused:
        await _hold(world, {EMAIL: (MEMBER.email,)}, **changes)
    assert refused.value.code == code
    assert controls(world, MEMBER.email).holds == ()


@pytest.mark.clause("5.3")
@pytest.mark.parametrize("review_on", [date(2026, 11, 3), date(2027, 11, 2), date(2027, 11, 3)])
async def test_a_hold_is_reviewed_within_366_days(review_on):
    """On the first day that may be, one before the last, and the last."""
    world = populated()
    await _hold(world, {EMAIL: (MEMBER.email,)}, review_on=review_on)
    (placed,) = controls(world, MEMBER.email).holds
    assert placed.review_on == review_on


@pytest.mark.clause("5.3")
async def test_how_far_ahead_a_review_may_lie_is_a_setting():
    """One day above it is refused."""
    world = populated(limits=Limits(hold_review_days=30))
    await _hold(world, {EMAIL: (MEMBER.email,)}, review_on=date(2026, 12, 2))
    with pytest.raises(Invalid, match="hold_review_far"):
        await _hold(world, {EMAIL: (MEMBER.email,)}, review_on=date(2026, 12, 3))


@pytest.mark.clause("5.3")
@pytest.mark.parametrize("value", ["not an address", "", "a@people.example,b@people.example"])
async def test_a_hold_is_not_placed_on_what_is_no_address(value):
    """It would keep nothing, whoever writes to us."""
    world = populated()
    with pytest.raises(Invalid, match="email_invalid"):
        await _hold(world, {EMAIL: (value,)})
    assert not await world.context.controls.held(limit=10)


@pytest.mark.clause("5.3")
@pytest.mark.parametrize(
    ("identifiers", "is_known"),
    [
        ({EMAIL: (MEMBER.email,)}, True),
        ({EMAIL: (f" {MEMBER.email.upper()} ",)}, True),
        ({"user_id": (EMPLOYEE.user_id,)}, True),
        ({"user_id": ("user-nobody",)}, False),
        ({EMAIL: ("nobody@people.example",)}, False),
    ],
)
async def test_a_hold_that_matches_nobody_today_says_so_and_stands(identifiers, is_known):
    """Whoever placed it sees that the name may be mistyped; a record may come under it later."""
    world = populated()
    placed = await _place(world, identifiers)
    assert (placed.matches > 0) is is_known
    assert [one.hold.hold_id for one in await holding.in_force(world.context)] == [placed.hold_id]


@pytest.mark.clause("5.3")
async def test_a_hold_that_matched_nobody_keeps_what_came_later():
    """The record came the day after."""
    world = populated()
    placed = await _place(world, {"user_id": ("u-new",)})
    assert placed.matches == 0
    activity = {"id": "act-new", "user_id": "u-new", "customer_id": "c", "at": "2026-11-03T10:00:00Z"}
    put(world, "cloud_activity", activity)
    await done(world, "new@people.example", Right.ERASURE, identifiers={"user_id": ("u-new",)})
    assert [body["id"] for body in world.documents.bodies("cloud_activity") if body["user_id"] == "u-new"]


@pytest.mark.clause("5.3")
async def test_a_hold_is_not_placed_on_several_people_at_once():
    """Identifiers that match too many are refused."""
    world = populated()
    with pytest.raises(Invalid, match="person_unclear"):
        await _hold(world, {"member_id": (MEMBER.member_id, BUYER.member_id, EMPLOYEE.member_id)})


@pytest.mark.clause("5.3")
async def test_releasing_twice_or_what_is_no_hold_erases_nothing_more():
    """The second finds nothing to take up; the switch is none."""
    world = populated()
    hold_id = await _hold(world, {EMAIL: (CONTACT.email,)})
    await done(world, CONTACT, Right.ERASURE)
    assert (await holding.release(world.context, hold_id, released_by="a")).taken_up == 1
    assert (await holding.release(world.context, hold_id, released_by="b")).taken_up == 0
    await deliver(world)
    assert (await holding.release(world.context, hold_id, released_by="b")).taken_up == 0
    assert controls(world, CONTACT.email).holds[0].released_by == "a"
    with pytest.raises(NotFound):
        await holding.release(world.context, "nothing", released_by="a")
    with pytest.raises(NotAllowed):
        await holding.release(world.context, "switch-1", released_by="a")


@pytest.mark.clause("5.3")
async def test_while_another_hold_stands_a_release_changes_nothing_for_the_person():
    """The case stands on, and no second letter says what the first said."""
    world = populated()
    first = await _hold(world, {EMAIL: (CONTACT.email,)})
    await _hold(world, {EMAIL: (CONTACT.email,)}, reason="Another dispute")
    request_id = await done(world, CONTACT, Right.ERASURE)
    await holding.release(world.context, first, released_by="a")
    await deliver(world)
    assert held(world, CONTACT) == {"licences": 2}
    assert seen(world, request_id).state is RequestState.STANDING
    assert set(letters(world, request_id)) == {"letter-erased-0"}


@pytest.mark.clause("4.7.2", "5.3")
async def test_an_objection_that_was_upheld_under_a_hold_is_carried_out_when_it_ends():
    """Nobody decides a second time, and the person is not told again that it was received."""
    world = populated()
    hold_id = await _hold(world, {EMAIL: (MEMBER.email,)}, activity_id="usage")
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage",)))
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="officer",
        reason="Followed",
    )
    await deliver(world)
    assert seen(world, request_id).state is RequestState.STANDING
    assert held(world, MEMBER)["usage_events"] == 4
    assert (await holding.release(world.context, hold_id, released_by="officer")).taken_up == 1
    await deliver(world)
    assert "usage_events" not in held(world, MEMBER)
    assert seen(world, request_id).is_final
    assert set(letters(world, request_id)) == {
        "letter-objection_received-0",
        "letter-objection_upheld-0",
        "letter-objection_upheld-100",
    }


@pytest.mark.clause("4.7.2", "5.3")
async def test_an_objection_that_was_upheld_under_a_hold_is_not_refused_when_it_ends():
    """Its person was told, and it holds. Only what was restricted meanwhile is decided on."""
    world = populated()
    hold_id = await _hold(world, {EMAIL: (MEMBER.email,)}, activity_id="usage")
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage",)))

    async def upheld():
        digest = seen(world, request_id).plan.digest
        await deciding.approve(
            world.context, request_id, plan_digest=digest, decided_by="officer", reason="Followed"
        )
        await deliver(world)

    await upheld()
    await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="claims"))
    await holding.release(world.context, hold_id, released_by="officer")
    await deliver(world)
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    with pytest.raises(NotAllowed, match="too_late"):
        await deciding.refuse(
            world.context, request_id, decided_by="officer", reason="No", provision="GDPR article 21(1)"
        )
    await upheld()
    assert "usage_events" not in held(world, MEMBER)
    assert outcome(world, request_id, Right.OBJECTION).result == "objection_upheld"


@pytest.mark.clause("4.7.1", "4.3")
async def test_marks_follow_a_person_to_a_new_address():
    """A correction of the address leaves no way around an objection, a hold or a restriction."""
    world = populated()
    await done(world, MEMBER, Right.MARKETING_OBJECTION)
    await _hold(world, {EMAIL: (MEMBER.email,)})
    request_id = await done(
        world, MEMBER, Right.RECTIFICATION, wishes=wishing(corrections={"email": "mads.new@people.example"})
    )
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="officer",
        reason="The session proves it",
    )
    await deliver(world)
    new = controls(world, "mads.new@people.example")
    assert new.stops_marketing
    assert [hold.reason for hold in new.holds if hold.released_at is None] == ["A dispute about an invoice"]


@pytest.mark.clause("5.3", "4.4")
async def test_a_released_hold_erases_what_was_asked_for_and_not_what_the_person_began_anew():
    """Half a year later the person is a member again: that membership was never asked to go."""
    world = populated()
    hold_id = await _hold(world, {EMAIL: (BUYER.email,)})
    request_id = await done(world, BUYER, Right.ERASURE)
    move_to(world, "2027-02-01T10:00")
    anew = {"id": "member-anew", "email": BUYER.email, "name": BUYER.name, "state": "active"}
    put(world, "members", {**anew, "joined_at": "2027-02-01T09:00:00Z"})
    move_to(world, "2027-04-01T10:00")
    await holding.release(world.context, hold_id, released_by="officer")
    await deliver(world)
    assert [one["id"] for one in world.documents.bodies("members") if one["email"] == BUYER.email] == [
        "member-anew"
    ]
    request = seen(world, request_id)
    assert request.is_final or request.state is RequestState.STANDING
    assert not [one for one in outcome(world, request_id, Right.ERASURE).kept if one.reason == "hold"]


@pytest.mark.clause("4.7.1")
async def test_of_many_objections_that_say_the_same_the_first_and_the_last_are_kept():
    """Anybody can send them, without a check of who it is: they must not fill a person's controls."""
    world = populated()
    for hour in range(4):
        moment = at(f"2026-11-02T1{hour}:00")
        move_to(world, moment)
        await done(world, MEMBER, Right.MARKETING_OBJECTION, received_at=moment)
    kept = controls(world, MEMBER.email).objections
    assert [one.placed_at for one in kept] == [at("2026-11-02T10:00"), at("2026-11-02T13:00")]
