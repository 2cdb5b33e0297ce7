"""Answer a right that touches no store: a restriction, whose marks must be seen to stand, or a complaint."""

from shared.domain.errors import Conflict
from shared.domain.outcomes import Outcome
from shared.domain.rights import Right
from shared.ports.cases import Case
from shared.rendering.letters import LetterKind
from shared.services import marking
from shared.services.answering import Answer, answer
from shared.services.concluding import case_with
from shared.services.context import Context
from shared.services.disclosing import disclose
from shared.services.drafting import reaches_person
from shared.services.ledger import notices_due


async def fulfil_marks(context: Context, case: Case) -> None:
    """Look whether the marks stand on every pseudonym, and answer. Repeating it changes nothing.

    Raises:
        Conflict: a mark is missing, because somebody wrote at the same time; let the queue deliver again.
    """
    request = case.request
    now = context.clock.now()
    if request.right is Right.COMPLAINT:
        informed = Answer(
            outcome=Outcome(result="informed", at=now),
            letter=LetterKind.COMPLAINT,
            event="informed_of_complaint",
            details={},
        )
        await answer(context, case, informed)
        return
    if not await reaches_person(context, request, request.identifiers):
        nothing = Answer(
            outcome=Outcome(result="nothing_held", at=now),
            letter=LetterKind.NOTHING_HELD,
            event="restricted",
            details={"pseudonyms": 0},
        )
        await answer(context, case, nothing)
        return
    wanted = marking.mark_id(request, request.right)
    await marking.restrict(context, request, request.subject_keys, request.wishes.ground or "accuracy")
    marked = marking.marked_keys(context, request, request.subject_keys)
    for one in await context.controls.read(marked):
        if not any(mark.restriction_id == wanted for mark in one.controls.restrictions):
            raise Conflict("mark_missing", "controls")
    await disclose(context, request, ())
    told = request.with_(notices=(*request.notices, *await notices_due(context, request, ())))
    restricted = Answer(
        outcome=Outcome(result="restricted", at=now),
        letter=LetterKind.CUSTOMER_DONE if request.scope.customer_id else LetterKind.RESTRICTED,
        event="restricted",
        details={"pseudonyms": len(marked)},
        further=(LetterKind.SUBJECT_TOLD,) if request.scope.customer_id and request.wishes.tell else (),
    )
    await answer(context, case_with(case, told), restricted)
