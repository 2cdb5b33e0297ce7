"""Plan the present right of a request, and begin what is planned.

Called for every state that waits to start. The plan is made anew each time from what is there now; it
starts only if it needs no decision, or the decision was about exactly this plan, and, where there is a
waiting time, only if nothing changed while the person could still cancel.
"""

from collections.abc import Sequence

from shared.datamap.models import NOT_STATED, Activity, DocumentStore, OnErasure, Store
from shared.domain.cases import RequestState, Stage, SubjectRequest, Task, TaskState
from shared.domain.errors import Conflict, Permanent
from shared.domain.identifiers import EMAIL, SUBJECT_KEY, Identifiers
from shared.domain.messages import PlanRequest, RunTasks
from shared.domain.plans import Action, Plan, PlanEntry
from shared.domain.rights import Right
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.ports.controls import StoredControls
from shared.services import fencing
from shared.services.attention import stop
from shared.services.context import Context
from shared.services.resolving import resolve

ACTION_OF = {Stage.COLLECT: Action.COLLECT, Stage.ERASE: Action.ERASE, Stage.LOOK: Action.LOOK}
STARTABLE = frozenset({RequestState.VERIFIED, RequestState.PLANNED, RequestState.AWAITING_APPROVAL})
SUPPORTED = frozenset({Right.ACCESS, Right.ERASURE})
_LONGEST_DELAY_SECONDS = 6 * 86_400  # queues hide a message for seven days at most; the sweep does the rest
_EARLY_SECONDS = 1  # clocks of queue and worker may differ by so much
_MOST_DEFERRALS = 16  # the delay has long reached its cap; keeps the power small


async def plan(context: Context, request_id: str) -> None:
    """Plan a request's present right and begin it if it may begin. A request at work is left alone.

    Raises:
        Conflict: somebody changed the request meanwhile; let the queue deliver again.
    """
    case = await context.cases.load(request_id)
    request = case.request
    if request.state not in STARTABLE or request.email is None:
        return
    if request.state is RequestState.AWAITING_APPROVAL and request.approved_digest is None:
        return
    start_at = request.start_at
    if start_at is not None and after(context.clock.now(), seconds=_EARLY_SECONDS) < start_at:
        return  # a later message is on its way, and the sweep behind it
    known = request.identifiers or {EMAIL: (request.email,)}
    resolved = await resolve(context, known)
    if resolved.problem is not None:
        await stop(context, case, resolved.problem)
        return
    identifiers = resolved.identifiers
    keys = identifiers[SUBJECT_KEY]
    controls = await context.controls.read(keys)
    made = await _made(context, request, identifiers, controls)
    if request.plans_made >= context.limits.replans and _changed(request, made):
        await stop(context, case, "plan_keeps_changing")
        return
    request = request.with_(
        identifiers=identifiers,
        subject_keys=(request.subject_keys[0], *(key for key in keys if key != request.subject_keys[0])),
    )
    waits = _waits(context, request, made)
    if waits is not None:
        await _save_waiting(context, case, request, made, waits)
        return
    await _begin(context, case, request, made, controls)


async def _begin(
    context: Context,
    case: Case,
    request: SubjectRequest,
    made: Plan,
    controls: Sequence[StoredControls],
) -> None:
    if await fencing.claim(context, request, request.subject_keys, controls) is fencing.Fence.BUSY:
        await _defer(context, case, request)
        return
    now = context.clock.now()
    stage = Stage.COLLECT if made.right is Right.ACCESS else Stage.ERASE
    begun, event = request.moved_to(
        RequestState.IN_PROGRESS,
        plan=made,
        plans_made=request.plans_made + int(_changed(request, made)),
        stage=stage,
        begun_at=now,
        runs=request.runs + 1,
        is_irreversible=request.is_irreversible or stage is Stage.ERASE,
        deferrals=0,
        start_at=None,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, f"{stage}_begun", right=made.right, plan=made.digest, records=made.records)
    tasks = stage_tasks(begun, made.entries, before=case.tasks)
    try:
        await context.cases.commit(
            request.request_id,
            [
                Write(document=begun, etag=case.etags[begun.id]),
                Write(document=event, etag=None),
                *(Write(document=task, etag=case.etags.get(task.id)) for task in tasks),
            ],
        )
    except Conflict:
        await _give_back_if_closed(context, request)
        raise
    await context.queue.send([RunTasks(request_id=request.request_id, lane=0)])


async def _give_back_if_closed(context: Context, request: SubjectRequest) -> None:
    """Give back claims taken while somebody cancelled; a claim left by a crash here counts for nothing."""
    if (await context.cases.load(request.request_id)).request.is_final:
        await fencing.release(context, request, request.subject_keys)


def stage_tasks(
    request: SubjectRequest, entries: Sequence[PlanEntry], *, before: Sequence[Task]
) -> list[Task]:
    """Return one task for each store that is worked on, all in the first lane; long work spreads later.

    An erasure that is taken up again keeps what its tasks have counted, and what they were about to erase;
    tasks the new plan leaves out, as under a hold, end where they are.
    """
    known = {task.id: task for task in before}
    planned = {f"task-{request.phase}-{entry.action}-{entry.store_id}" for entry in entries}
    prefix = f"task-{request.phase}-{ACTION_OF[request.stage]}-" if request.stage else ""
    tasks = [
        task.unclaimed().with_(state=TaskState.DONE, cursor=None, problem=None)
        for task in before
        if task.id.startswith(prefix) and task.id not in planned and task.state is not TaskState.DONE
    ]
    for entry in entries:
        if entry.action in (Action.HOLD, Action.KEEP):
            continue
        task_id = f"task-{request.phase}-{entry.action}-{entry.store_id}"
        old = known.get(task_id)
        if old is not None and entry.action is Action.ERASE:
            tasks.append(old.again())
        else:
            tasks.append(
                Task(
                    id=task_id,
                    request_id=request.request_id,
                    store_id=entry.store_id,
                    action=entry.action,
                    lane=0,
                )
            )
    return tasks


async def _save_waiting(
    context: Context, case: Case, request: SubjectRequest, made: Plan, state: RequestState
) -> None:
    now = context.clock.now()
    same = not _changed(request, made) and request.state is state
    start_at = None
    if state is RequestState.PLANNED:
        start_at = request.start_at if same else after(now, seconds=context.limits.grace_seconds)
    wake_at = after(
        start_at or now,  # without a start the sweep repeats the alarm below, which may be lost
        seconds=context.limits.fence_retry_seconds if start_at else context.limits.wake_seconds,
    )
    waiting, event = request.moved_to(
        state,
        plan=made,
        plans_made=request.plans_made + int(_changed(request, made)),
        approved_digest=None,
        start_at=start_at,
        wake_at=wake_at,
    ).noted(now, state, right=made.right, plan=made.digest, records=made.records)
    await context.cases.commit(
        request.request_id,
        [Write(document=waiting, etag=case.etags[waiting.id]), Write(document=event, etag=None)],
    )
    if state is RequestState.AWAITING_APPROVAL:
        await context.operators.alarm("approval_needed", request_id=request.request_id)
    elif start_at is not None:
        delay = min(max(0, int((start_at - now).total_seconds()) + 1), _LONGEST_DELAY_SECONDS)
        await context.queue.send([PlanRequest(request_id=request.request_id)], delay_seconds=delay)


async def _defer(context: Context, case: Case, request: SubjectRequest) -> None:
    """Wait for the other right on this person: longer each time, and the sweep as the last resort."""
    now = context.clock.now()
    delay = min(context.limits.fence_retry_seconds * 2**request.deferrals, context.limits.wake_seconds)
    waiting = request.with_(
        deferrals=min(request.deferrals + 1, _MOST_DEFERRALS),
        start_at=after(now, seconds=delay),
        wake_at=after(now, seconds=delay + context.limits.fence_retry_seconds),
    )
    await context.cases.commit(request.request_id, [Write(document=waiting, etag=case.etags[waiting.id])])
    await context.queue.send([PlanRequest(request_id=request.request_id)], delay_seconds=delay)


def _waits(context: Context, request: SubjectRequest, made: Plan) -> RequestState | None:
    """Return the state in which the plan waits, or None when it may begin now."""
    if made.needs_decision and request.approved_digest != made.digest:
        return RequestState.AWAITING_APPROVAL
    if made.right is not Right.ERASURE or context.limits.grace_seconds == 0:
        return None
    waited = (
        request.state is RequestState.PLANNED
        and not _changed(request, made)
        and request.start_at is not None
        and context.clock.now() >= request.start_at
    )
    return None if waited or request.approved_digest == made.digest else RequestState.PLANNED


def _changed(request: SubjectRequest, made: Plan) -> bool:
    return request.plan is None or request.plan.digest != made.digest


async def _made(
    context: Context,
    request: SubjectRequest,
    identifiers: Identifiers,
    controls: Sequence[StoredControls],
) -> Plan:
    if request.right not in SUPPORTED:
        raise Permanent("right_not_supported", request.right)
    erasing = request.right is Right.ERASURE
    entries = []
    for activity, store in context.datamap.stores():
        if erasing:
            entries.append(await _erasure_entry(context, activity, store, identifiers, controls))
        else:
            entries.append(
                PlanEntry(store_id=store.id, activity_id=activity.id, action=Action.COLLECT, records=0)
            )
    restricted = erasing and any(one.controls.is_restricted for one in controls)
    return Plan(
        right=request.right,
        revision=request.plans_made + 1,
        map_digest=context.datamap.digest,
        entries=tuple(entries),
        needs_decision=("restricted",) if restricted else (),
    ).sealed()


async def _erasure_entry(
    context: Context,
    activity: Activity,
    store: Store,
    identifiers: Identifiers,
    controls: Sequence[StoredControls],
) -> PlanEntry:
    hold = next((hold for one in controls for hold in one.controls.holds if hold.covers(activity.id)), None)
    if isinstance(store, DocumentStore):
        records = await context.documents.count(store, identifiers)
    else:
        records = 0  # lines and files are found while they are read; counting them would read them twice
    treatment = {field.on_erasure for field in store.fields if field.on_erasure is not OnErasure.FOLLOW}
    action = Action.KEEP if treatment == {OnErasure.KEEP} and not _has_last_day(store) else Action.ERASE
    return PlanEntry(
        store_id=store.id,
        activity_id=activity.id,
        action=Action.HOLD if hold else action,
        records=records,
        treatment=tuple(sorted(treatment)),
        held_by=hold.hold_id if hold else None,
    )


def _has_last_day(store: Store) -> bool:
    """Whether a keeping duty of the store ends on a day that has to be read from each record."""
    return any(field.keep is not None and field.keep.until != NOT_STATED for field in store.fields)
