"""Conclude a right that erased or corrected: what went, what stays and why, who was told; then the answer."""

from dataclasses import dataclass

from shared.datamap.correction import unchangeable
from shared.datamap.models import DocumentStore, KeepUntil, Store
from shared.datamap.ownership import is_register
from shared.domain.cases import SubjectRequest
from shared.domain.controls import HELD_BY
from shared.domain.identifiers import EMAIL
from shared.domain.outcomes import KeptRecords, Outcome, Result, summed
from shared.domain.plans import Action, PlanEntry
from shared.domain.rights import Right
from shared.domain.tasks import Stage, Task
from shared.domain.times import copenhagen_day
from shared.ports.cases import Case, Write
from shared.rendering.letters import LetterKind
from shared.services import marking, noting
from shared.services.answering import Answer, answer
from shared.services.blob_walk import prefixes
from shared.services.context import Context
from shared.services.disclosing import disclose
from shared.services.drafting import reaches_person
from shared.services.erasing import RESTRICTED
from shared.services.forgetting import forget
from shared.services.ledger import notices_due
from shared.services.planning import ACTION_OF
from shared.services.reminding import next_look


@dataclass(frozen=True, kw_only=True)
class _Words:
    result: Result
    letter: LetterKind


_WORDS = {
    Right.OBJECTION: _Words(result="objection_upheld", letter=LetterKind.OBJECTION_UPHELD),
    Right.WITHDRAWAL: _Words(result="withdrawn", letter=LetterKind.WITHDRAWN),
    Right.MARKETING_OBJECTION: _Words(result="marketing_stopped", letter=LetterKind.MARKETING_STOPPED),
}


async def conclude(context: Context, case: Case) -> None:
    """Answer the present right after its look. Repeating it changes nothing.

    An objection that was upheld holds from now on: it is noted before its restriction is taken back, so that
    there is no moment between them in which the data may be used. What a correction restricted is lifted
    when its letter is out.
    """
    request = case.request
    if request.right is Right.OBJECTION:
        await marking.object_to(context, request, request.subject_keys)
        own = marking.mark_id(request, request.right)
        await marking.lift(context, request.subject_keys, [own], at=context.clock.now())
    if request.right is Right.RECTIFICATION:
        await _conclude_correction(context, case)
        return
    await _conclude_erasure(context, case)


async def _conclude_erasure(context: Context, case: Case) -> None:
    request = case.request
    now = context.clock.now()
    erasures, looked = _tasks(case, Stage.ERASE), _tasks(case, Stage.LOOK)
    erased = {task.store_id: task.records + task.rewritten for task in erasures}
    is_whole = request.right is Right.ERASURE and not request.is_internal and not request.scope.customer_id
    kept = (
        *summed(one for task in (*erasures, *looked) for one in task.kept),
        *await _kept_by_plan(context, case),
        *(await _copies(context, case) if is_whole else ()),
    )
    systems = [one for one in kept if not is_register(context.datamap, one.store_id)]
    records = sum(erased.values())
    if is_whole:
        await marking.erased(context, request, found_records=bool(records))
    words = _WORDS.get(request.right)
    if words is None or not await reaches_person(context, request, request.identifiers):
        result: Result = "erased_with_retention" if systems else "erased" if records else "nothing_held"
        kind = LetterKind.NOTHING_HELD if result == "nothing_held" else LetterKind.ERASED
        words = _Words(result=result, letter=kind)
    outcome = Outcome(
        result=words.result,
        at=now,
        records=records,
        by_store={store_id: count for store_id, count in erased.items() if count},
        kept=kept,
    )
    await disclose(context, request, outcome.by_store)
    answered = (await _without_fetched(context, request) if is_whole else request).with_(
        notices=(*request.notices, *await notices_due(context, request, list(outcome.by_store))),
    )
    await answer(
        context,
        case_with(case, answered),
        Answer(
            outcome=outcome,
            letter=_to_requester(request, words.letter),
            event="erased",
            details={"right": request.right, "records": records, "looks": request.looks},
            further=_further(request, outcome.result),
        ),
    )


async def _conclude_correction(context: Context, case: Case) -> None:
    """Attach a note where facts are not rewritten, and answer. Source: GDPR articles 16, 19."""
    request = case.request
    if EMAIL in request.wishes.corrections:
        new = context.keys.subject_key(EMAIL, request.wishes.corrections[EMAIL])
        await marking.carry_over(context, tuple(dict.fromkeys((*request.subject_keys, new))))
    right_now = {task.store_id: task.rewritten for task in _tasks(case, Stage.CHECK) if task.rewritten}
    uncorrected = []
    for _, store in context.datamap.stores():
        fields = unchangeable(store.fields, request.wishes.corrections)
        if not fields or not isinstance(store, DocumentStore) or request.scope.customer_id:
            continue
        records = await context.documents.count(store, request.identifiers)
        if records and fields[0].keep is not None:
            uncorrected.append(
                KeptRecords(
                    store_id=store.id,
                    reason=fields[0].keep.reason.en,
                    provision=fields[0].keep.provision,
                    until=None,
                    records=records,
                )
            )
    reached = await reaches_person(context, request, request.identifiers)
    kept_wrong = [one.store_id for one in uncorrected]
    noted = await noting.attach(context, request, kept_wrong) if reached else ()
    outcome = Outcome(
        result="rectified" if right_now or noted else "nothing_held",
        at=context.clock.now(),
        records=sum(right_now.values()),
        by_store=right_now,
        kept=tuple(uncorrected),
        facts=tuple(sorted(request.wishes.corrections)),
        noted=noted,
    )
    answered = request.with_(
        notices=(*request.notices, *await notices_due(context, request, [*right_now, *noted]))
    )
    await answer(
        context,
        case_with(case, answered),
        Answer(
            outcome=outcome,
            letter=_to_requester(
                request,
                LetterKind.NOTHING_HELD if outcome.result == "nothing_held" else LetterKind.RECTIFIED,
            ),
            event="rectified",
            details={"records": outcome.records, "looks": request.looks},
            further=_further(request, outcome.result),
        ),
    )


def case_with(case: Case, request: SubjectRequest) -> Case:
    """Return the case as read, with changes of its request that are to be saved."""
    return Case(
        request=request, tasks=case.tasks, letters=case.letters, findings=case.findings, etags=case.etags
    )


def _to_requester(request: SubjectRequest, kind: LetterKind) -> LetterKind:
    """Return the letter for whoever asked: a customer is told in words of its own."""
    of_customer = request.scope.customer_id is not None and kind is not LetterKind.NOTHING_HELD
    return LetterKind.CUSTOMER_DONE if of_customer else kind


def _further(request: SubjectRequest, result: Result) -> tuple[LetterKind, ...]:
    """Return letters to others: the person learns what a customer had done. Source: GDPR article 12(1).

    Where nothing was there to do it for, an administrator would have us write to whomever it likes.
    """
    tells = request.scope.customer_id and request.wishes.tell and result != "nothing_held"
    return (LetterKind.SUBJECT_TOLD,) if tells else ()


def _tasks(case: Case, stage: Stage) -> list[Task]:
    prefix = f"task-{case.request.phase}-{ACTION_OF[stage]}-"
    return [task for task in case.tasks if task.id.startswith(prefix)]


async def _without_fetched(context: Context, request: SubjectRequest) -> SubjectRequest:
    """Delete the request's copies that were fetched, and return it without them."""
    for copy_id, package in request.copies.items():
        if package.downloaded_at is not None and package.deleted_at is None:
            await context.packages.delete(copy_id)
            gone = package.model_copy(update={"deleted_at": context.clock.now()})
            request = request.with_copy(copy_id, gone)
    return request


async def _kept_by_plan(context: Context, case: Case) -> list[KeptRecords]:
    """Return what the plan itself left alone: stores under a hold, and records with a duty to keep them."""
    kept = []
    controls = await context.controls.read(case.request.subject_keys)
    provisions = {hold.hold_id: HELD_BY[hold.ground] for one in controls for hold in one.controls.holds}
    provisions[RESTRICTED] = "GDPR article 18"
    for entry in case.request.plan.entries if case.request.plan else ():
        _, store = context.datamap.store(entry.store_id)
        if entry.action is Action.HOLD and (
            entry.records or _may_hold(store, case.request) or _is_elsewhere(context, entry)
        ):
            kept.append(
                KeptRecords(
                    store_id=entry.store_id,
                    reason="restriction" if entry.held_by == RESTRICTED else "hold",
                    provision=provisions.get(entry.held_by or "", HELD_BY["policy_5_3"]),
                    until=None,
                    records=entry.records,
                )
            )
        elif entry.action is Action.KEEP and entry.records:
            rules = {
                (field.keep.reason.en, field.keep.provision)
                for field in store.fields
                if field.keep is not None and not isinstance(field.keep.until, KeepUntil)
            }
            kept += [
                KeptRecords(
                    store_id=entry.store_id,
                    reason=reason,
                    provision=provision,
                    until=None,
                    records=entry.records,
                )
                for reason, provision in sorted(rules)
            ]
    return kept


def _is_elsewhere(context: Context, entry: PlanEntry) -> bool:
    """Whether a processor may keep the person where we hold nothing: it is told when the hold ends."""
    recipients = context.datamap.activity(entry.activity_id).recipients
    return any(name in recipients for name in context.processors.connected())


def _may_hold(store: Store, request: SubjectRequest) -> bool:
    """Whether blobs, which no plan counts, may be the person's."""
    return not isinstance(store, DocumentStore) and bool(prefixes(store, request.identifiers))


async def _copies(context: Context, case: Case) -> list[KeptRecords]:
    """Delete the person's earlier copies that were fetched; name the ones that still wait to be.

    A copy the person asked for and has not fetched is theirs to fetch until its day comes.
    """
    kept = []
    for request_id in await context.cases.of_person(case.request.subject_keys):
        is_own = request_id == case.request.request_id
        other = case if is_own else await context.cases.load(request_id)
        if other.findings and other.request.is_final:
            await forget(context, request_id, [finding.id for finding in other.findings])
        if not is_own:  # the own ones go with the answer
            left = await _without_fetched(context, other.request)
            if left != other.request:
                gone = left.with_(wake_at=next_look(context, left) if left.is_final else left.wake_at)
                await context.cases.commit(request_id, [Write(document=gone, etag=other.etags[gone.id])])
        kept += [
            KeptRecords(
                store_id="packages",
                reason="copy_awaits_download",
                provision="GDPR article 15(3)",
                until=copenhagen_day(package.expires_at),
                records=1,
            )
            for package in other.request.copies.values()
            if package.downloaded_at is None and package.deleted_at is None
        ]
    return kept
