"""The last task of a stage is in: go on to what follows.

A copy is published. An erasure or a correction ends only after a look of its own at every store finds nothing
left; then processors are instructed, and the person is answered. A right that touches no store is answered
as soon as its marks are seen to stand.
"""

from shared.domain.cases import SubjectRequest
from shared.domain.identifiers import SUBJECT_KEY
from shared.domain.plans import Action, PlanEntry
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage, Task, TaskState
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.services.attention import stop
from shared.services.concluding import conclude
from shared.services.context import Context
from shared.services.execution import plan_again, stage_tasks_of
from shared.services.fulfilling import fulfil_marks
from shared.services.instructing import instruct, instructed
from shared.services.planning import ACTION_OF, following, stage_tasks
from shared.services.publishing import publish_copy
from shared.services.resolving import resolve_request
from shared.services.transferring import transfer_copy

_AFTER = {Stage.ERASE: (Stage.LOOK, Action.LOOK), Stage.CORRECT: (Stage.CHECK, Action.CHECK)}
_WORK = {Stage.LOOK: (Stage.ERASE, Action.ERASE), Stage.CHECK: (Stage.CORRECT, Action.CORRECT)}


async def finish_stage(context: Context, request_id: str) -> None:
    """Go on to what follows the present stage, if every task of it is final. Repeating it changes nothing."""
    case = await context.cases.load(request_id)
    request = case.request
    tasks = stage_tasks_of(case)
    if request.state is not RequestState.IN_PROGRESS or not all(task.is_final for task in tasks):
        return
    if any(task.state is TaskState.FAILED for task in tasks):
        await stop(context, case, "task_failed")
        return
    if request.stage in (Stage.LOOK, Stage.CHECK):
        await _judge_look(context, case, tasks)
    elif request.stage is not None:
        await _NEXT[request.stage](context, case)


async def _instruct(context: Context, case: Case) -> None:
    told = await instruct(context, case)
    if told is None:
        return
    if case.request.right is Right.RESTRICTION:
        await fulfil_marks(context, told)
    else:
        await conclude(context, told)


async def _mark(context: Context, case: Case) -> None:
    """Tell processors of a restriction before it is confirmed to the person."""
    if instructed(context, case.request):
        await _enter(context, case, case.request, Stage.INSTRUCT, [])
    else:
        await fulfil_marks(context, case)


async def _begin_look(context: Context, case: Case) -> None:
    """Look with everything known before the work; who turns up only now is planned for first."""
    request = case.request
    resolved = await resolve_request(context, request)
    if resolved.problem is not None:
        await stop(context, case, resolved.problem)
        return
    if set(resolved.identifiers[SUBJECT_KEY]) - set(request.subject_keys):
        await plan_again(context, request.request_id)  # nobody has planned or claimed what turned up
        return
    looking = request.with_(identifiers=resolved.identifiers, looks=request.looks + 1)
    entries = request.plan.entries if request.plan else ()
    stage, action = _AFTER[request.stage or Stage.ERASE]
    worked_on = _WORK[stage][1]
    await _enter(
        context,
        case,
        looking,
        stage,
        [entry.model_copy(update={"action": action}) for entry in entries if entry.action is worked_on],
    )


async def _judge_look(context: Context, case: Case, tasks: tuple[Task, ...]) -> None:
    request = case.request
    left = {task.store_id for task in tasks if task.records}
    if case.findings:
        await stop(context, case, "records_undecidable")
    elif not left and instructed(context, request):
        await _enter(context, case, request, Stage.INSTRUCT, [])
    elif not left:
        await conclude(context, case)
    elif request.looks >= context.limits.look_rounds:
        await stop(context, case, "residue_left")
    else:
        entries = request.plan.entries if request.plan else ()
        stage, _ = _WORK[request.stage or Stage.LOOK]
        await _enter(context, case, request, stage, [entry for entry in entries if entry.store_id in left])


async def _enter(
    context: Context, case: Case, request: SubjectRequest, stage: Stage, entries: list[PlanEntry]
) -> None:
    now = context.clock.now()
    entered, event = request.with_(
        stage=stage, wake_at=after(now, seconds=context.limits.wake_seconds)
    ).noted(now, f"{stage}_begun", stores=len(entries), round=request.looks)
    tasks = stage_tasks(entered, entries, before=case.tasks) if stage in ACTION_OF else []
    await context.cases.commit(
        entered.request_id,
        [
            Write(document=entered, etag=case.etags[entered.id]),
            Write(document=event, etag=None),
            *(Write(document=task, etag=case.etags.get(task.id)) for task in tasks),
        ],
    )
    await context.queue.send([following(entered, tasks)])


_NEXT = {
    Stage.COLLECT: publish_copy,
    Stage.TRANSFER: transfer_copy,
    Stage.ERASE: _begin_look,
    Stage.CORRECT: _begin_look,
    Stage.MARK: _mark,
    Stage.INSTRUCT: _instruct,
}
