"""Instruct the processors we are connected to, and note what each answered.

A processor that cannot be reached keeps the case open: it is asked again, an operator is told, and no answer
claims what did not happen. Source: GDPR articles 17(2), 19, 28(3).
"""

from shared.domain.cases import SubjectRequest
from shared.domain.consent import consent_in_force
from shared.domain.controls import SWITCH_KEY
from shared.domain.errors import Permanent, Retryable
from shared.domain.identifiers import EMAIL, Identifiers
from shared.domain.messages import FinishStage
from shared.domain.outcomes import Notice
from shared.domain.recipients import Answered, Confirmation, Instruction, NoticeState
from shared.domain.rights import Right
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.services import switching
from shared.services.attention import stop
from shared.services.context import Context
from shared.services.drafting import in_scope
from shared.services.ledger import INSTRUCTION_OF

NAME = "name"  # the one fact a processor is told to correct
_TOLD = frozenset({NAME, EMAIL})  # a new address is for staff to write there
ADDRESS_CHANGED = "address_changed"
SIGNED_UP_ANEW = "signed_up_anew"
UNREACHABLE = "processor_unreachable"
_LONGEST_PAUSE_SECONDS = 6 * 3_600  # whatever a processor says; a queue keeps a message for a week
_STATE_OF = {
    Confirmation.DONE: NoticeState.TOLD,
    Confirmation.ACCEPTED: NoticeState.ACCEPTED,
    Confirmation.NOT_HELD: NoticeState.NOT_HELD,
    Confirmation.AWAITING_STAFF: NoticeState.AWAITING_STAFF,
}


def instructed(context: Context, request: SubjectRequest) -> tuple[str, ...]:
    """Return the processors to instruct about the present right that have not confirmed it.

    A processor knows people by their address, or by what the map says, and a customer's request knows none.
    Scheduled deletion instructs where nothing of the person is left there; what a restored copy brought back
    never was there.
    """
    if request.is_internal and (request.scope.is_partial or not request.scope.rule_ids):
        return ()
    if request.right not in INSTRUCTION_OF or request.scope.customer_id is not None:
        return ()
    if not request.plan:
        return ()
    if request.right is Right.RECTIFICATION and not _TOLD & set(request.wishes.corrections):
        return ()
    touched = {entry.activity_id for entry in request.plan.entries}
    if request.right is Right.RESTRICTION:  # its plan touches no store
        touched = {activity.id for activity, _ in in_scope(context, request)}
    recipients = {name for one in touched for name in context.datamap.activity(one).recipients}
    known = {one.recipient_id for one in request.notices if one.right is request.right}
    return tuple(
        name
        for name in context.processors.connected()
        if name in recipients and name not in known and may_know(context, name, request.identifiers)
    )


def may_know(context: Context, recipient_id: str, identifiers: Identifiers) -> bool:
    """Whether a processor may know a person by something that identifies it."""
    kinds = {EMAIL}.union(*(one.identifiers for one in context.datamap.recipients if one.id == recipient_id))
    return any(identifiers.get(kind) for kind in kinds)


async def instruct(context: Context, case: Case) -> Case | None:
    """Instruct every processor and return the case with what they answered; None: one must be asked again.

    A second call instructs again what was not saved; a processor finds done what the first call did. One that
    has data we keep under a hold is not told to erase it; it is when the erasure is taken up after the hold.
    While the kill switch is thrown none is told to erase.
    """
    request = case.request
    told: list[Notice] = []
    if await _is_paused(context, request):
        await stop(context, case, switching.PAUSED)
        return None
    spared = await _spared(context, request)
    for recipient_id in instructed(context, request):
        if recipient_id in spared:
            continue
        try:
            if await _signed_up_anew(context, request, recipient_id):
                answered = Answered(confirmation=Confirmation.AWAITING_STAFF, why=SIGNED_UP_ANEW)
            else:
                answered = await _instructed(context, request, recipient_id)
        except Retryable as error:
            await _ask_again_later(context, case, error.retry_after_seconds or 0)
            return None
        except Permanent as error:  # a person has to do it there
            answered = Answered(confirmation=Confirmation.AWAITING_STAFF, why=error.code)
            await context.operators.alarm(error.code, request_id=request.request_id, details=recipient_id)
        now = context.clock.now()
        told.append(
            Notice(
                recipient_id=recipient_id,
                right=request.right,
                instruction=INSTRUCTION_OF[request.right],
                state=_STATE_OF[answered.confirmation],
                at=now,
                why=answered.why,
                asked_at=now,
                chase_on=answered.gone_by,
                receipt_at=answered.receipt_at,
            )
        )
    changed = request.with_(notices=(*request.notices, *told), deferrals=0)
    return Case(
        request=changed, tasks=case.tasks, letters=case.letters, findings=case.findings, etags=case.etags
    )


async def _is_paused(context: Context, request: SubjectRequest) -> bool:
    if INSTRUCTION_OF.get(request.right) is not Instruction.ERASE:
        return False
    (switch,) = await context.controls.read((SWITCH_KEY,))
    return switching.is_thrown(switch.controls)


async def _spared(context: Context, request: SubjectRequest) -> frozenset[str]:
    """Return who receives data that may not be erased now, asked at this moment.

    Source: GDPR articles 17(3), 18(2).
    """
    if INSTRUCTION_OF.get(request.right) is not Instruction.ERASE or not request.plan:
        return frozenset()
    controls = [one.controls for one in await context.controls.read(request.subject_keys)]
    return frozenset(
        name
        for activity_id in {entry.activity_id for entry in request.plan.entries}
        for name in context.datamap.activity(activity_id).recipients
        if any(hold.covers(activity_id) for one in controls for hold in one.holds)
        or (request.is_internal and any(one.restricts(activity_id) for one in controls))
    )


async def _signed_up_anew(context: Context, request: SubjectRequest, recipient_id: str) -> bool:
    """Whether the person consented, since the request came, to something the processor does for us.

    It stops all mail to an address and knows no purposes: which of its lists to stop is for a person to see.
    Source: GDPR articles 4(11), 7(3).
    """
    if INSTRUCTION_OF[request.right] not in (Instruction.UNSUBSCRIBE, Instruction.SUPPRESS):
        return False
    now = context.clock.now()
    purposes = [
        purpose.id
        for activity in context.datamap.activities
        if recipient_id in activity.recipients
        for purpose in activity.purposes
    ]
    return any(
        (found := consent_in_force(one.controls, purpose, now=now)) and found.given_at > request.received_at
        for one in await context.controls.read(request.subject_keys)
        for purpose in purposes
    )


async def _instructed(context: Context, request: SubjectRequest, recipient_id: str) -> Answered:
    """Instruct one processor, and return where that stands and why. Source: GDPR article 19."""
    answered = Answered(confirmation=Confirmation.AWAITING_STAFF)
    corrections = request.wishes.corrections if request.right is Right.RECTIFICATION else {}
    if not corrections or NAME in corrections:
        answered = await context.processors.instruct(
            recipient_id,
            INSTRUCTION_OF[request.right],
            request.identifiers,
            name=corrections.get(NAME),
        )
    if EMAIL in corrections and answered.confirmation is not Confirmation.NOT_HELD:
        return Answered(confirmation=Confirmation.AWAITING_STAFF, why=ADDRESS_CHANGED)
    return answered


async def _ask_again_later(context: Context, case: Case, said_seconds: int) -> None:
    now = context.clock.now()
    delay = min(context.limits.fence_retry_seconds * 2**case.request.deferrals, context.limits.wake_seconds)
    delay = max(delay, min(said_seconds, _LONGEST_PAUSE_SECONDS))
    waiting = case.request.with_(
        deferrals=min(case.request.deferrals + 1, 16),
        wake_at=after(now, seconds=delay + context.limits.wake_seconds),
    )
    await context.cases.commit(waiting.request_id, [Write(document=waiting, etag=case.etags[waiting.id])])
    await context.operators.alarm(UNREACHABLE, request_id=waiting.request_id)
    await context.queue.send([FinishStage(request_id=waiting.request_id)], delay_seconds=delay)
