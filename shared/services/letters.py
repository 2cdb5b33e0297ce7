"""What a letter says and the links it carries, from the request it belongs to."""

from datetime import datetime

from shared.datamap.ownership import is_register
from shared.domain import tokens
from shared.domain.cases import KeptRecords, LetterDocument, Outcome, SubjectRequest
from shared.domain.times import after, copenhagen_day
from shared.ports.cases import Case
from shared.rendering.letters import KeptPart, LetterFacts, LetterKind
from shared.services.context import Context

VERIFY, CANCEL, PACKAGE = "verify", "cancel", "package"
_CANCEL_DAYS = 60  # longer than any request stays open


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
