"""Leaving and choosing by a link, and the links themselves."""

import pytest

from shared.domain.consent_ledger import EventKind
from shared.domain.errors import Invalid, NotAllowed, NotFound
from shared.services import choosing, leaving
from tests.unit.services.joining_world import (
    AUTHORS,
    MEMBERS,
    METTE,
    events,
    is_on,
    made_world,
    signed_up,
)


async def the_links(world, purpose_id=MEMBERS):
    """Return the ids and tokens of the links to leave and to choose."""
    found = await choosing.links_for(world.context, METTE, purpose_id)
    return [
        (url.rpartition("/")[2].partition("?")[0], url.partition("token=")[2])
        for url in (found.unsubscribe, found.preferences)
    ]


@pytest.mark.clause("4.8")
@pytest.mark.clause("4.8.1")
@pytest.mark.clause("5.2")
async def test_one_press_ends_the_newsletter_of_the_mail_and_no_other():
    """Without a login; a second press changes nothing."""
    world = made_world()
    await signed_up(world, purpose_ids=(MEMBERS, AUTHORS))
    leave, _ = await the_links(world)
    world.clock.advance(seconds=1)
    await choosing.unsubscribe(world.context, *leave)
    before = await events(world)
    world.clock.advance(seconds=1)
    await choosing.unsubscribe(world.context, *leave)
    assert await events(world) == before
    assert not await is_on(world)
    assert await is_on(world, AUTHORS)
    states = {one["purpose"]: one["state"] for one in world.documents.bodies("newsletter_signups")}
    assert states == {MEMBERS: "unsubscribed", AUTHORS: "subscribed"}


async def test_the_link_of_an_old_mail_ends_todays_sign_up():
    """She left, her record went, and she came back."""
    world = made_world()
    await signed_up(world)
    leave, _ = await the_links(world)
    world.clock.advance(seconds=1)
    await choosing.unsubscribe(world.context, *leave)
    world.documents.rows["newsletter_signups"].clear()
    await choosing.unsubscribe(world.context, *leave)
    world.clock.advance(seconds=1)
    await signed_up(world)
    world.clock.advance(seconds=1)
    await choosing.unsubscribe(world.context, *leave)
    assert not await is_on(world)


@pytest.mark.parametrize(("days", "works"), [(729, True), (730, True), (731, False)])
async def test_a_link_to_leave_works_for_two_years(days, works):
    """After them an address is typed."""
    world = made_world()
    await signed_up(world)
    leave, _ = await the_links(world)
    world.clock.advance(days=days)
    if works:
        await choosing.unsubscribe(world.context, *leave)
    else:
        with pytest.raises(NotAllowed, match="token_expired"):
            await choosing.unsubscribe(world.context, *leave)
    assert await is_on(world) is not works


async def test_a_link_to_leave_chooses_nothing_and_the_other_way_round():
    """Each token is for one thing."""
    world = made_world()
    await signed_up(world)
    leave, choose = await the_links(world)
    with pytest.raises(NotAllowed, match="token_invalid"):
        await choosing.choose(world.context, *leave, [], "en")
    with pytest.raises(NotAllowed, match="token_invalid"):
        await choosing.unsubscribe(world.context, *choose)
    assert await is_on(world)


async def test_links_say_nothing_of_anybody():
    """No address, and no pseudonym that another of our systems knows."""
    world = made_world()
    await signed_up(world)
    found = await choosing.links_for(world.context, METTE, MEMBERS)
    key = world.context.keys.subject_key("email", METTE)
    for url in (found.unsubscribe, found.preferences):
        assert "mette" not in url
        assert key.partition("-")[2] not in url


async def test_nobody_gets_links_who_is_not_on():
    """A mailing system learns not to mail."""
    world = made_world()
    with pytest.raises(NotFound, match="sign_up_unknown"):
        await choosing.links_for(world.context, METTE, MEMBERS)
    await signed_up(world)
    world.clock.advance(seconds=1)
    await leaving.leave(world.context, METTE, [MEMBERS], at=world.clock.now(), channel="form")
    with pytest.raises(NotFound, match="sign_up_unknown"):
        await choosing.links_for(world.context, METTE, MEMBERS)


@pytest.mark.clause("4.8")
async def test_a_choice_switches_off_and_on_at_once_with_its_evidence():
    """What was off is a new consent to words that are known."""
    world = made_world()
    await signed_up(world)
    _, choose = await the_links(world)
    world.clock.advance(seconds=1)
    for _ in range(2):
        await choosing.choose(world.context, *choose, [AUTHORS], "en")
    assert not await is_on(world)
    assert await is_on(world, AUTHORS)
    found = await choosing.choices(world.context, *choose, "en")
    assert {one.purpose_id for one in found if one.is_on} == {AUTHORS}
    *_, last = [one for one in await events(world) if one.kind is EventKind.GIVEN]
    assert last.purpose_id == AUTHORS
    assert last.evidence.box_before == "empty"
    assert last.evidence.wording_version == "preferences-1-en"
    assert len(last.evidence.wording_sha256) == 64


async def test_a_purpose_that_is_not_offered_is_refused_and_nothing_changes():
    """Also beside one that is."""
    world = made_world()
    await signed_up(world)
    _, choose = await the_links(world)
    with pytest.raises(Invalid, match="purpose_unknown"):
        await choosing.choose(world.context, *choose, [AUTHORS, "membership"], "en")
    assert await is_on(world)
    assert not await is_on(world, AUTHORS)


async def test_a_typed_address_is_on_no_newsletter_any_more():
    """Known or not, and nobody's answer differs."""
    world = made_world()
    await signed_up(world, purpose_ids=(MEMBERS, AUTHORS))
    world.clock.advance(seconds=1)
    for email in (METTE.upper(), "nobody@people.example"):
        await choosing.unsubscribe_address(world.context, email, "192.0.2.1")
    assert not await is_on(world)
    assert not await is_on(world, AUTHORS)
