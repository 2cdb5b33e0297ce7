"""Close a request or one of its rights: its personal data goes and its claims are given back."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.case_documents import Event, LetterDocument
from shared.domain.cases import SubjectRequest, portable_id
from shared.domain.controls import Controls
from shared.domain.messages import PlanRequest
from shared.domain.recipients import NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import IMMEDIATE, Right
from shared.domain.tasks import Task
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.services import calling_back, fencing, marking
from shared.services.context import Context
from shared.services.deferring import is_deferred, take_up_deferred
from shared.services.parts import all_parts, forget_parts
from shared.services.reminding import next_look

COPIES = frozenset({Right.ACCESS, Right.PORTABILITY})


async def close_answered(context: Context, case: Case, letter: LetterDocument | None) -> None:
    """Close what was answered, its letter being sent: go to the next right, or end the request.

    A right that needs an identity check waits for the confirmation, if there was none yet. A request of which
    something still stands (a restriction, a hold, a recipient that has not confirmed) stays open for it.

    Raises:
        Conflict: somebody changed the request meanwhile; read again.
    """
    request = case.request
    now = context.clock.now()
    sent = letter.with_(sent_at=now) if letter else None
    if request.next_phase is not None:
        await _go_on(context, case, now, sent, request.next_phase)
        return
    if await stands(context, request):
        await _keep_open(context, case, now, sent)
        return
    await end(context, case, ended_state(request), sent)


async def _go_on(
    context: Context, case: Case, now: datetime, sent: LetterDocument | None, phase: int
) -> None:
    request = case.request
    waits = request.verified_at is None and request.rights[phase] not in IMMEDIATE
    following, event = request.moved_to(
        RequestState.RECEIVED if waits else RequestState.VERIFIED,
        phase=phase,
        stage=None,
        plan=None,
        plans_made=0,
        looks=0,
        is_irreversible=False,  # what was done is answered; the next right can still be cancelled
        start_at=None,
        approved_digest=None,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "right_answered", right=request.right)
    await context.cases.commit(request.request_id, _writes(case, following, event, sent))
    # The next right claims for itself: one that waits for a person must keep nobody waiting.
    await fencing.release(context, request, request.subject_keys, keep_open=True)
    if waits:
        return
    await context.queue.send([PlanRequest(request_id=request.request_id)])


async def _keep_open(context: Context, case: Case, now: datetime, sent: LetterDocument | None) -> None:
    request = case.request
    review_at = after(now, days=context.limits.standing_review_days)
    wake_at = min(review_at, next_look(context, request) or review_at)
    if is_deferred(request):  # its hold may be released at this moment, and we may die before we look
        wake_at = min(wake_at, after(now, seconds=context.limits.wake_seconds))
    standing, event = request.moved_to(RequestState.STANDING, stage=None, wake_at=wake_at).noted(
        now, "standing"
    )
    await context.cases.commit(
        request.request_id,
        [*_writes(case, standing, event, sent), *_cleared(case)],
    )
    await fencing.release(context, request, request.subject_keys)
    await calling_back.announce(context, standing)
    await take_up_deferred(context, request.request_id)


async def end_unanswered(context: Context, case: Case, state: RequestState) -> RequestState:
    """End the open rights of a request, cancelled or lapsed, and return the state that the request has then.

    What was answered and still stands, as a restriction or what a hold put off, goes on by itself.

    Raises:
        Conflict: somebody changed the request meanwhile; read again.
    """
    rest = case.request.answered_alone()
    if rest is None or not await stands(context, rest):
        await end(context, case, state)
        return state
    now = context.clock.now()
    standing, event = rest.moved_to(
        RequestState.STANDING,
        stage=None,
        plan=None,
        approved_digest=None,
        start_at=None,
        attention=None,
        wake_at=after(now, seconds=context.limits.cleanup_seconds),
    ).noted(now, f"rights_{state}", rights=",".join(rest.dropped))
    await context.cases.commit(rest.request_id, [*_writes(case, standing, event, None), *_cleared(case)])
    await forget_dropped(context, standing)
    await calling_back.announce(context, standing)
    await take_up_deferred(context, rest.request_id)
    return RequestState.STANDING


async def forget_dropped(context: Context, request: SubjectRequest) -> None:
    """Take back what the dropped rights of a standing request left behind. A second call changes nothing."""
    if COPIES & set(request.dropped):
        await forget_parts(context, request.request_id, await all_parts(context, request.request_id))
        await forget_unpublished(context, request)
    await marking.take_back(context, request)
    await fencing.release(context, request, request.subject_keys)


async def stands(context: Context, request: SubjectRequest) -> bool:
    """Tell whether something of an answered request still stands, for which it has to stay open."""
    if request.is_internal:
        return False
    if any(one.state is NoticeState.AWAITING_STAFF for one in request.notices):
        return True
    if is_deferred(request):
        return True
    if Right.RESTRICTION not in request.outcomes and Right.OBJECTION not in request.outcomes:
        return False
    stored = await context.controls.read(request.subject_keys)
    return any(_has_restriction(one.controls, request) for one in stored)


def _has_restriction(controls: Controls, request: SubjectRequest) -> bool:
    own = {marking.mark_id(request, right) for right in request.outcomes}
    return any(one.lifted_at is None and one.restriction_id in own for one in controls.restrictions)


def ended_state(request: SubjectRequest) -> RequestState:
    """Return the final state that the outcomes of all rights come to."""
    results = [outcome.result for outcome in request.outcomes.values()]
    if results and all(result == "refused" for result in results):
        return RequestState.REJECTED
    if "erased_with_retention" in results:
        return RequestState.COMPLETED_WITH_RETENTION
    return RequestState.COMPLETED


async def end_standing(context: Context, request_id: str) -> None:
    """End a standing request if nothing of it stands any more. A second call changes nothing."""
    case = await context.cases.load(request_id)
    if case.request.state is RequestState.STANDING and not await stands(context, case.request):
        await end(context, case, ended_state(case.request))


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
    wake_at = next_look(context, request)
    if wake_at is None and state is RequestState.CANCELLED:
        wake_at = after(now, seconds=context.limits.cleanup_seconds)
    # Where a platform has to be told, the sweep looks after that first, and cleans up when it is done.
    wake_at = calling_back.owed_again_at(context, request.with_(state=state)) or wake_at
    ended, event = (
        request.without_person().moved_to(state, stage=None, closed_at=now, wake_at=wake_at).noted(now, state)
    )
    await context.cases.commit(request.request_id, _writes(case, ended, event, letter))
    if state is RequestState.CANCELLED and COPIES & set(request.rights):
        await forget_parts(context, request.request_id, await all_parts(context, request.request_id))
    await fencing.release(context, request, request.subject_keys)
    await calling_back.announce(context, ended)


async def forget_unpublished(context: Context, request: SubjectRequest) -> None:
    """Delete what was staged of copies and not published; one that was is the person's until its day."""
    for copy_id in (request.request_id, portable_id(request.request_id)):
        if copy_id not in request.copies:
            await context.packages.delete(copy_id)


def _writes(case: Case, request: SubjectRequest, event: Event, letter: LetterDocument | None) -> list[Write]:
    writes = [
        Write(document=request, etag=case.etags[request.id]),
        Write(document=event, etag=None),
    ]
    if letter is not None:
        writes.append(Write(document=letter, etag=case.etags[letter.id]))
    if request.is_final:
        writes += _cleared(case)
    return writes


def _cleared(case: Case) -> list[Write]:
    return [Write(document=task, etag=case.etags[task.id]) for task in cleared(case.tasks)]


def cleared(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks whose notes name records of the person, without those notes."""
    return [task.unclaimed().with_(cursor=None) for task in tasks if task.cursor is not None or task.claimed]
