"""Look at one address in one list on both sides, and say what has to be done there.

Nobody is added who may have left: whoever is shown as having left, or is among the deleted ones that the
processor shows nowhere else, comes back only by a consent of her own that is newer for certain.
Source: policy 3.2, 4.8, 5.2; GDPR articles 7(3), 28(3)(a).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto

from shared.datamap.processing import Operation
from shared.domain.consent import consent_in_force, is_given_before
from shared.domain.controls import Consent, Controls
from shared.domain.errors import Permanent
from shared.domain.identifiers import EMAIL, normalise
from shared.domain.newsletter_changes import Leaving, NewsletterChange
from shared.domain.newsletter_leavings import Order, is_seen_before, latest, order_of, span_of
from shared.domain.newsletters import ACTIVE, BOUNCED, UNCONFIRMED, MailingList, has_left
from shared.domain.reconciliations import OVERLAP_DAYS, compared_since
from shared.domain.times import after, copenhagen_day
from shared.ports.newsletters import ListEntry
from shared.services import enforcing
from shared.services.context import Context

RECIPIENT = "campaign_monitor"
_RECENT_RUNS = 35
_RESUMED = 3  # sweeps after which a sign-up that stopped half way counts
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
    """What a look led to.

    `left_before`: of whom to add, when they had left; None: they had not. `leaving`: what has to be ended
    here, because they left there. `gone`: when they went, as the processor writes it, of whom it shows as
    gone while nothing is consented to; empty: it does not.
    """

    step: Step
    left_before: str | None = None
    leaving: Leaving | None = None
    gone: str = ""


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
    """Look at both sides, and change nothing.

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
        if entry is not None and has_left(entry.state):
            return Look(step=Step.NOTHING, gone=entry.changed)
        is_gone = entry is None or entry.state == BOUNCED
        return Look(step=Step.NOTHING if is_gone else Step.STOP)
    if entry is not None and entry.state in (ACTIVE, UNCONFIRMED):
        return Look(step=Step.NOTHING)
    looking = _shown_after_all if change.added else _to_add
    return await looking(context, change, mailing_list, entry, seen_at)


async def left_at(
    context: Context, email: str, mailing_list: MailingList, entry: ListEntry | None, *, told_at: datetime
) -> datetime | None:
    """Return as of when somebody left who is shown so. None: they signed up here since, by their own word.

    `entry` None: the list shows nothing, so that the listing of deleted ones has to say it. `told_at`: when
    we were told, which is as late as it can have been.

    Raises:
        Retryable, CannotTell: a side did not answer; change nothing.
    """
    key = context.keys.subject_key(EMAIL, email)
    _, newest = await _newest(context, key, mailing_list)
    if newest is None:
        return told_at
    left = entry
    if left is None and await _is_own_word(context, key, newest):
        left = await _deleted(context, email, mailing_list, since=_behind(newest))
    if left is None:
        return told_at
    order = await _order(context, key, mailing_list, newest, left)
    if order is Order.BEFORE and await _is_own_word(context, key, newest):
        return None
    return _moment(newest, left, mailing_list, told_at)


def _moment(
    newest: Consent | None, left: ListEntry, mailing_list: MailingList, told_at: datetime
) -> datetime:
    """Return as of when consents end: what was given since is not meant, known to us or not yet."""
    at = latest(left.changed, mailing_list.time_zone, told_at)
    return told_at if newest is None or at < newest.given_at else at


async def _to_add(
    context: Context,
    change: NewsletterChange,
    mailing_list: MailingList,
    entry: ListEntry | None,
    seen_at: datetime,
) -> Look:
    if entry is not None and entry.state == BOUNCED and not change.returns:
        return Look(step=Step.NOTHING)
    controls, newest = await _newest(context, change.subject_key, mailing_list)
    returns = newest is not None and (
        change.returns or await _is_own_word(context, change.subject_key, newest)
    )
    left = entry
    if left is None:
        since = _behind(newest) if returns and newest is not None else await _unread_since(context)
        left = await _deleted(context, change.email, mailing_list, since=since)
    if left is None or not has_left(left.state):
        return Look(step=Step.ADD)
    order = Order.AFTER  # an old list or a purchase brings nobody back
    if returns and newest is not None:
        order = await _order_of_change(context, change, mailing_list, controls, newest, left)
    if order is Order.UNCLEAR and change.returns:
        raise Permanent("newsletter_left_unclear", RECIPIENT)
    if order is Order.BEFORE:
        return Look(step=Step.ADD, left_before=left.changed)
    return _left_there(mailing_list, _moment(newest, left, mailing_list, seen_at), left)


async def _order(
    context: Context, key: str, mailing_list: MailingList, newest: Consent, left: ListEntry
) -> Order:
    """Return whether somebody left before they signed up here, by the times or by what was seen of it."""
    order = order_of(newest, left.changed, mailing_list.time_zone)
    if order is Order.UNCLEAR:
        seen = await context.newsletter_leavings.read(key, mailing_list.list_id)
        return Order.BEFORE if is_seen_before(seen, newest, left.changed) else order
    return order


async def _order_of_change(
    context: Context,
    change: NewsletterChange,
    mailing_list: MailingList,
    controls: Controls,
    newest: Consent,
    left: ListEntry,
) -> Order:
    """Return whether somebody left before they signed up here, with all that we know of it.

    Until a first consent counts here we stop who has it, and that looks like a leaving of their own.
    """
    if left.changed and left.changed == change.left_before:
        return Order.BEFORE  # it was us
    order = await _order(context, change.subject_key, mailing_list, newest, left)
    span = span_of(left.changed, mailing_list.time_zone)
    counts_by = after(newest.given_at, seconds=_RESUMED * context.limits.wake_seconds)
    if order is Order.AFTER and span is not None and span.begins <= counts_by:
        return order if is_given_before(controls, newest) else Order.UNCLEAR
    return order


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
        since = _day_before(change.asked_at)
        entry = await _deleted(context, change.email, mailing_list, since=since)
    if entry is not None and has_left(entry.state) and entry.changed != change.left_before:
        at = await left_at(context, change.email, mailing_list, entry, told_at=seen_at)
        if at is None:  # and has signed up anew since then
            return Look(step=Step.ADD, left_before=entry.changed)
        return _left_there(mailing_list, at, entry)
    if is_last:
        raise Permanent("newsletter_not_shown", RECIPIENT)
    return Look(step=Step.LOOK_AGAIN)


def _left_there(mailing_list: MailingList, at: datetime, left: ListEntry) -> Look:
    leaving = Leaving(purpose_ids=mailing_list.purpose_ids, at=at, channel="processor")
    return Look(step=Step.NOTHING, leaving=leaving, gone=left.changed)


async def _newest(context: Context, key: str, mailing_list: MailingList) -> tuple[Controls, Consent | None]:
    """Return the newest consent that counts for a list, and the controls it is in. None: there is none."""
    (stored,) = await context.controls.read((key,))
    now = context.clock.now()
    consents = [
        consent
        for purpose_id in mailing_list.purpose_ids
        if (consent := consent_in_force(stored.controls, purpose_id, now=now)) is not None
    ]
    return stored.controls, max(consents, key=lambda one: one.given_at, default=None)


async def _is_own_word(context: Context, key: str, consent: Consent) -> bool:
    """Whether a person gave a consent at our own form, and confirmed it."""
    events = await context.consent_ledger.of_person((key,))
    return any(one.event_id == consent.consent_id and one.channel == "form" for one in events)


async def _deleted(
    context: Context, email: str, mailing_list: MailingList, *, since: date
) -> ListEntry | None:
    """Return an address from the listing of those deleted since a day, which alone shows it. None: no."""
    wanted_email, page = normalise(EMAIL, email), 1
    while True:
        found = await context.newsletters.page(mailing_list.list_id, "deleted", since=since, page=page)
        for entry in found.entries:
            if normalise(EMAIL, entry.email) == wanted_email:
                return entry
        if found.next_page is None:
            return None
        page = found.next_page


def _behind(consent: Consent) -> date:
    """Return since when somebody may have been deleted after they consented."""
    return _day_before(consent.given_at)


def _day_before(moment: datetime) -> date:
    return copenhagen_day(moment) - timedelta(days=OVERLAP_DAYS)


async def _unread_since(context: Context) -> date:
    """Return since when nobody read the listing of deleted ones for what the ledger says."""
    runs = await context.reconciliations.latest(limit=_RECENT_RUNS)
    return compared_since(stored.run for stored in runs)
