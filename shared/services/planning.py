"""Plan the present right of a request, and begin what is planned.

Called for every state that waits to start. The plan is made anew each time from what is there now; it
starts only if it needs no decision, or the decision was about exactly this plan, and, where there is a
waiting time, only if nothing changed while the person could still cancel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.controls import SWITCH_KEY, UNFENCED
from shared.domain.errors import Conflict
from shared.domain.identifiers import SUBJECT_KEY, Identifiers, merged
from shared.domain.messages import FinishStage, PlanRequest, RunTasks, SendLetter
from shared.domain.plans import Action, Plan, PlanEntry
from shared.domain.request_states import RequestState
from shared.domain.rights import IMMEDIATE, Right
from shared.domain.tasks import Stage, Task
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.ports.controls import StoredControls
from shared.rendering.letters import LetterKind
from shared.services import calling_back, fencing, governing, marking, switching
from shared.services.answering import letter
from shared.services.attention import stop
from shared.services.context import Context
from shared.services.drafting import CONTRADICTS, contradicts_person, draft, reaches_person
from shared.services.resolving import becomes_another, resolve_request
from shared.services.splitting import may_split, split

ACTION_OF = {
    Stage.COLLECT: Action.COLLECT,
    Stage.ERASE: Action.ERASE,
    Stage.LOOK: Action.LOOK,
    Stage.CORRECT: Action.CORRECT,
    Stage.CHECK: Action.CHECK,
}
FIRST_STAGE = {
    Right.ACCESS: Stage.COLLECT,
    Right.PORTABILITY: Stage.COLLECT,
    Right.RECTIFICATION: Stage.CORRECT,
    Right.ERASURE: Stage.ERASE,
    Right.OBJECTION: Stage.ERASE,  # where it is upheld
    Right.WITHDRAWAL: Stage.ERASE,
    Right.MARKETING_OBJECTION: Stage.ERASE,
    Right.RESTRICTION: Stage.MARK,
    Right.COMPLAINT: Stage.MARK,
}
CAPPED = frozenset({Right.ERASURE, Right.OBJECTION})  # what counts towards the erasures of an hour
STARTABLE = frozenset({RequestState.VERIFIED, RequestState.PLANNED, RequestState.AWAITING_APPROVAL})
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
    if request.state not in STARTABLE:
        return
    if request.state is RequestState.AWAITING_APPROVAL and request.approved_digest is None:
        return
    start_at = request.start_at
    if start_at is not None and after(context.clock.now(), seconds=_EARLY_SECONDS) < start_at:
        return  # a later message is on its way, and the sweep behind it
    if not request.is_internal:
        await _plan(context, case)
        return
    found = await governing.held_of(context, request)
    if found is not None:
        await governing.put_off(context, request, found, PlanRequest(request_id=request_id))
        return
    async with governing.governed(context):
        await _plan(context, case)


async def _plan(context: Context, case: Case) -> None:
    request = case.request
    resolved = await resolve_request(context, request)
    if resolved.problem is not None:
        await stop(context, case, resolved.problem)
        return
    identifiers = resolved.identifiers
    if await becomes_another(context, request, identifiers):
        await stop(context, case, "address_of_another")
        return
    keys = identifiers[SUBJECT_KEY]
    if marking.RESTRICTING & set(request.rights):
        case = await _known(context, case, identifiers)
        request = case.request
    await _mark(context, request, identifiers)
    *controls, switch = await context.controls.read((*keys, SWITCH_KEY))
    made = await draft(context, request, identifiers, controls)
    if request.plans_made >= context.limits.replans and _changed(request, made):
        await stop(context, case, "plan_keeps_changing")
        return
    if may_split(case) and not _stands(request, identifiers, made):
        await split(context, case, "plan_outdated")
        return
    await _go_on(context, case, _with_person(request, identifiers), made, controls, switch)


async def _go_on(
    context: Context,
    case: Case,
    request: SubjectRequest,
    made: Plan,
    controls: Sequence[StoredControls],
    switch: StoredControls,
) -> None:
    """Begin what was planned, or wait for what it has to wait for."""
    waits = _waits(context, request, made)
    is_paused = FIRST_STAGE[request.right] is Stage.ERASE and switching.is_thrown(switch.controls)
    if is_paused and waits is not RequestState.AWAITING_APPROVAL:  # a decision erases nothing yet
        await _tell_of_pause(context, case)
        await stop(context, case, switching.PAUSED)
        return
    if waits is not None:
        await _save_waiting(context, case, request, made, waits)
        return
    await _begin(context, case, request, made, controls)


def _pairs(identifiers: Identifiers) -> Iterator[tuple[str, str]]:
    yield from ((kind, one) for kind, values in identifiers.items() if kind != SUBJECT_KEY for one in values)


def _stands(request: SubjectRequest, identifiers: Identifiers, made: Plan) -> bool:
    """Whether several people are who they were when they were put together, and nothing of theirs is held."""
    same = merged(request.identifiers, _pairs(identifiers)) == merged(request.identifiers, ())
    return same and bool(made.entries) and all(entry.action is not Action.HOLD for entry in made.entries)


async def _known(context: Context, case: Case, identifiers: dict[str, tuple[str, ...]]) -> Case:
    """Save whom the request is about before its marks are written: who cancels it has to find them.

    Raises:
        Conflict: somebody changed the request meanwhile, and no mark was written.
    """
    known = _with_person(case.request, identifiers)
    if known.subject_keys == case.request.subject_keys:
        return case
    etags = await context.cases.commit(known.request_id, [Write(document=known, etag=case.etags[known.id])])
    return replace(case, request=known, etags={**case.etags, **etags})


def _with_person(request: SubjectRequest, identifiers: dict[str, tuple[str, ...]]) -> SubjectRequest:
    first = request.subject_keys[0]
    others = (key for key in identifiers[SUBJECT_KEY] if key != first)
    return request.with_(identifiers=identifiers, subject_keys=(first, *others))


async def _begin(
    context: Context,
    case: Case,
    request: SubjectRequest,
    made: Plan,
    controls: Sequence[StoredControls],
) -> None:
    if made.right not in UNFENCED and (
        await fencing.claim(context, request, request.subject_keys, controls) is fencing.Fence.BUSY
    ):
        if may_split(case):
            await split(context, case, "busy")
        else:
            await _defer(context, case, request)
        return
    is_capped = made.right in CAPPED
    found = await governing.held_from_beginning(context, request) if is_capped else None
    if found is not None:
        await governing.put_off(context, request, found, PlanRequest(request_id=request.request_id))
        return
    if is_capped and await switching.is_over_cap(context, people=request.subject_count):
        await stop(context, case, switching.PAUSED)
        return
    now = context.clock.now()
    stage = FIRST_STAGE[made.right]
    begun, event = request.moved_to(
        RequestState.IN_PROGRESS,
        plan=made,
        plans_made=request.plans_made + int(_changed(request, made)),
        stage=stage,
        begun_at=now,
        runs=request.runs + 1,
        is_irreversible=request.is_irreversible or stage in (Stage.ERASE, Stage.CORRECT),
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
    await context.queue.send([following(begun, tasks)])
    await calling_back.announce(context, begun)


def following(request: SubjectRequest, tasks: Sequence[Task]) -> RunTasks | FinishStage:
    """Return the message of a stage that begins: a stage without tasks is finished at once."""
    if any(not task.is_final for task in tasks):
        return RunTasks(request_id=request.request_id, lane=0)
    return FinishStage(request_id=request.request_id)


async def _mark(context: Context, request: SubjectRequest, identifiers: Identifiers) -> None:
    """Write what holds from now on, where the requester may speak of this person."""
    await marking.lift_if_misread(context, request)  # whoever read it anew may have died before
    if await reaches_person(context, request, identifiers):
        await marking.apply_at_once(context, request, identifiers[SUBJECT_KEY])
        await _protect(context, request, identifiers[SUBJECT_KEY])


async def _protect(context: Context, request: SubjectRequest, keys: Sequence[str]) -> None:
    """Restrict at once what a person will decide about, before the case waits. Source: GDPR 18(1)(d).

    A right of the same message that is worked on first keeps nobody unprotected, once it is known who asks.
    """
    for right in (Right.RESTRICTION, Right.OBJECTION):
        if right not in request.rights or right in request.outcomes:
            continue
        if request.verified_at is None or request.requester.refusal(right) is not None:
            continue
        ground = "objection" if right is Right.OBJECTION else request.wishes.ground or "accuracy"
        await marking.restrict(context, request.for_right(right), keys, ground)
    if request.right is Right.RECTIFICATION and await contradicts_person(context, request):
        await marking.restrict(context, request, keys, "accuracy")


async def _give_back_if_closed(context: Context, request: SubjectRequest) -> None:
    """Give back claims and marks taken while somebody cancelled.

    After a crash here the claim counts for nothing, and the sweep's cleaning takes back the marks.
    """
    now = (await context.cases.load(request.request_id)).request
    if now.state is RequestState.CANCELLED or request.right in now.dropped:
        await marking.take_back(context, request)
        await fencing.release(context, request, request.subject_keys)


def stage_tasks(
    request: SubjectRequest, entries: Sequence[PlanEntry], *, before: Sequence[Task]
) -> list[Task]:
    """Return one task for each store that is worked on, all in the first lane; long work spreads later.

    An erasure that is taken up again keeps what its tasks have counted, and what they were about to erase.
    Tasks the new plan leaves out, as under a hold, end where they are, once what a worker that died had
    erased is counted; an earlier look at them counts no more.
    """
    known = {task.id: task for task in before}
    planned = {f"task-{request.phase}-{entry.action}-{entry.store_id}" for entry in entries}
    action = ACTION_OF.get(request.stage) if request.stage else None  # marks have no tasks
    prefix = f"task-{request.phase}-{action}-"
    tasks = [
        task.left_out()
        for task in before
        if task.id.startswith(prefix) and task.id not in planned and task != task.left_out()
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
    told = _told_of_waiting(case, waiting, state, now)
    try:
        await context.cases.commit(
            request.request_id,
            [
                Write(document=waiting, etag=case.etags[waiting.id]),
                Write(document=event, etag=None),
                *(Write(document=one, etag=None) for one in told),
            ],
        )
    except Conflict:
        await _give_back_if_closed(context, request)
        raise
    await context.queue.send([SendLetter(request_id=request.request_id, letter_id=one.id) for one in told])
    if state is RequestState.AWAITING_APPROVAL:
        await context.operators.alarm("approval_needed", request_id=request.request_id)
    elif start_at is not None:
        delay = min(max(0, int((start_at - now).total_seconds()) + 1), _LONGEST_DELAY_SECONDS)
        await context.queue.send([PlanRequest(request_id=request.request_id)], delay_seconds=delay)


def _told_of_waiting(
    case: Case, request: SubjectRequest, state: RequestState, now: datetime
) -> list[LetterDocument]:
    """Return the letters that say a person decides; each is sent once for each right.

    Whom a customer contradicts is asked which is right, not only told of it afterwards.
    """
    if state is not RequestState.AWAITING_APPROVAL or request.is_internal:
        return []
    kind = LetterKind.DELAYED_BY_REVIEW
    if request.right is Right.OBJECTION and request.requester.kind != "customer":
        kind = LetterKind.OBJECTION_RECEIVED
    kinds = [kind]
    if request.plan and CONTRADICTS in request.plan.needs_decision and request.wishes.tell:
        kinds.append(LetterKind.SUBJECT_ASKED)
    made = [letter(request, one, created_at=now) for one in kinds]
    return [one for one in made if one.id not in case.etags]


async def _tell_of_pause(context: Context, case: Case) -> None:
    """Tell who objected to marketing or withdrew that it holds, though the records of it wait for the switch.

    It is saved once, and sent again by whoever dies in between: the message comes again, or the sweep.
    """
    request = case.request
    if request.is_internal or request.right not in IMMEDIATE:
        return
    now = context.clock.now()
    told = letter(request, LetterKind.DELAYED_BY_REVIEW, created_at=now)
    if told.id in case.etags:
        return
    await context.cases.commit(request.request_id, [Write(document=told, etag=None)])
    await context.queue.send([SendLetter(request_id=request.request_id, letter_id=told.id)])


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
