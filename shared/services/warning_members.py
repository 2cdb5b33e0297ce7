"""Tell members, some days before, that their membership ends by time and how to keep it.

A service mail without marketing, at most once a clock, and at most once a suspension. Nobody is told whose
data a hold or a restriction keeps. The controller decides whether and how long before: without that number
nobody is told. Source: policy 5.4.
"""

from datetime import date, timedelta

from shared.datamap.falling_due import erase_day_of_record
from shared.datamap.families import Family
from shared.datamap.models import DocumentStore, Trigger
from shared.datamap.treatment import value_at
from shared.domain.errors import Conflict, Invalid, Permanent, Retryable
from shared.domain.identifiers import EMAIL, SUBJECT_KEY, parse_email
from shared.domain.membership_warnings import MembershipWarning
from shared.domain.retention_runs import bound, bound_by
from shared.domain.times import after, copenhagen_day
from shared.ports.documents import DueSearch, StoredDocument
from shared.ports.membership_warnings import StoredWarning
from shared.ports.notifier import NOT_ACCEPTED, Mail
from shared.rendering.warnings import render_membership_warning
from shared.services.context import Context
from shared.services.progress import Budget
from shared.services.resolving import resolve
from shared.services.retention_cases import people_of

_PAGE_RECORDS = 100


async def warn_members(context: Context) -> int:
    """Send the letters that are due, and return how many went out. A second call sends none of them again.

    What does not fit into one call is for the next.
    """
    days = context.limits.membership_warning_days
    if not days:
        return 0
    try:
        context.contacts.require_complete()
    except Permanent as error:
        await context.operators.alarm(error.code, details="membership_warnings")
        return 0
    today = copenhagen_day(context.clock.now())
    budget = Budget(context)
    sent = 0
    for family in context.datamap.families:
        for rule in family.rules:
            for trigger in rule.triggers if rule.warns and rule.period else ():
                for path in (*trigger.paths, *trigger.otherwise):
                    wanted = DueSearch(
                        path=path,
                        since=min(bound(today, one.period) for one in rule.terms if one.period),
                        until=bound_by(rule.terms, today + timedelta(days=days)),
                        without=trigger.paths if path in trigger.otherwise else (),
                    )
                    sent += await _search(context, family, trigger, wanted, budget)
    return sent


async def _search(
    context: Context, family: Family, trigger: Trigger, wanted: DueSearch, budget: Budget
) -> int:
    _, store = context.datamap.store(trigger.store)
    if not isinstance(store, DocumentStore):
        raise Permanent("walk_not_documents", store.id)
    sent = 0
    cursor: str | None = None
    while not budget.is_spent:
        page = await context.documents.search(store, wanted, cursor=cursor, limit=_PAGE_RECORDS)
        budget.spend(len(page.documents))
        for document in page.documents:
            sent += await _member(context, family, store, document)
        cursor = page.cursor
        if cursor is None:
            break
    return sent


async def _member(context: Context, family: Family, store: DocumentStore, found: StoredDocument) -> bool:
    """Warn one member if the record says so by itself; whether a letter went out.

    It is read again first: while the letters before it went out, the member may have left or logged in.
    """
    if _erase_on_soon(context, family, store, found) is None:
        return False
    document = await context.documents.get(store, found.partition, found.document_id)
    erase_on = None if document is None else _erase_on_soon(context, family, store, document)
    if document is None or erase_on is None:
        return False
    today = copenhagen_day(context.clock.now())
    path = next((one.path for one in store.matches if one.identifier == EMAIL), None)
    try:
        to = parse_email(value_at(document.body, path) if path else None)
    except Invalid:
        await context.operators.alarm("membership_warning_without_address", details=store.id)
        return False
    for identifiers in people_of(context.datamap, store, document.body):
        resolved = await resolve(context, identifiers)
        if resolved.problem is not None:
            return False
        controls = [one.controls for one in await context.controls.read(resolved.identifiers[SUBJECT_KEY])]
        if any(
            one.restricts(family.activity_id) or any(hold.covers(family.activity_id) for hold in one.holds)
            for one in controls
        ):
            return False
    suspended = [rule for rule in family.rules if any(one.ended_by for one in rule.triggers)]
    suspension_on = erase_day_of_record(
        Family(activity_id=family.activity_id, rules=tuple(suspended), takes=family.takes),
        store,
        document.body,
        today=today,
    )
    clock = f"at {erase_on}" if suspension_on is None else f"suspended {suspension_on}"
    return await _send(
        context,
        MembershipWarning(
            subject_key=context.keys.subject_key(EMAIL, to),
            warning_id=context.keys.sign("membership_warning", store.id, document.document_id, clock)[:32],
            erase_on=erase_on,
        ),
        to,
        suspended=suspension_on == erase_on,
    )


def _erase_on_soon(
    context: Context, family: Family, store: DocumentStore, document: StoredDocument
) -> date | None:
    """Return the day from which a membership goes, if it is so near that the member is told."""
    today = copenhagen_day(context.clock.now())
    last = today + timedelta(days=context.limits.membership_warning_days)
    erase_on = erase_day_of_record(family, store, document.body, today=today)
    return erase_on if erase_on is not None and today < erase_on <= last else None


async def _send(context: Context, new: MembershipWarning, to: str, *, suspended: bool) -> bool:
    """Send one letter under a claim; whether this call knows that it is out, and no call before did."""
    now = context.clock.now()
    stored = await context.membership_warnings.read(new.subject_key, new.warning_id)
    warning = new if stored is None else stored.warning
    etag = None if stored is None else stored.etag
    mail_id = f"warning-{warning.warning_id}"
    if warning.sent_at is not None:
        return False
    try:
        if warning.claimed_at is not None and await context.notifier.was_sent(mail_id):
            await _write(context, warning, etag, sent_at=now)
            return True
        if warning.not_before is not None and now < warning.not_before:
            return False
        if warning.attempts >= context.limits.letter_attempts:
            await context.operators.alarm("membership_warning_unconfirmed")
            later = after(now, seconds=context.limits.alarm_repeat_seconds)
            await _write(context, warning, etag, not_before=later)
            return False
        settled_at = after(now, seconds=context.limits.letter_settle_seconds)
        claim = {"claimed_at": now, "not_before": settled_at, "attempts": warning.attempts + 1}
        warning, etag = await _write(context, warning, etag, **claim)
        if context.clock.now() >= after(now, seconds=context.limits.lease_seconds):
            return False  # somebody else may look into the claim already
        letter = render_membership_warning(warning.erase_on, context.contacts, suspended=suspended)
        await _mail(
            context,
            warning,
            etag,
            Mail(
                mail_id=mail_id,
                to=to,
                subject=letter.subject,
                text=letter.text,
                html=letter.html,
                language="da",
            ),
        )
    except Conflict:
        return False  # another worker is at it
    except (Permanent, Retryable) as error:  # one letter's trouble is not the others'
        await context.operators.alarm("membership_warning_not_sent", details=error.code)
        return False
    return True


async def _mail(context: Context, warning: MembershipWarning, etag: str | None, mail: Mail) -> None:
    """Send a claimed letter and save that it is out; one that was certainly not sent is freed."""
    try:
        await context.notifier.send(mail)
    except (Permanent, Retryable) as error:
        if isinstance(error, Permanent) or error.code == NOT_ACCEPTED:
            attempts = warning.attempts - 1
            later = after(context.clock.now(), seconds=context.limits.wake_seconds)
            await _write(context, warning, etag, claimed_at=None, not_before=later, attempts=attempts)
        raise
    await _write(context, warning, etag, sent_at=context.clock.now())


async def _write(
    context: Context, warning: MembershipWarning, etag: str | None, **changes: object
) -> tuple[MembershipWarning, str]:
    changed = warning.model_copy(update=changes)
    return changed, await context.membership_warnings.write(StoredWarning(warning=changed, etag=etag))
