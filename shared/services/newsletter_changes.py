"""Bring the newsletter processor's lists in line with our ledger, one address in one list at a time.

Whoever changes a consent asks for a look; what is to be done is read from the gate when it is done. So it is
no matter how often it is asked, in which order messages come, and whether a consent changed again meanwhile.
Source: policy 3.2, 4.8, 5.2; GDPR article 28(3)(a).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import ComplianceError, Conflict, Invalid, Permanent, Retryable
from shared.domain.identifiers import EMAIL
from shared.domain.messages import ApplyNewsletterChange
from shared.domain.newsletter_changes import NO_LIST, Leaving, NewsletterChange
from shared.domain.newsletters import ACTIVE, UNCONFIRMED, MailingList, has_left
from shared.domain.times import after
from shared.ports.newsletter_changes import StoredChange
from shared.services.context import Context
from shared.services.ending import end_here
from shared.services.newsletter_leavings import note_gone
from shared.services.newsletter_looks import RECIPIENT, Look, Step, look

_ATTEMPTS = 5  # to write our own row
_MOST_WAIT_DOUBLINGS = 8


async def ask_for(
    context: Context, email: str, list_ids: Iterable[str], *, name: str = "", returns: bool = False
) -> None:
    """Ask for an address to be brought in line in some lists. Saved before it is sent; asking twice is one.

    `returns`: its person signed up just now, so that it is added even if it left there before.

    Raises:
        Conflict: somebody kept writing; ask again.
    """
    known = [one for one in list_ids if context.newsletters.lists.find(one) is not None]
    await context.queue.send(await save(context, email, known, name=name, returns=returns))


async def save(
    context: Context,
    email: str,
    list_ids: Iterable[str],
    *,
    name: str = "",
    leaving: Leaving | None = None,
    returns: bool = False,
) -> list[ApplyNewsletterChange]:
    """Save that an address is to be brought in line in some lists; return the messages still to be sent.

    Raises:
        Conflict: somebody kept writing; save it again.
    """
    key = context.keys.subject_key(EMAIL, email)
    found = dict.fromkeys(list_ids)
    for list_id in found:
        asked = NewChange(key=key, list_id=list_id, email=email, name=name, leaving=leaving, returns=returns)
        await _save(context, asked)
    return [ApplyNewsletterChange(subject_key=key, list_id=one) for one in found]


async def apply(context: Context, subject_key: str, list_id: str) -> None:
    """Do what is open for one address in one list; nothing open is done.

    The change goes when a look at the processor shows that both sides agree. What cannot be done now is taken
    up later by the sweep; what a machine cannot do waits for staff and is alarmed.
    """
    stored = await context.newsletter_changes.read(subject_key, list_id)
    if stored is None or stored.change.attention or _is_taken(stored.change, context.clock.now()):
        return
    mailing_list = context.newsletters.lists.find(list_id)
    if mailing_list is None and list_id != NO_LIST:
        await _left_to_staff(context, stored, "newsletter_list_unknown")
        return
    try:
        for leaving in stored.change.leaving:
            await end_here(context, stored.change.email, leaving)
        found = (
            Look(step=Step.NOTHING)
            if mailing_list is None
            else await look(context, stored.change, mailing_list)
        )
    except (Retryable, Permanent, Invalid) as error:
        await _put_off(context, stored, error)
        return
    if mailing_list is not None and found.step in (Step.ADD, Step.STOP):
        await _change_there(context, stored, mailing_list, found)
    elif found.leaving is not None:
        await _end(context, stored, found.leaving, gone=found.gone)
    elif found.step is Step.NOTHING:
        await note_gone(context, subject_key, list_id, found.gone)
        await _close(context, stored)
    else:
        await _later(context, stored)


async def poisoned(context: Context, subject_key: str, list_id: str) -> None:
    """Leave a change to staff whose message failed for good."""
    stored = await context.newsletter_changes.read(subject_key, list_id)
    if stored is not None and not stored.change.attention:
        await _left_to_staff(context, stored, "newsletter_change_poisoned")


async def sweep(context: Context) -> int:
    """Send again what is open and whose time has come; return how many."""
    due = await context.newsletter_changes.waking(context.clock.now(), limit=context.limits.sweep_requests)
    await context.queue.send(
        [ApplyNewsletterChange(subject_key=one.change.subject_key, list_id=one.change.list_id) for one in due]
    )
    return len(due)


async def retry_all(context: Context) -> int:
    """Take up what waits for staff, after its cause was removed; return how many.

    Each is looked at as if for the first time: whoever left since they signed up is not added.
    """
    waiting = await context.newsletter_changes.waiting_for_staff(limit=context.limits.sweep_requests)
    now, taken_up = context.clock.now(), 0
    for one in waiting:
        again = {"attention": "", "attempts": 0, "added": False, "left_before": None, "wake_at": now}
        fresh = one.change.model_copy(update=again)
        try:
            await context.newsletter_changes.write(one.model_copy(update={"change": fresh}))
        except Conflict:
            continue  # asked for anew meanwhile, which takes it up
        taken_up += 1
    return taken_up


@dataclass(frozen=True, kw_only=True)
class NewChange:
    """What is asked for, to be laid over what is open already."""

    key: str
    list_id: str
    email: str
    name: str
    leaving: Leaving | None
    returns: bool

    def over(
        self, open_one: NewsletterChange | None, *, now: datetime, wake_at: datetime
    ) -> NewsletterChange:
        """Return the one open change that holds both.

        A sign-up that is on its way stays one until its person leaves, and is not added a second time because
        somebody asked for another reason.
        """
        before = () if open_one is None else open_one.leaving
        if self.leaving is not None:
            before = (self.leaving,) if open_one is None else open_one.also_leaving(self.leaving)
        is_open = open_one is not None and open_one.returns and self.leaving is None
        keeps_added = is_open and not self.returns and open_one is not None and open_one.added
        return NewsletterChange(
            list_id=self.list_id,
            subject_key=self.key,
            email=self.email,
            name=self.name or ("" if open_one is None else open_one.name),
            asked_at=now,
            wake_at=wake_at,
            leaving=before,
            returns=self.returns or is_open,
            added=keeps_added,
            left_before=open_one.left_before if keeps_added and open_one is not None else None,
            busy_until=None if open_one is None else open_one.busy_until,
        )


async def _save(context: Context, asked: NewChange) -> None:
    now = context.clock.now()
    wake_at = after(now, seconds=context.limits.wake_seconds)
    for attempt in range(_ATTEMPTS):
        stored = await context.newsletter_changes.read(asked.key, asked.list_id)
        change = asked.over(None if stored is None else stored.change, now=now, wake_at=wake_at)
        try:
            await context.newsletter_changes.write(
                StoredChange(change=change, etag=None if stored is None else stored.etag)
            )
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _is_taken(change: NewsletterChange, now: datetime) -> bool:
    return change.busy_until is not None and now < change.busy_until


async def _take(context: Context, stored: StoredChange) -> StoredChange | None:
    """Take a change for this worker alone, before it changes anything there. None: somebody else wrote it.

    Two that act on what each saw could undo one another, and add somebody who left between them.
    """
    until = after(context.clock.now(), seconds=context.limits.wake_seconds)
    taken = stored.change.model_copy(update={"busy_until": until, "wake_at": until})
    try:
        etag = await context.newsletter_changes.write(stored.model_copy(update={"change": taken}))
    except Conflict:
        return None
    return StoredChange(change=taken, etag=etag)


async def _change_there(
    context: Context, stored: StoredChange, mailing_list: MailingList, found: Look
) -> None:
    """Add or stop an address, unless somebody asked anew meanwhile or another worker is at it."""
    taken = await _take(context, stored)
    if taken is None:
        return
    list_id, change = mailing_list.list_id, taken.change
    try:
        if found.step is Step.ADD:
            forbidden = await context.newsletters.add(
                list_id,
                change.email,
                name=change.name,
                returns=change.returns or found.left_before is not None,
            )
            if forbidden is None:
                await _later(context, taken, added=found)
            else:
                await _left_to_staff(context, taken, "newsletter_add_refused")
            return
        await context.newsletters.stop(list_id, change.email)
        entry = await context.newsletters.entry(list_id, change.email)
    except (Retryable, Permanent, Invalid) as error:
        await _put_off(context, taken, error)
        return
    if entry is not None and entry.state in (ACTIVE, UNCONFIRMED):
        await _later(context, taken)
    else:
        if entry is not None and has_left(entry.state):
            await note_gone(context, change.subject_key, list_id, entry.changed)
        await _close(context, taken, stopped=None if entry is None else entry.changed)


async def _end(context: Context, stored: StoredChange, leaving: Leaving, *, gone: str) -> None:
    """Save that somebody left there, and then end it here, so that whoever dies leaves it to the queue."""
    change = stored.change.model_copy(update={"leaving": stored.change.also_leaving(leaving)})
    try:
        etag = await context.newsletter_changes.write(stored.model_copy(update={"change": change}))
    except Conflict:
        return  # asked for anew meanwhile, which is a reason to look again
    await end_here(context, change.email, leaving)
    await note_gone(context, change.subject_key, change.list_id, gone)
    await _close(context, StoredChange(change=change, etag=etag))


async def _put_off(context: Context, stored: StoredChange, error: ComplianceError) -> None:
    if isinstance(error, Retryable):
        await _later(context, stored, is_unreachable=True)
    else:
        await _left_to_staff(context, stored, error.code)


async def _close(context: Context, stored: StoredChange, *, stopped: str | None = None) -> None:
    try:
        await context.newsletter_changes.close(stored)
    except Conflict:
        await _let_go(context, stored, stopped=stopped)


async def _later(
    context: Context, stored: StoredChange, *, added: Look | None = None, is_unreachable: bool = False
) -> None:
    """Let the sweep take it up; the longer it fails, the later. Looks after an addition come soon."""
    change = stored.change
    wait = context.limits.newsletter_settle_seconds * 2 ** min(change.attempts, _MOST_WAIT_DOUBLINGS)
    changes: dict[str, object] = {
        "attempts": change.attempts + 1,
        "wake_at": after(context.clock.now(), seconds=wait),
        "busy_until": None,
    }
    if added is not None:
        changes |= {"added": True, "left_before": added.left_before}
    try:
        await _write(context, stored, changes)
    except Conflict:
        await _let_go(context, stored)
        return
    if is_unreachable and change.attempts == context.limits.newsletter_attempts:
        await context.operators.alarm("processor_unreachable", details=RECIPIENT)


async def _left_to_staff(context: Context, stored: StoredChange, code: str) -> None:
    try:
        await _write(context, stored, {"attention": code, "busy_until": None})
    except Conflict:
        await _let_go(context, stored)
        return
    await context.operators.alarm(code, details=RECIPIENT)


async def _let_go(context: Context, stored: StoredChange, *, stopped: str | None = None) -> None:
    """Hand a change that was asked for anew meanwhile back, with a message of its own, if we had taken it.

    `stopped`: when we stopped its address there, which is then no leaving of its person.
    """
    change = stored.change
    now = await context.newsletter_changes.read(change.subject_key, change.list_id)
    if change.busy_until is None or now is None or now.change.busy_until != change.busy_until:
        return
    try:
        known = now.change.left_before if stopped is None else stopped
        await _write(context, now, {"busy_until": None, "left_before": known})
    except Conflict:
        return  # the sweep takes it up
    message = ApplyNewsletterChange(subject_key=change.subject_key, list_id=change.list_id)
    await context.queue.send([message])


async def _write(context: Context, stored: StoredChange, changes: Mapping[str, object]) -> None:
    change = stored.change.model_copy(update=dict(changes))
    await context.newsletter_changes.write(stored.model_copy(update={"change": change}))
