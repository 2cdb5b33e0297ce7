"""Lift a restriction: the person is told first, then it ends, and what fell due meanwhile goes at once.

Source: GDPR article 18(3).
"""

from datetime import date

from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.messages import SendLetter
from shared.domain.recipients import Instruction
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import after, copenhagen_day, start_of
from shared.ports.cases import Case, Write
from shared.rendering.letters import LetterKind
from shared.services import marking, retention_cases
from shared.services.closing import end_standing
from shared.services.context import Context
from shared.services.deciding import MOST_TEXT


async def announce_lifting(
    context: Context, request_id: str, *, reason: str, decided_by: str, lift_on: date | None = None
) -> date:
    """Send the person the notice that their restriction ends, and return the day it does.

    It ends on that day if the letter has left by then; `lift_on` None: after the usual notice. A second call
    is refused, unless the day passed before the letter could leave.

    Raises:
        Invalid: `reason_missing`, `reason_too_long`, or `lift_on_past`: at the earliest tomorrow.
        NotAllowed: `not_restricted`: no restriction of this request is in force; `lifting_announced`: it
            is decided already; that reason and that day stay.
    """
    if not reason.strip():
        raise Invalid("reason_missing", "the notice says why", field="reason")
    if len(reason) > MOST_TEXT:
        raise Invalid("reason_too_long", f"at most {MOST_TEXT} characters", field="reason")
    now = context.clock.now()
    today = copenhagen_day(now)
    day = lift_on or copenhagen_day(after(now, days=context.limits.lifting_notice_days))
    if day <= today:
        raise Invalid("lift_on_past", "at the earliest tomorrow", field="lift_on")
    case = await context.cases.load(request_id)
    request = case.request
    if request.state is not RequestState.STANDING or not await _is_in_force(context, request):
        raise NotAllowed("not_restricted")
    letter_id = f"letter-{LetterKind.RESTRICTION_LIFTING}-{request.phase}"
    if any(one.id == letter_id and _stands(one, today) for one in case.letters):
        raise NotAllowed("lifting_announced")
    letter = LetterDocument(
        id=letter_id,
        request_id=request_id,
        kind=LetterKind.RESTRICTION_LIFTING,
        created_at=now,
        reason=reason.strip(),
        lift_on=day,
    )
    noted, event = request.with_(wake_at=after(now, seconds=context.limits.wake_seconds)).noted(
        now, "lifting_decided", decided_by=decided_by, lift_on=day.isoformat()
    )
    await context.cases.commit(
        request_id,
        [
            Write(document=noted, etag=case.etags[noted.id]),
            Write(document=event, etag=None),
            Write(document=letter, etag=case.etags.get(letter.id)),
        ],
    )
    await context.queue.send([SendLetter(request_id=request_id, letter_id=letter.id)])
    return day


def announced(request: SubjectRequest, letter: LetterDocument) -> SubjectRequest:
    """Return the request after the notice left: the sweep lifts on the day it names."""
    if letter.kind != LetterKind.RESTRICTION_LIFTING or letter.lift_on is None:
        return request
    return request.with_(lifts_on=letter.lift_on, wake_at=start_of(letter.lift_on))


async def lift_when_due(context: Context, case: Case) -> bool:
    """Lift the restriction whose day has come, and run what fell due meanwhile; False: there is none.

    Repeating it changes nothing; a crash in between is taken up by the next sweep.
    """
    request = case.request
    if request.lifts_on is None or copenhagen_day(context.clock.now()) < request.lifts_on:
        return False
    own = [marking.mark_id(request, right) for right in (Right.RESTRICTION, Right.OBJECTION)]
    await marking.lift(context, request.subject_keys, own, at=context.clock.now())
    await retention_cases.catch_up(context, request.identifiers)
    lifted, event = request.with_(lifts_on=None).noted(context.clock.now(), "restriction_lifted")
    await context.cases.commit(
        request.request_id,
        [Write(document=lifted, etag=case.etags[lifted.id]), Write(document=event, etag=None)],
    )
    if any(one.instruction is Instruction.RESTRICT for one in request.notices):
        await context.operators.alarm("recipients_restrict_still", request_id=request.request_id)
    await end_standing(context, request.request_id)
    return True


def _stands(notice: LetterDocument, today: date) -> bool:
    """Whether a notice counts: it is out, or may be, or can still leave before its day."""
    may_be_out = notice.sent_at is not None or notice.claimed_at is not None
    return may_be_out or (notice.lift_on is not None and notice.lift_on > today)


async def _is_in_force(context: Context, request: SubjectRequest) -> bool:
    own = {marking.mark_id(request, right) for right in (Right.RESTRICTION, Right.OBJECTION)}
    return any(
        mark.restriction_id in own and mark.lifted_at is None
        for one in await context.controls.read(request.subject_keys)
        for mark in one.controls.restrictions
    )
