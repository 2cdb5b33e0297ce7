"""Doors for staff: legal holds, and the switch that stops all erasing."""

import azure.functions as func

from functions._bodies import read
from functions._door import Given, door
from functions._http import shown
from functions._operations_bodies import (
    DoneAnswer,
    HeldAnswer,
    HoldBody,
    HoldLine,
    HoldsAnswer,
    ReasonBody,
    ReleasedAnswer,
    ResumedAnswer,
)
from functions._staff import staff
from shared import bootstrap
from shared.domain.controls import RETENTION_SWITCH_KEY
from shared.domain.staff import Permission
from shared.services import attention, holding, switching
from shared.services.retention import tick

operations_holds = func.Blueprint()

_READS = (401, 403)
_ACTS = (400, 401, 403, 404, 413, 415)


@door(
    operations_holds,
    "operations_holds",
    "GET",
    "operations/holds",
    Given(answers={200: HoldsAnswer}, problems=_READS, guard="staff"),
)
async def list_holds(req: func.HttpRequest) -> func.HttpResponse:
    """List every hold in force, those whose review is overdue first."""
    await staff(req, Permission.LIST)
    found = await holding.in_force(bootstrap.app().context)
    lines = tuple(
        HoldLine(
            **one.hold.model_dump(exclude={"released_at", "released_by", "release_reason"}),
            is_overdue=one.is_overdue,
            subject_keys=one.subject_keys,
        )
        for one in found
    )
    return shown(HoldsAnswer(holds=lines))


@door(
    operations_holds,
    "operations_hold",
    "POST",
    "operations/holds",
    Given(body=HoldBody, answers={200: HeldAnswer, 201: HeldAnswer}, problems=_ACTS, guard="staff"),
)
async def place(req: func.HttpRequest) -> func.HttpResponse:
    """Place a hold on a person, whatever address or id is known of them; the same one again is found."""
    member = await staff(req, Permission.HOLD)
    body = read(req, HoldBody)
    placed = await holding.place(
        bootstrap.app().context,
        holding.PlaceHold(
            identifiers={body.kind: (body.value,)},
            activity_id=body.activity_id,
            ground=body.ground,
            reason=body.reason,
            review_on=body.review_on,
            placed_by=member.staff_id,
        ),
    )
    found = HeldAnswer(
        hold_id=placed.hold_id,
        matches=placed.matches,
        existed_already=not placed.is_new,
        beside=placed.beside,
    )
    return shown(found, status=201 if placed.is_new else 200)


@door(
    operations_holds,
    "operations_release",
    "POST",
    "operations/holds/{hold_id}/release",
    Given(body=ReasonBody, answers={200: ReleasedAnswer}, problems=_ACTS, guard="staff"),
)
async def release(req: func.HttpRequest) -> func.HttpResponse:
    """Release a hold, and note why; erasures it deferred are taken up."""
    member = await staff(req, Permission.RELEASE)
    released = await holding.release(
        bootstrap.app().context,
        req.route_params["hold_id"],
        released_by=member.staff_id,
        reason=read(req, ReasonBody).reason,
    )
    return shown(ReleasedAnswer(taken_up=released.taken_up, was_released_already=not released.was_in_force))


@door(
    operations_holds,
    "operations_pause_erasing",
    "POST",
    "operations/erasing/pause",
    Given(body=ReasonBody, answers={200: DoneAnswer}, problems=_ACTS, guard="staff"),
)
async def pause_erasing(req: func.HttpRequest) -> func.HttpResponse:
    """Stop all erasing everywhere, from the next page of records on."""
    member = await staff(req, Permission.PAUSE)
    await switching.throw(
        bootstrap.app().context, reason=read(req, ReasonBody).reason, decided_by=member.staff_id
    )
    return shown(DoneAnswer())


@door(
    operations_holds,
    "operations_resume_erasing",
    "POST",
    "operations/erasing/resume",
    Given(body=ReasonBody, answers={200: ResumedAnswer}, problems=_ACTS, guard="staff"),
)
async def resume_erasing(req: func.HttpRequest) -> func.HttpResponse:
    """Let erasing go on, note why, and take up the cases that were stopped by the switch."""
    member = await staff(req, Permission.RESUME)
    context = bootstrap.app().context
    await switching.reset(context, reason=read(req, ReasonBody).reason, decided_by=member.staff_id)
    resumed = await attention.retry_all(context, switching.PAUSED, decided_by=member.staff_id)
    return shown(ResumedAnswer(resumed=resumed))


@door(
    operations_holds,
    "operations_pause_retention",
    "POST",
    "operations/retention/pause",
    Given(body=ReasonBody, answers={200: DoneAnswer}, problems=_ACTS, guard="staff"),
)
async def pause_retention(req: func.HttpRequest) -> func.HttpResponse:
    """Stop scheduled deletion alone, within ten seconds; what people ask for goes on."""
    member = await staff(req, Permission.PAUSE)
    reason = read(req, ReasonBody).reason
    context = bootstrap.app().context
    await switching.throw(context, reason=reason, decided_by=member.staff_id, key=RETENTION_SWITCH_KEY)
    return shown(DoneAnswer())


@door(
    operations_holds,
    "operations_resume_retention",
    "POST",
    "operations/retention/resume",
    Given(body=ReasonBody, answers={200: DoneAnswer}, problems=_ACTS, guard="staff"),
)
async def resume_retention(req: func.HttpRequest) -> func.HttpResponse:
    """Let scheduled deletion go on, and note why; cases that were paused go on within 15 minutes."""
    member = await staff(req, Permission.RESUME)
    reason = read(req, ReasonBody).reason
    context = bootstrap.app().context
    await switching.reset(context, reason=reason, decided_by=member.staff_id, key=RETENTION_SWITCH_KEY)
    await tick(context)
    return shown(DoneAnswer())
