"""Look at one address in one list on both sides, and say what has to be done there.

Nobody is added who may have left: whoever is shown as having left, or is among the deleted ones that the
processor shows nowhere else, comes back only by a consent of her own that is newer for certain.
Source: policy 3.2, 4.8, 5.2; GDPR articles 7(3), 28(3)(a).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto

from shared.datamap.processing import Operation
from shared.domain.consent import consent_in_force
from shared.domain.controls import Consent, Controls
from shared.domain.errors import Permanent
from shared.domain.identifiers import EMAIL, normalise
from shared.domain.newsletter_changes import Leaving, NewsletterChange
from shared.domain.newsletter_leavings import Order, order_of
from shared.domain.newsletters import ACTIVE, BOUNCED, UNCONFIRMED, MailingList, has_left
from shared.domain.reconciliations import OVERLAP_DAYS, compared_since
from shared.domain.times import copenhagen_day
from shared.ports.newsletters import ListEntry
from shared.services import enforcing
from shared.services.context import Context
from shared.services.ending import end_here

RECIPIENT = "campaign_monitor"
_RECENT_RUNS = 35
_STOPPED = frozenset({"no_consent", "consent_not_covering", "marketing_objection", "objected"})
"""Answers of the gate that say the mail has to end; any other no keeps everything as it is."""


class Step(Enum):
    """What is to be done at the processor."""

    NOTHING = auto()
    LOOK_AGAIN = auto()
    ADD = auto()
    STOP = auto()


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look led to. `left_before`: of whom to add, when they had left; None: they had not."""

    step: Step
    left_before: str | None = None


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


async def look(context: Context, change: NewsletterChange, mailing_list: MailingList) -> Look:
    """Look at both sides. Whoever left there since they consented is ended here at once.

    Raises:
        Permanent: `newsletter_left_unclear`, `newsletter_not_shown`: a person has to look; nobody is added.
        Retryable, CannotTell: a side did not answer; change nothing.
    """
    seen_at = context.clock.now()  # whoever consents while we look says something newer than what we see
    is_wanted = await wanted(context, change.email, mailing_list)
    entry = await context.newsletters.entry(mailing_list.list_id, change.email)
    if is_wanted is None:  # restricted: nobody is added, and who gets mail is for the restriction to stop
        is_there = entry is not None and entry.state == ACTIVE
        return Look(step=Step.LOOK_AGAIN if is_there else Step.NOTHING)
    if not is_wanted:
        is_gone = entry is None or entry.state == BOUNCED or has_left(entry.state)
        return Look(step=Step.NOTHING if is_gone else Step.STOP)
    if entry is not None and entry.state in (ACTIVE, UNCONFIRMED):
        return Look(step=Step.NOTHING)
    looking = _shown_after_all if change.added else _to_add
    return await looking(context, change, mailing_list, entry, seen_at)


async def _to_add(
    context: Context,
    change: NewsletterChange,
    mailing_list: MailingList,
    entry: ListEntry | None,
    seen_at: datetime,
) -> Look:
    if entry is not None and entry.state == BOUNCED and not change.returns:
        return Look(step=Step.NOTHING)
    left = entry or await _deleted(context, change, mailing_list)
    if left is None or not has_left(left.state):
        return Look(step=Step.ADD)
    order = await _order(context, change, mailing_list, left)
    if order is Order.UNCLEAR:
        raise Permanent("newsletter_left_unclear", RECIPIENT)
    if order is Order.AFTER:
        return await _left_there(context, change, mailing_list, seen_at)
    return Look(step=Step.ADD, left_before=left.changed)


async def _shown_after_all(
    context: Context,
    change: NewsletterChange,
    mailing_list: MailingList,
    entry: ListEntry | None,
    seen_at: datetime,
) -> Look:
    """Look for somebody we added, which takes effect later. Who is shown to have left since has left."""
    is_last = change.attempts > context.limits.newsletter_attempts
    if entry is None and is_last:
        entry = await _deleted(context, change, mailing_list)
    if entry is not None and has_left(entry.state) and entry.changed != change.left_before:
        return await _left_there(context, change, mailing_list, seen_at)
    if is_last:
        raise Permanent("newsletter_not_shown", RECIPIENT)
    return Look(step=Step.LOOK_AGAIN)


async def _left_there(
    context: Context, change: NewsletterChange, mailing_list: MailingList, seen_at: datetime
) -> Look:
    left = Leaving(purpose_ids=mailing_list.purpose_ids, at=seen_at, channel="processor")
    await end_here(context, change.email, left)
    return Look(step=Step.NOTHING)


async def _newest(
    context: Context, change: NewsletterChange, mailing_list: MailingList
) -> tuple[Controls, Consent | None]:
    """Return the newest consent that counts for a list, and the controls it is in. None: there is none."""
    (stored,) = await context.controls.read((change.subject_key,))
    now = context.clock.now()
    consents = [
        consent
        for purpose_id in mailing_list.purpose_ids
        if (consent := consent_in_force(stored.controls, purpose_id, now=now)) is not None
    ]
    return stored.controls, max(consents, key=lambda one: one.given_at, default=None)


async def _order(
    context: Context, change: NewsletterChange, mailing_list: MailingList, left: ListEntry
) -> Order:
    """Return whether somebody left before the newest of their consents to a list.

    Only a sign-up of their own is one to look for: an old list or a purchase brings nobody back.
    """
    if not change.returns:
        return Order.AFTER
    controls, newest = await _newest(context, change, mailing_list)
    if newest is None:
        return Order.UNCLEAR
    return order_of(controls, newest, left.changed, mailing_list.time_zone)


async def _deleted(context: Context, change: NewsletterChange, mailing_list: MailingList) -> ListEntry | None:
    """Return an address from the listing of deleted ones, which shows it alone. None: it is not in it.

    For somebody who signed up anew what came since is read, for others what no comparison has read yet.
    """
    since = await _unread_since(context, change, mailing_list)
    email, page = normalise(EMAIL, change.email), 1
    while True:
        found = await context.newsletters.page(mailing_list.list_id, "deleted", since=since, page=page)
        for entry in found.entries:
            if normalise(EMAIL, entry.email) == email:
                return entry
        if found.next_page is None:
            return None
        page = found.next_page


async def _unread_since(context: Context, change: NewsletterChange, mailing_list: MailingList) -> date:
    if change.returns:
        _, newest = await _newest(context, change, mailing_list)
        if newest is not None:
            return copenhagen_day(newest.given_at) - timedelta(days=OVERLAP_DAYS)
    runs = await context.reconciliations.latest(limit=_RECENT_RUNS)
    return compared_since(stored.run for stored in runs)
