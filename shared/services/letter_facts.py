"""What a letter says: its facts, gathered from the request as it stands and from the map."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from shared.datamap.correction import correctable, unchangeable
from shared.datamap.models import NOT_STATED, DocumentStore, FieldRule
from shared.datamap.ownership import is_register
from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.controls import HELD_BY
from shared.domain.deadlines import due_on
from shared.domain.outcomes import KeptRecords, Notice, Outcome
from shared.domain.recipients import NO_IDENTIFIER, NoticeState
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.domain.working_days import working_days_later
from shared.ports.cases import Case
from shared.rendering.letter_facts import TO_THE_SUBJECT
from shared.rendering.letters import (
    CorrectedPart,
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
    NoticeState.NOTIFIED: "told",
    NoticeState.ACCEPTED: "accepted",
    NoticeState.TOLD: "told",
    NoticeState.NOT_HELD: "not_held",
    NoticeState.AWAITING_STAFF: "staff",
    NoticeState.IMPOSSIBLE: "impossible",
}

_HELD_EN = {
    HELD_BY["law"]: "a duty in law to keep it",
    HELD_BY["legal_claim"]: "a legal claim that it is needed for",
    HELD_BY["policy_5_3"]: "a legal claim or a duty in law",
}
_HELD_DA = {
    HELD_BY["law"]: "vi har pligt efter loven til at gemme det",
    HELD_BY["legal_claim"]: "det er nødvendigt for et retligt krav",
    HELD_BY["policy_5_3"]: "retligt krav eller lovpligt",
}


def letter_facts(context: Context, case: Case, letter: LetterDocument) -> LetterFacts:
    """Return what a letter says, from the request as it stands."""
    request = case.request
    kind = LetterKind(letter.kind)
    outcome = request.outcomes.get(request.right)
    extension = request.extension if kind is LetterKind.EXTENDED else None
    package = request.copies.get(request.copy_id)
    customer = request.requester.customer_name or request.scope.customer_id or ""
    acts_for = request.requester.kind == "representative"
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
        right=_right_told_of(request, kind) if answers_one else None,
        in_words=request.in_words,
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
        for_representative=acts_for,
        # whoever reads at an address that nobody has confirmed is told of nobody
        about=request.wishes.about if acts_for and request.verified_at else "",
        customer_right=request.right if customer else None,
        ends_restriction=kind is LetterKind.REFUSED and _was_restricted(request),
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
    # what the register keeps of the request, each letter says in words of its own
    staying = [one for one in outcome.kept if not is_register(context.datamap, one.store_id)]
    # a hold may stop what a processor alone still has of the person: with more to name, that is no line
    found = [one for one in staying if one.records or not _is_counted(context, one.store_id)]
    kept = tuple(_kept(context, request, one) for one in found or staying)
    counted = tuple((_title(context, store_id, language), n) for store_id, n in outcome.by_store.items())
    if request.right is Right.RECTIFICATION:
        return _corrections(context, request, outcome)
    if request.right is Right.PORTABILITY:
        return {
            "covered": tuple(title for title, _ in counted),
            "transfer_problem": outcome.transfer_problem or "",
            "not_covered": tuple(_not_covered(context, name, language) for name in outcome.not_covered),
        }
    if request.right is Right.ACCESS:
        return {}
    off = {name: _choices(context, name, request) for name in outcome.by_store}
    return {
        "erased": tuple(
            (_title(context, name, language), n) for name, n in outcome.by_store.items() if not off[name]
        ),
        "switched_off": tuple(
            (_title(context, name, language), choices) for name, choices in off.items() if choices
        ),
        "kept": kept,
    }


def _corrections(context: Context, request: SubjectRequest, outcome: Outcome) -> dict[str, Any]:
    """Return which facts were corrected where, where a note stands, and which had to stay as they were."""
    changed = dict.fromkeys(outcome.facts, "")

    def part(store_id: str, fields: Sequence[FieldRule], records: int = 0) -> CorrectedPart:
        named = {field.fact for field in fields}
        titles = [title for fact, title in context.datamap.policy.facts.items() if fact in named]
        return CorrectedPart(
            title=_title(context, store_id, request.language),
            facts=tuple(_as_part(title.in_language(request.language)) for title in titles),
            records=records,
        )

    def fields_of(store_id: str) -> Sequence[FieldRule]:
        return context.datamap.store(store_id)[1].fields

    corrected = [
        part(name, correctable(fields_of(name), changed), records)
        for name, records in outcome.by_store.items()
    ]

    def left(name: str) -> CorrectedPart:
        return part(name, unchangeable(fields_of(name), changed))

    return {
        "corrected": tuple(one for one in corrected if one.facts),  # of the others no fact may be changed
        "noted": tuple(left(name) for name in outcome.noted),
        "uncorrected": tuple(
            replace(_kept(context, request, one), facts=left(one.store_id).facts) for one in outcome.kept
        ),
    }


def _choices(context: Context, store_id: str, request: SubjectRequest) -> tuple[str, ...]:
    """Return titles of the choices the right switches off in a store, whose records stay. Empty: they go."""
    _, store = context.datamap.store(store_id)
    if request.right in store.ends_with:
        return ()
    return tuple(
        one.title.in_language(request.language) for one in store.fields if request.right in one.off_by
    )


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


def _is_counted(context: Context, store_id: str) -> bool:
    """Whether a plan counts the records of the store; lines and files are found while they are erased."""
    return isinstance(context.datamap.store(store_id)[1], DocumentStore)


def _reason(context: Context, kept: KeptRecords, language: str) -> str:
    if kept.reason == "hold":
        return (_HELD_DA if language == "da" else _HELD_EN)[kept.provision]
    _, store = context.datamap.store(kept.store_id)
    for field in store.fields:
        if field.keep is not None and field.keep.reason.en == kept.reason:
            return field.keep.reason.in_language(language)
    return kept.reason


def _recipients(
    context: Context, request: SubjectRequest, outcome: Outcome | None, kind: LetterKind
) -> dict[str, Any]:
    """Return who received data of what was changed, and what came of telling those we tell."""
    names = {one.id: one.name_in(request.language) for one in context.datamap.recipients}
    right = _right_told_of(request, kind)
    latest: dict[str, Notice] = {}
    for one in request.notices:
        known = latest.get(one.recipient_id)
        if one.right is right and (known is None or known.at <= one.at):
            latest[one.recipient_id] = one
    told = tuple(_told(context, names, one) for one in latest.values())
    if outcome is None or request.right in (Right.ACCESS, Right.PORTABILITY):
        return {"told": told}
    ids: dict[str, None] = {}
    for store_id in outcome.by_store:
        activity, _ = context.datamap.store(store_id)
        ids.update(dict.fromkeys(activity.recipients))
    tasks = {one.id: one.what_for.in_language(request.language) for one in context.datamap.recipients}
    return {
        "told": told,
        "recipients": tuple(names[one] for one in ids if names[one] != NOT_STATED),
        "unnamed": tuple(_as_part(tasks[one]) for one in ids if names[one] == NOT_STATED),
    }


def _right_told_of(request: SubjectRequest, kind: LetterKind) -> Right:
    """Return the right a letter answers; of notices, the last one that has any."""
    others = [one.right for one in request.notices]
    if kind is LetterKind.RECIPIENTS_DONE and others and request.right not in others:
        return max(others, key=request.rights.index)
    return request.right


def _as_part(title: str) -> str:
    """Return a title as it stands inside a sentence."""
    return title[:1].lower() + title[1:]


def _told(context: Context, names: dict[str, str], notice: Notice) -> ToldRecipient:
    """Return how far telling came: a processor that was told has confirmed, others have the message."""
    confirmed = notice.state is NoticeState.TOLD and any(
        one.id == notice.recipient_id and one.kind == "processor" for one in context.datamap.recipients
    )
    unidentified = notice.state is NoticeState.NOT_HELD and notice.why == NO_IDENTIFIER
    return ToldRecipient(
        name=names.get(notice.recipient_id, notice.recipient_id),
        state="done" if confirmed else "unidentified" if unidentified else _STATE_OF[notice.state],
        until=notice.chase_on if notice.state is NoticeState.ACCEPTED else None,
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


def _was_restricted(request: SubjectRequest) -> bool:
    """Whether the present right restricted the data while a person looked into it, as planning has it.

    Who is told of a refusal is told that this ends. Source: GDPR article 18(3).
    """
    restricts = request.right in (Right.OBJECTION, Right.RESTRICTION) and request.plan is not None
    return restricts and request.verified_at is not None and request.requester.refusal(request.right) is None


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
