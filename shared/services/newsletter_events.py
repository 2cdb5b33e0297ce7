"""Let one address in one list come to rest: look at both sides, and note, add or stop what differs.

An event of the processor is never taken at its word. Its own changes echo here and find both sides in
agreement, events that come twice, late or in another order find nothing left to do.
Source: policy 2.3, 2.4, 4.8, 5.2; GDPR articles 7(1), 7(3).
"""

from datetime import datetime

from shared.domain.consent import consent_in_force, last_end
from shared.domain.consent_ledger import Channel, ConsentEvent, EventKind, Evidence
from shared.domain.controls import Controls
from shared.domain.identifiers import EMAIL, normalise, parse_email
from shared.domain.newsletter_leavings import latest
from shared.domain.newsletters import ACTIVE, MailingList, Verdict, compare, has_left
from shared.domain.webhook_bodies import DEACTIVATE, SUBSCRIBE, ProcessorEvent
from shared.services import (
    consent_ledger,
    leaving,
    newsletter_changes,
    newsletter_leavings,
    newsletter_looks,
    sign_ups,
)
from shared.services.context import Context

SOURCE = "newsletter processor's form"


async def settle(
    context: Context,
    mailing_list: MailingList,
    event: ProcessorEvent,
    *,
    told_at: datetime,
    channel: Channel = "processor",
) -> Verdict:
    """Work on one event, and return what came of its address. A second call finds both sides in agreement.

    `told_at`: when we were told, the only time of it in a known zone.

    Raises:
        Invalid: `email_invalid`: what stands there is no address.
        Retryable: the processor or a store did not answer; work on it again.
    """
    email = parse_email(event.email)
    old = parse_email(event.old_email) if event.old_email else email
    if normalise(EMAIL, old) != normalise(EMAIL, email):
        await _follow(context, mailing_list, old, email, told_at=told_at, channel=channel)
        await _settled(context, mailing_list, old, event, told_at=told_at, channel=channel, joined=False)
    joined = event.type == SUBSCRIBE and event.by_person and mailing_list.confirmed_opt_in
    return await _settled(
        context, mailing_list, email, event, told_at=told_at, channel=channel, joined=joined
    )


async def _settled(
    context: Context,
    mailing_list: MailingList,
    email: str,
    event: ProcessorEvent,
    *,
    told_at: datetime,
    channel: Channel,
    joined: bool,
) -> Verdict:
    list_id = mailing_list.list_id
    key = context.keys.subject_key(EMAIL, email)
    change = await context.newsletter_changes.read(key, list_id)
    changing = change is not None
    if change is not None and change.change.attention:  # it may be over what staff had to look at
        await newsletter_changes.ask_for(context, email, [list_id], name=event.name)
    is_wanted = await newsletter_looks.wanted(context, email, mailing_list)
    entry = None if changing else await context.newsletters.entry(list_id, email)
    verdict = compare(
        None if entry is None else entry.state,
        wanted=is_wanted is True,
        changing=changing or is_wanted is None,
        joined_there=joined and await _is_news(context, key, mailing_list, told_at),
        known_before=True,  # an event or a list of the processor names it
    )
    match verdict:
        case Verdict.ADD_THERE | Verdict.STOP_THERE:
            await newsletter_changes.ask_for(context, email, [list_id], name=event.name)
        case Verdict.LEFT_THERE:
            left_at = await newsletter_looks.left_at(context, email, mailing_list, entry, told_at=told_at)
            if left_at is None:  # a newer sign-up, which is not on its way there yet
                await newsletter_changes.ask_for(context, email, [list_id], name=event.name)
                return Verdict.ADD_THERE
            await leaving.leave(context, email, mailing_list.purpose_ids, at=left_at, channel=channel)
        case Verdict.JOINED_THERE:
            await _join(context, mailing_list, email, event, told_at=told_at, channel=channel)
        case Verdict.UNREACHABLE:
            await consent_ledger.note(context, _unreachable(key, mailing_list, told_at, channel))
        case Verdict.UNKNOWN_STATE:
            await context.operators.alarm("newsletter_state_unknown", details=list_id)
        case Verdict.AGREES:
            # Deleted ones are not shown: of them the event alone tells that they are gone.
            is_gone = event.type == DEACTIVATE if entry is None else has_left(entry.state)
            if is_wanted is False and not changing and is_gone:
                changed = "" if entry is None else entry.changed
                left_at = latest(changed, mailing_list.time_zone, told_at)
                await remember_no(context, mailing_list, email, at=left_at, channel=channel, changed=changed)
    return verdict


async def _is_news(context: Context, key: str, mailing_list: MailingList, told_at: datetime) -> bool:
    """Whether a sign-up there is somebody's last word: nothing they said to us says more."""
    (stored,) = await context.controls.read((key,))
    controls = stored.controls
    if controls.suppression is not None or controls.stops_marketing:
        return False
    return _is_behind_the_end(controls, mailing_list.purpose_ids[0], told_at)


def _is_behind_the_end(controls: Controls, purpose_id: str, told_at: datetime) -> bool:
    end = last_end(controls, purpose_id)
    return end is None or end < told_at


async def remember_no(
    context: Context, mailing_list: MailingList, email: str, *, at: datetime, channel: Channel, changed: str
) -> None:
    """Note that somebody left a list of whom we never knew a consent, so that no old list adds them here.

    `changed`: when they went, as the processor writes it; empty: it does not show that.
    A second call, or one about somebody whose no we know already, writes nothing.

    Raises:
        Conflict, Retryable: as `consent_ledger.note_no`.
    """
    key = context.keys.subject_key(EMAIL, email)
    (stored,) = await context.controls.read((key,))
    controls = stored.controls
    if controls.suppression is not None or controls.withdrawn_at is not None:
        return
    known = {one.purpose_id for one in controls.withdrawals}
    unknown = [one for one in mailing_list.purpose_ids if one not in known]
    if unknown:
        await newsletter_leavings.note_gone(context, key, mailing_list.list_id, changed)
    for purpose_id in unknown:
        await consent_ledger.note_no(context, key, purpose_id, at=at, channel=channel)


async def _join(
    context: Context,
    mailing_list: MailingList,
    email: str,
    event: ProcessorEvent,
    *,
    told_at: datetime,
    channel: Channel,
) -> None:
    """Note a consent that was given and confirmed at the processor, to the first of the list's purposes.

    The record of the sign-up comes first: without a consent nothing is sent for it.
    """
    purpose_id = mailing_list.purpose_ids[0]
    key = context.keys.subject_key(EMAIL, email)
    (stored,) = await context.controls.read((key,))
    event_id = _found_id("joined", stored.controls, purpose_id, mailing_list.policy_version)
    await sign_ups.begin(
        context,
        sign_ups.SignUp(
            sign_up_id=f"news-{context.keys.sign('sign-up', key, event_id)[:32]}",
            email=email,
            purpose_id=purpose_id,
            list_id=mailing_list.list_id,
            source=SOURCE,
            at=told_at,
            name=event.name,
        ),
    )
    await consent_ledger.note(
        context,
        ConsentEvent(
            event_id=event_id,
            subject_key=key,
            purpose_id=purpose_id,
            kind=EventKind.GIVEN,
            at=told_at,
            noted_at=context.clock.now(),
            channel=channel,
            evidence=Evidence(
                policy_version=mailing_list.policy_version, confirmed_at=told_at, list_id=mailing_list.list_id
            ),
        ),
    )


async def _follow(
    context: Context, mailing_list: MailingList, old: str, new: str, *, told_at: datetime, channel: Channel
) -> None:
    """Let a consent follow its person to another address, where the processor shows that it went there.

    The new address' own no comes first: one that is on the list of those not to write to gets nothing. Told
    again, there is no consent left to follow, and nothing is written.
    """
    entry = await context.newsletters.entry(mailing_list.list_id, new)
    if entry is None or entry.state != ACTIVE or await consent_ledger.is_suppressed(context, new):
        return
    old_key, new_key = (context.keys.subject_key(EMAIL, one) for one in (old, new))
    before, after = [one.controls for one in await context.controls.read((old_key, new_key))]
    now = context.clock.now()
    followed = {
        purpose_id: consent
        for purpose_id in mailing_list.purpose_ids
        if (consent := consent_in_force(before, purpose_id, now=now)) is not None
    }
    if not followed:
        return
    for purpose_id, consent in followed.items():
        if consent_in_force(after, purpose_id, now=now) is not None:
            continue  # of its own, or a worker died behind it
        if not _is_behind_the_end(after, purpose_id, told_at):
            continue  # left at the new address since
        given = ConsentEvent(
            event_id=_found_id("moved", after, purpose_id, consent.policy_version),
            subject_key=new_key,
            purpose_id=purpose_id,
            kind=EventKind.GIVEN,
            at=told_at,
            noted_at=now,
            channel=channel,
            evidence=Evidence(policy_version=consent.policy_version, list_id=mailing_list.list_id),
        )
        await consent_ledger.note(context, given)
    await sign_ups.move(context, old, new, mailing_list.list_id)
    await leaving.leave(context, old, list(followed), at=told_at, channel=channel)


def _found_id(what: str, controls: Controls, purpose_id: str, policy_version: str) -> str:
    """Return the name of a beginning that was found there: one for all who find it after the same end."""
    end = last_end(controls, purpose_id)
    after = 0 if end is None else int(end.timestamp() * 1_000_000)
    return f"{what}-{purpose_id}-{policy_version}-{after}"


def _unreachable(key: str, mailing_list: MailingList, told_at: datetime, channel: Channel) -> ConsentEvent:
    return ConsentEvent(
        event_id=f"unreachable-{mailing_list.list_id}-{told_at.date()}",
        subject_key=key,
        purpose_id=mailing_list.purpose_ids[0],
        kind=EventKind.UNREACHABLE,
        at=told_at,
        noted_at=told_at,
        channel=channel,
        evidence=Evidence(list_id=mailing_list.list_id),
    )
