"""What the newsletter processor tells us: early, late, twice, in any order, wrongly or not at all."""

import pytest

from shared.domain.consent_ledger import EventKind
from shared.domain.controls import Restriction
from shared.services import (
    consent_ledger,
    leaving,
)
from tests.fakes.newsletters import AUTHORS, NEWS
from tests.unit.services.newsletter_ledger import kinds
from tests.unit.services.newsletter_world import (
    PURPOSE,
    body,
    consents,
    deliver,
    event,
    key,
    sign_up,
    told,
    world,
)

METTE = "mette@people.example"


@pytest.mark.clause("4.8")
@pytest.mark.clause("5.2")
async def test_whoever_leaves_there_has_withdrawn_here():
    """The gate is closed, the sign-up ended, the address on the list of those not to write to."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await told(made, body(event("Deactivate", METTE, State="Unsubscribed")))
    assert not await consents(made, METTE)
    assert await kinds(made, METTE) == [EventKind.GIVEN, EventKind.WITHDRAWN]
    assert [one["state"] for one in made.documents.bodies("newsletter_signups")] == ["unsubscribed"]
    assert await consent_ledger.is_suppressed(made.context, METTE)
    assert made.webhooks.bodies == {}
    assert made.newsletter_changes.all() == []


async def test_an_event_that_came_late_is_not_taken_at_its_word():
    """She left, came back through our form, and the first is told last."""
    made = world()
    await sign_up(made, METTE)
    await told(made, body(event("Deactivate", METTE, State="Unsubscribed")))
    assert await consents(made, METTE)
    assert made.newsletters.state(NEWS, METTE) == "Active"


@pytest.mark.parametrize("times", [2, 5])
async def test_the_same_body_again_changes_nothing(times):
    """And leaves no body behind."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    data = body(event("Deactivate", METTE, State="Unsubscribed"))
    for _ in range(times):
        await told(made, data)
    assert await kinds(made, METTE) == [EventKind.GIVEN, EventKind.WITHDRAWN]
    assert made.webhooks.bodies == {}


async def test_a_body_that_only_looks_the_same_is_news():
    """She leaves, returns and leaves within one minute: the dates there end with the minute."""
    made = world()
    data = body(event("Deactivate", METTE, State="Unsubscribed"))
    for _ in range(2):
        await sign_up(made, METTE)
        made.newsletters.put(NEWS, METTE, "Unsubscribed")
        await told(made, data)
        assert not await consents(made, METTE)


async def test_our_own_changes_come_back_and_find_nothing_to_do():
    """She leaves here; the processor tells us so."""
    made = world()
    await sign_up(made, METTE)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    before = await made.consent_ledger.of_person((key(METTE),))
    await told(made, body(event("Deactivate", METTE, State="Unsubscribed")))
    assert await made.consent_ledger.of_person((key(METTE),)) == before
    assert made.newsletter_changes.all() == []


@pytest.mark.clause("2.4.2")
async def test_a_sign_up_there_counts_where_the_processor_asks_to_confirm():
    """With a sign-up record of its own."""
    made = world()
    made.newsletters.put(NEWS, METTE)
    await told(made, body(event("Subscribe", METTE, SignupIPAddress="192.0.2.10")))
    assert await consents(made, METTE)
    (record,) = made.documents.bodies("newsletter_signups")
    assert (record["email"], record["purpose"], record["list_id"]) == (METTE, PURPOSE, NEWS)


@pytest.mark.clause("2.3.1")
async def test_a_sign_up_there_without_confirmation_is_taken_off_again():
    """Whoever typed the address is not known to own it."""
    made = world()
    made.newsletters.put(AUTHORS, METTE)
    await told(made, body(event("Subscribe", METTE), list_id=AUTHORS))
    assert not await consents(made, METTE, "author_newsletter")
    assert made.newsletters.state(AUTHORS, METTE) == "Unsubscribed"


async def test_somebody_on_the_list_of_those_not_to_write_to_is_not_added_by_an_import_there():
    """Also where sign-ups are confirmed: an import there needs none."""
    made = world()
    await consent_ledger.suppress(made.context, [key(METTE)], reason="erased", at=made.clock.now())
    made.newsletters.put(NEWS, METTE)
    await told(made, body(event("Subscribe", METTE)))
    assert not await consents(made, METTE)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert await consent_ledger.is_suppressed(made.context, METTE)


async def test_a_consent_follows_its_person_to_another_address():
    """The old address gets nothing any more, the new one goes on."""
    made, new = world(), "mette.new@people.example"
    await sign_up(made, METTE)
    made.newsletters.states.clear()
    made.newsletters.put(NEWS, new)
    data = body(event("Update", new, OldEmailAddress=METTE, State="Active"))
    for _ in range(2):
        await told(made, data)
        assert await consents(made, new)
        assert not await consents(made, METTE)
    assert [one["email"] for one in made.documents.bodies("newsletter_signups")] == [new]
    assert made.newsletters.state(NEWS, new) == "Active"


async def test_an_address_that_said_no_inherits_no_consent():
    """Somebody moved a subscription to an address whose person is not to be written to."""
    made, other = world(), "other@people.example"
    await sign_up(made, METTE)
    await consent_ledger.suppress(made.context, [key(other)], reason="objected", at=made.clock.now())
    made.newsletters.states.clear()
    made.newsletters.put(NEWS, other)
    await told(made, body(event("Update", other, OldEmailAddress=METTE, State="Active")))
    assert not await consents(made, other)
    assert made.newsletters.state(NEWS, other) == "Unsubscribed"


async def test_mail_that_bounces_is_no_word_of_the_person():
    """The consent stands; that it does not arrive is noted."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Bounced")
    await told(made, body(event("Deactivate", METTE, State="Bounced")))
    assert await consents(made, METTE)
    assert await kinds(made, METTE) == [EventKind.GIVEN, EventKind.UNREACHABLE]


async def test_what_is_restricted_is_neither_added_nor_withdrawn():
    """It stays as it is until the restriction is lifted."""
    made = world()
    await sign_up(made, METTE)
    (stored,) = await made.controls.read((key(METTE),))
    mark = Restriction(restriction_id="r", ground="accuracy", placed_at=made.clock.now())
    made.controls.put(stored.controls.model_copy(update={"restrictions": (mark,)}))
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await told(made, body(event("Deactivate", METTE, State="Unsubscribed")))
    assert await kinds(made, METTE) == [EventKind.GIVEN]
