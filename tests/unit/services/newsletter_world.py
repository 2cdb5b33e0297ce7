"""A world with the shipped policy, a newsletter processor, and people who signed up."""

import json
from datetime import timedelta

from shared.datamap.loader import load
from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import ConsentEvent, EventKind, Evidence
from shared.domain.messages import (
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    ApplyNewsletterChange,
    ProcessWebhook,
    decode,
)
from shared.services import consent_ledger, newsletter_changes, newsletter_webhooks
from tests.factories import KEYS, World
from tests.fakes.newsletters import NEWS

_QUEUES = (NEWSLETTER_CHANGE_QUEUE, NEWSLETTER_WEBHOOK_QUEUE)
PURPOSE = "member_newsletter"


def world(**changes) -> World:
    """Return it, empty."""
    return World(datamap=load(), **changes)


def without_zone(made: World) -> World:
    """Return a world in which no list has a zone, so that hours say nothing."""
    made.newsletters.known = tuple(one.model_copy(update={"time_zone": ""}) for one in made.newsletters.known)
    return made


def key(email: str) -> str:
    """Return the pseudonym of an address."""
    return KEYS.subject_key("email", email)


async def sign_up(
    made: World, email: str, *, state: str | None = "Active", purpose_id: str = PURPOSE
) -> None:
    """Note a consent, its sign-up record, and how the processor has it (None: not at all)."""
    now = made.clock.now()
    event = ConsentEvent(
        event_id=f"given-{purpose_id}-{int(now.timestamp() * 1_000_000)}",
        subject_key=key(email),
        purpose_id=purpose_id,
        kind=EventKind.GIVEN,
        at=now,
        noted_at=now,
        channel="form",
        evidence=Evidence(policy_version="1"),
    )
    await consent_ledger.note(made.context, event)
    made.documents.put(
        "newsletter_signups",
        "/id",
        {
            "id": f"news-{email}",
            "email": email,
            "list_id": NEWS,
            "purpose": purpose_id,
            "state": "subscribed",
            "consented_at": now.isoformat(),
        },
    )
    if state is not None:
        made.newsletters.put(NEWS, email, state)
    made.clock.advance(seconds=60)


async def comes_back(made: World, email: str) -> None:
    """Let somebody who left sign up here a second later, and see to it that no staff have to look."""
    made.clock.advance(seconds=1)
    await sign_up(made, email, state=None)
    await newsletter_changes.ask_for(made.context, email, [NEWS], returns=True)
    await deliver(made)
    assert made.newsletters.state(NEWS, email) == "Active"
    assert made.newsletter_changes.all() == []


async def consents(made: World, email: str, purpose_id: str = PURPOSE) -> bool:
    """Whether the gate is open."""
    (stored,) = await made.controls.read((key(email),))
    return consent_in_force(stored.controls, purpose_id, now=made.clock.now()) is not None


def body(*events: dict, list_id: str = NEWS) -> bytes:
    """Return a webhook's body."""
    return json.dumps({"ListID": list_id, "Events": list(events)}).encode()


def event(kind: str, email: str, **more) -> dict:
    """Return an event as the processor writes it."""
    return {"Type": kind, "Date": "2026-01-31 09:15:00", "EmailAddress": email, "Name": "", **more}


async def deliver(made: World, *, rounds: int = 100) -> None:
    """Work on every message about newsletters, with the sweep between, until nothing moves any more."""
    for _ in range(rounds):
        messages = [(queue, text) for queue, text, _ in made.queue.sent if queue in _QUEUES]
        made.queue.sent.clear()
        for queue, text in messages:
            if queue == NEWSLETTER_WEBHOOK_QUEUE:
                await newsletter_webhooks.process(made.context, decode(ProcessWebhook, text).body_id)
            else:
                change = decode(ApplyNewsletterChange, text)
                await newsletter_changes.apply(made.context, change.subject_key, change.list_id)
        if messages:
            continue
        made.clock.advance(seconds=made.limits.wake_seconds)
        taken_up = await newsletter_changes.sweep(made.context)
        taken_up += await newsletter_webhooks.sweep(made.context)
        if not taken_up and all(one.change.attention for one in made.newsletter_changes.all()):
            return
    raise AssertionError("the newsletters do not come to rest")


async def told(made: World, data: bytes) -> None:
    """Let the processor tell something, and work on it."""
    made.clock.advance(seconds=1)
    await newsletter_webhooks.receive(made.context, data)
    await deliver(made)


def later(made: World, **by) -> None:
    """Let time pass."""
    made.clock.advance(seconds=timedelta(**by).total_seconds())
