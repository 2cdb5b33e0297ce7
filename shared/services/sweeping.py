"""Repair what stopped half way: send again what state says is due, end what ran out of time.

Every state that waits carries the moment it should be looked at again. Whoever died after saving and before
sending, or with a claim in hand, left such a moment behind.
"""

from datetime import datetime

from shared.domain.ageing import Ageing, ageing
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Conflict, NotFound, Permanent
from shared.domain.messages import FinishStage, Message, PlanRequest, RunTasks, SendLetter
from shared.domain.request_states import RequestState
from shared.domain.times import after, copenhagen_day, start_of
from shared.ports.cases import Case, Write
from shared.services import calling_back, fencing, intake, marking
from shared.services.answering import close_silently
from shared.services.asking import deadline_of
from shared.services.closing import cleared, end_standing, forget_dropped, forget_unpublished, stands
from shared.services.context import Context
from shared.services.deferring import take_up_deferred
from shared.services.downloads import remove_due
from shared.services.execution import stage_tasks_of
from shared.services.lifting import lift_when_due
from shared.services.parts import all_parts, forget_parts
from shared.services.reminding import next_look, remind
from shared.services.sending import is_moot
from shared.telemetry import SWEEP_TAKEN_UP


async def sweep(context: Context) -> int:
    """Take up every request whose time has come, and return how many. Two sweeps at once do no harm.

    Raises:
        Retryable: a service is not there; the next sweep goes on.
    """
    due = await context.cases.waking(context.clock.now(), limit=context.limits.sweep_requests)
    for request_id in due:
        try:
            await _take_up(context, await context.cases.load(request_id))
        except (Conflict, NotFound):
            continue  # somebody works on it, so it is not stuck
        except Permanent as error:
            await context.operators.alarm("sweep_failed", request_id=request_id, details=error.code)
    context.operators.measure(SWEEP_TAKEN_UP, len(due))
    return len(due)


async def _take_up(context: Context, case: Case) -> None:
    request = case.request
    now = context.clock.now()
    if request.wake_at is None or request.wake_at > now:
        return
    if await _ended(context, case):
        return
    request = await _due_told(context, request)
    if request.waits_for_operator:
        await _remind(context, case, request, now)
        if untold := _letters(case):  # whoever saved them may have died before it sent them
            await context.queue.send(untold)
        return
    messages = [*_due(case), *calling_back.due(request)]
    if request.state is RequestState.STANDING and not messages:
        await _review(context, case)
        return
    wake_at = after(now, seconds=context.limits.wake_seconds)
    if request.state is RequestState.RECEIVED and not messages:
        ends = intake.unconfirmed_ends(context, request)
        if ends is None:
            await context.operators.alarm("identity_undecided", request_id=request.request_id)
            ends = after(now, seconds=context.limits.alarm_repeat_seconds)
        wake_at = after(ends, seconds=1)
    waiting = request.with_(wake_at=wake_at)
    await context.cases.commit(request.request_id, [Write(document=waiting, etag=case.etags[waiting.id])])
    await context.queue.send(messages)


async def _ended(context: Context, case: Case) -> bool:
    """Clean up, forget, close or take away what has had its time; False: there is work to go on with."""
    request = case.request
    if request.is_final:
        if not await calling_back.announced_again(context, case):
            await _clean_up(context, case)
        return True
    if request.state is RequestState.RECEIVED and await intake.expire(context, case):
        return True
    if request.state is RequestState.ANSWERING and request.is_internal:
        await close_silently(context, request.request_id)
        return True
    return await remove_due(context, case)  # the next sweep takes up the rest


async def _remind(context: Context, case: Case, request: SubjectRequest, now: datetime) -> None:
    """Tell an operator again what a request waits for."""
    await context.operators.alarm(request.attention or "approval_needed", request_id=request.request_id)
    await remind(context, request)
    again = after(now, seconds=context.limits.alarm_repeat_seconds)
    asleep = request.with_(wake_at=min(again, request.copy_ends_at or again))
    await context.cases.commit(request.request_id, [Write(document=asleep, etag=case.etags[asleep.id])])
    await calling_back.announce(context, asleep)


async def _review(context: Context, case: Case) -> None:
    """Call to mind what still stands of an answered request; close it if nothing does any more."""
    request = case.request
    if request.dropped:  # whoever dropped them may have died, and a worker may have gone on for a while
        await forget_dropped(context, request)
    if await lift_when_due(context, case) or await take_up_deferred(context, request.request_id):
        return
    if not await stands(context, request):
        await end_standing(context, request.request_id)
        return
    now = context.clock.now()
    answered_at = max(outcome.at for outcome in request.outcomes.values())
    again = after(answered_at, days=context.limits.standing_review_days)
    if again <= now:
        await context.operators.alarm("standing_review", request_id=request.request_id)
        again = after(now, days=context.limits.standing_review_days)
    lifts_at = start_of(request.lifts_on) if request.lifts_on else again
    reminded = await remind(context, request)
    asleep = reminded.with_(wake_at=min(again, lifts_at, next_look(context, reminded) or again))
    await context.cases.commit(request.request_id, [Write(document=asleep, etag=case.etags[asleep.id])])


async def _due_told(context: Context, request: SubjectRequest) -> SubjectRequest:
    """Tell operators once a day of a request whose answer is due soon or late, and how late."""
    today = copenhagen_day(context.clock.now())
    unconfirmed = request.state is RequestState.RECEIVED and not request.questions  # it lapses soon
    answered = request.state is RequestState.STANDING
    if unconfirmed or answered or request.is_internal or request.due_alarm_on == today:
        return request
    found = deadline_of(context, request)
    code = ageing(found, today, due_soon_days=context.limits.due_soon_days)
    if code is Ageing.ON_TRACK:
        return request
    await context.operators.alarm(code, request_id=request.request_id, details=found.legal_due_on.isoformat())
    return request.with_(due_alarm_on=today, target_on=found.target_on, due_on=found.legal_due_on)


async def _clean_up(context: Context, case: Case) -> None:
    request = case.request
    await forget_parts(context, request.request_id, await all_parts(context, request.request_id))
    if await remove_due(context, case):
        return
    await forget_unpublished(context, request)
    await marking.take_back(context, request)
    await fencing.release(context, request, request.subject_keys)
    await context.queue.send([one for one in _letters(case) if one.letter_id in _notices(case)])
    reminded = await remind(context, request)
    done = reminded.with_(wake_at=next_look(context, reminded))
    tasks = cleared(case.tasks)  # a worker may have saved one after the request was cancelled
    await context.cases.commit(
        request.request_id,
        [
            Write(document=done, etag=case.etags[done.id]),
            *(Write(document=task, etag=case.etags[task.id]) for task in tasks),
        ],
    )


def _due(case: Case) -> list[Message]:
    """Return the messages the request's state waits for."""
    request = case.request
    letters = _letters(case)
    if request.state in (RequestState.VERIFIED, RequestState.PLANNED, RequestState.AWAITING_APPROVAL):
        return [*letters, PlanRequest(request_id=request.request_id)]
    if request.state is RequestState.IN_PROGRESS:
        return [*letters, *_stage_messages(request, case)]
    return [*letters]


def _notices(case: Case) -> set[str]:
    """Return the letters to recipients: they go out of a closed case too."""
    return {one.id for one in case.letters if one.recipient_id is not None}


def _letters(case: Case) -> list[SendLetter]:
    """Return the messages of letters that are not out yet."""
    request = case.request
    return [
        SendLetter(request_id=request.request_id, letter_id=letter.id)
        for letter in case.letters
        if letter.sent_at is None and not is_moot(request, letter)
    ]


def _stage_messages(request: SubjectRequest, case: Case) -> list[Message]:
    lanes = sorted({task.lane for task in stage_tasks_of(case) if not task.is_final})
    if lanes:
        return [RunTasks(request_id=request.request_id, lane=lane) for lane in lanes]
    return [FinishStage(request_id=request.request_id)]
