"""Work on the tasks of one lane of a request, within one message's budget.

A lane goes through its tasks one after the other. When the budget is spent it spreads what is left over
more lanes, so a person with little data costs one message and a person with much gets parallel work.
"""

from shared.datamap.models import Activity, DocumentStore, FileStore, LineStore, Store
from shared.domain.errors import ComplianceError, Conflict
from shared.domain.messages import FinishStage, PlanRequest, RunTasks
from shared.domain.plans import Action
from shared.domain.request_states import RequestState
from shared.domain.tasks import Task, TaskState
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.services import governing, switching
from shared.services.attention import stop
from shared.services.collecting import collect_documents, collect_files, collect_lines
from shared.services.context import Context
from shared.services.correcting import check_documents, correct_documents
from shared.services.erasing import ErasingPausedError, PlanOutdatedError, erase_documents, erase_files
from shared.services.erasing_lines import LineEraser
from shared.services.looking import look_at_documents, look_at_files, look_at_lines
from shared.services.planning import ACTION_OF
from shared.services.progress import Progress, TaskTakenError
from shared.services.splitting import may_split, split


def stage_tasks_of(case: Case) -> tuple[Task, ...]:
    """Return the tasks of the request's present stage."""
    request = case.request
    if request.stage not in ACTION_OF:
        return ()
    prefix = f"task-{request.phase}-{ACTION_OF[request.stage]}-"
    return tuple(task for task in case.tasks if task.id.startswith(prefix))


async def run_lane(context: Context, request_id: str, lane: int) -> None:
    """Work on a lane's unfinished tasks; a second call finds less or nothing to do.

    Tasks another worker has claimed are left to it. A claim that ran out is taken over.
    """
    case = await context.cases.load(request_id)
    if case.request.state is not RequestState.IN_PROGRESS:
        return
    if not case.request.is_internal:
        await _work_on(context, case, lane, Progress(context, case))
        return
    context = governing.in_small_pages(context)
    async with governing.governed(context):
        with context.meter.measured() as spent:  # a run of scheduled deletion says what it cost
            await _work_on(context, case, lane, Progress(context, case, spent))


async def _work_on(context: Context, case: Case, lane: int, progress: Progress) -> None:
    request_id, now = case.request.request_id, context.clock.now()
    mine = [task.id for task in stage_tasks_of(case) if task.lane == lane and not task.is_final]
    for task_id in mine:
        claimed_until = progress.task(task_id).claimed_until
        if claimed_until is not None and claimed_until > now:
            return  # a twin of this message is at work, or died; the sweep comes after its lease
    try:
        for task_id in mine:
            while not progress.task(task_id).is_final:
                if progress.budget.is_spent:
                    await _spread(context, progress, case, lane)
                    return
                if await _rests(context, progress, case, lane):
                    return
                await _page(context, progress, progress.task(task_id))
                await progress.flush_when_full()
        await progress.flush()
    except TaskTakenError:
        return
    except (PlanOutdatedError, ErasingPausedError) as error:
        await _give_way(context, progress, request_id, error)
        return
    except ComplianceError:
        await progress.let_go()
        raise
    finally:
        await progress.ahead.forget()
    await context.queue.send([FinishStage(request_id=request_id)])


async def _rests(context: Context, progress: Progress, case: Case, lane: int) -> bool:
    """Whether scheduled deletion has to rest before the lane's next page; then the lane is put off.

    For longer, it goes back to planning without its claims, so that no person's request waits for it.
    """
    if not case.request.is_internal:
        return False
    found = await governing.held_of(context, case.request)
    if found is None:
        return False
    await progress.flush()
    if found.is_short:
        message = RunTasks(request_id=case.request.request_id, lane=lane)
        await governing.put_off(context, case.request, found, message)
    else:
        await plan_again(context, case.request.request_id, splits=False)
    return True


async def _give_way(
    context: Context, progress: Progress, request_id: str, error: PlanOutdatedError | ErasingPausedError
) -> None:
    """Go back to planning, or wait for whoever stopped all destruction; what is erased stays counted."""
    if isinstance(error, PlanOutdatedError):
        try:
            await progress.flush()
        except TaskTakenError:
            return
        await progress.let_go()
        await plan_again(context, request_id)
        return
    await progress.let_go()
    await stop(context, await context.cases.load(request_id), switching.PAUSED)


async def _page(context: Context, progress: Progress, task: Task) -> None:
    activity, store = context.datamap.store(task.store_id)
    match task.action:
        case Action.COLLECT:
            await _collect(context, progress, task, activity, store)
        case Action.ERASE:
            await _erase(context, progress, task, activity, store)
        case Action.LOOK:
            await _look(context, progress, task, store)
        case Action.CORRECT if isinstance(store, DocumentStore):
            await correct_documents(context, progress, task, activity, store)
        case Action.CHECK if isinstance(store, DocumentStore):
            await check_documents(context, progress, task, store)


async def _collect(
    context: Context, progress: Progress, task: Task, activity: Activity, store: Store
) -> None:
    match store:
        case DocumentStore():
            await collect_documents(context, progress, task, activity, store)
        case LineStore():
            await collect_lines(context, progress, task, activity, store)
        case FileStore():
            await collect_files(context, progress, task, store)


async def _erase(context: Context, progress: Progress, task: Task, activity: Activity, store: Store) -> None:
    match store:
        case DocumentStore():
            await erase_documents(context, progress, task, activity, store)
        case LineStore():
            await LineEraser(context, progress, task, activity, store).run()
        case FileStore():
            await erase_files(context, progress, task, activity, store)


async def _look(context: Context, progress: Progress, task: Task, store: Store) -> None:
    match store:
        case DocumentStore():
            await look_at_documents(context, progress, task, store)
        case LineStore():
            await look_at_lines(context, progress, task, store)
        case FileStore():
            await look_at_files(context, progress, task, store)


async def _spread(context: Context, progress: Progress, case: Case, lane: int) -> None:
    """Save, give the lane's untouched tasks to idle lanes, and send each lane its message."""
    left = [task for task in map(progress.task, _ids(case)) if task.lane == lane and not task.is_final]
    idle = [
        number
        for number in range(context.limits.lanes)
        if number != lane
        and all(task.lane != number or task.is_final for task in map(progress.task, _ids(case)))
    ]
    lanes = {lane}
    for task, number in zip(left[1:], _rounds(lane, idle), strict=False):
        progress.note(task.with_(lane=number))
        lanes.add(number)
    await progress.flush()
    await context.queue.send(
        [RunTasks(request_id=case.request.request_id, lane=number) for number in sorted(lanes)]
    )


def _rounds(lane: int, idle: list[int]) -> list[int]:
    """Return the lanes to deal tasks to: idle ones first, the own one in turn."""
    return [*idle, lane] * _MOST_TASKS


_MOST_TASKS = 64


def _ids(case: Case) -> list[str]:
    return [task.id for task in stage_tasks_of(case)]


async def plan_again(context: Context, request_id: str, *, splits: bool = True) -> None:
    """Send the request back to planning: what is erased stays erased and counted, the rest is asked anew."""
    case = await context.cases.load(request_id)
    if case.request.state is not RequestState.IN_PROGRESS:
        return
    if splits and may_split(case):
        await split(context, case, "plan_outdated")
        return
    now = context.clock.now()
    request, event = case.request.moved_to(
        RequestState.VERIFIED,
        stage=None,
        start_at=None,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "plan_outdated")
    released = [  # every one, so that a lane that is still at work finds its own changed, and stops
        task.with_(state=TaskState.QUEUED, claimed_until=None) for task in case.tasks if not task.is_final
    ]
    try:
        await context.cases.commit(
            request_id,
            [
                Write(document=request, etag=case.etags[request.id]),
                Write(document=event, etag=None),
                *(Write(document=task, etag=case.etags[task.id]) for task in released),
            ],
        )
    except Conflict:
        return  # another lane did it first
    await context.queue.send([PlanRequest(request_id=request_id)])
