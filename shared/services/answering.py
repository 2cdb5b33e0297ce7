"""Save what a right came to together with the letter that tells it, in one batch.

A case that nobody asked for, as retention files it, has no letter: it closes at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.case_documents import LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.errors import NotFound
from shared.domain.messages import SendLetter
from shared.domain.outcomes import Outcome
from shared.domain.request_states import RequestState
from shared.domain.tasks import Task
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.rendering.letters import LetterKind
from shared.services.closing import close_answered
from shared.services.context import Context
from shared.services.notifying import notice_letters
from shared.services.proving import prove

LETTERS_OF_A_LIFE = 100  # numbers for the phases of one life of a request


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is saved: the outcome of the present right, the letter for it, and the audit entry."""

    outcome: Outcome
    letter: LetterKind
    event: str
    details: dict[str, str | int]
    further: tuple[LetterKind, ...] = ()  # letters beside the one that closes


async def answer(
    context: Context,
    case: Case,
    answered: Answer,
    *,
    deletes: Sequence[str] = (),
    tasks: Sequence[Task] = (),
) -> None:
    """Save the answer of the present right and send its letter. `case.request` may carry changes to save.

    `tasks`: those that are saved in the same batch.

    Raises:
        Conflict: somebody changed the request meanwhile; read again.
    """
    request = case.request
    now = context.clock.now()
    saved, event = request.moved_to(
        RequestState.ANSWERING,
        outcomes={**request.outcomes, request.right: answered.outcome},
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, answered.event, **answered.details)
    letters = [
        *notice_letters(saved, [one.id for one in case.letters], context),
        *letters_of(context, saved, answered),
    ]
    # an answer that was worked out before and never left is this one's no more
    written = {one.id for one in letters}
    overtaken = [one.id for one in case.letters if one.closes and not one.sent_at and one.id not in written]
    await context.cases.commit(
        request.request_id,
        [
            Write(document=saved, etag=case.etags[saved.id]),
            Write(document=event, etag=None),
            *(Write(document=letter, etag=case.etags.get(letter.id)) for letter in letters),
            *(Write(document=task, etag=case.etags[task.id]) for task in tasks),
        ],
        deletes=[*deletes, *overtaken],
    )
    if any(one.right is saved.right and one.letter_id is None for one in saved.open_notices):
        await context.operators.alarm("notices_open", request_id=request.request_id)
    if saved.is_internal:
        await close_silently(context, request.request_id)
        return
    await context.queue.send(
        [SendLetter(request_id=request.request_id, letter_id=letter.id) for letter in letters]
    )


def letters_of(context: Context, request: SubjectRequest, answered: Answer) -> list[LetterDocument]:
    """Return the letters of an answer: none where nobody asked."""
    if request.is_internal:
        return []
    now = context.clock.now()
    return [
        letter(request, kind, created_at=now, closes=kind is answered.letter)
        for kind in (*answered.further, answered.letter)
    ]


def letter(request: SubjectRequest, kind: LetterKind, **fields: object) -> LetterDocument:
    """Return a letter of the present right; the same kind again is the same letter."""
    return LetterDocument.model_validate(
        {
            "id": f"letter-{kind}-{request.phase + LETTERS_OF_A_LIFE * request.revivals}",
            "request_id": request.request_id,
            "kind": kind,
            **fields,
        }
    )


async def close_silently(context: Context, request_id: str) -> None:
    """Prove and close an answered case that has no letter. A second call changes nothing."""
    try:
        case = await context.cases.load(request_id)
    except NotFound:
        return
    if case.request.state is not RequestState.ANSWERING or not case.request.is_internal:
        return
    await prove(context, case.request)
    await close_answered(context, case, None)
