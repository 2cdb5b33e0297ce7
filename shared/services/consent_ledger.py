"""Note what happens to consents, and say what stands.

The ledger holds the events, the controls what follows from them, so that the gate is one read. Both writes
can be repeated, and whoever dies between them leaves the safe side behind: an end closes the gate before it
is written down, a beginning is written down before it opens it.
Source: GDPR articles 5(2), 7(1), 7(3); policy 2.4.2, 4.8.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.domain.consent import begun_between, consent_in_force, last_end, listed
from shared.domain.consent_ledger import Channel, ConsentEvent, EventKind, applied
from shared.domain.controls import EVERY_PURPOSE, Consent, Controls, SuppressionReason
from shared.domain.identifiers import EMAIL
from shared.services import marking
from shared.services.context import Context


async def note(context: Context, event: ConsentEvent) -> Controls:
    """Add an event to the ledger and count it in; return the controls as they are then.

    A second call changes nothing, and finishes what a first one left half done.

    Raises:
        Conflict: somebody else kept writing; note it again.
        Retryable: something was not there; note it again.
    """
    keys = (event.subject_key,)
    if not event.ends:
        event = await context.consent_ledger.append(event)
    await marking.change(context, keys, lambda controls: applied(controls, event))
    if event.ends:
        await context.consent_ledger.append(event)
    (stored,) = await context.controls.read(keys)
    return stored.controls


async def note_left(
    context: Context,
    subject_key: str,
    purpose_id: str,
    *,
    at: datetime,
    channel: Channel,
) -> None:
    """Note that somebody is found to have left; who is known to have left, and gave nothing since, did then.

    What is found is a state and no word of a person: two workers that find it, and one that finds it again,
    leave one end. A second call finishes what a first one left half done, under the time that stands.

    Raises:
        Conflict: somebody else kept writing; note it again.
        Retryable: something was not there; note it again.
    """
    now = context.clock.now()
    known: datetime | None = None

    def ended(controls: Controls) -> Controls:
        nonlocal known
        known = last_end(controls, purpose_id)
        if known is not None and not begun_between(controls, purpose_id, known, at):
            return controls
        known = None
        return applied(controls, event(at))

    def event(moment: datetime) -> ConsentEvent:
        return withdrawal_event(subject_key, purpose_id, at=moment, noted_at=now, channel=channel)

    await marking.change(context, (subject_key,), ended)
    if known is None or not await _has_end(context, subject_key, purpose_id, known):
        await context.consent_ledger.append(event(known or at))


async def _has_end(context: Context, subject_key: str, purpose_id: str, at: datetime) -> bool:
    """Whether the ledger has an end of a moment, under whatever name."""
    events = await context.consent_ledger.of_person((subject_key,))
    return any(one.ends and one.at == at and one.purpose_id in (purpose_id, EVERY_PURPOSE) for one in events)


async def note_no(
    context: Context, subject_key: str, purpose_id: str, *, at: datetime, channel: Channel
) -> None:
    """Note that somebody left of whom neither a consent to a purpose nor an end of one is known.

    There is no gate to close, so the ledger is first, and the first such event is the one that stands: a
    second call finishes it.

    Raises:
        Conflict, Retryable: note it again.
    """
    now = context.clock.now()
    found = withdrawal_event(subject_key, purpose_id, at=at, noted_at=now, channel=channel)
    stands = await context.consent_ledger.append(found.model_copy(update={"event_id": f"left-{purpose_id}"}))
    await marking.change(context, (subject_key,), lambda controls: applied(controls, stands))


async def count_in(context: Context, subject_key: str) -> None:
    """Count every event of one pseudonym in once more, which finishes what somebody who died left undone.

    Raises:
        Conflict, Retryable: do it again.
        CannotTell: an event could not be understood; nothing is changed.
    """
    events = await context.consent_ledger.of_person((subject_key,))

    def counted(controls: Controls) -> Controls:
        for event in events:
            controls = applied(controls, event)
        return controls

    await marking.change(context, (subject_key,), counted)


async def state_of(context: Context, email: str, purpose_ids: Iterable[str]) -> dict[str, Consent | None]:
    """Return the consent in force to each purpose, None where there is none.

    Raises:
        Retryable: it could not be read; never take that for "no consent" or for one.
    """
    (stored,) = await context.controls.read((context.keys.subject_key(EMAIL, email),))
    now = context.clock.now()
    return {one: consent_in_force(stored.controls, one, now=now) for one in purpose_ids}


async def is_suppressed(context: Context, email: str) -> bool:
    """Whether an address is not to be written to. The list can only be compared with.

    Raises:
        Retryable: it could not be read; never take that for "not suppressed".
    """
    (stored,) = await context.controls.read((context.keys.subject_key(EMAIL, email),))
    return stored.controls.suppression is not None or stored.controls.stops_marketing


async def suppress(
    context: Context, subject_keys: Iterable[str], *, reason: SuppressionReason, at: datetime
) -> None:
    """Put addresses on the list of those not to write to. The first entry stays; a new opt-in ends it.

    An opt-in given after `at` is the later word, and nothing is put on the list.
    """
    await marking.change(
        context, tuple(subject_keys), lambda controls: listed(controls, at=at, reason=reason)
    )


async def unsuppress(context: Context, email: str) -> None:
    """Take an address off the list, as its person wished; objections and withdrawals stay what they are."""
    await marking.change(
        context,
        (context.keys.subject_key(EMAIL, email),),
        lambda controls: controls.model_copy(update={"suppression": None}),
    )


async def forget_evidence(context: Context, subject_key: str, *, up_to: datetime, purpose_id: str) -> int:
    """Erase what proves a consent that has ended, its end included; return how many events went.

    That it ended, and when, stays in the controls. Ask for holds before. A second call finds nothing.
    """
    gone = [
        one.event_id
        for one in await context.consent_ledger.of_person((subject_key,))
        if one.at <= up_to and purpose_id in ("", one.purpose_id)
    ]
    await context.consent_ledger.forget(subject_key, gone)
    return len(gone)


def withdrawal_event(
    subject_key: str, purpose_id: str, *, at: datetime, noted_at: datetime, channel: Channel
) -> ConsentEvent:
    """Return the event of an end, named after its moment."""
    return ConsentEvent(
        event_id=f"withdrawn-{purpose_id or 'all'}-{int(at.timestamp() * 1_000_000)}",
        subject_key=subject_key,
        purpose_id=purpose_id,
        kind=EventKind.WITHDRAWN,
        at=at,
        noted_at=noted_at,
        channel=channel,
    )
