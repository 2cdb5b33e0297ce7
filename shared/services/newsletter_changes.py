"""Bring the newsletter processor's lists in line with our ledger, one address in one list at a time.

Whoever changes a consent asks for a look; what is to be done is read from the gate when it is done. So it is
no matter how often it is asked, in which order messages come, and whether a consent changed again meanwhile.
Source: policy 3.2, 4.8, 5.2; GDPR article 28(3)(a).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from shared.datamap.processing import Operation
from shared.domain.errors import CannotTell, Conflict, Invalid, Permanent, Retryable
from shared.domain.identifiers import EMAIL
from shared.domain.messages import ApplyNewsletterChange
from shared.domain.newsletter_changes import NO_LIST, Leaving, NewsletterChange
from shared.domain.newsletters import ACTIVE, BOUNCED, UNCONFIRMED, MailingList, has_left
from shared.domain.times import after
from shared.ports.newsletter_changes import StoredChange
from shared.services import enforcing
from shared.services.context import Context
from shared.services.ending import end_here

RECIPIENT = "campaign_monitor"
_ATTEMPTS = 5  # to write our own row
_MOST_WAIT_DOUBLINGS = 8
_STOPPED = frozenset({"no_consent", "consent_not_covering", "marketing_objection", "objected"})
"""Answers of the gate that say the mail has to end; any other no keeps everything as it is."""


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
    if stored is None or stored.change.attention:
        return
    mailing_list = context.newsletters.lists.find(list_id)
    if mailing_list is None and list_id != NO_LIST:
        await _left_to_staff(context, stored, "newsletter_list_unknown")
        return
    try:
        for leaving in stored.change.leaving:
            await end_here(context, stored.change.email, leaving)
        came = (
            Came.AGREES
            if mailing_list is None
            else await _brought_in_line(context, stored.change, mailing_list)
        )
    except Retryable:
        await _later(context, stored, Came.UNREACHABLE)
        return
    except (Permanent, CannotTell, Invalid) as error:
        await _left_to_staff(context, stored, error.code)
        return
    if came is Came.AGREES:
        try:
            await context.newsletter_changes.close(stored)
        except Conflict:
            return  # asked for anew meanwhile, with a message of its own
    else:
        await _later(context, stored, came)


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
        fresh = one.change.model_copy(update={"attention": "", "attempts": 0, "added": False, "wake_at": now})
        await context.newsletter_changes.write(one.model_copy(update={"change": fresh}))
    return len(waiting)


class Came(Enum):
    """What came of a look at the processor."""

    AGREES = auto()
    ADDED = auto()
    LOOK_AGAIN = auto()
    UNREACHABLE = auto()


async def _brought_in_line(context: Context, change: NewsletterChange, mailing_list: MailingList) -> Came:
    """Look, and change what differs."""
    is_wanted = await wanted(context, change.email, mailing_list)
    entry = await context.newsletters.entry(mailing_list.list_id, change.email)
    state = None if entry is None else entry.state
    if is_wanted is None:  # restricted: nobody is added, and who gets mail is for the restriction to stop
        return Came.LOOK_AGAIN if state == ACTIVE else Came.AGREES
    if is_wanted:
        return await _present(context, change, mailing_list, state)
    return await _absent(context, change, mailing_list, state)


async def _present(
    context: Context, change: NewsletterChange, mailing_list: MailingList, state: str | None
) -> Came:
    """See to it that an address gets mail of a list.

    Whoever was added, and is shown as having left when nothing is on its way any more, has left since.
    """
    if state in (ACTIVE, UNCONFIRMED):
        return Came.AGREES
    if not change.added and not change.returns:
        if state == BOUNCED:
            return Came.AGREES
        if state is not None and has_left(state):  # of which no event told yet
            return await _left_there(context, change, mailing_list)
    if not change.added:
        forbidden = await context.newsletters.add(
            mailing_list.list_id, change.email, name=change.name, returns=change.returns
        )
        if forbidden is not None:
            raise Permanent("newsletter_add_refused", forbidden)
        return Came.ADDED
    if change.attempts <= context.limits.newsletter_attempts:
        return Came.LOOK_AGAIN
    if state is None or not has_left(state):
        raise Permanent("newsletter_not_shown", RECIPIENT)
    return await _left_there(context, change, mailing_list)


async def _left_there(context: Context, change: NewsletterChange, mailing_list: MailingList) -> Came:
    left = Leaving(purpose_ids=mailing_list.purpose_ids, at=context.clock.now(), channel="processor")
    await end_here(context, change.email, left)
    return Came.AGREES


async def _absent(
    context: Context, change: NewsletterChange, mailing_list: MailingList, state: str | None
) -> Came:
    """See to it that an address gets no mail of a list."""
    if state in (None, BOUNCED) or has_left(state):
        return Came.AGREES
    await context.newsletters.stop(mailing_list.list_id, change.email)
    entry = await context.newsletters.entry(mailing_list.list_id, change.email)
    still_there = entry is not None and entry.state in (ACTIVE, UNCONFIRMED)
    return Came.LOOK_AGAIN if still_there else Came.AGREES


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
        """Return the one open change that holds both. Who leaves again leaves as of the last time.

        A sign-up that is on its way stays one until its person leaves, and is not added a second time because
        somebody asked for another reason.
        """
        before = () if open_one is None else open_one.leaving
        if self.leaving is not None:
            reached = set(self.leaving.purpose_ids)
            others = tuple(one for one in before if not reached.issuperset(one.purpose_ids))
            before = (*others, self.leaving)
        is_open = open_one is not None and open_one.returns and self.leaving is None
        return NewsletterChange(
            list_id=self.list_id,
            subject_key=self.key,
            email=self.email,
            name=self.name or ("" if open_one is None else open_one.name),
            asked_at=now,
            wake_at=wake_at,
            leaving=before,
            returns=self.returns or is_open,
            added=is_open and not self.returns and open_one is not None and open_one.added,
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


async def _later(context: Context, stored: StoredChange, came: Came) -> None:
    """Let the sweep take it up; the longer it fails, the later. Looks after an addition come soon."""
    change = stored.change
    wait = context.limits.newsletter_settle_seconds * 2 ** min(change.attempts, _MOST_WAIT_DOUBLINGS)
    later = change.model_copy(
        update={
            "attempts": change.attempts + 1,
            "added": change.added or came is Came.ADDED,
            "wake_at": after(context.clock.now(), seconds=wait),
        }
    )
    try:
        await context.newsletter_changes.write(stored.model_copy(update={"change": later}))
    except Conflict:
        return  # asked for anew meanwhile, with a message of its own
    if came is Came.UNREACHABLE and change.attempts == context.limits.newsletter_attempts:
        await context.operators.alarm("processor_unreachable", details=RECIPIENT)


async def _left_to_staff(context: Context, stored: StoredChange, code: str) -> None:
    waiting = stored.change.model_copy(update={"attention": code})
    try:
        await context.newsletter_changes.write(stored.model_copy(update={"change": waiting}))
    except Conflict:
        return
    await context.operators.alarm(code, details=RECIPIENT)
