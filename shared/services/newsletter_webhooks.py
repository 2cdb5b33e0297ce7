"""Take in what the newsletter processor tells, and work on it event by event.

The door only keeps the body and says so: nothing is lost when a worker dies, and nothing is waited for. Each
body is worked on under a receipt that moves on behind the events, so whoever dies has some of them done
twice, which changes nothing. The body goes when its last event is done; it is the only place with addresses
in it.
Source: https://www.campaignmonitor.com/api/v3-3/webhooks/; policy 3.2, 4.8, 5.2.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

from shared.domain.errors import CannotTell, Conflict, Invalid, NotFound, Permanent, Retryable
from shared.domain.messages import ProcessWebhook
from shared.domain.newsletters import MailingList
from shared.domain.times import after
from shared.domain.webhook_bodies import Receipt, SetAside, envelope, read_event
from shared.ports.newsletters import UNREADABLE
from shared.ports.webhooks import StoredReceipt
from shared.services import intake
from shared.services.context import Context
from shared.services.newsletter_events import settle
from shared.telemetry import NEWSLETTER_EVENTS

LIST_UNKNOWN = "list_unknown"
_BETWEEN_SAVES = 50  # events done again at most after a crash
_STEP_BACK_SECONDS = 15  # for whoever finds another worker at the same body
_MOST_POISONINGS = 3  # of one body's messages; a store that was away for a minute is no fault of the body


async def receive(context: Context, data: bytes) -> str:
    """Keep a body and send word of it; return its name. The same body again is the same name.

    Raises:
        Retryable: it may not have been kept; the processor sends it again.
    """
    body_id = hashlib.sha256(data).hexdigest()
    await context.webhooks.keep(body_id, data)
    await context.queue.send([ProcessWebhook(body_id=body_id)])
    return body_id


async def refuse_guess(context: Context, client: str) -> NoReturn:
    """Refuse a call that came with a wrong secret, and count it for its caller's network address.

    Whoever brings a right one is never counted, so that nothing of the processor's is lost by it. Operators
    are told once an hour, of however many callers.

    Raises:
        NotFound: `webhook_unknown`.
        NotAllowed: `too_many_requests`: it tried too often in the last hour.
        Retryable: it could not be counted.
    """
    most = context.limits.wrong_secrets_per_client_hour
    hits = await intake.hits_of_client(context, client, "webhook-")
    if hits <= most:
        raise NotFound("webhook_unknown")
    if hits == most + 1 and await intake.hits_of_client(context, "", "webhook-guessing-") == 1:
        await context.operators.alarm("webhook_secret_guessed")
    raise intake.too_many()


async def process(context: Context, body_id: str) -> None:
    """Work on the events of a body, as many as one message may, and go on with another message.

    What is wrong with one event sets that one aside; what is wrong with the whole body keeps it for staff.
    Where another worker is at the same body this one steps back and comes again: the body came twice, or word
    of it did, and that is no failure.

    Raises:
        Retryable: a store did not answer.
    """
    kept = await context.webhooks.body(body_id)
    if kept is None:
        return
    try:
        await _take(context, body_id, *kept)
    except Conflict:
        await context.queue.send([ProcessWebhook(body_id=body_id)], delay_seconds=_STEP_BACK_SECONDS)


async def _take(context: Context, body_id: str, data: bytes, received_at: datetime) -> None:
    stored = await _begun(context, body_id, received_at)
    if stored.receipt.state != "open":
        # It came again, which may be news that only looks the same: dates there end with the minute.
        stored = await _save(
            context,
            stored,
            state="open",
            next_event=0,
            counts={},
            set_aside=(),
            poisonings=0,
            received_at=received_at,
        )
    try:
        list_id, events = envelope(data)
    except Invalid as error:
        await _save(context, stored, state="unreadable")
        await context.operators.alarm(error.code, details=body_id)
        return
    await _work(context, stored, list_id, events)


async def _work(context: Context, stored: StoredReceipt, list_id: str, events: Sequence[Any]) -> None:
    mailing_list = context.newsletters.lists.find(list_id)
    receipt = stored.receipt
    counts, set_aside = Counter(receipt.counts), list(receipt.set_aside)
    place, began, ended_early = receipt.next_event, time.monotonic(), False
    while place < len(events):
        if place - receipt.next_event >= _BETWEEN_SAVES:
            stored = await _save(
                context, stored, next_event=place, counts=dict(counts), set_aside=tuple(set_aside)
            )
            receipt = stored.receipt
            if time.monotonic() - began > context.limits.message_seconds:
                ended_early = True
                break
        try:
            counts[await _one(context, mailing_list, events[place], receipt.received_at)] += 1
        except (Invalid, CannotTell, Permanent, Retryable) as error:
            if isinstance(error, Retryable) and not _is_stuck(context, receipt, error, place):
                await _save(
                    context,
                    stored,
                    next_event=place,
                    counts=dict(counts),
                    set_aside=tuple(set_aside),
                    unreadable_since=_unreadable_since(context, receipt, error, place),
                )
                return  # the sweep goes on when the processor may answer again
            set_aside.append(SetAside(place=place, code=error.code))
            await context.operators.alarm(error.code, details=f"{receipt.body_id} {place}")
        place += 1
    if ended_early:
        await context.queue.send([ProcessWebhook(body_id=receipt.body_id)])
        return
    if 0 < len(set_aside) < len(events):
        await _keep_apart(context, receipt, list_id, [(one, events[one.place]) for one in set_aside])
        set_aside = []
    done = await _save(
        context,
        stored,
        state="done",
        next_event=place,
        events=len(events),
        counts=dict(counts),
        set_aside=tuple(set_aside),
    )
    for outcome, number in counts.items():
        context.operators.measure(NEWSLETTER_EVENTS, number, outcome=outcome)
    if not done.receipt.keeps_body:
        await context.webhooks.forget(receipt.body_id)


async def _keep_apart(
    context: Context, receipt: Receipt, list_id: str, apart: Sequence[tuple[SetAside, Any]]
) -> None:
    """Keep the events that staff have to look at in a body of their own, so that the others' addresses go."""
    data = json.dumps({"ListID": list_id, "Events": [found for _, found in apart]}).encode()
    body_id = hashlib.sha256(data).hexdigest()
    await context.webhooks.keep(body_id, data)
    stored = await _begun(context, body_id, receipt.received_at)
    await _save(
        context,
        stored,
        state="done",
        next_event=len(apart),
        events=len(apart),
        set_aside=tuple(SetAside(place=place, code=one.code) for place, (one, _) in enumerate(apart)),
    )


async def _one(context: Context, mailing_list: MailingList | None, found: object, told_at: datetime) -> str:
    event = read_event(found)
    if mailing_list is None:
        return LIST_UNKNOWN  # also the processor's test call; no list of ours, nothing of ours to change
    return await settle(context, mailing_list, event, told_at=told_at)


async def sweep(context: Context) -> int:
    """Send word again of bodies nobody finished, let go of those kept long enough; return how many.

    Those that wait for staff are passed over, so that however many there are, none hides one to be done.
    """
    now = context.clock.now()
    overdue, most = after(now, seconds=-context.limits.wake_seconds), context.limits.sweep_requests
    taken_up, last = 0, ""
    while taken_up < most:
        page = await context.webhooks.kept_before(overdue, limit=most, after=last)
        for body_id in page:
            taken_up += await _take_up(context, body_id, now)
        if len(page) < most:
            break
        last = page[-1]
    return taken_up


async def _take_up(context: Context, body_id: str, now: datetime) -> bool:
    """Send word of a body, or let go of it; whether there was anything to do."""
    stored = await context.webhooks.receipt(body_id)
    if stored is None or (stored.receipt.state == "open" and stored.receipt.wake_at <= now):
        return await _send_again(context, body_id, stored)
    if stored.receipt.keeps_body and not _is_old(context, stored.receipt, now):
        return False
    if stored.receipt.state == "open":
        return False
    await context.webhooks.forget(body_id)
    return True


async def _send_again(context: Context, body_id: str, stored: StoredReceipt | None) -> bool:
    """Send word of a body once in a while, and not at every sweep: the queue may only be long."""
    kept = await context.webhooks.body(body_id)
    if kept is None:
        return False
    try:
        if stored is None:
            await _begun(context, body_id, kept[1])
        else:
            await _save(context, stored)
    except Conflict:
        return False  # somebody is at it
    await context.queue.send([ProcessWebhook(body_id=body_id)])
    return True


async def poisoned(context: Context, body_id: str) -> None:
    """Leave a body whose message failed too often to a later sweep, and in the end to staff.

    A second call counts once more; one about a body that is done or gone changes nothing.

    Raises:
        Conflict: another worker is at the body; let the queue deliver again.
    """
    kept = await context.webhooks.body(body_id)
    if kept is None:
        return
    stored = await _begun(context, body_id, kept[1])
    if stored.receipt.state == "open":
        times = stored.receipt.poisonings + 1
        await _save(
            context, stored, poisonings=times, state="open" if times < _MOST_POISONINGS else "unreadable"
        )
    await context.operators.alarm("newsletter_webhook_poisoned", details=body_id)


def _is_stuck(context: Context, receipt: Receipt, error: Retryable, place: int) -> bool:
    """Whether the processor's answer about one address has been unreadable for a day, so others go on."""
    since = _unreadable_since(context, receipt, error, place)
    return since is not None and after(since, days=1) <= context.clock.now()


def _unreadable_since(context: Context, receipt: Receipt, error: Retryable, place: int) -> datetime | None:
    """Return since when the answer about the event at this place cannot be read. None: another error."""
    if error.code != UNREADABLE:
        return None
    same = place == receipt.next_event
    return receipt.unreadable_since if same and receipt.unreadable_since else context.clock.now()


def _is_old(context: Context, receipt: Receipt, now: datetime) -> bool:
    return after(receipt.received_at, days=context.limits.webhook_body_days) <= now


async def _begun(context: Context, body_id: str, received_at: datetime) -> StoredReceipt:
    stored = await context.webhooks.receipt(body_id)
    if stored is not None:
        return stored
    now = context.clock.now()
    receipt = Receipt(
        body_id=body_id,
        received_at=received_at,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    )
    etag = await context.webhooks.write(StoredReceipt(receipt=receipt, etag=None))
    return StoredReceipt(receipt=receipt, etag=etag)


async def _save(context: Context, stored: StoredReceipt, **changes: Any) -> StoredReceipt:
    wake_at = after(context.clock.now(), seconds=context.limits.wake_seconds)
    receipt = stored.receipt.model_copy(update={"wake_at": wake_at, **changes})
    etag = await context.webhooks.write(StoredReceipt(receipt=receipt, etag=stored.etag))
    return StoredReceipt(receipt=receipt, etag=etag)
