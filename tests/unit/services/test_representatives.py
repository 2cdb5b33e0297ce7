"""A representative asks for somebody else: the answer goes to the one, the data is the other's."""

import json

import pytest

from shared.domain.errors import Invalid, NotAllowed
from shared.domain.identifiers import EMAIL
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Requester
from shared.services.deciding import approve
from shared.services.entering import Entry, enter
from tests.unit.services.cases_world import (
    ADMIN,
    BUYER,
    BYG,
    MEMBER,
    as_customer,
    done,
    file,
    held,
    populated,
    refuse,
    seen,
    wishing,
    words,
)
from tests.unit.services.driving import deliver, letters, opened


def _entry(world, **changes) -> Entry:
    return Entry(
        **{
            "rights": (Right.ERASURE,),
            "email": BUYER.email,
            "channel": "post",
            "received_at": world.clock.now(),
            "language": "en",
            "entered_by": "operator",
            "identity": "known to the office",
            "requester": "representative",
            "mandate": "original seen",
            "about": MEMBER.email,
            **changes,
        }
    )


def _digest(world, request_id: str) -> str:
    return seen(world, request_id).plan.digest


@pytest.mark.clause("4.4")
async def test_a_representative_erases_the_data_of_the_person_and_none_of_its_own():
    """The letter goes to the representative, who is in our systems too."""
    world = populated()
    own = held(world, BUYER)
    request_id = await enter(world.context, _entry(world))
    await deliver(world)
    await approve(
        world.context,
        request_id,
        plan_digest=_digest(world, request_id),
        decided_by="officer",
        reason="It is right",
    )
    await deliver(world)
    assert held(world, MEMBER) == {}
    assert held(world, BUYER) == own
    assert {mail.to for mail in letters(world, request_id).values()} == {BUYER.email}
    assert seen(world, request_id).requester.mandate == "original seen"


async def test_whose_data_a_representative_means_has_to_be_said():
    """Its own address would find its own data."""
    world = populated()
    with pytest.raises(Invalid, match="person_missing"):
        await enter(world.context, _entry(world, about=" "))
    assert not world.cases.partitions


async def test_a_person_is_answered_at_no_address_but_the_one_that_finds_the_data():
    """Else whoever confirms an address of their own gets the data of another."""
    world = populated()
    with pytest.raises(Invalid, match="person_unfit"):
        await enter(world.context, _entry(world, requester="subject", mandate="", identity=""))
    assert not world.cases.partitions


@pytest.mark.clause("4.2", "4.3", "4.4", "4.6")
@pytest.mark.parametrize("right", [Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION, Right.ERASURE])
async def test_who_enters_a_representatives_request_does_not_let_it_go(right):
    """One member of staff alone could have anybody's data mailed to any address."""
    world = populated()
    before = held(world, MEMBER)
    wishes = wishing(corrections={"phone": "+44 113 496 0997"}) if right is Right.RECTIFICATION else wishing()
    request_id = await enter(world.context, _entry(world, rights=(right,), wishes=wishes))
    await deliver(world)
    request = seen(world, request_id)
    assert (request.state, request.plan.needs_decision) == (RequestState.AWAITING_APPROVAL, ("mandate",))
    with pytest.raises(NotAllowed, match="four_eyes"):
        await approve(
            world.context,
            request_id,
            plan_digest=_digest(world, request_id),
            decided_by="operator",
            reason="It is right",
        )
    await deliver(world)
    assert held(world, MEMBER) == before
    assert not world.packages.contents
    assert await approve(
        world.context,
        request_id,
        plan_digest=_digest(world, request_id),
        decided_by="officer",
        reason="It is right",
    )
    await deliver(world)
    assert right in seen(world, request_id).outcomes


@pytest.mark.clause("4.7.1", "4.8")
@pytest.mark.parametrize("right", [Right.MARKETING_OBJECTION, Right.WITHDRAWAL])
async def test_what_harms_nobody_waits_for_nobody_from_a_representative_either(right):
    """It is honoured at once."""
    world = populated()
    request_id = await enter(world.context, _entry(world, rights=(right,)))
    await deliver(world)
    assert right in seen(world, request_id).outcomes


@pytest.mark.clause("4.2")
async def test_a_representative_is_told_whom_each_letter_means_and_the_copy_says_it_too():
    """The address as it was given, and none that we found beside it; it goes when the case closes."""
    world = populated()
    given = MEMBER.email.upper()
    request_id = await enter(world.context, _entry(world, rights=(Right.ACCESS,), about=f" {given} "))
    await deliver(world)
    await approve(
        world.context,
        request_id,
        plan_digest=_digest(world, request_id),
        decided_by="officer",
        reason="It is right",
    )
    await deliver(world)
    sent = letters(world, request_id)
    assert set(sent) == {"letter-delayed_by_review-0", "letter-package_ready-0"}
    for mail in sent.values():
        assert f"You wrote for {given}." in words(mail)
        assert MEMBER.email not in mail.text
    assert "A representative asked for this copy." in opened(world, request_id)["index.html"].decode()
    assert seen(world, request_id).state is RequestState.COMPLETED
    assert seen(world, request_id).wishes.about == ""


async def test_an_address_that_nobody_confirmed_is_not_told_whom_the_representative_acts_for():
    """It may be mistyped: whoever reads there learns of no client."""
    world = populated()
    request_id = await enter(world.context, _entry(world, rights=(Right.ACCESS,), identity=""))
    await deliver(world)
    mail = letters(world, request_id)["letter-verify-0"]
    assert "You wrote for the person you represent." in words(mail)
    assert MEMBER.email not in mail.text + mail.html


@pytest.mark.parametrize("mandate", [None, "original seen"])
async def test_a_letter_to_a_representative_speaks_of_the_person_with_and_without_a_mandate(mandate):
    """Also where what they ask for is refused for want of one."""
    world = populated()
    request_id = await file(
        world,
        BUYER,
        Right.ACCESS,
        requester=Requester(kind="representative", mandate=mandate),
        identifiers={EMAIL: (MEMBER.email,)},
        wishes=wishing(about=MEMBER.email),
    )
    await deliver(world)
    await refuse(world, request_id)
    await deliver(world)
    for mail in letters(world, request_id).values():
        assert f"You wrote for {MEMBER.email}." in words(mail)
        assert "a copy of the personal data of the person you represent" in words(mail)


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("who", ["a representative", "an administrator", "the person"])
async def test_a_person_s_copy_shows_the_address_of_nobody_who_asks_for_them(who):
    """That somebody asks is shown, at what address that one is answered is not; the person's own is."""
    world = populated()
    if who == "a representative":
        other, case_id = BUYER.email, await enter(world.context, _entry(world))
        await deliver(world)
    elif who == "an administrator":
        other = ADMIN
        case_id = await as_customer(world, BYG, MEMBER, Right.RESTRICTION, wishes=wishing(ground="accuracy"))
    else:
        other = ADMIN
        case_id = await done(world, MEMBER, Right.OBJECTION)
    assert seen(world, case_id).email is not None
    # the database of the cases is one of the stores that the map describes
    world.documents.put("requests", "/request_id", seen(world, case_id).model_dump(mode="json"))
    copy = opened(world, await done(world, MEMBER, Right.ACCESS))
    records = [
        record
        for name, data in copy.items()
        if name.startswith("data/own_requests/") and name.endswith(".json")
        for record in json.loads(data)
    ]
    (case,) = [one for one in records if one["request_id"] == case_id]
    assert case.get("email") == (MEMBER.asks_as if who == "the person" else None)
    assert not [name for name, data in copy.items() if other.encode() in data]
