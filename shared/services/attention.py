"""Stop a request that cannot go on by itself, tell an operator, and take it up again."""

from shared.domain.errors import Conflict, NotAllowed
from shared.domain.messages import PlanRequest
from shared.domain.request_states import TRANSITIONS, RequestState
from shared.domain.tasks import TaskState
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.services.context import Context
from shared.services.forgetting import forget
from shared.services.splitting import may_split, split
from shared.services.switching import PAUSED

PAUSED_BY_STAFF = "paused_by_staff"
_IN_PAGE = 100


async def stop(context: Context, case: Case, code: str) -> None:
    """Put a request aside as needing attention. Its claims stay: nothing else may meet half-done work.

    The person's address stays with it too, since an answer is still owed. A request that waits for a person
    anyway goes on waiting, as does one whose answer may have been sent, and the operator is told. A case of
    several people is split instead: whose data it is that stops it is found when each is looked at alone.
    """
    request = case.request
    if may_split(case) and code not in (PAUSED, PAUSED_BY_STAFF):
        await split(context, case, code)
        return
    if request.is_final or (request.state is RequestState.NEEDS_ATTENTION and request.attention == code):
        return
    # An answer that may be out is looked for until it is found: worked out anew, it could go out twice.
    if _may_be_answered(case) or RequestState.NEEDS_ATTENTION not in {
        request.state,
        *TRANSITIONS[request.state],
    }:
        await context.operators.alarm(code, request_id=request.request_id)
        return
    now = context.clock.now()
    stopped, event = request.moved_to(
        RequestState.NEEDS_ATTENTION,
        attention=code,
        wake_at=after(now, seconds=context.limits.wake_seconds),  # the alarm below may be lost
    ).noted(now, "stopped", code=code)
    await context.cases.commit(
        request.request_id,
        [Write(document=stopped, etag=case.etags[stopped.id]), Write(document=event, etag=None)],
    )
    await context.operators.alarm(code, request_id=request.request_id)


def _may_be_answered(case: Case) -> bool:
    """Whether the answer set out and nobody knows yet whether it arrived."""
    return any(letter.closes and letter.is_in_doubt for letter in case.letters)


async def fail_lane(context: Context, request_id: str, lane: int, code: str) -> None:
    """Mark a lane's unfinished tasks as failed and stop the request: its message failed too often."""
    case = await context.cases.load(request_id)
    request = case.request
    if request.state is not RequestState.IN_PROGRESS:
        return
    if may_split(case):
        await split(context, case, code, lane=lane)
        return
    failed = [
        task.with_(state=TaskState.FAILED, problem=code)
        for task in case.tasks
        if task.lane == lane and not task.is_final
    ]
    now = context.clock.now()
    stopped, event = request.moved_to(
        RequestState.NEEDS_ATTENTION,
        attention=code,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "tasks_failed", code=code, lane=lane, tasks=len(failed))
    await context.cases.commit(
        request_id,
        [
            Write(document=stopped, etag=case.etags[stopped.id]),
            Write(document=event, etag=None),
            *(Write(document=task, etag=case.etags[task.id]) for task in failed),
        ],
    )
    await context.operators.alarm(code, request_id=request_id)


async def retry(context: Context, request_id: str, *, decided_by: str) -> None:
    """Plan a stopped request again after its cause was removed. Findings are forgotten and found anew.

    Raises:
        NotAllowed: `not_stopped`: there is nothing to take up.
    """
    case = await context.cases.load(request_id)
    if case.request.state is not RequestState.NEEDS_ATTENTION:
        raise NotAllowed("not_stopped")
    await forget(context, request_id, [finding.id for finding in case.findings])
    now = context.clock.now()
    resumed, event = case.request.moved_to(
        RequestState.VERIFIED,
        attention=None,
        stage=None,
        plans_made=0,
        looks=0,
        start_at=None,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "retried", decided_by=decided_by)
    await context.cases.commit(
        request_id,
        [Write(document=resumed, etag=case.etags[resumed.id]), Write(document=event, etag=None)],
    )
    await context.queue.send([PlanRequest(request_id=request_id)])


async def pause(context: Context, request_id: str, *, decided_by: str) -> None:
    """Stop the work on one case because a person says so; `retry` takes it up again.

    Raises:
        NotAllowed: `not_pausable`: there is no work to stop: it is closed, answered (or may be) or not
            confirmed.
    """
    case = await context.cases.load(request_id)
    request = case.request
    if RequestState.NEEDS_ATTENTION not in TRANSITIONS[request.state] or _may_be_answered(case):
        raise NotAllowed("not_pausable")
    now = context.clock.now()
    paused, event = request.moved_to(
        RequestState.NEEDS_ATTENTION,
        attention=PAUSED_BY_STAFF,
        wake_at=after(now, seconds=context.limits.alarm_repeat_seconds),
    ).noted(now, "paused", decided_by=decided_by)
    await context.cases.commit(
        request_id,
        [Write(document=paused, etag=case.etags[paused.id]), Write(document=event, etag=None)],
    )


async def retry_all(context: Context, attention: str, *, decided_by: str) -> int:
    """Take up every case that stopped for one reason, and return how many. A second call finds none."""
    taken_up = 0
    cursor: str | None = None
    while True:
        page = await context.cases.listing(
            states=(RequestState.NEEDS_ATTENTION,), attention=attention, cursor=cursor, limit=_IN_PAGE
        )
        for row in page.rows:
            try:
                await retry(context, row.request_id, decided_by=decided_by)
            except (Conflict, NotAllowed):
                continue  # somebody was faster
            taken_up += 1
        cursor = page.cursor
        if cursor is None:
            return taken_up
