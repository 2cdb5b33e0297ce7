"""Send the mail that asks somebody to confirm a sign-up, at most once, as `sending` does with letters."""

from shared.domain.errors import Conflict, Permanent, Retryable
from shared.domain.sign_ups import PendingSignUp
from shared.domain.times import after
from shared.ports.notifier import NOT_ACCEPTED, Mail
from shared.ports.pending_sign_ups import StoredSignUp
from shared.rendering.sign_up_mail import render
from shared.services.context import Context
from shared.services.newsletter_links import confirm_link


async def send(context: Context, sign_up_id: str) -> None:
    """Send the mail of one sign-up. One that went out, or is no longer due, is not sent again.

    Raises:
        Retryable: the outcome is not known; let the queue deliver again, to find out.
        Conflict: somebody else is at it; let the queue deliver again.
    """
    stored = await context.pending_sign_ups.read(sign_up_id)
    now = context.clock.now()
    if stored is None or not _is_due(stored.sign_up) or now > stored.sign_up.ends_at:
        return
    claimed_at = stored.sign_up.claimed_at
    if claimed_at is not None:
        if await context.notifier.was_sent(_mail_id(stored.sign_up)):
            await _save(context, stored, sent_at=now, wake_at=stored.sign_up.ends_at)
            return
        if now < after(claimed_at, seconds=context.limits.letter_settle_seconds):
            return
    if stored.sign_up.attempts >= context.limits.letter_attempts:
        await _give_up(context, stored, "sign_up_mail_unconfirmed")
        return
    stored = await _claim(context, stored)
    try:
        await context.notifier.send(_mail(context, stored.sign_up))
    except Permanent as error:
        await _give_up(context, stored, error.code)
        return
    except Retryable as error:
        if error.code != NOT_ACCEPTED:
            raise
        wait = max(error.retry_after_seconds or 0, context.limits.wake_seconds)
        wake_at = after(context.clock.now(), seconds=wait)
        await _save(context, stored, claimed_at=None, attempts=stored.sign_up.attempts - 1, wake_at=wake_at)
        return
    await _save(context, stored, sent_at=context.clock.now(), wake_at=stored.sign_up.ends_at)


async def poisoned(context: Context, sign_up_id: str) -> None:
    """Tell operators that a mail could not be sent; the sign-up runs out by itself."""
    stored = await context.pending_sign_ups.read(sign_up_id)
    if stored is not None and _is_due(stored.sign_up):
        await _give_up(context, stored, "newsletter_mail_poisoned")


def _is_due(sign_up: PendingSignUp) -> bool:
    return sign_up.sent_at is None and sign_up.confirmed_at is None


def _mail_id(sign_up: PendingSignUp) -> str:
    return f"{sign_up.sign_up_id}-sign-up"


def _mail(context: Context, sign_up: PendingSignUp) -> Mail:
    titles = [
        context.datamap.purpose(one)[1].title.in_language(sign_up.language) for one in sign_up.purpose_ids
    ]
    rendered = render(
        language=sign_up.language,
        titles=titles,
        link=confirm_link(context, sign_up),
        ends_at=sign_up.ends_at,
        contacts=context.contacts,
    )
    return Mail(
        mail_id=_mail_id(sign_up),
        to=sign_up.email,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        language=sign_up.language,
    )


async def _claim(context: Context, stored: StoredSignUp) -> StoredSignUp:
    now = context.clock.now()
    claimed = await _save(
        context,
        stored,
        claimed_at=now,
        attempts=stored.sign_up.attempts + 1,
        wake_at=after(now, seconds=context.limits.letter_settle_seconds),
    )
    if context.clock.now() >= after(now, seconds=context.limits.lease_seconds):
        raise Retryable("letter_claim_late")
    return claimed


async def _save(context: Context, stored: StoredSignUp, **changes: object) -> StoredSignUp:
    sign_up = stored.sign_up.model_copy(update=changes)
    return await context.pending_sign_ups.write(StoredSignUp(sign_up=sign_up, etag=stored.etag))


async def _give_up(context: Context, stored: StoredSignUp, code: str) -> None:
    """Try no more, and tell an operator. A confirmation that comes after all still counts."""
    await context.operators.alarm(code, details="newsletter sign-up")
    try:
        await _save(context, stored, wake_at=stored.sign_up.ends_at, sent_at=context.clock.now())
    except Conflict:
        return  # confirmed meanwhile
