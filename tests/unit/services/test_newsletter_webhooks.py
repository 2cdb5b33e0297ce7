"""What the newsletter processor tells us: early, late, twice, in any order, wrongly or not at all."""

import asyncio
import contextlib
import json
import random

import pytest

from shared.domain.consent_ledger import EventKind
from shared.domain.controls import Restriction
from shared.domain.limits import Limits
from shared.domain.messages import ProcessWebhook, decode
from shared.domain.times import after
from shared.domain.webhook_bodies import ProcessorEvent
from shared.services import (
    consent_ledger,
    leaving,
    newsletter_events,
    newsletter_webhooks,
)
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


@pytest.mark.parametrize("kind", ["Deactivate", "Subscribe"])
@pytest.mark.parametrize("seed", range(12))
async def test_two_workers_that_find_the_same_leave_one_word(kind, seed):
    """Each was told at another time, and looks before the other has noted anything."""
    chance = random.Random(seed)

    async def turn(_name):
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)

    made = world(turn=turn)
    if kind == "Deactivate":
        await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed" if kind == "Deactivate" else "Active")
    later(made, minutes=1)
    found = ProcessorEvent(type=kind, email=METTE, by_person=True)
    mailing_list = made.newsletters.lists.find(NEWS)
    first = made.clock.now()
    looks = [
        newsletter_events.settle(made.context, mailing_list, found, told_at=after(first, seconds=-seconds))
        for seconds in (0, 7)
    ]
    await asyncio.gather(*looks)
    wanted = [EventKind.GIVEN, EventKind.WITHDRAWN] if kind == "Deactivate" else [EventKind.GIVEN]
    assert await kinds(made, METTE) == wanted
    await deliver(made)
    assert await kinds(made, METTE) == wanted
    assert await consents(made, METTE) == (kind == "Subscribe")


async def test_a_sign_up_there_from_before_an_end_here_is_none():
    """Told late. The address is taken off again, and the next sign-up there counts."""
    made = world()
    await sign_up(made, METTE, purpose_id="author_newsletter")
    await sign_up(made, METTE)
    told_at = made.clock.now()
    later(made, minutes=1)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    await deliver(made)
    later(made, minutes=1)
    made.newsletters.put(NEWS, METTE)
    mailing_list = made.newsletters.lists.find(NEWS)
    joined = ProcessorEvent(type="Subscribe", email=METTE, by_person=True)
    assert await newsletter_events.settle(made.context, mailing_list, joined, told_at=told_at) == "stop_there"
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    made.newsletters.put(NEWS, METTE)
    later(made, minutes=1)
    now = made.clock.now()
    assert await newsletter_events.settle(made.context, mailing_list, joined, told_at=now) == "joined_there"
    assert await consents(made, METTE)


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
