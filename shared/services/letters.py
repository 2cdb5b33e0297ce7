"""Send the letters saved with a request; the one that answers also closes it."""

from datetime import datetime

from shared.datamap.ownership import is_register
from shared.domain import tokens
from shared.domain.cases import KeptRecords, LetterDocument, Outcome, RequestState, SubjectRequest
from shared.domain.times import after, copenhagen_day
from shared.ports.cases import Case, Write
from shared.ports.notifier import Mail
from shared.rendering.letters import KeptPart, LetterFacts, LetterKind, render_letter
from shared.services.closing import close_answered
from shared.services.context import Context
from shared.services.proving import prove

VERIFY, CANCEL, PACKAGE = "verify", "cancel", "package"
_CANCEL_DAYS = 60  # longer than any request stays open


async def send_letter(context: Context, request_id: str, letter_id: str) -> None:
    """Send one letter and, where it answers the request, close it. A letter that was sent stays sent.

    Raises:
        Retryable: the mail was not accepted; let the queue deliver again.
        Permanent: a contact that every answer needs is not configured.
    """
    case = await context.cases.load(request_id)
    letter = next((one for one in case.letters if one.id == letter_id), None)
    if letter is None or letter.sent_at is not None or case.request.email is None:
        return
    if letter.closes and case.request.state is not RequestState.ANSWERING:
        return
    rendered = render_letter(letter_facts(context, case, letter))
    await context.notifier.send(
        Mail(
            mail_id=f"{request_id}-{letter.id}",
            to=case.request.email,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            language=case.request.language,
        )
    )
    if letter.closes:
        await prove(context, case.request)
        await close_answered(context, case, letter)
        return
    sent = letter.with_(sent_at=context.clock.now())
    await context.cases.commit(request_id, [Write(document=sent, etag=case.etags[sent.id])])


def letter_facts(context: Context, case: Case, letter: LetterDocument) -> LetterFacts:
    """Return what a letter says, from the request as it stands."""
    request = case.request
    outcome = request.outcomes.get(request.right)
    expires_at = verification_ends(context, request)
    package_day = copenhagen_day(request.package.expires_at) if request.package else None
    return LetterFacts(
        kind=LetterKind(letter.kind),
        language=request.language,
        request_id=request.request_id,
        received_on=copenhagen_day(request.received_at),
        due_on=request.due_on,
        rights=request.rights,
        contacts=context.contacts,
        links=links(context, request),
        link_expires_at=expires_at,
        package_expires_on=package_day,
        erased=_erased(context, request, outcome),
        kept=tuple(
            _kept(context, request, one)
            for one in (outcome.kept if outcome else ())
            # what the register keeps of the request, each letter says in words of its own
            if not is_register(context.datamap, one.store_id)
        ),
        backups=context.datamap.policy.backups,
        recipients=_recipients(context, outcome),
    )


def verification_ends(context: Context, request: SubjectRequest) -> datetime:
    """Return the last moment the address can be confirmed."""
    return after(request.received_at, days=context.limits.verification_days)


def links(context: Context, request: SubjectRequest) -> dict[str, str]:
    """Return the links a letter may carry. They hold the request's id and signed tokens, nothing else."""
    base = f"{context.public_url}/requests/{request.request_id}"

    def link(purpose: str, path: str, expires_at: datetime) -> str:
        token = tokens.issue(
            context.keys, purpose=purpose, request_id=request.request_id, expires_at=expires_at
        )
        return f"{base}/{path}?token={token}"

    made = {
        "status": base,
        VERIFY: link(VERIFY, "verification", verification_ends(context, request)),
        CANCEL: link(CANCEL, "cancellation", after(request.received_at, days=_CANCEL_DAYS)),
    }
    if request.package is not None and request.package.deleted_at is None:
        made[PACKAGE] = link(PACKAGE, "package", request.package.expires_at)
    return made


def _erased(
    context: Context, request: SubjectRequest, outcome: Outcome | None
) -> tuple[tuple[str, int], ...]:
    if outcome is None:
        return ()
    return tuple(
        (context.datamap.store(store_id)[1].title.in_language(request.language), records)
        for store_id, records in outcome.by_store.items()
    )


def _kept(context: Context, request: SubjectRequest, kept: KeptRecords) -> KeptPart:
    danish = request.language == "da"
    if kept.store_id == "packages":
        title = "Din kopi" if danish else "Your copy"
        reason = "venter på, at du henter den" if danish else "waits for you to fetch it"
    else:
        _, store = context.datamap.store(kept.store_id)
        title = store.title.in_language(request.language)
        reason = _reason(context, kept, request.language)
    return KeptPart(
        title=title, reason=reason, provision=kept.provision, until=kept.until, records=kept.records
    )


def _reason(context: Context, kept: KeptRecords, language: str) -> str:
    if kept.reason == "hold":
        return "retligt krav eller lovpligt" if language == "da" else "a legal claim or a duty in law"
    _, store = context.datamap.store(kept.store_id)
    for field in store.fields:
        if field.keep is not None and field.keep.reason.en == kept.reason:
            return field.keep.reason.in_language(language)
    return kept.reason


def _recipients(context: Context, outcome: Outcome | None) -> tuple[str, ...]:
    """Return the names of everybody who received data of an activity in which something was erased."""
    if outcome is None:
        return ()
    ids: dict[str, None] = {}
    for store_id in outcome.by_store:
        activity, _ = context.datamap.store(store_id)
        ids.update(dict.fromkeys(activity.recipients))
    names = {recipient.id: recipient.name for recipient in context.datamap.recipients}
    return tuple(names[recipient_id] for recipient_id in ids)
