"""Bring the newsletter processor's lists in line with our ledger, one address in one list at a time.

Whoever changes a consent asks for a look; what is to be done is read from the gate when it is done. So it is
no matter how often it is asked, in which order messages come, and whether a consent changed again meanwhile.
Source: policy 3.2, 4.8, 5.2; GDPR article 28(3)(a).
"""

from collections.abc import Iterable

from shared.datamap.processing import Operation
from shared.domain.errors import CannotTell, Conflict, Invalid, Permanent, Retryable
from shared.domain.identifiers import EMAIL
from shared.domain.messages import ApplyNewsletterChange
from shared.domain.newsletter_changes import NewsletterChange
from shared.domain.newsletters import ACTIVE, UNCONFIRMED, MailingList
from shared.domain.times import after
from shared.ports.newsletter_changes import StoredChange
from shared.services import enforcing
from shared.services.context import Context

RECIPIENT = "campaign_monitor"
_ATTEMPTS = 5  # to write our own row
_MOST_WAIT_DOUBLINGS = 8
_STOPPED = frozenset({"no_consent", "consent_not_covering", "marketing_objection", "objected"})
"""Answers of the gate that say the mail has to end; any other no keeps everything as it is."""


async def ask_for(context: Context, email: str, list_ids: Iterable[str], *, name: str = "") -> None:
    """Ask for an address to be brought in line in some lists. Saved before it is sent; asking twice is one.

    Raises:
        Conflict: somebody kept writing; ask again.
    """
    key = context.keys.subject_key(EMAIL, email)
    known = [one for one in dict.fromkeys(list_ids) if context.newsletters.lists.find(one) is not None]
    for list_id in known:
        await _save(context, key, list_id, email, name)
    await context.queue.send([ApplyNewsletterChange(subject_key=key, list_id=one) for one in known])


async def wanted(context: Context, email: str, mailing_list: MailingList) -> bool | None:
    """Whether an address is to get mail of a list. None: it is to stay as it is, such as while restricted.

    Raises:
        Retryable, CannotTell: the gate could not be asked; change nothing.
    """
    asked = [
        enforcing.question(context, {EMAIL: (email,)}, purpose_id, Operation.MAIL)
        for purpose_id in mailing_list.purpose_ids
    ]
    decisions = await enforcing.decide_all(context, asked)
    if any(one.allowed for one in decisions):
        return True
    return False if all(one.code in _STOPPED for one in decisions) else None


async def apply(context: Context, subject_key: str, list_id: str) -> None:
    """Do what is open for one address in one list; nothing open is done.

    The change goes when a look at the processor shows that both sides agree. What cannot be done now is taken
    up later by the sweep; what a machine cannot do waits for staff and is alarmed.
    """
    stored = await context.newsletter_changes.read(subject_key, list_id)
    mailing_list = context.newsletters.lists.find(list_id)
    if stored is None or stored.change.attention:
        return
    if mailing_list is None:
        await _left_to_staff(context, stored, "newsletter_list_unknown")
        return
    try:
        agrees = await _brought_in_line(context, stored.change, mailing_list)
    except Retryable:
        await _later(context, stored, tried=True)
        return
    except (Permanent, CannotTell, Invalid) as error:
        await _left_to_staff(context, stored, error.code)
        return
    if agrees:
        try:
            await context.newsletter_changes.close(stored)
        except Conflict:
            return  # asked for anew meanwhile, with a message of its own
    else:
        await _later(context, stored, tried=False)


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
    """Take up what waits for staff, after its cause was removed; return how many."""
    waiting = await context.newsletter_changes.waiting_for_staff(limit=context.limits.sweep_requests)
    now = context.clock.now()
    for one in waiting:
        fresh = one.change.model_copy(update={"attention": "", "attempts": 0, "wake_at": now})
        await context.newsletter_changes.write(one.model_copy(update={"change": fresh}))
    return len(waiting)


async def _brought_in_line(context: Context, change: NewsletterChange, mailing_list: MailingList) -> bool:
    """Look, and change what differs; return whether both sides agreed when looked at."""
    newsletters, list_id = context.newsletters, mailing_list.list_id
    is_wanted = await wanted(context, change.email, mailing_list)
    entry = await newsletters.entry(list_id, change.email)
    state = None if entry is None else entry.state
    if is_wanted is None:
        return (
            state != ACTIVE
        )  # restricted: nobody is added, and who gets mail is for the restriction to stop
    if is_wanted:
        if state in (ACTIVE, UNCONFIRMED):
            return True
        if change.attempts > context.limits.newsletter_attempts:
            raise Permanent("newsletter_not_shown", RECIPIENT)
        forbidden = await newsletters.add(list_id, change.email, name=change.name, returns=True)
        if forbidden is not None:
            raise Permanent("newsletter_add_refused", forbidden)
        return False
    if state in (None, "Unsubscribed", "Deleted", "Bounced"):
        return True
    await newsletters.stop(list_id, change.email)
    entry = await newsletters.entry(list_id, change.email)
    return entry is None or entry.state not in (ACTIVE, UNCONFIRMED)


async def _save(context: Context, key: str, list_id: str, email: str, name: str) -> None:
    now = context.clock.now()
    for attempt in range(_ATTEMPTS):
        stored = await context.newsletter_changes.read(key, list_id)
        change = NewsletterChange(
            list_id=list_id,
            subject_key=key,
            email=email,
            name=name or ("" if stored is None else stored.change.name),
            asked_at=now,
            wake_at=after(now, seconds=context.limits.wake_seconds),
        )
        try:
            await context.newsletter_changes.write(
                StoredChange(change=change, etag=None if stored is None else stored.etag)
            )
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


async def _later(context: Context, stored: StoredChange, *, tried: bool) -> None:
    """Let the sweep take it up; the longer it fails, the later. Looks after an addition come soon."""
    change = stored.change
    wait = context.limits.newsletter_settle_seconds * 2 ** min(change.attempts, _MOST_WAIT_DOUBLINGS)
    later = change.model_copy(
        update={
            "attempts": change.attempts + 1,
            "wake_at": after(context.clock.now(), seconds=wait),
        }
    )
    try:
        await context.newsletter_changes.write(stored.model_copy(update={"change": later}))
    except Conflict:
        return  # asked for anew meanwhile, with a message of its own
    if tried and change.attempts == context.limits.newsletter_attempts:
        await context.operators.alarm("processor_unreachable", details=RECIPIENT)


async def _left_to_staff(context: Context, stored: StoredChange, code: str) -> None:
    waiting = stored.change.model_copy(update={"attention": code})
    try:
        await context.newsletter_changes.write(stored.model_copy(update={"change": waiting}))
    except Conflict:
        return
    await context.operators.alarm(code, details=RECIPIENT)
