"""What somebody who died left half done, and what two saw at one moment, comes to rest as people said."""

import pytest

from shared.domain.consent_ledger import EventKind, present_state
from shared.domain.webhook_bodies import ProcessorEvent
from shared.services import consent_ledger, leaving, newsletter_changes, newsletter_events, reconciling
from tests.fakes.newsletters import NEWS
from tests.unit.services.newsletter_world import (
    PURPOSE,
    comes_back,
    consents,
    deliver,
    key,
    later,
    sign_up,
    without_zone,
    world,
)

METTE = "mette@people.example"
LEFT = ProcessorEvent(type="Deactivate", email=METTE)


class Dies(Exception):
    """A worker is killed."""


def dying():
    """Return a world, and a switch: the place at which the next worker dies."""
    at: list[str] = []

    async def turn(name):
        if name in at:
            at.clear()
            raise Dies

    return world(turn=turn), at


async def compare(made) -> None:
    """Compare everything."""
    run_id = await reconciling.begin(made.context)
    await reconciling.proceed(made.context, run_id)
    await deliver(made)


async def ledger(made):
    """Return what the ledger says of Mette."""
    return await made.consent_ledger.of_person((key(METTE),))


async def settle(made, event, *, told_at):
    """Work on one event."""
    mailing_list = made.newsletters.lists.find(NEWS)
    return await newsletter_events.settle(made.context, mailing_list, event, told_at=told_at)


async def test_a_sign_up_there_that_was_written_down_and_never_counted_is_counted_by_the_comparison():
    """Its mail bounced when the worker after came, who had nothing to add."""
    made, at = dying()
    made.newsletters.put(NEWS, METTE)
    later(made, minutes=10)
    at.append("controls.write")
    joined = ProcessorEvent(type="Subscribe", email=METTE, by_person=True)
    with pytest.raises(Dies):
        await settle(made, joined, told_at=made.clock.now())
    made.newsletters.put(NEWS, METTE, "Bounced")
    assert not await consents(made, METTE)
    await compare(made)
    assert await consents(made, METTE)
    assert present_state(await ledger(made), PURPOSE).in_force


async def test_an_end_that_was_never_written_down_is_by_the_comparison():
    """The gate was closed; the sign-up's record is still open."""
    made, at = dying()
    await sign_up(made, METTE)
    later(made, minutes=10)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    at.append("consent_ledger.append")
    with pytest.raises(Dies):
        await consent_ledger.note_left(
            made.context, key(METTE), PURPOSE, at=made.clock.now(), channel="processor"
        )
    assert present_state(await ledger(made), PURPOSE).in_force
    await compare(made)
    assert [one.kind for one in await ledger(made)] == [EventKind.GIVEN, EventKind.WITHDRAWN]
    assert [one["state"] for one in made.documents.bodies("newsletter_signups")] == ["unsubscribed"]


@pytest.mark.parametrize("state", ["Unsubscribed", "Deleted"])
async def test_a_late_word_of_an_older_leaving_ends_no_newer_sign_up(state):
    """It comes between her consent and the change it asks for: she is added by it all the same."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, state)
    later(made, minutes=10)
    await sign_up(made, METTE, state=None)
    assert await settle(made, LEFT, told_at=made.clock.now()) == "add_there"
    await deliver(made)
    assert await consents(made, METTE)
    assert made.newsletters.state(NEWS, METTE) == "Active"


async def test_a_leaving_is_dated_by_the_processor_where_its_zone_is_known():
    """What she gave after that stays, though the word of it came later."""
    made = world()
    await sign_up(made, METTE)
    later(made, minutes=10)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    left_by = made.clock.now()
    later(made, days=1)
    await settle(made, LEFT, told_at=made.clock.now())
    (end,) = [one for one in await ledger(made) if one.ends]
    assert 0 <= (end.at - left_by).total_seconds() <= 180


async def test_our_own_stop_is_no_leaving_of_hers():
    """She signed up while we stopped her, which we did before we knew."""
    made = world()
    await sign_up(made, METTE)
    later(made, hours=1)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    real = made.newsletters.stop

    async def stopped(*args):
        later(made, minutes=10)
        await sign_up(made, METTE, state=None)
        await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
        later(made, minutes=10)
        return await real(*args)

    made.newsletters.stop = stopped
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    made.newsletters.stop = real
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"
    assert await consents(made, METTE)
    assert made.newsletter_changes.all() == []


async def test_whoever_leaves_soon_after_a_first_sign_up_may_have_been_stopped_by_us():
    """Until it counted here she was in the list without a consent. Staff have to look; nobody is added."""
    made = world()
    made.newsletters.put(NEWS, METTE)
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    later(made, minutes=5)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await deliver(made)
    (waiting,) = made.newsletter_changes.all()
    assert waiting.change.attention == "newsletter_left_unclear"
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"


async def test_a_leaving_that_ended_a_sign_up_on_its_way_is_known_when_she_returns():
    """Though nobody can tell by the times any more: the zone turned out to be wrong and was taken out."""
    made = world()
    await sign_up(made, METTE)
    later(made, minutes=10)
    await sign_up(made, METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    later(made, minutes=20)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await deliver(made)
    assert not await consents(made, METTE)
    assert made.newsletter_changes.all() == []
    await comes_back(without_zone(made), METTE)


async def test_a_leaving_that_a_comparison_found_is_known_when_she_returns():
    """Of somebody we never knew, in a list whose zone is not recorded."""
    made = without_zone(world())
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await compare(made)
    await comes_back(made, METTE)


async def test_a_leaving_told_late_ends_no_sign_up_that_came_after_it():
    """It was seen when it was carried out. Who noted the sign-up died before asking for it there."""
    made = without_zone(world())
    await sign_up(made, METTE)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    await deliver(made)
    later(made, seconds=1)
    await sign_up(made, METTE, state=None)
    await settle(made, LEFT, told_at=made.clock.now())
    assert await consents(made, METTE)
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"


async def test_a_no_of_somebody_we_never_knew_is_noted_once_though_half_done():
    """Under the first time that it was found."""
    made, at = dying()
    without_zone(made)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    later(made, minutes=10)
    first = made.clock.now()
    at.append("controls.write")
    with pytest.raises(Dies):
        await settle(made, LEFT, told_at=first)
    later(made, minutes=10)
    await settle(made, LEFT, told_at=made.clock.now())
    assert [one.at for one in await ledger(made)] == [first]
    assert made.controls.stored(key(METTE)).controls.withdrawals[0].at == first
