"""What the newsletter processor tells us: early, late, twice, in any order, wrongly or not at all."""

import asyncio
import contextlib
import json

import pytest

from shared.domain.consent_ledger import EventKind
from shared.domain.controls import Restriction
from shared.domain.errors import Retryable
from shared.domain.limits import Limits
from shared.domain.messages import ProcessWebhook, decode
from shared.services import consent_ledger, leaving, newsletter_changes, newsletter_webhooks
from tests.fakes.newsletters import AUTHORS, NEWS
from tests.unit.services.newsletter_world import (
    PURPOSE,
    body,
    consents,
    deliver,
    event,
    key,
    later,
    sign_up,
    told,
    world,
)

METTE = "mette@people.example"


async def kinds(made, email):
    """Return what the ledger says of an address."""
    found = await made.consent_ledger.of_person((key(email),))
    return [one.kind for one in sorted(found, key=lambda one: one.at)]


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


BAD = [
    {"Type": "Resurrect", "EmailAddress": METTE},
    {"Type": "Deactivate", "EmailAddress": "no address"},
    {"Type": "Deactivate", "EmailAddress": None},
    {"Type": "Deactivate", "EmailAddress": ["a@b.example"]},
    {"EmailAddress": METTE},
    "text",
    None,
    {},
]


@pytest.mark.parametrize("bad", BAD)
async def test_one_bad_event_is_set_aside_alone(bad):
    """The others are worked on; the body stays for staff, who see place and code and no address."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    good = event("Deactivate", METTE, State="Unsubscribed")
    data = json.dumps({"ListID": NEWS, "Events": [bad, good]}).encode()
    await told(made, data)
    assert not await consents(made, METTE)
    (receipt,) = await made.webhooks.to_look_at(limit=10)
    assert [one.place for one in receipt.set_aside] == [0]
    assert METTE not in receipt.model_dump_json()
    ((kept, _),) = made.webhooks.bodies.values()
    assert json.loads(kept) == {"ListID": NEWS, "Events": [bad]}, "the other address is gone"
    assert METTE not in str(made.operators.alarms)


@pytest.mark.parametrize(
    "data",
    [
        b"<xml/>",
        b"\xff\xfe{}",
        b"[]",
        b'{"ListID": 1, "Events": []}',
        b'{"ListID": "x", "Events": {}}',
        b"[" * 100_000,
        json.dumps({"ListID": NEWS, "Events": [{}] * 1_001}).encode(),
    ],
)
async def test_a_body_that_cannot_be_read_is_kept_for_staff_and_goes_in_the_end(data):
    """Nothing is lost, nothing is kept for ever."""
    made = world()
    await told(made, data)
    (receipt,) = await made.webhooks.to_look_at(limit=10)
    assert receipt.state == "unreadable"
    assert ("webhook_unreadable", None, receipt.body_id) in made.operators.alarms
    later(made, days=made.limits.webhook_body_days - 1)
    await newsletter_webhooks.sweep(made.context)
    assert len(made.webhooks.bodies) == 1
    later(made, days=1)
    await newsletter_webhooks.sweep(made.context)
    assert made.webhooks.bodies == {}


@pytest.mark.parametrize("data", [body(list_id="c" * 32), body(event("Subscribe", METTE), list_id=""), b"{}"])
async def test_a_test_call_and_a_list_of_somebody_else_have_no_effect(data):
    """They are taken, so that the processor does not switch us off."""
    made = world()
    await told(made, data)
    assert made.webhooks.bodies == {}
    assert made.documents.bodies("consent_ledger") == []


async def test_the_most_events_a_body_may_hold_are_worked_on():
    """A thousand of them, over several saves."""
    made = world()
    people = [f"p{number}@people.example" for number in range(1_000)]
    for email in people:
        made.newsletters.put(NEWS, email)
    await told(made, body(*(event("Subscribe", email, SignupIPAddress="192.0.2.10") for email in people)))
    assert len(made.documents.bodies("consent_ledger")) == 1_000
    assert made.webhooks.bodies == {}


async def test_while_the_processor_does_not_answer_nothing_is_lost():
    """The body waits, and is worked on when it answers again."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    made.newsletters.is_unreachable = True
    await newsletter_webhooks.receive(made.context, body(event("Deactivate", METTE)))
    await newsletter_webhooks.process(made.context, next(iter(made.webhooks.bodies)))
    assert await consents(made, METTE)
    made.newsletters.is_unreachable = False
    made.queue.sent.clear()
    later(made, seconds=2 * made.limits.wake_seconds)
    await newsletter_webhooks.sweep(made.context)
    await deliver(made)
    assert not await consents(made, METTE)
    assert made.webhooks.bodies == {}


class Dies(Exception):
    """A worker is killed."""


PLACES = [
    "webhooks.write",
    "webhooks.write!",
    "newsletters.entry",
    "consent_ledger.append!",
    "controls.write!",
    "documents.change!",
    "newsletter_changes.write!",
    "queue.send",
    "webhooks.forget",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("time", [1, 2])
async def test_whoever_dies_anywhere_is_finished_by_the_next(place, time):
    """Mette left there, Bo was added there without a consent."""
    seen, armed = [], []

    async def turn(name):
        if armed and name == place:
            seen.append(name)
            if len(seen) == time:
                raise Dies

    made, bo = world(turn=turn), "bo@people.example"
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    made.newsletters.put(AUTHORS, bo)
    bodies = [
        body(event("Deactivate", METTE)),
        body(event("Update", bo), list_id=AUTHORS),
    ]
    for data in bodies:
        await newsletter_webhooks.receive(made.context, data)
    armed.append(True)
    for body_id in list(made.webhooks.bodies):
        with contextlib.suppress(Dies):
            await newsletter_webhooks.process(made.context, body_id)
    armed.clear()
    later(made, seconds=2 * made.limits.wake_seconds)
    await newsletter_webhooks.sweep(made.context)
    await deliver(made)
    assert not await consents(made, METTE)
    assert [one["state"] for one in made.documents.bodies("newsletter_signups")] == ["unsubscribed"]
    assert made.newsletters.state(AUTHORS, bo) == "Unsubscribed"
    assert made.webhooks.bodies == {}
    assert made.newsletter_changes.all() == []


async def test_two_workers_at_one_body_do_not_wear_out_each_others_messages():
    """They go step by step beside each other; neither fails, and the body is worked through."""

    async def turn(_name):
        await asyncio.sleep(0)

    made = world(turn=turn)
    people = [f"p{number}@people.example" for number in range(200)]
    for email in people:
        made.newsletters.put(NEWS, email)
    data = body(*(event("Subscribe", email, SignupIPAddress="192.0.2.10") for email in people))
    body_id = await newsletter_webhooks.receive(made.context, data)
    made.queue.sent.clear()
    await asyncio.gather(*(newsletter_webhooks.process(made.context, body_id) for _ in range(3)))
    again = [delay_seconds for _, _, delay_seconds in made.queue.sent]
    assert again
    assert all(again)
    await deliver(made)
    assert all([await consents(made, email) for email in people])
    assert made.webhooks.bodies == {}


async def test_a_store_that_was_away_for_a_while_makes_no_body_a_case_for_staff():
    """Its message failed too often; the sweep sends another when that is due, and no sooner."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    body_id = await newsletter_webhooks.receive(made.context, body(event("Deactivate", METTE)))
    await newsletter_webhooks.poisoned(made.context, body_id)
    made.queue.sent.clear()
    assert await newsletter_webhooks.sweep(made.context) == 0
    later(made, seconds=2 * made.limits.wake_seconds)
    assert await newsletter_webhooks.sweep(made.context) == 1
    assert await newsletter_webhooks.sweep(made.context) == 0
    await deliver(made)
    assert not await consents(made, METTE)
    assert made.webhooks.bodies == {}


async def test_a_poisoned_body_waits_for_staff():
    """At the third time it is kept for them; an operator is told each time."""
    made = world()
    body_id = await newsletter_webhooks.receive(made.context, body(event("Subscribe", METTE)))
    for _ in range(2):
        await newsletter_webhooks.poisoned(made.context, body_id)
        assert await made.webhooks.to_look_at(limit=5) == []
    await newsletter_webhooks.poisoned(made.context, body_id)
    assert [one.body_id for one in await made.webhooks.to_look_at(limit=5)] == [body_id]
    await newsletter_webhooks.poisoned(made.context, "0" * 64)


@pytest.mark.clause("3.2")
async def test_whoever_signed_up_here_is_added_there_when_the_queue_gets_to_it():
    """And is looked for until the processor shows it."""
    made = world()
    made.newsletters.delays = True
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], name="Mette")
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert len(made.newsletter_changes.all()) == 1
    made.newsletters.settle()
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"
    assert made.newsletter_changes.all() == []


async def test_whoever_leaves_right_after_being_added_is_not_added_again():
    """She left there before we looked: that is her last word, not a reason to add her once more."""
    made = world()
    made.newsletters.delays = True
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    made.newsletters.queued.clear()
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await told(made, body(event("Deactivate", METTE, State="Unsubscribed")))
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert made.newsletters.queued == []
    assert not await consents(made, METTE)


async def test_what_is_to_be_done_is_asked_when_it_is_done():
    """She signed up and left again before the queue got to it: nobody is added."""
    made = world()
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) is None
    assert made.newsletter_changes.all() == []


async def test_nobody_is_subscribed_again_without_a_consent_given_since():
    """With one, she is; the processor needs to be told that she returns."""
    made = world()
    await sign_up(made, METTE)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    await deliver(made)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await deliver(made)
    assert made.newsletters.resubscribed == []
    later(made, minutes=1)
    await sign_up(made, METTE, state=None)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    await deliver(made)
    assert made.newsletters.resubscribed == [METTE]
    assert made.newsletters.state(NEWS, METTE) == "Active"


async def test_a_sign_up_that_came_first_is_ended_by_a_leaving_there():
    """She was on the list, signed up once more, and left there before the queue got to it."""
    made = world()
    await sign_up(made, METTE)
    later(made, minutes=10)
    await sign_up(made, METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    later(made, minutes=10)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await deliver(made)
    assert made.newsletters.resubscribed == []
    assert not await consents(made, METTE)
    assert made.newsletter_changes.all() == []


@pytest.mark.parametrize("returns", [True, False])
async def test_whoever_was_deleted_there_since_is_not_added_though_the_list_shows_nothing(returns):
    """The listing of deleted ones does."""
    made = world()
    made.newsletters.page_size = 1
    made.newsletters.put(NEWS, "bo@people.example", "Deleted")
    await sign_up(made, METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=returns)
    later(made, minutes=10)
    made.newsletters.put(NEWS, METTE, "Deleted")
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Deleted"
    assert not await consents(made, METTE)


async def test_nobody_is_added_while_the_deleted_ones_cannot_be_read():
    """She may be one of them."""
    made = world()
    await sign_up(made, METTE, state=None)
    made.newsletters.refused.add((NEWS, "deleted"))
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) is None
    assert [code for code, _, _ in made.operators.alarms] == ["processor_refused"]


async def test_what_nobody_can_tell_apart_waits_for_staff_and_nobody_is_added():
    """She signed up and left there within a minute. A later event is a reason to look once more."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    await deliver(made)
    (waiting,) = await made.newsletter_changes.waiting_for_staff(limit=5)
    assert waiting.change.attention == "newsletter_left_unclear"
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert [code for code, _, _ in made.operators.alarms] == ["newsletter_left_unclear"]
    made.newsletters.put(NEWS, METTE)  # staff asked her, and added her there
    await told(made, body(event("Subscribe", METTE)))
    assert made.newsletter_changes.all() == []
    assert await consents(made, METTE)


async def test_whoever_returns_and_is_shown_as_before_is_waited_for():
    """The addition takes effect later; what she left before is no new leaving."""
    made = world()
    made.newsletters.delays = True
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    later(made, minutes=10)
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    for _ in range(3):
        await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert await consents(made, METTE)
    assert len(made.newsletters.queued) == 1
    made.newsletters.settle()
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"
    assert made.newsletter_changes.all() == []


async def test_whoever_returns_and_leaves_again_is_believed_at_once():
    """What is shown is another leaving than the one before the addition."""
    made = world()
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    later(made, minutes=10)
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert made.newsletters.state(NEWS, METTE) == "Active"
    later(made, minutes=10)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert not await consents(made, METTE)
    assert made.newsletters.resubscribed == [METTE]


@pytest.mark.parametrize("does", ["add", "stop"])
async def test_of_two_workers_at_one_change_one_changes_something_there(does):
    """The other may have looked before, and would undo what its person did since."""
    made, calls = world(), []
    await sign_up(made, METTE, state=None if does == "add" else "Active")
    if does == "stop":
        await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    else:
        await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    real = getattr(made.newsletters, does)

    async def called(*args, **more):
        calls.append(args)
        await newsletter_changes.apply(made.context, key(METTE), NEWS)  # its message came twice
        return await real(*args, **more)

    setattr(made.newsletters, does, called)
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert len(calls) == 1


async def test_whoever_leaves_while_being_added_is_stopped_next():
    """The worker that adds finds it asked for anew, and hands it on at once."""
    made = world()
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    real = made.newsletters.add

    async def added(*args, **more):
        await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
        made.queue.sent.clear()
        return await real(*args, **more)

    made.newsletters.add = added
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert len(made.queue.sent) == 1
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert made.newsletter_changes.all() == []


@pytest.mark.parametrize(
    ("why", "code"), [("contract", "contract_missing"), ("list", "newsletter_add_refused")]
)
async def test_what_a_machine_cannot_do_waits_for_staff(why, code):
    """Until somebody takes it up again."""
    made = world()
    await sign_up(made, METTE, state=None)
    made.newsletters.has_contract = why != "contract"
    made.newsletters.suppressed |= {METTE} if why == "list" else set()
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await deliver(made)
    (waiting,) = await made.newsletter_changes.waiting_for_staff(limit=5)
    assert waiting.change.attention == code
    assert [found for found, _, _ in made.operators.alarms] == [code]
    made.newsletters.has_contract, made.newsletters.suppressed = True, set()
    assert await newsletter_changes.retry_all(made.context) == 1
    await newsletter_changes.sweep(made.context)
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"


async def test_an_outage_is_told_once_and_outlasted():
    """The longer it lasts, the later it is tried again."""
    made = world()
    await sign_up(made, METTE)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    made.newsletters.is_unreachable = True
    for _ in range(20):
        await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert [found for found, _, _ in made.operators.alarms] == ["processor_unreachable"]
    made.newsletters.is_unreachable = False
    later(made, hours=2)
    assert await newsletter_changes.sweep(made.context) == 1
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"


async def test_a_gate_that_cannot_be_asked_changes_nothing():
    """It is tried again."""
    made = world()
    await sign_up(made, METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])

    async def unreachable(_keys):
        raise Retryable("service_unreachable")

    made.controls.read, kept = unreachable, made.controls.read
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    made.controls.read = kept
    assert made.newsletters.state(NEWS, METTE) == "Active"
    assert len(made.newsletter_changes.all()) == 1


async def test_an_answer_that_stays_unreadable_for_a_day_stops_no_other_event():
    """Until then it is asked for again; then staff have to look at that one."""
    made = world()
    for email in (METTE, "bo@people.example"):
        await sign_up(made, email)
        made.newsletters.put(NEWS, email, "Unsubscribed")
    made.newsletters.unreadable.add(METTE)
    await newsletter_webhooks.receive(
        made.context, body(event("Deactivate", METTE), event("Deactivate", "bo@people.example"))
    )
    (body_id,) = made.webhooks.bodies
    await newsletter_webhooks.process(made.context, body_id)
    assert await consents(made, "bo@people.example")
    later(made, hours=23)
    await newsletter_webhooks.process(made.context, body_id)
    assert (await made.webhooks.receipt(body_id)).receipt.state == "open"
    later(made, hours=1)
    await newsletter_webhooks.process(made.context, body_id)
    (receipt,) = await made.webhooks.to_look_at(limit=5)
    assert [(one.place, one.code) for one in receipt.set_aside] == [(0, "processor_unreadable")]
    await deliver(made)
    assert not await consents(made, "bo@people.example")


async def test_bodies_that_wait_for_staff_hide_none_that_is_to_be_done():
    """However many more they are than one sweep takes up."""
    made = world(limits=Limits(sweep_requests=2))
    for number in range(9):
        await newsletter_webhooks.process(
            made.context, await newsletter_webhooks.receive(made.context, b"<xml/>%d" % number)
        )
    lost = await newsletter_webhooks.receive(made.context, body(event("Deactivate", METTE)))
    later(made, seconds=2 * made.limits.wake_seconds)
    made.queue.sent.clear()
    names = sorted(made.webhooks.bodies)
    assert names.index(lost) >= 2
    assert await newsletter_webhooks.sweep(made.context) == 1
    assert [decode(ProcessWebhook, text).body_id for _, text, _ in made.queue.sent] == [lost]
