"""What staff note of telling a recipient: told or confirmed, nothing held, or impossible and why.

Source: GDPR article 19.
"""

from typing import Literal

from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.messages import SendLetter
from shared.domain.outcomes import Notice
from shared.domain.recipients import NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import after
from shared.ports.cases import Write
from shared.rendering.letters import LetterKind
from shared.services.answering import letter
from shared.services.context import Context
from shared.services.deciding import MOST_TEXT
from shared.services.reminding import unmarked

Noted = Literal["told", "not_held", "impossible"]


async def note_told(
    context: Context,
    request_id: str,
    *,
    recipient_id: str,
    right: Right,
    state: Noted,
    why: str,
    noted_by: str,
) -> None:
    """Note what came of telling one recipient. When nothing is open any more, the person is told so.

    Raises:
        Invalid: `why_missing`: say why it is impossible; `why_too_long`.
        NotAllowed: `no_open_notice`: this recipient has nothing to confirm for this right.
    """
    if state == "impossible" and not why.strip():
        raise Invalid("why_missing", "say why it cannot be told", field="why")
    if len(why) > MOST_TEXT:
        raise Invalid("why_too_long", f"at most {MOST_TEXT} characters", field="why")
    case = await context.cases.load(request_id)
    request = case.request
    waiting = [
        one
        for one in request.notices
        if one.is_unconfirmed and (one.recipient_id, one.right) == (recipient_id, right)
    ]
    if not waiting:
        raise NotAllowed("no_open_notice")
    now = context.clock.now()

    def settled(one: Notice) -> Notice:
        if one not in waiting:
            return one
        return one.model_copy(
            update={
                "state": NoticeState(state),
                "at": now,
                "by": noted_by,
                "why": why.strip(),
                "asked_at": one.asked_at or one.at,
            }
        )

    told = unmarked(request.with_(notices=tuple(settled(one) for one in request.notices)))
    noted, event = told.noted(
        now, "recipient_noted", recipient=recipient_id, right=right, state=state, noted_by=noted_by
    )
    done = _done(context, noted)
    if done is not None:
        noted = noted.with_(wake_at=after(now, seconds=context.limits.wake_seconds))
    writes = [Write(document=noted, etag=case.etags[noted.id]), Write(document=event, etag=None)]
    if done is not None:
        writes.append(Write(document=done, etag=case.etags.get(done.id)))
    await context.cases.commit(request_id, writes)
    if done is not None:
        await context.queue.send([SendLetter(request_id=request_id, letter_id=done.id)])


def _done(context: Context, request: SubjectRequest) -> LetterDocument | None:
    """Return the letter that says all recipients have it, for a request that stayed open for them."""
    if request.state is not RequestState.STANDING or request.open_notices:
        return None
    return letter(request, LetterKind.RECIPIENTS_DONE, created_at=context.clock.now())
