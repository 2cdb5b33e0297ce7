"""Doors for staff: approve, refuse, say what was meant, take more time, ask, lift a restriction."""

import azure.functions as func

from functions._bodies import read
from functions._door import Given, door
from functions._http import shown
from functions._operations_bodies import (
    ApproveBody,
    ApprovedAnswer,
    AskBody,
    AskedAnswer,
    DoneAnswer,
    ExtendBody,
    LiftBody,
    LiftedAnswer,
    NoteAnswerBody,
    RefuseBody,
    RereadBody,
)
from functions._staff import staff
from shared import bootstrap
from shared.domain.staff import Permission
from shared.services import asking, deciding, lifting

operations_decisions = func.Blueprint()

_CASE = "operations/cases/{request_id:length(32)}"
_ACTS = (400, 401, 403, 404, 413, 415)
_DECIDES = (*_ACTS, 409)


@door(
    operations_decisions,
    "operations_approve",
    "POST",
    f"{_CASE}/approval",
    Given(body=ApproveBody, answers={200: ApprovedAnswer}, problems=_DECIDES, guard="staff"),
)
async def approve(req: func.HttpRequest) -> func.HttpResponse:
    """Let exactly this plan run; an objection is upheld by it. Mass erasure needs a second approver."""
    member = await staff(req, Permission.APPROVE)
    body = read(req, ApproveBody)
    runs = await deciding.approve(
        bootstrap.app().context,
        req.route_params["request_id"],
        plan_digest=body.plan_digest,
        decided_by=member.staff_id,
        reason=body.reason,
        provision=body.provision,
    )
    return shown(ApprovedAnswer(runs=runs))


@door(
    operations_decisions,
    "operations_refuse",
    "POST",
    f"{_CASE}/refusal",
    Given(body=RefuseBody, answers={200: DoneAnswer}, problems=_DECIDES, guard="staff"),
)
async def refuse(req: func.HttpRequest) -> func.HttpResponse:
    """Refuse the present right of a case, with the reason and the provision its letter names."""
    member = await staff(req, Permission.REFUSE)
    body = read(req, RefuseBody)
    await deciding.refuse(
        bootstrap.app().context,
        req.route_params["request_id"],
        decided_by=member.staff_id,
        reason=body.reason,
        provision=body.provision,
        hint=body.hint,
    )
    return shown(DoneAnswer())


@door(
    operations_decisions,
    "operations_reread",
    "POST",
    f"{_CASE}/reading",
    Given(body=RereadBody, answers={200: DoneAnswer}, problems=_ACTS, guard="staff"),
)
async def reread(req: func.HttpRequest) -> func.HttpResponse:
    """Say which rights a person meant whose words were unclear."""
    member = await staff(req, Permission.APPROVE)
    body = read(req, RereadBody)
    await deciding.reread(
        bootstrap.app().context,
        req.route_params["request_id"],
        rights=body.rights,
        decided_by=member.staff_id,
        reason=body.reason,
    )
    return shown(DoneAnswer())


@door(
    operations_decisions,
    "operations_extend",
    "POST",
    f"{_CASE}/extension",
    Given(body=ExtendBody, answers={200: DoneAnswer}, problems=_ACTS, guard="staff"),
)
async def extend(req: func.HttpRequest) -> func.HttpResponse:
    """Take up to two months more; it counts when its letter leaves in time."""
    member = await staff(req, Permission.EXTEND)
    body = read(req, ExtendBody)
    await asking.extend(
        bootstrap.app().context,
        req.route_params["request_id"],
        months=body.months,
        reason=body.reason,
        decided_by=member.staff_id,
    )
    return shown(DoneAnswer())


@door(
    operations_decisions,
    "operations_ask",
    "POST",
    f"{_CASE}/questions",
    Given(body=AskBody, answers={201: AskedAnswer}, problems=_ACTS, guard="staff"),
)
async def ask(req: func.HttpRequest) -> func.HttpResponse:
    """Ask the person one question by letter."""
    member = await staff(req, Permission.ASK)
    body = read(req, AskBody)
    number = await asking.ask(
        bootstrap.app().context,
        req.route_params["request_id"],
        kind=body.kind,
        text=body.text,
        asked_by=member.staff_id,
    )
    return shown(AskedAnswer(number=number), status=201)


@door(
    operations_decisions,
    "operations_note_answer",
    "POST",
    f"{_CASE}/answers",
    Given(body=NoteAnswerBody, answers={200: DoneAnswer}, problems=_ACTS, guard="staff"),
)
async def note_answer(req: func.HttpRequest) -> func.HttpResponse:
    """Note what the person answered by post, phone or mail."""
    member = await staff(req, Permission.ASK)
    await asking.answered(
        bootstrap.app().context,
        req.route_params["request_id"],
        text=read(req, NoteAnswerBody).text,
        noted_by=member.staff_id,
    )
    return shown(DoneAnswer())


@door(
    operations_decisions,
    "operations_lift",
    "POST",
    f"{_CASE}/lifting",
    Given(body=LiftBody, answers={200: LiftedAnswer}, problems=_ACTS, guard="staff"),
)
async def lift(req: func.HttpRequest) -> func.HttpResponse:
    """Give the person notice that a restriction ends; it ends on the day the notice names."""
    member = await staff(req, Permission.LIFT)
    body = read(req, LiftBody)
    day = await lifting.announce_lifting(
        bootstrap.app().context,
        req.route_params["request_id"],
        reason=body.reason,
        lift_on=body.lift_on,
        decided_by=member.staff_id,
    )
    return shown(LiftedAnswer(lift_on=day))
