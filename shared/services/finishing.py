"""The last task is in: publish the copy, or look again and prove the erasure.

An erasure ends only after a look of its own at every store finds nothing left that should be gone. What
stays is named with its reason and its date; the proof names counts and times, and nobody.
"""

from shared.datamap.models import DocumentStore, KeepUntil
from shared.datamap.ownership import is_register
from shared.domain.cases import (
    KeptRecords,
    LetterDocument,
    Outcome,
    RequestState,
    Stage,
    SubjectRequest,
    Task,
    TaskState,
    summed,
)
from shared.domain.identifiers import SUBJECT_KEY
from shared.domain.messages import RunTasks, SendLetter
from shared.domain.plans import Action, PlanEntry
from shared.domain.times import after, copenhagen_day
from shared.ports.cases import Case, Write
from shared.rendering.letters import LetterKind
from shared.services.attention import stop
from shared.services.context import Context
from shared.services.execution import plan_again, stage_tasks_of
from shared.services.forgetting import forget
from shared.services.planning import ACTION_OF, stage_tasks
from shared.services.publishing import publish_copy
from shared.services.resolving import resolve


async def finish_stage(context: Context, request_id: str) -> None:
    """Go on to what follows the present stage, if every task of it is final. Repeating it changes nothing."""
    case = await context.cases.load(request_id)
    request = case.request
    tasks = stage_tasks_of(case)
    if request.state is not RequestState.IN_PROGRESS or not all(task.is_final for task in tasks):
        return
    if any(task.state is TaskState.FAILED for task in tasks):
        await stop(context, case, "task_failed")
    elif request.stage is Stage.COLLECT:
        await publish_copy(context, case)
    elif request.stage is Stage.ERASE:
        await _begin_look(context, case)
    else:
        await _judge_look(context, case, tasks)


async def _begin_look(context: Context, case: Case) -> None:
    """Look with everything known before the erasure; who turns up only now is planned for first."""
    request = case.request
    resolved = await resolve(context, request.identifiers)
    if resolved.problem is not None:
        await stop(context, case, resolved.problem)
        return
    if set(resolved.identifiers[SUBJECT_KEY]) - set(request.subject_keys):
        await plan_again(context, request.request_id)  # nobody has planned or claimed what turned up
        return
    looking = request.with_(
        identifiers=resolved.identifiers,
        looks=request.looks + 1,
    )
    entries = request.plan.entries if request.plan else ()
    await _enter(
        context,
        case,
        looking,
        Stage.LOOK,
        [entry.model_copy(update={"action": Action.LOOK}) for entry in entries if _is_worked_on(entry)],
    )


async def _judge_look(context: Context, case: Case, tasks: tuple[Task, ...]) -> None:
    request = case.request
    left = {task.store_id for task in tasks if task.records}
    if case.findings:
        await stop(context, case, "records_undecidable")
    elif not left:
        await _answer(context, case, tasks)
    elif request.looks >= context.limits.look_rounds:
        await stop(context, case, "residue_left")
    else:
        entries = request.plan.entries if request.plan else ()
        await _enter(
            context, case, request, Stage.ERASE, [entry for entry in entries if entry.store_id in left]
        )


async def _enter(
    context: Context, case: Case, request: SubjectRequest, stage: Stage, entries: list[PlanEntry]
) -> None:
    now = context.clock.now()
    entered, event = request.with_(
        stage=stage, wake_at=after(now, seconds=context.limits.wake_seconds)
    ).noted(now, f"{stage}_begun", stores=len(entries), round=request.looks)
    tasks = stage_tasks(entered, entries, before=case.tasks)
    await context.cases.commit(
        entered.request_id,
        [
            Write(document=entered, etag=case.etags[entered.id]),
            Write(document=event, etag=None),
            *(Write(document=task, etag=case.etags.get(task.id)) for task in tasks),
        ],
    )
    await context.queue.send([RunTasks(request_id=entered.request_id, lane=0)])


async def _answer(context: Context, case: Case, looked: tuple[Task, ...]) -> None:
    request = case.request
    now = context.clock.now()
    prefix = f"task-{request.phase}-{ACTION_OF[Stage.ERASE]}-"
    erasures = [task for task in case.tasks if task.id.startswith(prefix)]
    erased = {task.store_id: task.records + task.rewritten for task in erasures}
    kept = (
        *summed(one for task in (*erasures, *looked) for one in task.kept),
        *_kept_by_plan(context, case),
        *await _copies(context, case),
    )
    systems = [one for one in kept if not is_register(context.datamap, one.store_id)]
    records = sum(erased.values())
    outcome = Outcome(
        result="erased_with_retention" if systems else "erased" if records else "nothing_held",
        at=now,
        records=records,
        by_store={store_id: count for store_id, count in erased.items() if count},
        kept=kept,
    )
    kind = LetterKind.NOTHING_HELD if outcome.result == "nothing_held" else LetterKind.ERASED
    letter = LetterDocument(
        id=f"letter-{kind}-{request.phase}",
        request_id=request.request_id,
        kind=kind,
        closes=True,
        created_at=now,
    )
    package = request.package
    if package is not None and package.downloaded_at is not None and package.deleted_at is None:
        await context.packages.delete(request.request_id)
        package = package.model_copy(update={"deleted_at": now})
    answered, event = request.moved_to(
        RequestState.ANSWERING,
        package=package,
        outcomes={**request.outcomes, request.right: outcome},
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "erased", records=records, looks=request.looks)
    await context.cases.commit(
        request.request_id,
        [
            Write(document=answered, etag=case.etags[answered.id]),
            Write(document=event, etag=None),
            Write(document=letter, etag=case.etags.get(letter.id)),
        ],
    )
    await context.queue.send([SendLetter(request_id=request.request_id, letter_id=letter.id)])


def _kept_by_plan(context: Context, case: Case) -> list[KeptRecords]:
    """Return what the plan itself left alone: stores under a hold, and records with a duty to keep them."""
    kept = []
    for entry in case.request.plan.entries if case.request.plan else ():
        _, store = context.datamap.store(entry.store_id)
        if entry.action is Action.HOLD and (entry.records or not isinstance(store, DocumentStore)):
            kept.append(
                KeptRecords(
                    store_id=entry.store_id,
                    reason="hold",
                    provision="GDPR article 17(3)",
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


async def _copies(context: Context, case: Case) -> list[KeptRecords]:
    """Delete the person's earlier copies that were fetched; name the ones that still wait to be.

    A copy the person asked for and has not fetched is theirs to fetch until its day comes.
    """
    kept = []
    for request_id in await context.cases.of_person(case.request.subject_keys):
        other = case if request_id == case.request.request_id else await context.cases.load(request_id)
        package = other.request.package
        if other.findings and other.request.is_final:
            await forget(context, request_id, [finding.id for finding in other.findings])
        if package is None or package.deleted_at is not None:
            continue
        if package.downloaded_at is not None and other is case:
            continue  # goes with the answer
        if package.downloaded_at is not None:
            await context.packages.delete(request_id)
            gone = other.request.with_(
                package=package.model_copy(update={"deleted_at": context.clock.now()}),
                wake_at=None if other.request.is_final else other.request.wake_at,
            )
            await context.cases.commit(request_id, [Write(document=gone, etag=other.etags[gone.id])])
        else:
            kept.append(
                KeptRecords(
                    store_id="packages",
                    reason="copy_awaits_download",
                    provision="GDPR article 15(3)",
                    until=copenhagen_day(package.expires_at),
                    records=1,
                )
            )
    return kept


def _is_worked_on(entry: PlanEntry) -> bool:
    return entry.action is Action.ERASE
