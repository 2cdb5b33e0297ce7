"""Tell recipients by mail what was done with data they received, each at most once, as every letter.

A recipient without a contact in the map, or that no mail can reach, is told by staff. What it did is noted
when it answers; one that does not is called to mind. Source: GDPR article 19.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from shared.datamap.models import NOT_STATED
from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.identifiers import SUBJECT_KEY
from shared.domain.outcomes import Notice
from shared.domain.recipients import Instruction, NoticeState
from shared.domain.times import copenhagen_day
from shared.ports.cases import Case, Write
from shared.ports.notifier import Mail
from shared.rendering.notices import HandedOver, NoticeFacts, render_notice
from shared.rendering.report import Disclosure
from shared.services.context import Context
from shared.services.ledger import disclosures_of, facts_of

NOTICE = "notice"
NOT_DELIVERABLE = "notice_undeliverable"


def notice_letters(request: SubjectRequest, known: Sequence[str], context: Context) -> list[LetterDocument]:
    """Return the mails of notices that have none yet; `known` are the ids of the letters there are."""
    return [
        LetterDocument(
            id=one.letter_id,
            request_id=request.request_id,
            kind=NOTICE,
            recipient_id=one.recipient_id,
            created_at=context.clock.now(),
        )
        for one in request.notices
        if one.letter_id is not None and one.state is NoticeState.DUE and one.letter_id not in known
    ]


def is_settled(request: SubjectRequest, letter: LetterDocument) -> bool:
    """Whether a notice needs no mail any more: staff told the recipient, or will."""
    return _of(request, letter) is None


async def notice_mail(context: Context, request: SubjectRequest, letter: LetterDocument) -> Mail | None:
    """Return the mail of a notice; None: the recipient has no contact any more, or nothing it knows it by.

    It needs nothing that a closed request has forgotten: the ledger is read by pseudonym.
    """
    notice = _of(request, letter)
    recipient = next((one for one in context.datamap.recipients if one.id == letter.recipient_id), None)
    if notice is None or recipient is None or recipient.contact == NOT_STATED:
        return None
    rows = await disclosures_of(context, {SUBJECT_KEY: request.subject_keys})
    theirs = [row for row in rows if row.recipient_id == recipient.id]
    language = recipient.contact_language
    handed_over = tuple(
        HandedOver(
            sent_on=copenhagen_day(row.disclosed_at),
            reference=row.reference or "",
            fields=tuple(_title(context, row.purpose, path, language) for path in row.fields),
        )
        for row in theirs
    )
    if not handed_over:
        return None
    corrected = frozenset(
        request.outcomes[notice.right].facts if notice.instruction is Instruction.CORRECT else ()
    )
    rendered = render_notice(
        NoticeFacts(
            language=language,
            request_id=request.request_id,
            instruction=notice.instruction,
            contacts=context.contacts,
            handed_over=handed_over,
            facts=_corrected(context, theirs, corrected, language),
            confirm_by=_confirm_by(context, context.clock.now()),
        )
    )
    return Mail(
        mail_id=f"{letter.request_id}-{letter.id}",
        to=recipient.contact,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        language=language,
    )


def notified(context: Context, request: SubjectRequest, letter: LetterDocument) -> SubjectRequest:
    """Return the request after a notice left: it left when its letter was claimed."""
    left_at = letter.claimed_at or context.clock.now()
    found = _of(request, letter)
    if found is None:
        return request
    told = found.model_copy(
        update={
            "state": NoticeState.NOTIFIED,
            "at": left_at,
            "asked_at": left_at,
            "chase_on": _confirm_by(context, left_at),
        }
    )
    return request.with_(notices=tuple(told if one == found else one for one in request.notices))


async def leave_to_staff(context: Context, case: Case, letter: LetterDocument) -> None:
    """Take back the mail of a notice that nobody can send: staff tell the recipient.

    Raises:
        Conflict: somebody changed the request meanwhile; let the queue deliver again.
    """
    by_hand = tuple(
        one.model_copy(update={"letter_id": None, "why": NOT_DELIVERABLE})
        if one.letter_id == letter.id
        else one
        for one in case.request.notices
    )
    left, event = case.request.with_(notices=by_hand).noted(
        context.clock.now(), NOT_DELIVERABLE, recipient=letter.recipient_id or ""
    )
    await context.cases.commit(
        left.request_id,
        [Write(document=left, etag=case.etags[left.id]), Write(document=event, etag=None)],
        deletes=[letter.id],
    )
    await context.operators.alarm(
        NOT_DELIVERABLE, request_id=left.request_id, details=letter.recipient_id or ""
    )


def _of(request: SubjectRequest, letter: LetterDocument) -> Notice | None:
    """Return the notice that a mail is for while it is due."""
    return next(
        (
            one
            for one in request.notices
            if one.letter_id == letter.id and one.state is NoticeState.DUE and letter.recipient_id
        ),
        None,
    )


def _confirm_by(context: Context, moment: datetime) -> date:
    return copenhagen_day(moment) + timedelta(days=context.limits.confirm_days)


def _corrected(
    context: Context, rows: Sequence[Disclosure], facts: frozenset[str], language: str
) -> tuple[str, ...]:
    """Return what is called what was corrected, of the fields that this recipient got."""
    return tuple(
        dict.fromkeys(
            _title(context, row.purpose, path, language)
            for row in rows
            for path, fact in facts_of(context, row).items()
            if fact in facts
        )
    )


def _title(context: Context, purpose_id: str, path: str, language: str) -> str:
    """Return what a field is called; the path itself where the map has no such field any more."""
    try:
        activity, _ = context.datamap.purpose(purpose_id)
    except KeyError:
        return path
    fields = (field for store in activity.stores for field in store.fields)
    return next((one.title.in_language(language) for one in fields if one.path == path), path)
