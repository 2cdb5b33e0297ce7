"""What is said of somebody is noted once, and a no is kept though we never knew a yes."""

import pytest

from shared.services import consent_ledger, importing, newsletter_webhooks, reconciling
from shared.services.importing import ImportRow
from tests.fakes.newsletters import NEWS
from tests.unit.services.newsletter_ledger import kinds
from tests.unit.services.newsletter_world import (
    PURPOSE,
    body,
    consents,
    deliver,
    event,
    sign_up,
    told,
    world,
)

ANE, BO = "ane@people.example", "bo@people.example"
OLD = ImportRow(
    email=ANE,
    purpose_id=PURPOSE,
    given_at="2020-03-01T10:00:00+01:00",
    policy_version="1",
    wording_version="1",
    wording_sha256="0" * 64,
)


@pytest.mark.parametrize("state", ["Unsubscribed", "Deleted"])
async def test_an_old_list_does_not_add_who_left_there(state):
    """We heard of the no before we ever heard of a yes."""
    made = world()
    made.newsletters.put(NEWS, ANE, state)
    await told(made, body(event("Deactivate", ANE, State=state)))
    assert await importing.take_in(made.context, [OLD]) == {"refused_before": 1}
    assert not await consents(made, ANE)
    assert await consent_ledger.is_suppressed(made.context, ANE)


async def test_told_again_nothing_is_noted_again():
    """Neither by events nor by the comparison of lists."""
    made = world()
    made.newsletters.put(NEWS, ANE, "Unsubscribed")
    for number in range(3):
        await told(made, body(event("Deactivate", ANE, State="Unsubscribed", Name=str(number))))
    assert await kinds(made, ANE) == ["withdrawn"]


async def test_a_lost_event_is_made_up_for_by_the_comparison():
    """The listing of those who left says as much as the event."""
    made = world()
    made.newsletters.put(NEWS, ANE, "Unsubscribed")
    run_id = await reconciling.begin(made.context)
    await reconciling.proceed(made.context, run_id)
    assert await importing.take_in(made.context, [OLD]) == {"refused_before": 1}


async def test_a_change_of_address_that_is_told_again_ends_nothing_again():
    """The consent went along the first time."""
    made = world()
    await sign_up(made, ANE)
    del made.newsletters.states[NEWS, ANE]
    made.newsletters.put(NEWS, BO, "Active")
    for number in range(3):
        await told(made, body(event("Update", BO, OldEmailAddress=ANE, State="Active", Name=str(number))))
    assert await kinds(made, ANE) == ["given", "withdrawn"]
    assert await kinds(made, BO) == ["given"]
    assert await consents(made, BO)


async def test_an_address_that_consents_by_itself_is_not_noted_twice():
    """The old one still ends."""
    made = world()
    await sign_up(made, ANE)
    await sign_up(made, BO)
    del made.newsletters.states[NEWS, ANE]
    await told(made, body(event("Update", BO, OldEmailAddress=ANE, State="Active")))
    assert await kinds(made, ANE) == ["given", "withdrawn"]
    assert await kinds(made, BO) == ["given"]


@pytest.mark.parametrize("state", ["Bounced", "Unconfirmed"])
async def test_a_state_that_is_nobodys_word_is_no_no(state):
    """A mail server is not the person."""
    made = world()
    made.newsletters.put(NEWS, ANE, state)
    await told(made, body(event("Update", ANE, State=state)))
    assert await kinds(made, ANE) == []
    assert not await consent_ledger.is_suppressed(made.context, ANE)


async def test_a_new_yes_overtakes_it():
    """At our own form."""
    made = world()
    made.newsletters.put(NEWS, ANE, "Unsubscribed")
    await told(made, body(event("Deactivate", ANE, State="Unsubscribed")))
    await sign_up(made, ANE)
    assert await consents(made, ANE)
    assert not await consent_ledger.is_suppressed(made.context, ANE)


async def test_a_late_event_does_not_end_a_yes_to_something_else():
    """Who still consents to something is not on the list of those not to write to."""
    made = world()
    await sign_up(made, ANE, state=None, purpose_id="author_newsletter")
    made.newsletters.put(NEWS, ANE, "Unsubscribed")
    await newsletter_webhooks.receive(made.context, body(event("Deactivate", ANE, State="Unsubscribed")))
    await deliver(made)
    assert await consents(made, ANE, "author_newsletter")
    assert not await consent_ledger.is_suppressed(made.context, ANE)
