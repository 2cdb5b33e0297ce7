"""What a letter says: its facts, gathered from the request as it stands and from the map."""

from typing import Any
from urllib.parse import urlsplit

from shared.datamap.ownership import is_register
from shared.domain.cases import KeptRecords, LetterDocument, Notice, Outcome, SubjectRequest
from shared.domain.deadlines import due_on
from shared.domain.recipients import NoticeState
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.domain.working_days import working_days_later
from shared.ports.cases import Case
from shared.rendering.letter_facts import TO_THE_SUBJECT
from shared.rendering.letters import (
    DecisionFact,
    KeptPart,
    LetterFacts,
    LetterKind,
    QuestionFact,
    RecipientState,
    ToldRecipient,
)
from shared.services.context import Context
from shared.services.links import answer_ends, links, verification_ends

_STATE_OF: dict[NoticeState, RecipientState] = {
    NoticeState.DUE: "pending",
    NoticeState.TOLD: "told",
    NoticeState.NOT_HELD: "not_held",
    NoticeState.AWAITING_STAFF: "staff",
    NoticeState.IMPOSSIBLE: "impossible",
}


def letter_facts(context: Context, case: Case, letter: LetterDocument) -> LetterFacts:
    """Return what a letter says, from the request as it stands."""
    request = case.request
    kind = LetterKind(letter.kind)
    outcome = request.outcomes.get(request.right)
    extension = request.extension if kind is LetterKind.EXTENDED else None
    package = request.copies.get(request.copy_id)
    customer = request.requester.customer_name or request.scope.customer_id or ""
    answers_one = kind not in (
        LetterKind.VERIFY,
        LetterKind.CANCELLED,
        LetterKind.EXTENDED,
        LetterKind.QUESTION,
    )
    return LetterFacts(
        kind=kind,
        language=request.language,
        request_id=request.request_id,
        received_on=copenhagen_day(request.received_at),
        due_on=due_on(request.received_at, months=1 + extension.months) if extension else request.due_on,
        former_due_on=request.due_on if extension else None,
        extension_reason=extension.reason if extension else "",
        rights=request.rights,
        right=request.right if answers_one else None,
        contacts=context.contacts,
        links={} if kind in TO_THE_SUBJECT else links(context, request),
        link_expires_at=answer_ends(context, request)
        if kind is LetterKind.QUESTION
        else verification_ends(context, request),
        package_expires_on=copenhagen_day(package.expires_at) if package else None,
        backups=context.datamap.policy.backups,
        decision=_decision(request, letter),
        grounds=_grounds(request),
        question=_question(context, request, letter),
        objected=_objected(context, request),
        transfer_host=urlsplit(request.wishes.transfer_url or "").hostname or "",
        transferred_at=outcome.at if outcome and outcome.result == "transferred" else None,
        customer=customer,
        customer_right=request.right if customer else None,
        contested=_contested(context, request) if kind is LetterKind.SUBJECT_ASKED else (),
        lift_on=letter.lift_on,
        identification_hint=request.decision.hint if request.decision else "",
        suppressed=request.right is Right.MARKETING_OBJECTION,
        **_results(context, request, outcome),
        **_recipients(context, request, outcome, kind),
    )


def _contested(context: Context, request: SubjectRequest) -> tuple[str, ...]:
    """Return the titles of the facts that are to be changed, not their values."""
    titles = {
        field.fact: field.title.in_language(request.language)
        for _, store in context.datamap.stores()
        for field in store.fields
        if field.fact in request.wishes.corrections
    }
    return tuple(dict.fromkeys(titles.values()))


def _results(context: Context, request: SubjectRequest, outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {}
    language = request.language
    kept = tuple(
        _kept(context, request, one)
        for one in outcome.kept
        # what the register keeps of the request, each letter says in words of its own
        if not is_register(context.datamap, one.store_id)
    )
    counted = tuple((_title(context, store_id, language), n) for store_id, n in outcome.by_store.items())
    if request.right is Right.RECTIFICATION:
        noted = tuple(_title(context, name, language) for name in outcome.noted)
        return {"corrected": counted, "noted": noted, "uncorrected": kept}
    if request.right is Right.PORTABILITY:
        return {
            "covered": tuple(title for title, _ in counted),
            "not_covered": tuple(_not_covered(context, name, language) for name in outcome.not_covered),
        }
    if request.right is Right.ACCESS:
        return {}
    return {"erased": counted, "kept": kept}


def _not_covered(context: Context, activity_id: str, language: str) -> tuple[str, str]:
    activity = context.datamap.activity(activity_id)
    return activity.title.in_language(language), activity.portability.why.in_language(language)


def _title(context: Context, store_id: str, language: str) -> str:
    return context.datamap.store(store_id)[1].title.in_language(language)


def _kept(context: Context, request: SubjectRequest, kept: KeptRecords) -> KeptPart:
    danish = request.language == "da"
    if kept.store_id == "packages":
        title = "Din kopi" if danish else "Your copy"
        reason = "venter på, at du henter den" if danish else "waits for you to fetch it"
    else:
        title = _title(context, kept.store_id, request.language)
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


def _recipients(
    context: Context, request: SubjectRequest, outcome: Outcome | None, kind: LetterKind
) -> dict[str, Any]:
    """Return who received data of what was changed, and what came of telling those we tell."""
    names = {recipient.id: recipient.name for recipient in context.datamap.recipients}
    of_all = kind is LetterKind.RECIPIENTS_DONE
    told = tuple(
        _told(context, names, one) for one in request.notices if of_all or one.right is request.right
    )
    if outcome is None or request.right in (Right.ACCESS, Right.PORTABILITY):
        return {"told": told}
    ids: dict[str, None] = {}
    for store_id in outcome.by_store:
        activity, _ = context.datamap.store(store_id)
        ids.update(dict.fromkeys(activity.recipients))
    return {"told": told, "recipients": tuple(names[recipient_id] for recipient_id in ids)}


def _told(context: Context, names: dict[str, str], notice: Notice) -> ToldRecipient:
    """Return how far telling came: a processor that was told has confirmed, others have the message."""
    confirmed = notice.state is NoticeState.TOLD and any(
        one.id == notice.recipient_id and one.kind == "processor" for one in context.datamap.recipients
    )
    return ToldRecipient(
        name=names.get(notice.recipient_id, notice.recipient_id),
        state="done" if confirmed else _STATE_OF[notice.state],
        why=notice.why if notice.state is NoticeState.IMPOSSIBLE else "",
    )


def _decision(request: SubjectRequest, letter: LetterDocument) -> DecisionFact | None:
    if letter.reason:
        return DecisionFact(reason=letter.reason, provision="")
    decision = request.decision
    return DecisionFact(reason=decision.reason, provision=decision.provision) if decision else None


def _grounds(request: SubjectRequest) -> tuple[str, ...]:
    if request.right is Right.OBJECTION:
        return ("objection",)
    return (request.wishes.ground or "accuracy",) if request.right is Right.RESTRICTION else ()


def _question(context: Context, request: SubjectRequest, letter: LetterDocument) -> QuestionFact | None:
    if letter.kind != LetterKind.QUESTION:
        return None
    number = int(letter.id.rpartition("-")[2])
    asked = next(one for one in request.questions if one.number == number)
    return QuestionFact(text=asked.text, kind=asked.kind, pauses=pauses_clock(context, request))


def pauses_clock(context: Context, request: SubjectRequest) -> bool:
    """Whether a question that leaves today pauses the clock."""
    first = min((one.asked_at for one in request.questions if one.asked_at), default=context.clock.now())
    latest = working_days_later(copenhagen_day(request.received_at), context.limits.ask_within_working_days)
    return copenhagen_day(first) <= latest


def _objected(context: Context, request: SubjectRequest) -> tuple[str, ...]:
    titles = []
    for name in request.wishes.objects_to:
        for activity in context.datamap.activities:
            if activity.id == name:
                titles.append(activity.title.in_language(request.language))
            titles += [
                purpose.title.in_language(request.language)
                for purpose in activity.purposes
                if purpose.id == name
            ]
    return tuple(titles)
