"""Compare the newsletter processor's lists with our ledger, both ways, and repair what a lost webhook left.

What came to a state there since the last complete run is looked at daily, everything weekly, and then also
whoever should be there and is not. Whatever differs goes the way an event would have gone, so nothing is
decided here. A run goes on page by page, a page is done whole before its place is saved, and doing it twice
changes nothing. Source: policy 3.2, 4.8, 5.2; https://www.campaignmonitor.com/api/v3-3/lists/.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any

from shared.domain.consent import last_end
from shared.domain.errors import Conflict, Invalid, NotFound, Permanent, Retryable
from shared.domain.identifiers import EMAIL, parse_email
from shared.domain.messages import Reconcile
from shared.domain.newsletter_changes import Leaving
from shared.domain.newsletter_leavings import latest
from shared.domain.newsletters import ACTIVE, MailingList, Verdict, compare, has_left
from shared.domain.reconciliations import (
    MOST_KEYS,
    Failure,
    Reconciliation,
    Step,
    next_extent,
    steps_of,
)
from shared.domain.times import after, copenhagen_day
from shared.domain.webhook_bodies import DEACTIVATE, SUBSCRIBE, ProcessorEvent
from shared.ports.newsletters import UNREADABLE, ListEntry, StateList
from shared.ports.reconciliations import StoredRun
from shared.services import consent_ledger, newsletter_changes, newsletter_looks, sign_ups
from shared.services.context import Context
from shared.services.ending import end_here
from shared.services.newsletter_events import remember_no, settle
from shared.telemetry import NEWSLETTER_DIVERGING, NEWSLETTER_RECONCILED, NEWSLETTER_REPAIRED

_RECENT_RUNS = 35
_SIGN_UPS_AT_ONCE = 100  # each may cost a call
_EMAIL_INVALID = "email_invalid"
_LIST_UNKNOWN = "list_unknown"
_QUIET = frozenset({Verdict.AGREES, Verdict.UNREACHABLE})
"""Mail that bounces is no difference: the consent stands, and so does what the mail server said."""

_IN_ORDER = frozenset({*_QUIET, _LIST_UNKNOWN})
_REPAIRED = frozenset({Verdict.LEFT_THERE, Verdict.JOINED_THERE, Verdict.STOP_THERE, Verdict.ADD_THERE})

_Looked = tuple[str, str]  # what came of an address, and its pseudonym where both sides differed


async def begin(context: Context) -> str | None:
    """Begin the run of today, or send word again of one that stopped; return its name, None: nothing to do.

    A second call on the same day begins nothing. One that is not over is gone on with before another begins.

    Raises:
        Retryable: a store did not answer; the next tick begins it.
    """
    now, today = context.clock.now(), copenhagen_day(context.clock.now())
    runs = await context.reconciliations.latest(limit=_RECENT_RUNS)
    for stored in runs:
        if not stored.run.is_over:
            if stored.run.wake_at <= now:
                await context.queue.send([Reconcile(run_id=stored.run.run_id)])
            return stored.run.run_id
    if any(stored.run.run_id == today.isoformat() for stored in runs):
        return None
    lists = [one.list_id for one in context.newsletters.lists]
    if not lists:
        return None
    extent, since = next_extent((stored.run for stored in runs), today)
    run = Reconciliation(
        run_id=today.isoformat(),
        extent=extent,
        since=since,
        steps=steps_of(lists, extent),
        started_at=now,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    )
    try:
        await context.reconciliations.write(StoredRun(run=run, etag=None))
    except Conflict:
        return run.run_id  # another tick was first
    await context.queue.send([Reconcile(run_id=run.run_id)])
    return run.run_id


async def proceed(context: Context, run_id: str) -> None:
    """Go on with a run, as far as one message may, and send word of the rest. A run that is over stays so.

    While the processor does not answer, the run waits, longer each time, and is given up in the end. A
    listing that is refused is left out. Both is told to an operator, and the next run looks as far back.

    Raises:
        NotFound: `reconciliation_unknown`.
        Retryable: a store of ours did not answer; let the queue deliver again.
    """
    stored = await context.reconciliations.read(run_id)
    if stored is None:
        raise NotFound("reconciliation_unknown")
    began = time.monotonic()
    try:
        while not stored.run.is_over:
            if time.monotonic() - began > context.limits.message_seconds:
                await context.queue.send([Reconcile(run_id=run_id)])
                return
            run = await _next(context, stored.run)
            stored = StoredRun(run=run, etag=await context.reconciliations.write(_with(stored, run)))
            if run.attempts:
                return  # the timer goes on
    except Conflict:
        return  # another worker is at it
    await _tell(context, stored.run)


async def poisoned(context: Context, run_id: str) -> None:
    """Give up the listing that a message failed at for good; the timer goes on with the next one."""
    stored = await context.reconciliations.read(run_id)
    if stored is None or stored.run.is_over:
        return
    run = _given_up(stored.run, "reconciliation_poisoned").model_copy(
        update={"wake_at": context.clock.now(), "attempts": 0}
    )
    await context.reconciliations.write(_with(stored, run))
    await context.operators.alarm("reconciliation_poisoned", details=run_id)


async def _next(context: Context, run: Reconciliation) -> Reconciliation:
    """Do one page, and return the run behind it."""
    now = context.clock.now()
    try:
        done = await _page(context, run) if run.steps else run
    except Retryable as error:
        if run.attempts >= context.limits.newsletter_attempts:
            return _ended(_given_up(run, error.code, all_of_them=True), now)
        wait = context.limits.wake_seconds * 2 ** min(run.attempts, 4)
        return run.model_copy(update={"attempts": run.attempts + 1, "wake_at": after(now, seconds=wait)})
    except Permanent as error:
        done = _given_up(run, error.code)
    on_it = done.model_copy(
        update={"attempts": 0, "wake_at": after(now, seconds=context.limits.wake_seconds)}
    )
    return on_it if on_it.steps else _ended(on_it, now)


def _ended(run: Reconciliation, now: datetime) -> Reconciliation:
    return run.model_copy(update={"ended_at": now, "attempts": 0})


def _given_up(run: Reconciliation, code: str, *, all_of_them: bool = False) -> Reconciliation:
    """Return the run without the listing at hand, or all that are left, which it could not go through."""
    number = len(run.steps) if all_of_them else 1
    failures = tuple(Failure(step=one, code=code) for one in run.steps[:number])
    return run.model_copy(
        update={"failures": (*run.failures, *failures), "steps": run.steps[number:], "cursor": None}
    )


async def _page(context: Context, run: Reconciliation) -> Reconciliation:
    step = run.steps[0]
    if step.what == "sign_ups":
        if run.failures:  # somebody who left may not be known, and must not be added there again
            raise Permanent("reconciliation_incomplete")
        looked, cursor = await _sign_ups(context, run.cursor)
    else:
        looked, cursor = await _listing(context, run, step.list_id, step.what)
    counts = Counter(run.counts)
    outcomes = [outcome for outcome, _ in looked]
    counts.update(outcomes)
    repaired = sum(one in _REPAIRED for one in outcomes)
    found = [key for _, key in looked if key]
    return run.model_copy(
        update={
            "counts": dict(counts),
            "repaired": run.repaired + repaired,
            "diverging": run.diverging + sum(one not in _IN_ORDER for one in outcomes) - repaired,
            "subject_keys": tuple(dict.fromkeys((*run.subject_keys, *found)))[:MOST_KEYS],
            "cursor": cursor,
            "steps": run.steps if cursor is not None else run.steps[1:],
        }
    )


async def _listing(
    context: Context, run: Reconciliation, list_id: str, state: StateList
) -> tuple[list[_Looked], str | None]:
    mailing_list = context.newsletters.lists.find(list_id)
    if mailing_list is None:
        raise Permanent("newsletter_list_unknown", list_id)
    page = await context.newsletters.page(list_id, state, since=run.since, page=int(run.cursor or 1))
    looked = [await _look(context, mailing_list, entry) for entry in page.entries]
    return looked, None if page.next_page is None else str(page.next_page)


async def _look(context: Context, mailing_list: MailingList, entry: ListEntry) -> _Looked:
    """Compare one address that the processor lists, alone: what is wrong with it stops no other."""
    try:
        email = parse_email(entry.email)
    except Invalid:
        return _EMAIL_INVALID, ""
    return await _alone(context, email, _compared(context, mailing_list, entry, email))


async def _compared(context: Context, mailing_list: MailingList, entry: ListEntry, email: str) -> _Looked:
    """Compare one address. Where the page agrees nothing is asked there."""
    is_wanted = await newsletter_looks.wanted(context, email, mailing_list)
    seen = compare(
        entry.state,
        wanted=is_wanted is True,
        changing=is_wanted is None,
        joined_there=False,
        known_before=True,
    )
    if seen in _QUIET:
        if is_wanted is False and has_left(entry.state):
            at = latest(entry.changed, mailing_list.time_zone, context.clock.now())
            await remember_no(
                context, mailing_list, email, at=at, channel="reconciliation", changed=entry.changed
            )
        return seen, ""
    kind = SUBSCRIBE if entry.state == ACTIVE else DEACTIVATE
    return await _settle(context, mailing_list, ProcessorEvent(type=kind, email=email, name=entry.name))


async def _settle(context: Context, mailing_list: MailingList, event: ProcessorEvent) -> _Looked:
    now = context.clock.now()
    verdict = await settle(context, mailing_list, event, told_at=now, channel="reconciliation")
    return verdict, "" if verdict in _QUIET else context.keys.subject_key(EMAIL, event.email)


async def _sign_ups(context: Context, cursor: str | None) -> tuple[list[_Looked], str | None]:
    """Look for sign-ups whose person should be in a list and is not, after all who left it are known."""
    page = await sign_ups.walk(context, cursor=cursor, limit=_SIGN_UPS_AT_ONCE)
    looked = [await _look_for(context, one.body) for one in page.documents if sign_ups.is_open(one.body)]
    return looked, page.cursor


async def _look_for(context: Context, body: Mapping[str, Any]) -> _Looked:
    mailing_list = context.newsletters.lists.find(str(body.get("list_id", "")))
    if mailing_list is None:
        return _LIST_UNKNOWN, ""
    try:
        email = parse_email(str(body.get("email", "")))
    except Invalid:
        return _EMAIL_INVALID, ""
    name = str(body.get("name", ""))
    return await _alone(context, email, _missing(context, mailing_list, email, name=name))


async def _alone(context: Context, email: str, looking: Awaitable[_Looked]) -> _Looked:
    """Return what came of one address; what is wrong with it is what came of it."""
    try:
        return await looking
    except (Permanent, Invalid, Retryable) as error:
        if isinstance(error, Retryable) and error.code != UNREADABLE:
            raise
        return error.code, context.keys.subject_key(EMAIL, email)


async def _missing(context: Context, mailing_list: MailingList, email: str, *, name: str) -> _Looked:
    """Ask for an address to be added that consented, and that the list does not have."""
    key = context.keys.subject_key(EMAIL, email)
    is_wanted = await newsletter_looks.wanted(context, email, mailing_list)
    if is_wanted is False:  # an open sign-up without a consent: the ledger may know one that never counted
        await consent_ledger.count_in(context, key)
        is_wanted = await newsletter_looks.wanted(context, email, mailing_list)
        if is_wanted is False:
            await _end_again(context, key, mailing_list, email)
    if is_wanted is not True:
        return Verdict.AGREES, ""
    if await context.newsletter_changes.read(key, mailing_list.list_id) is not None:
        return Verdict.AGREES, ""  # a change is on its way there
    entry = await context.newsletters.entry(mailing_list.list_id, email)
    if entry is None:
        await newsletter_changes.ask_for(context, email, [mailing_list.list_id], name=name)
        return Verdict.ADD_THERE, key
    seen = compare(entry.state, wanted=True, changing=False, joined_there=False, known_before=True)
    if seen in _QUIET:
        return seen, ""
    return await _settle(context, mailing_list, ProcessorEvent(type=DEACTIVATE, email=email))


async def _end_again(context: Context, key: str, mailing_list: MailingList, email: str) -> None:
    """Finish the end of an open sign-up that somebody who died left half done."""
    (stored,) = await context.controls.read((key,))
    for purpose_id in mailing_list.purpose_ids:
        ended_at = last_end(stored.controls, purpose_id)
        if ended_at is not None:
            left = Leaving(purpose_ids=(purpose_id,), at=ended_at, channel="reconciliation")
            await end_here(context, email, left)


async def _tell(context: Context, run: Reconciliation) -> None:
    for code, one in {one.code: one for one in reversed(run.failures)}.items():  # the first of each code
        await context.operators.alarm("reconciliation_failed", details=f"{_named(one.step)} {code}")
    record = context.operators.measure
    record(NEWSLETTER_RECONCILED, 1)
    record(NEWSLETTER_REPAIRED, run.repaired)
    record(NEWSLETTER_DIVERGING, run.diverging)
    if run.diverging:
        await context.operators.alarm("newsletter_diverging", details=str(run.diverging))


def _named(step: Step) -> str:
    return f"{step.what} {step.list_id}".strip()


def _with(stored: StoredRun, run: Reconciliation) -> StoredRun:
    return stored.model_copy(update={"run": run})
