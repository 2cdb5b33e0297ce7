"""Erasures that a hold deferred: taken up again as soon as the hold is released, whoever notices first.

A release may meet a request whose answer is just on its way. So whoever makes a request stand looks once
more, and so does the sweep: no erasure stays deferred by a hold that is gone.
"""

from collections.abc import Sequence

from shared.domain.cases import SubjectRequest
from shared.domain.messages import PlanRequest
from shared.domain.outcomes import Outcome
from shared.domain.request_states import RequestState
from shared.domain.times import after
from shared.ports.cases import Write
from shared.ports.controls import StoredControls
from shared.services.conflicts import settled
from shared.services.context import Context

HOLD = "hold"  # the reason of what a hold keeps


async def take_up_deferred(context: Context, request_id: str) -> bool:
    """Plan anew the erasures of a standing request whose hold was released; False: there is none.

    What was erased stays erased and counted; records made after the first answer are none of what was asked
    for, and stay. A second call finds nothing to do.

    Raises:
        Conflict: somebody else kept writing; let the caller's next attempt, or the sweep, do it.
    """
    return await settled(lambda: _take_up(context, request_id))


async def _take_up(context: Context, request_id: str) -> bool:
    case = await context.cases.load(request_id)
    request = case.request
    if request.state is not RequestState.STANDING or not is_deferred(request):
        return False
    controls = await context.controls.read(request.subject_keys)
    free = [
        right
        for right in request.rights
        if right in request.outcomes and _is_free(context, request.outcomes[right], controls)
    ]
    if not free:
        return False
    now = context.clock.now()
    asked_until = request.scope.created_before or min(request.outcomes[right].at for right in free)
    revived, event = request.moved_to(
        RequestState.VERIFIED,
        phase=request.rights.index(free[0]),
        outcomes={right: one for right, one in request.outcomes.items() if right not in free},
        revivals=request.revivals + 1,
        scope=request.scope.model_copy(update={"created_before": asked_until}),
        plan=None,
        plans_made=0,
        looks=0,
        approved_digest=None,
        start_at=None,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "taken_up_after_hold", right=free[0])
    await context.cases.commit(
        request.request_id,
        [Write(document=revived, etag=case.etags[revived.id]), Write(document=event, etag=None)],
    )
    await context.queue.send([PlanRequest(request_id=request.request_id)])
    return True


def is_deferred(request: SubjectRequest) -> bool:
    """Whether a hold kept something that one of the request's rights would erase."""
    return any(kept.reason == HOLD for outcome in request.outcomes.values() for kept in outcome.kept)


def _is_free(context: Context, outcome: Outcome, controls: Sequence[StoredControls]) -> bool:
    """Whether something that a hold kept is held by none any more."""
    deferred = {context.datamap.store(kept.store_id)[0].id for kept in outcome.kept if kept.reason == HOLD}
    return any(
        not any(hold.covers(activity_id) for one in controls for hold in one.controls.holds)
        for activity_id in deferred
    )
