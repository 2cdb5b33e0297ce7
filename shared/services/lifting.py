"""Lift a restriction: the person is told first, then it ends, and what fell due meanwhile goes at once.

Source: GDPR article 18(3).
"""

from shared.domain.cases import LetterDocument, RequestState, SubjectRequest
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.messages import SendLetter
from shared.domain.rights import Right
from shared.domain.times import after
from shared.ports.cases import Write
from shared.rendering.letters import LetterKind
from shared.services import marking, retention
from shared.services.closing import end_standing
from shared.services.context import Context
from shared.services.deciding import MOST_TEXT


async def announce_lifting(context: Context, request_id: str, *, reason: str, decided_by: str) -> None:
    """Send the person the notice that their restriction ends; it ends when the letter is out.

    Raises:
        Invalid: `reason_missing`: say why.
        NotAllowed: `not_restricted`: no restriction of this request is in force.
    """
    if not reason.strip():
        raise Invalid("reason_missing", "the notice says why", field="reason")
    if len(reason) > MOST_TEXT:
        raise Invalid("reason_too_long", f"at most {MOST_TEXT} characters", field="reason")
    case = await context.cases.load(request_id)
    request = case.request
    if request.state is not RequestState.STANDING or not await _is_in_force(context, request):
        raise NotAllowed("not_restricted")
    now = context.clock.now()
    letter = LetterDocument(
        id=f"letter-{LetterKind.RESTRICTION_LIFTING}-{request.phase}",
        request_id=request_id,
        kind=LetterKind.RESTRICTION_LIFTING,
        created_at=now,
        reason=reason.strip(),
    )
    noted, event = request.with_(wake_at=after(now, seconds=context.limits.wake_seconds)).noted(
        now, "lifting_decided", decided_by=decided_by
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


async def lift_announced(context: Context, request: SubjectRequest) -> None:
    """Lift the request's own restriction, its notice being out. A second call changes nothing."""
    own = [marking.mark_id(request, right) for right in (Right.RESTRICTION, Right.OBJECTION)]
    await marking.lift(context, request.subject_keys, own, at=context.clock.now())


async def after_lifting(context: Context, request: SubjectRequest) -> None:
    """Erase what fell due while the restriction stood, and close the request if nothing else stands."""
    await retention.catch_up(context, request.identifiers)
    await end_standing(context, request.request_id)


async def _is_in_force(context: Context, request: SubjectRequest) -> bool:
    own = {marking.mark_id(request, right) for right in (Right.RESTRICTION, Right.OBJECTION)}
    return any(
        mark.restriction_id in own and mark.lifted_at is None
        for one in await context.controls.read(request.subject_keys)
        for mark in one.controls.restrictions
    )
