"""What a person decides about a case: approve a plan, uphold an objection, refuse, say what was meant.

Nobody is refused automatically, and a decision names who took it, why and by which provision. The first
decision about a right stands: it is open again only where the plan became another, or the message was read
anew. Source: GDPR articles 12(4), 21(1); policy 4.1.
"""

from collections.abc import Sequence
from typing import Literal

from shared.domain.case_documents import Event
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Conflict, Invalid, NotAllowed
from shared.domain.messages import PlanRequest
from shared.domain.outcomes import Decision, Outcome
from shared.domain.plans import Action, Plan
from shared.domain.request_states import RequestState
from shared.domain.rights import Right, in_order
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.rendering.letters import LetterKind
from shared.services import marking
from shared.services.answering import Answer, answer
from shared.services.concluding import case_with
from shared.services.context import Context
from shared.services.drafting import MASS_ERASURE, SECOND_LOOK, UNCLEAR, outside_portability

MOST_TEXT = 2_000
_REFUSABLE = frozenset(  # one that is received: who asks could not be found out, GDPR article 12(2)
    {RequestState.RECEIVED, RequestState.AWAITING_APPROVAL, RequestState.NEEDS_ATTENTION}
)
_TWO = 2
_RESTS_ON = {
    Right.ACCESS: "GDPR article 15(1)",
    Right.RECTIFICATION: "GDPR article 16",
    Right.ERASURE: "GDPR article 17(1)",
    Right.RESTRICTION: "GDPR article 18(1)",
    Right.PORTABILITY: "GDPR article 20(1)",
    Right.OBJECTION: "GDPR article 21(1)",
    Right.MARKETING_OBJECTION: "GDPR article 21(3)",
    Right.WITHDRAWAL: "GDPR article 7(3)",
    Right.COMPLAINT: "GDPR article 77",
}


async def approve(
    context: Context,
    request_id: str,
    *,
    plan_digest: str,
    decided_by: str,
    reason: str,
    provision: str = "",
) -> bool:
    """Let exactly this plan run, and tell whether it runs now. A plan that changed meanwhile asks again.

    An erasure of very many records needs two different people, neither of whom entered the request; the
    first approval only counts. What a representative asks for, and an address that staff entered for a copy
    or a person, need one who did not enter it. An objection is upheld by this, with a reason that the letter
    tells. Without another provision the decision rests on the right's own. The same approval by the same
    person again changes nothing.

    Raises:
        Conflict: `decided_already`: this plan was refused before; or somebody changed the request meanwhile.
        Invalid: `reason_missing`: no decision is without one; `reason_too_long`, `provision_too_long`.
        NotAllowed: `no_decision_needed`; `plan_changed` when the digest is not the present plan's;
            `four_eyes` when the same person approves twice or entered the request; `meaning_unknown` when
            what was asked for is not known yet: say it first; `not_theirs` when the right is another's than
            the requester's, as a customer's objection: refuse it, and act on the hint as the controller.
    """
    case = await context.cases.load(request_id)
    request = case.request
    if _stands(request, "approved", plan_digest, decided_by):
        return True
    plan = _decidable(request, plan_digest)
    if UNCLEAR in plan.needs_decision:
        raise NotAllowed("meaning_unknown")
    if request.requester.refusal(request.right) is not None:
        raise NotAllowed("not_theirs")
    upheld = request.right is Right.OBJECTION
    decision = _decision(context, request, "upheld" if upheld else "approved", decided_by, reason, provision)
    if not decision.reason:
        raise Invalid("reason_missing", "a decision says why", field="reason")
    decision = decision.model_copy(
        update={"plan_digest": plan_digest, "provision": decision.provision or _RESTS_ON[request.right]}
    )
    approvers = {one.decided_by for one in _approvals(request, plan_digest)}
    four_eyes = MASS_ERASURE in plan.needs_decision
    is_entrant = decided_by == request.entered_by and not SECOND_LOOK.isdisjoint(plan.needs_decision)
    if is_entrant or (four_eyes and decided_by in approvers):
        raise NotAllowed("four_eyes")
    enough = not four_eyes or len(approvers) + 1 >= _TWO
    now = context.clock.now()
    approved, event = request.with_(
        decisions=(*request.decisions, decision),
        approved_digest=plan_digest if enough else None,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "approved" if enough else "approved_once", decided_by=decided_by, plan=plan_digest)
    await _save(context, case, approved, event)
    if enough:
        await context.queue.send([PlanRequest(request_id=request_id)])
    return enough


async def refuse(
    context: Context, request_id: str, *, decided_by: str, reason: str, provision: str, hint: str = ""
) -> None:
    """Refuse the present right of a case, and tell the person why and what they can do about it.

    The right's own restriction is lifted after the letter that gives notice of it. The other rights of the
    request go on. A second refusal by the same person changes nothing, its words neither.

    Raises:
        Conflict: `decided_already`: the right was approved, or refused by somebody else; or somebody changed
            the request meanwhile.
        Invalid: `reason_missing` or `provision_missing`: a refusal needs both.
        NotAllowed: `nothing_to_refuse`: the case does not wait for a person; `too_late`: something may be
            erased already, or an objection was upheld and holds, so that a refusal would not be true:
            approve the rest, or take away what is in its way.
    """
    case = await context.cases.load(request_id)
    request = case.request
    plan_digest = request.plan.digest if request.plan else None
    if _stands(request, "refused", plan_digest, decided_by):
        return
    if request.state not in _REFUSABLE or request.is_internal:
        raise NotAllowed("nothing_to_refuse")
    if _has_erased(case) or await marking.is_upheld(context, request):
        raise NotAllowed("too_late")
    decision = _decision(context, request, "refused", decided_by, reason, provision)
    decision = decision.model_copy(update={"hint": _bounded("hint", hint), "plan_digest": plan_digest})
    if not decision.reason:
        raise Invalid("reason_missing", "a refusal needs a reason", field="reason")
    if not decision.provision:
        raise Invalid("provision_missing", "a refusal names its provision", field="provision")
    refused = request.with_(decisions=(*request.decisions, decision), attention=None)
    ported = request.right is Right.PORTABILITY
    outside = await outside_portability(context, request) if ported else ()
    await answer(
        context,
        case_with(case, refused),
        Answer(
            outcome=Outcome(result="refused", at=context.clock.now(), not_covered=outside),
            letter=LetterKind.REFUSED,
            event="refused",
            details={"right": request.right, "decided_by": decided_by},
        ),
    )


def _has_erased(case: Case) -> bool:
    """Whether the present right has erased something, or set out to and died before it could say."""
    prefix = f"task-{case.request.phase}-{Action.ERASE}-"
    return any(
        task.records or task.rewritten or task.claimed for task in case.tasks if task.id.startswith(prefix)
    )


async def take_back_own_restriction(context: Context, request: SubjectRequest) -> None:
    """Lift what a refused objection, an unclear message or a correction restricted, once its letter is out.

    A second call changes nothing: whoever dies after the letter left is followed by one who finds it sent.
    Source: GDPR article 18(3).
    """
    outcome = request.outcomes.get(request.right)
    if outcome is None or request.right not in marking.RESTRICTING:
        return
    if outcome.result == "refused" or request.right is Right.RECTIFICATION:
        own = marking.mark_id(request, request.right)
        await marking.lift(context, request.subject_keys, [own], at=context.clock.now())


async def reread(
    context: Context, request_id: str, *, rights: Sequence[Right], decided_by: str, reason: str
) -> None:
    """Say which rights a person meant whose words were unclear; the protective restriction then ends.

    The clock goes on from the day of receipt. What takes its place is what the person asked for.

    Raises:
        Invalid: `rights_missing`: name at least one; `rights_answered`: all of them are.
        NotAllowed: `meaning_known`: the case does not wait for its meaning.
    """
    case = await context.cases.load(request_id)
    request = case.request
    if not rights:
        raise Invalid("rights_missing", "name at least one right", field="rights")
    if request.state is not RequestState.AWAITING_APPROVAL or not _is_unclear(request.plan):
        raise NotAllowed("meaning_known")
    now = context.clock.now()
    answered = request.outcomes.keys()  # what was answered stays, and is not answered again
    meant = in_order([*rights, *answered])
    open_rights = [right for right in meant if right not in answered]
    if not open_rights:
        raise Invalid("rights_answered", "name one that is not answered yet", field="rights")
    understood, event = request.moved_to(
        RequestState.VERIFIED,
        rights=meant,
        phase=meant.index(open_rights[0]),
        plan=None,
        plans_made=0,
        approved_digest=None,
        wishes=request.wishes.model_copy(update={"ground": None}),
        decisions=(
            *request.decisions,
            _decision(context, request, "approved", decided_by, reason, "GDPR article 12(2)"),
        ),
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "reread", rights=",".join(meant), decided_by=decided_by)
    await _save(context, case, understood, event)
    await marking.lift_if_misread(context, understood)
    await context.queue.send([PlanRequest(request_id=request_id)])


def _stands(
    request: SubjectRequest, result: Literal["approved", "refused"], plan_digest: str | None, decided_by: str
) -> bool:
    """Tell whether the same decision was taken already by the same person; False: it is open, or never was.

    An approval stands from when it is enough for its plan to run, a refusal while its answer is on its way
    or out. What stopped because nobody can tell who the person is, is open: the plan was about somebody.

    Raises:
        Conflict: `decided_already`: another decision stands.
    """
    known = next((one for one in reversed(request.decisions) if one.plan_digest == plan_digest), None)
    if known is None or (plan_digest is None and known.right is not request.right):
        return False
    is_refusal = known.result == "refused"
    is_open = request.state in _REFUSABLE  # again, where a refusal was stopped before it left
    if not is_refusal:  # one of two approvals is none yet
        is_open = request.approved_digest is None or request.approved_digest != plan_digest
        is_open = is_open or (request.state is RequestState.NEEDS_ATTENTION and _is_unidentified(request))
    if is_open:
        return False
    is_same = is_refusal is (result == "refused")
    if is_same and known.decided_by == decided_by:
        return True
    if is_refusal or not is_same:
        raise Conflict("decided_already")
    return False


def _is_unidentified(request: SubjectRequest) -> bool:
    code = request.attention or ""
    return code in ("address_of_another", "identifier_unreadable") or code.startswith("too_many_")


def _decidable(request: SubjectRequest, plan_digest: str) -> Plan:
    undecided = request.state is RequestState.AWAITING_APPROVAL and request.approved_digest is None
    if not undecided or request.plan is None:
        raise NotAllowed("no_decision_needed")
    if request.plan.digest != plan_digest:
        raise NotAllowed("plan_changed")
    return request.plan


def _is_unclear(plan: Plan | None) -> bool:
    return plan is not None and UNCLEAR in plan.needs_decision


def _approvals(request: SubjectRequest, plan_digest: str) -> list[Decision]:
    return [one for one in request.decisions if one.plan_digest == plan_digest and one.result != "refused"]


def _decision(
    context: Context,
    request: SubjectRequest,
    result: Literal["approved", "refused", "upheld"],
    decided_by: str,
    reason: str,
    provision: str,
) -> Decision:
    return Decision(
        right=request.right,
        result=result,
        decided_by=decided_by,
        decided_at=context.clock.now(),
        reason=_bounded("reason", reason),
        provision=_bounded("provision", provision),
    )


def _bounded(name: str, text: str) -> str:
    """Return a text of staff, trimmed, or refuse one that is no sentence but a book."""
    if len(text) > MOST_TEXT:
        raise Invalid(f"{name}_too_long", f"at most {MOST_TEXT} characters", field=name)
    return text.strip()


async def _save(context: Context, case: Case, request: SubjectRequest, event: Event) -> None:
    await context.cases.commit(
        request.request_id,
        [Write(document=request, etag=case.etags[request.id]), Write(document=event, etag=None)],
    )
