"""Send the letters saved with a request, each at most once; the one that answers also closes it.

A mail service knows no key that makes a second send harmless. So a claim is saved before the mail goes out,
and whoever finds the claim of somebody who did not come back looks among the mails that were sent. Found at
any time means sent. Not found means not sent only after the claim has settled.
"""

from dataclasses import replace

from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.errors import NotAllowed, NotFound, Permanent, Retryable
from shared.domain.messages import SendLetter
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.ports.notifier import NOT_ACCEPTED, Mail
from shared.rendering.letter_facts import TO_THE_SUBJECT
from shared.rendering.letters import LetterKind, render_letter
from shared.services.asking import lapse_if_late, letter_left
from shared.services.closing import close_answered, end_standing
from shared.services.context import Context
from shared.services.deciding import take_back_own_restriction
from shared.services.letter_facts import letter_facts
from shared.services.lifting import announced
from shared.services.notifying import is_settled, leave_to_staff, notice_mail, notified
from shared.services.proving import prove

_MOST_DOUBLINGS = 8
_OF_OPEN_WORK = frozenset(
    {
        *(LetterKind.VERIFY, LetterKind.DELAYED_BY_REVIEW, LetterKind.OBJECTION_RECEIVED),
        *(LetterKind.EXTENDED, LetterKind.QUESTION, LetterKind.SUBJECT_ASKED),
    }
)


async def send_letter(context: Context, request_id: str, letter_id: str) -> None:
    """Send one letter and, where it answers the request, close it. A letter that was sent stays sent.

    One that somebody else may be sending right now is left alone: the sweep comes back to it. One that the
    mail service does not take is tried again later, for as long as it takes.

    Raises:
        Conflict: somebody changed the request meanwhile; let the queue deliver again.
        Retryable: the outcome is not known; let the queue deliver again, to find out.
        Permanent: certainly not sent, such as for a contact that every answer needs and nobody configured.
    """
    case = await context.cases.load(request_id)
    letter = _waiting(case, letter_id)
    if letter is None:
        return
    if letter.is_in_doubt and await context.notifier.was_sent(_mail_id(letter)):
        await _finish(context, case, letter)
        return
    if letter.not_before is not None and context.clock.now() < letter.not_before:
        return
    if letter.attempts >= context.limits.letter_attempts:
        await _give_up(context, case, letter)
        return
    if await lapse_if_late(context, case, letter):
        return
    mail = await _mail(context, case, letter)
    if mail is None:
        await leave_to_staff(context, case, letter)
        return
    await _send(context, case, letter, mail)


async def resolve_letter(
    context: Context, request_id: str, letter_id: str, *, was_sent: bool, decided_by: str
) -> None:
    """Let a person who looked settle whether a letter in doubt was sent. A second call is refused.

    Raises:
        NotFound: `request_unknown` or `letter_unknown`.
        NotAllowed: `letter_not_in_doubt`: there is nothing to settle; `letter_under_way`: somebody may be
            sending it right now, ask again after `retry_after_seconds`.
        Conflict: somebody changed the request meanwhile; read again.
    """
    case = await context.cases.load(request_id)
    if all(one.id != letter_id for one in case.letters):
        raise NotFound("letter_unknown")
    letter = _waiting(case, letter_id)
    if letter is None or letter.claimed_at is None:
        raise NotAllowed("letter_not_in_doubt")
    now = context.clock.now()
    settled_at = after(letter.claimed_at, seconds=context.limits.letter_settle_seconds)
    if now < settled_at:
        raise NotAllowed("letter_under_way", retry_after_seconds=int((settled_at - now).total_seconds()) + 1)
    request, event = case.request.noted(
        now, "letter_resolved", letter=letter_id, was_sent=str(was_sent).lower(), decided_by=decided_by
    )
    decided = letter if was_sent else _freed(letter).with_(attempts=0)
    etags = await context.cases.commit(
        request_id,
        [
            Write(document=request, etag=case.etags[request.id]),
            Write(document=event, etag=None),
            Write(document=decided, etag=case.etags[letter.id]),
        ],
    )
    if was_sent:
        await _finish(context, replace(case, request=request, etags={**case.etags, **etags}), decided)
    else:
        await context.queue.send([SendLetter(request_id=request_id, letter_id=letter_id)])


def _waiting(case: Case, letter_id: str) -> LetterDocument | None:
    """Return the letter if it is still to be sent."""
    letter = next((one for one in case.letters if one.id == letter_id), None)
    if letter is None or letter.sent_at is not None:
        return None
    if letter.recipient_id is None and case.request.email is None:
        return None  # the request is closed, and what it knew of the person forgotten
    if is_moot(case.request, letter):
        return None
    if letter.closes and (case.request.state is not RequestState.ANSWERING or _owes_subject(case)):
        return None
    return letter


def is_moot(request: SubjectRequest, letter: LetterDocument) -> bool:
    """Whether a letter belongs to work that is answered meanwhile: it is not sent any more."""
    if letter.recipient_id is not None:
        return is_settled(request, letter)
    if letter.kind == LetterKind.SUBJECT_ASKED and Right.RECTIFICATION in request.outcomes:
        return True  # it is decided
    return request.state is RequestState.STANDING and letter.kind in _OF_OPEN_WORK


def _owes_subject(case: Case) -> bool:
    """Whether the person a customer's request is about is still to be told: closing forgets the address."""
    return any(one.kind == LetterKind.SUBJECT_TOLD and one.sent_at is None for one in case.letters)


def _mail_id(letter: LetterDocument) -> str:
    return f"{letter.request_id}-{letter.id}"


async def _mail(context: Context, case: Case, letter: LetterDocument) -> Mail | None:
    """Return the mail; None: of a notice that cannot be told by mail."""
    if letter.recipient_id is not None:
        return await notice_mail(context, case.request, letter)
    to = case.request.wishes.tell if letter.kind in TO_THE_SUBJECT else case.request.email
    if to is None:
        raise Permanent("address_missing")
    rendered = render_letter(letter_facts(context, case, letter))
    return Mail(
        mail_id=_mail_id(letter),
        to=to,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        language=case.request.language,
    )


async def _claim(context: Context, case: Case, letter: LetterDocument) -> tuple[Case, LetterDocument]:
    """Save that the letter is about to be sent, and return the case and the letter as they are then.

    The answer's claim is saved together with the request, so that nobody who read the request before stops it
    after.

    Raises:
        Retryable: `letter_claim_late`: so long after the claim that somebody else may look into it already.
    """
    now = context.clock.now()
    claimed = letter.with_(
        claimed_at=now,
        not_before=after(now, seconds=context.limits.letter_settle_seconds),
        attempts=letter.attempts + 1,
    )
    writes = [Write(document=claimed, etag=case.etags[claimed.id])]
    if claimed.closes:
        writes.append(Write(document=case.request, etag=case.etags[case.request.id]))
    etags = await context.cases.commit(letter.request_id, writes)
    if context.clock.now() >= after(now, seconds=context.limits.lease_seconds):
        raise Retryable("letter_claim_late")
    return replace(case, etags={**case.etags, **etags}), claimed


def _freed(letter: LetterDocument) -> LetterDocument:
    """Return a claimed letter that was certainly not sent."""
    return letter.with_(claimed_at=None, not_before=None, attempts=letter.attempts - 1)


async def _send(context: Context, case: Case, letter: LetterDocument, mail: Mail) -> None:
    """Claim and send; a notice that no mail can bring is left to staff."""
    case, letter = await _claim(context, case, letter)
    try:
        await context.notifier.send(mail)
    except Permanent:
        if letter.recipient_id is None:
            await _save(context, case, _freed(letter))
            raise
        await leave_to_staff(context, case, letter)
    except Retryable as error:
        if error.code != NOT_ACCEPTED:
            raise
        await _try_later(context, case, letter, error)
    else:
        await _finish(context, case, letter)


async def _save(context: Context, case: Case, letter: LetterDocument) -> None:
    await context.cases.commit(letter.request_id, [Write(document=letter, etag=case.etags[letter.id])])


async def _finish(context: Context, case: Case, letter: LetterDocument) -> None:
    """Save that the letter is out, and do what it announced: close, lift, ask, extend."""
    request = case.request
    if letter.closes:
        await prove(context, request)
        await take_back_own_restriction(context, request)
        await close_answered(context, case, letter)
        return
    writes = [Write(document=letter.with_(sent_at=context.clock.now()), etag=case.etags[letter.id])]
    changed = announced(letter_left(context, notified(context, request, letter), letter), letter)
    if changed != request:
        writes.append(Write(document=changed, etag=case.etags[request.id]))
    await context.cases.commit(request.request_id, writes)
    if letter.kind == LetterKind.RECIPIENTS_DONE:
        await end_standing(context, request.request_id)
    elif letter.kind == LetterKind.SUBJECT_TOLD:
        closing = [one.id for one in case.letters if one.closes and one.sent_at is None]
        await context.queue.send(
            [SendLetter(request_id=request.request_id, letter_id=name) for name in closing]
        )


async def _try_later(context: Context, case: Case, letter: LetterDocument, error: Retryable) -> None:
    """Wait as long as the service asked for, and longer each time; operators are told of many refusals."""
    refusals = letter.refusals + 1
    doubled = context.limits.fence_retry_seconds * 2 ** min(refusals, _MOST_DOUBLINGS)
    seconds = max(error.retry_after_seconds or 0, min(doubled, context.limits.wake_seconds))
    not_before = after(context.clock.now(), seconds=seconds)
    await _save(context, case, _freed(letter).with_(not_before=not_before, refusals=refusals))
    if refusals % context.limits.letter_attempts == 0:
        details = f"{letter.id} {error.detail}"
        await context.operators.alarm(error.code, request_id=letter.request_id, details=details)
    message = SendLetter(request_id=letter.request_id, letter_id=letter.id)
    await context.queue.send([message], delay_seconds=seconds)


async def _give_up(context: Context, case: Case, letter: LetterDocument) -> None:
    """Tell an operator that nobody knows whether the letter is out, and again each day."""
    await context.operators.alarm("letter_unconfirmed", request_id=letter.request_id, details=letter.id)
    not_before = after(context.clock.now(), seconds=context.limits.alarm_repeat_seconds)
    await _save(context, case, letter.with_(not_before=not_before))
