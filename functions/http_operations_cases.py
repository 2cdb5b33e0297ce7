"""Doors for staff: list cases, look at one, enter one, take up one that stopped."""

import azure.functions as func

from functions._bodies import query, read
from functions._door import Given, door
from functions._http import shown
from functions._operations_bodies import (
    CaseAnswer,
    CaseLine,
    CasesAnswer,
    CustomerBody,
    DoneAnswer,
    EnterBody,
    EnteredAnswer,
    ForecastAnswer,
    IdentityBody,
    LateLine,
    LetterBody,
    ListQuery,
    LookupBody,
    NoticeBody,
    PersonAnswer,
    PersonBody,
    TransferBody,
)
from functions._request_bodies import StateAnswer
from functions._staff import staff
from shared import bootstrap
from shared.domain.staff import Permission, require_customer
from shared.services import attention, customers, entering, intake, overview, telling
from shared.services.looking_up import look_up
from shared.services.people import find_person
from shared.services.sending import resolve_letter
from shared.services.transferring import change_transfer

operations_cases = func.Blueprint()

CASES = "operations/cases"
CASE = f"{CASES}/{{request_id:length(32)}}"
READS = (400, 401, 403)
ACTS = (400, 401, 403, 404, 413, 415)


@door(
    operations_cases,
    "operations_list",
    "GET",
    CASES,
    Given(query=ListQuery, answers={200: CasesAnswer}, problems=READS, guard="staff"),
)
async def list_cases(req: func.HttpRequest) -> func.HttpResponse:
    """List cases by state or by what stopped them, nothing of the person; finished ones by state only."""
    await staff(req, Permission.LIST)
    wanted = query(req, ListQuery)
    found = await overview.listing(
        bootstrap.app().context,
        states=(wanted.state,) if wanted.state else (),
        attention=wanted.attention,
        cursor=wanted.cursor,
        limit=wanted.limit,
    )
    lines = tuple(CaseLine.of(row) for row in found.rows)
    return shown(CasesAnswer(cases=lines, cursor=found.cursor, finished_left_out=wanted.state is None))


@door(
    operations_cases,
    "operations_enter",
    "POST",
    CASES,
    Given(body=EnterBody, answers={201: EnteredAnswer}, problems=ACTS, guard="staff"),
)
async def enter(req: func.HttpRequest) -> func.HttpResponse:
    """Enter a request that came by post, phone, mail or in the product, with the true moment of receipt."""
    member = await staff(req, Permission.ENTER_REQUEST)
    body = read(req, EnterBody)
    request_id = await entering.enter(
        bootstrap.app().context,
        entering.Entry(
            rights=body.rights,
            email=body.email,
            channel=body.channel,
            received_at=body.received_at,
            language=body.language,
            entered_by=member.staff_id,
            identity=body.identity or "",
            requester=body.requester,
            mandate=body.mandate,
            about=body.about,
            wishes=body.wishes,
        ),
    )
    return shown(EnteredAnswer(request_id=request_id), status=201)


@door(
    operations_cases,
    "operations_customer_request",
    "POST",
    "operations/customer-requests",
    Given(body=CustomerBody, answers={201: EnteredAnswer}, problems=(*ACTS, 429), guard="staff"),
)
async def customer_request(req: func.HttpRequest) -> func.HttpResponse:
    """Take a request of a customer's administrator about one person of its own installation."""
    member = await staff(req, Permission.CUSTOMER_REQUEST)
    body = read(req, CustomerBody)
    require_customer(member, body.customer_id)
    request_id = await customers.ask_for_person(
        bootstrap.app().context,
        customers.CustomerAsk(
            customer_id=body.customer_id,
            customer_name=body.customer_name,
            right=body.right,
            kind=body.kind,
            value=body.value,
            answer_to=body.answer_to,
            language=body.language,
            entered_by=member.staff_id,
            wishes=body.wishes,
        ),
    )
    return shown(EnteredAnswer(request_id=request_id), status=201)


@door(
    operations_cases,
    "operations_identity",
    "POST",
    f"{CASE}/identity",
    Given(body=IdentityBody, answers={200: StateAnswer}, problems=ACTS, guard="staff"),
)
async def identity(req: func.HttpRequest) -> func.HttpResponse:
    """Start a request whose requester was identified by another way than the mailed link."""
    member = await staff(req, Permission.ENTER_REQUEST)
    request_id = req.route_params["request_id"]
    state = await intake.identify(
        bootstrap.app().context,
        request_id,
        method=read(req, IdentityBody).method,
        decided_by=member.staff_id,
    )
    return shown(StateAnswer(request_id=request_id, state=state))


@door(
    operations_cases,
    "operations_view",
    "POST",
    f"{CASE}/lookups",
    Given(body=LookupBody, answers={200: CaseAnswer}, problems=ACTS, guard="staff"),
)
async def view(req: func.HttpRequest) -> func.HttpResponse:
    """Look at one case: its plan, tasks, letters and history. The look-up and its purpose are noted first."""
    member = await staff(req, Permission.VIEW)
    found = await look_up(
        bootstrap.app().context,
        req.route_params["request_id"],
        purpose=read(req, LookupBody).purpose,
        staff_id=member.staff_id,
        role=", ".join(sorted(member.roles)),
    )
    return shown(CaseAnswer.of(found))


@door(
    operations_cases,
    "operations_find",
    "POST",
    "operations/people",
    Given(body=PersonBody, answers={200: PersonAnswer}, problems=(*READS, 413, 415), guard="staff"),
)
async def find(req: func.HttpRequest) -> func.HttpResponse:
    """Find a person's requests, holds and restrictions. The look-up and its purpose are noted first."""
    member = await staff(req, Permission.VIEW)
    body = read(req, PersonBody)
    found = await find_person(
        bootstrap.app().context,
        body.identifiers,
        purpose=body.purpose,
        staff_id=member.staff_id,
        role=", ".join(sorted(member.roles)),
    )
    return shown(PersonAnswer.of(found))


@door(
    operations_cases,
    "operations_retry",
    "POST",
    f"{CASE}/retry",
    Given(answers={200: DoneAnswer}, problems=ACTS, guard="staff"),
)
async def retry(req: func.HttpRequest) -> func.HttpResponse:
    """Plan a stopped case again, its cause being removed."""
    member = await staff(req, Permission.RETRY)
    request_id = req.route_params["request_id"]
    await attention.retry(bootstrap.app().context, request_id, decided_by=member.staff_id)
    return shown(DoneAnswer())


@door(
    operations_cases,
    "operations_pause_case",
    "POST",
    f"{CASE}/pause",
    Given(answers={200: DoneAnswer}, problems=ACTS, guard="staff"),
)
async def pause(req: func.HttpRequest) -> func.HttpResponse:
    """Stop the work on one case; `retry` takes it up again."""
    member = await staff(req, Permission.PAUSE)
    request_id = req.route_params["request_id"]
    await attention.pause(bootstrap.app().context, request_id, decided_by=member.staff_id)
    return shown(DoneAnswer())


@door(
    operations_cases,
    "operations_transfer",
    "POST",
    f"{CASE}/transfer",
    Given(body=TransferBody, answers={200: DoneAnswer}, problems=ACTS, guard="staff"),
)
async def transfer(req: func.HttpRequest) -> func.HttpResponse:
    """Try another address for a copy whose transfer stopped, or answer with the link instead."""
    member = await staff(req, Permission.APPROVE)
    await change_transfer(
        bootstrap.app().context,
        req.route_params["request_id"],
        transfer_url=read(req, TransferBody).transfer_url,
        decided_by=member.staff_id,
    )
    return shown(DoneAnswer())


@door(
    operations_cases,
    "operations_notice",
    "POST",
    f"{CASE}/notices",
    Given(body=NoticeBody, answers={200: DoneAnswer}, problems=ACTS, guard="staff"),
)
async def notice(req: func.HttpRequest) -> func.HttpResponse:
    """Note what came of telling a recipient of an erasure, a correction or a restriction."""
    member = await staff(req, Permission.RETRY)
    body = read(req, NoticeBody)
    await telling.note_told(
        bootstrap.app().context,
        req.route_params["request_id"],
        recipient_id=body.recipient_id,
        right=body.right,
        state=body.state,
        why=body.why,
        noted_by=member.staff_id,
    )
    return shown(DoneAnswer())


@door(
    operations_cases,
    "operations_letter",
    "POST",
    f"{CASE}/letters/{{letter_id}}/resolution",
    Given(body=LetterBody, answers={200: DoneAnswer}, problems=ACTS, guard="staff"),
)
async def letter(req: func.HttpRequest) -> func.HttpResponse:
    """Settle whether a letter in doubt was sent, after somebody looked."""
    member = await staff(req, Permission.RETRY)
    await resolve_letter(
        bootstrap.app().context,
        req.route_params["request_id"],
        req.route_params["letter_id"],
        was_sent=read(req, LetterBody).was_sent,
        decided_by=member.staff_id,
    )
    return shown(DoneAnswer())


@door(
    operations_cases,
    "operations_forecast",
    "GET",
    "operations/forecast",
    Given(answers={200: ForecastAnswer}, problems=READS, guard="staff"),
)
async def forecast(req: func.HttpRequest) -> func.HttpResponse:
    """Tell which open cases will be late at the pace of the last four weeks."""
    await staff(req, Permission.FORECAST)
    pace, late = await overview.forecast_late(bootstrap.app().context)
    lines = tuple(LateLine.model_validate(vars(one)) for one in late)
    return shown(ForecastAnswer(answered_per_working_day=pace, late=lines))
