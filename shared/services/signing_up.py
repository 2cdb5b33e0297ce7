"""Sign up for newsletters by a form: nothing counts before the address' owner pressed a button.

Everybody gets the same answer and the same mail, subscribed or not, known or not.
Source: GDPR articles 4(11), 7(1); policy 2.3.1, 2.4.1, 4.8; Danish Marketing Practices Act § 10.
"""

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Literal

from shared.domain.consent_ledger import Evidence
from shared.domain.errors import CannotTell, Conflict, Invalid, NotAllowed, Permanent
from shared.domain.identifiers import parse_email
from shared.domain.messages import SendSignUpMail
from shared.domain.sign_ups import PendingSignUp
from shared.domain.times import after
from shared.ports.pending_sign_ups import StoredSignUp
from shared.services import intake, newsletter_links
from shared.services.conflicts import settled
from shared.services.context import Context
from shared.services.joining import Joining, join, known_marketing, marketing_choices

SOURCE = "form"


@dataclass(frozen=True, kw_only=True)
class SignUpForm:
    """What a form sends. `client`: the caller's network address, which is counted and never kept.

    The box was empty before it was ticked; the door refuses any other.
    """

    email: str
    purpose_ids: tuple[str, ...]
    language: Literal["en", "da"]
    policy_version: str
    wording_version: str
    wording_sha256: str
    client: str
    form_version: str = ""
    name: str = ""


async def ask(context: Context, form: SignUpForm) -> None:
    """Keep a sign-up and have a mail sent that asks to confirm it.

    Sending the form again is another sign-up with a mail of its own; confirming both is one consent.

    Raises:
        Invalid: `email_invalid`, `purpose_unknown` or `policy_version_unknown`; correct it.
        NotAllowed: `too_many_requests`: too many from this client or for this address in the last hour.
    """
    email = parse_email(form.email)
    if not known_marketing(context, form.purpose_ids):
        raise Invalid("purpose_unknown", marketing_choices(context), field="purposes")
    if all(one.number != form.policy_version for one in context.datamap.policy.versions):
        raise Invalid("policy_version_unknown", "the data map has no such version", field="policy_version")
    await intake.count_client(context, form.client, "newsletter-")
    await intake.count_mailbox(context, email, "newsletter-")
    now = context.clock.now()
    pending = PendingSignUp(
        sign_up_id=secrets.token_hex(16),
        email=email,
        name=" ".join(form.name.split()),
        purpose_ids=tuple(dict.fromkeys(form.purpose_ids)),
        language=form.language,
        evidence=Evidence(
            policy_version=form.policy_version,
            wording_version=form.wording_version,
            wording_sha256=form.wording_sha256,
            form_version=form.form_version,
            box_before="empty",
            asked_at=now,
        ),
        asked_at=now,
        ends_at=after(now, days=context.limits.verification_days),
        wake_at=after(now, seconds=context.limits.wake_seconds),
    )
    await context.pending_sign_ups.write(StoredSignUp(sign_up=pending, etag=None))
    await context.queue.send([SendSignUpMail(sign_up_id=pending.sign_up_id)])


async def confirm(context: Context, sign_up_id: str, token: object) -> None:
    """Let a sign-up count, from the moment of its first confirmation. A second call changes nothing.

    Whoever left between the two stays out: the first confirmation is then the older word.

    Raises:
        NotAllowed: `token_invalid`, or `token_expired`: sign up again.
        Conflict, Retryable: press the button again.
    """
    newsletter_links.check(context, sign_up_id, token, purpose=newsletter_links.CONFIRM)
    await settled(lambda: _confirm(context, sign_up_id))


async def pending(context: Context, sign_up_id: str, token: object) -> tuple[str, ...]:
    """Return the purposes of a sign-up by its link, for the page with the button. Raises as `confirm`."""
    newsletter_links.check(context, sign_up_id, token, purpose=newsletter_links.CONFIRM)
    stored = await context.pending_sign_ups.read(sign_up_id)
    if stored is None:
        raise NotAllowed("token_expired")
    return stored.sign_up.purpose_ids


async def _confirm(context: Context, sign_up_id: str) -> None:
    stored = await context.pending_sign_ups.read(sign_up_id)
    if stored is None:
        raise NotAllowed("token_expired")
    now = context.clock.now()
    if stored.sign_up.confirmed_at is None:
        confirmed = stored.sign_up.model_copy(
            update={"confirmed_at": now, "wake_at": after(now, seconds=context.limits.wake_seconds)}
        )
        stored = await context.pending_sign_ups.write(StoredSignUp(sign_up=confirmed, etag=stored.etag))
    await _take_effect(context, stored)


async def _take_effect(context: Context, stored: StoredSignUp) -> None:
    """Do what a confirmation means, then forget the address. A sweep follows whoever dies on the way."""
    found = stored.sign_up
    if found.is_done or found.confirmed_at is None:
        return
    joining = Joining(
        email=found.email,
        name=found.name,
        language=found.language,
        purpose_ids=found.purpose_ids,
        at=found.confirmed_at,
        channel="form",
        source=SOURCE,
        evidence=found.evidence.model_copy(update={"confirmed_at": found.confirmed_at}),
        event_id=f"form-{found.sign_up_id}",
    )
    await join(context, joining)
    done = found.model_copy(update={"is_done": True, "email": "", "name": "", "wake_at": found.ends_at})
    await context.pending_sign_ups.write(StoredSignUp(sign_up=done, etag=stored.etag))


async def sweep(context: Context) -> int:
    """Finish what stopped half way, and take away what nobody confirmed in time; return how many."""
    now = context.clock.now()
    due = await context.pending_sign_ups.waking(now, limit=context.limits.sweep_requests)
    for stored in due:
        found = stored.sign_up
        if found.confirmed_at is not None and not found.is_done:
            await _finish(context, found.sign_up_id)
        elif now > found.ends_at:
            await context.pending_sign_ups.remove(found.sign_up_id)
        elif found.sent_at is None and not found.is_done:
            await context.queue.send([SendSignUpMail(sign_up_id=found.sign_up_id)])
    return len(due)


async def _finish(context: Context, sign_up_id: str) -> None:
    """Let one sign-up take effect, alone: what is wrong with it stops no other."""
    try:
        await settled(partial(_confirm, context, sign_up_id))
    except (Conflict, NotAllowed):
        return  # somebody else is at it, or it went meanwhile
    except (Permanent, CannotTell, Invalid) as error:
        await context.operators.alarm(error.code, details="newsletter_sign_up")
