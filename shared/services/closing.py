"""Close a request or one of its rights: its personal data goes and its claims are given back."""

from collections.abc import Sequence

from shared.domain.cases import Event, LetterDocument, RequestState, SubjectRequest, Task
from shared.domain.messages import PlanRequest
from shared.domain.rights import Right
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.services import fencing
from shared.services.context import Context
from shared.services.parts import all_parts, forget_parts

_CLEANUP_SECONDS = 3600  # a worker that was still writing a copy has ended by then


async def close_answered(context: Context, case: Case, letter: LetterDocument) -> None:
    """Close what was answered, its letter being sent: go to the next right, or end the request.

    Raises:
        Conflict: somebody changed the request meanwhile; read again.
    """
    request = case.request
    now = context.clock.now()
    sent = letter.with_(sent_at=now)
    if request.has_next_phase:
        following, event = request.moved_to(
            RequestState.VERIFIED,
            phase=request.phase + 1,
            stage=None,
            plan=None,
            plans_made=0,
            looks=0,
            start_at=None,
            approved_digest=None,
            wake_at=after(now, seconds=context.limits.wake_seconds),
        ).noted(now, "right_answered", right=request.right)
        await context.cases.commit(request.request_id, _writes(case, following, event, sent))
        await context.queue.send([PlanRequest(request_id=request.request_id)])
        return
    kept = any(outcome.result == "erased_with_retention" for outcome in request.outcomes.values())
    state = RequestState.COMPLETED_WITH_RETENTION if kept else RequestState.COMPLETED
    await end(context, case, state, sent)


async def end(
    context: Context, case: Case, state: RequestState, letter: LetterDocument | None = None
) -> None:
    """Move a request to a final state, without its address and identifiers, and give back its claims.

    The claims go after the state is saved, for a request that could not end still needs them. Where a
    crash comes in between, they stay as claims of a closed request, which count for nothing.

    Raises:
        Conflict: somebody changed the request meanwhile; read again.
    """
    request = case.request
    now = context.clock.now()
    package = request.package
    if package is not None:
        wake_at = package.expires_at
    elif Right.ACCESS in request.rights and state is RequestState.CANCELLED:
        wake_at = after(now, seconds=_CLEANUP_SECONDS)
    else:
        wake_at = None
    ended, event = request.moved_to(
        state,
        email=None,
        identifiers={},
        stage=None,
        closed_at=now,
        wake_at=wake_at,
    ).noted(now, state)
    await context.cases.commit(request.request_id, _writes(case, ended, event, letter))
    if state is RequestState.CANCELLED and Right.ACCESS in request.rights:
        await forget_parts(context, request.request_id, await all_parts(context, request.request_id))
    await fencing.release(context, request, request.subject_keys)


def _writes(case: Case, request: SubjectRequest, event: Event, letter: LetterDocument | None) -> list[Write]:
    writes = [
        Write(document=request, etag=case.etags[request.id]),
        Write(document=event, etag=None),
    ]
    if letter is not None:
        writes.append(Write(document=letter, etag=case.etags[letter.id]))
    if request.is_final:
        writes += [Write(document=task, etag=case.etags[task.id]) for task in cleared(case.tasks)]
    return writes


def cleared(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks whose notes name records of the person, without those notes."""
    return [task.unclaimed().with_(cursor=None) for task in tasks if task.cursor is not None or task.claimed]
