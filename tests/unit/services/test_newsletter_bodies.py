"""Bodies that the newsletter processor sends: bad ones, two workers at one, and who dies over them."""

import asyncio
import contextlib
import json
import random

import pytest

from shared.domain.consent_ledger import EventKind
from shared.domain.limits import Limits
from shared.domain.messages import ProcessWebhook, decode
from shared.domain.times import after
from shared.domain.webhook_bodies import ProcessorEvent
from shared.services import (
    leaving,
    newsletter_events,
    newsletter_webhooks,
)
from tests.fakes.newsletters import AUTHORS, NEWS
from tests.unit.services.newsletter_ledger import kinds
from tests.unit.services.newsletter_world import (
    PURPOSE,
    body,
    consents,
    deliver,
    event,
    later,
    sign_up,
    told,
    world,
)

METTE = "mette@people.example"


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
