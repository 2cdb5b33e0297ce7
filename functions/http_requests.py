"""Doors for a person's request: file it, confirm it, see where it stands, answer a question, cancel it."""

import azure.functions as func

from functions._bodies import headers, query, read
from functions._door import PAGE, Given, door
from functions._http import answer, client_address, is_form, language_of, page, redirect, shown
from functions._request_bodies import (
    AnswerBody,
    StateAnswer,
    StatusAnswer,
    SubmitBody,
    SubmitHeaders,
    SubmittedAnswer,
    TokenBody,
    TokenQuery,
)
from shared import bootstrap
from shared.domain.request_states import FINAL, RequestState
from shared.domain.rights import IMMEDIATE
from shared.rendering import outcomes, pages
from shared.services import asking, intake
from shared.services.intake import Submission
from shared.services.links import ANSWER, CANCEL, VERIFY, check_link
from shared.services.wishing import checked_wishes

requests = func.Blueprint()

_ID = "requests/{request_id:length(32)}"
_STATE = {200: StateAnswer}
_UNKNOWN = ("request_unknown",)


@door(
    requests,
    "requests_submit",
    "POST",
    "requests",
    Given(
        body=SubmitBody,
        headers=SubmitHeaders,
        answers={202: SubmittedAnswer, 303: None},
        codes=(
            *("activity_unknown", "correction_missing", "email_invalid", "fact_unknown", "ground_missing"),
            *("idempotency_key_reused", "idempotency_key_too_long", "language_unknown"),
            *("right_ambiguous", "right_unknown"),
            *("too_many_requests", "wish_unfit"),
            *("transfer_url_address", "transfer_url_fragment", "transfer_url_host", "transfer_url_invalid"),
            *("transfer_url_port", "transfer_url_scheme", "transfer_url_too_long", "transfer_url_userinfo"),
        ),
        takes_form=True,
    ),
)
async def submit(req: func.HttpRequest) -> func.HttpResponse:
    """File a request for one or several rights. Everybody gets the same answer, known or not."""
    app = bootstrap.app()
    body = read(req, SubmitBody)
    repeat_key = headers(req, SubmitHeaders).repeat_key
    language = body.language or ("da" if language_of(req) == "da" else "en")
    request_id = await intake.submit(
        app.context,
        Submission(
            email=body.email,
            rights=body.asked,
            language=language,
            client=client_address(req),
            repeat_key=repeat_key or None,
            wishes=checked_wishes(app.context, body.wishes),
        ),
    )
    if is_form(req):
        if app.settings.allowed_return_url:
            return redirect(app.settings.allowed_return_url)
        outcome: outcomes.Outcome = "honoured" if IMMEDIATE.issuperset(body.asked) else "received"
        filed = await _filed(request_id)
        return page(outcomes.outcome_page(outcome, language=language, filed=filed), status=202)
    location = f"{app.context.public_url}/requests/{request_id}"
    return shown(SubmittedAnswer(request_id=request_id, status_url=location), status=202, Location=location)


@door(requests, "requests_status", "GET", _ID, Given(answers={200: StatusAnswer}, codes=_UNKNOWN))
async def status(req: func.HttpRequest) -> func.HttpResponse:
    """Tell where a request stands, without personal data."""
    found = await intake.status(bootstrap.app().context, req.route_params["request_id"])
    return shown(
        StatusAnswer(
            request_id=found.request_id,
            state=found.state,
            rights=found.rights,
            in_words=found.in_words,
            received_on=found.received_on,
            due_on=found.due_on,
            copy_available=found.copy_available,
        )
    )


@door(
    requests,
    "requests_verification_page",
    "GET",
    f"{_ID}/verification",
    Given(answers={200: PAGE}, query=TokenQuery, codes=_UNKNOWN, guard="token"),
)
async def verification_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page with the button. Opening it confirms nothing: mail scanners open links."""
    token = _genuine(req, VERIFY)
    found = await intake.status(bootstrap.app().context, req.route_params["request_id"])
    return page(
        pages.verification_page(
            language=language_of(req),
            action_url="verification",  # relative, so that it works behind any address
            token=token,
            rights=found.rights,
            in_words=found.in_words,
        )
    )


@door(
    requests,
    "requests_verification",
    "POST",
    f"{_ID}/verification",
    Given(body=TokenBody, answers=_STATE, codes=_UNKNOWN, guard="token", takes_form=True),
)
async def verification(req: func.HttpRequest) -> func.HttpResponse:
    """Confirm the address of a request."""
    request_id = req.route_params["request_id"]
    state = await intake.verify(bootstrap.app().context, request_id, read(req, TokenBody).token)
    if not is_form(req):
        return shown(StateAnswer(request_id=request_id, state=state))
    filed = await _filed(request_id)
    return page(outcomes.outcome_page(_shown(state), language=language_of(req), filed=filed))


@door(
    requests,
    "requests_cancellation_page",
    "GET",
    f"{_ID}/cancellation",
    Given(answers={200: PAGE}, query=TokenQuery, codes=(), guard="token"),
)
async def cancellation_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page whose button cancels the request."""
    return page(
        pages.cancellation_page(
            language=language_of(req), action_url="cancellation", token=_genuine(req, CANCEL)
        )
    )


@door(
    requests,
    "requests_cancellation",
    "POST",
    f"{_ID}/cancellation",
    Given(
        body=TokenBody,
        answers=_STATE,
        codes=(*_UNKNOWN, "too_late", "joined_to_wider"),
        guard="token",
        takes_form=True,
    ),
)
async def cancellation(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a request before anything is erased."""
    request_id = req.route_params["request_id"]
    state = await intake.cancel(bootstrap.app().context, request_id, read(req, TokenBody).token)
    if is_form(req):
        filed = await _filed(request_id)
        return page(outcomes.outcome_page("cancelled", language=language_of(req), filed=filed))
    return shown(StateAnswer(request_id=request_id, state=state))


@door(
    requests,
    "requests_answer_page",
    "GET",
    f"{_ID}/answer",
    Given(answers={200: PAGE}, query=TokenQuery, codes=(), guard="token"),
)
async def answer_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page on which a question that came by letter is answered."""
    return page(
        pages.answer_page(language=language_of(req), action_url="answer", token=_genuine(req, ANSWER))
    )


@door(
    requests,
    "requests_answer",
    "POST",
    f"{_ID}/answer",
    Given(
        body=AnswerBody,
        answers={204: None, 200: PAGE},
        codes=(*_UNKNOWN, "answer_missing", "no_question_open", "request_closed"),
        guard="token",
        takes_form=True,
    ),
)
async def answer_question(req: func.HttpRequest) -> func.HttpResponse:
    """Take in the answer to the open question; the clock of the request runs again."""
    body = read(req, AnswerBody)
    request_id = req.route_params["request_id"]
    await asking.answer_by_link(bootstrap.app().context, request_id, body.token, body.text)
    if is_form(req):
        filed = await _filed(request_id)
        return page(outcomes.outcome_page("question_answered", language=language_of(req), filed=filed))
    return answer(None, status=204)


async def _filed(request_id: str) -> outcomes.FiledFact:
    """Return what the page says of the request, to whoever just filed it or proved the link."""
    found = await intake.status(bootstrap.app().context, request_id)
    return outcomes.FiledFact(
        request_id=request_id,
        due_on=found.due_on,
        rights=found.rights,
        in_words=found.in_words,
        waits_for_person=found.state is RequestState.AWAITING_APPROVAL,
    )


def _genuine(req: func.HttpRequest, purpose: str) -> str:
    """Return the token of the opened link; a page with a button that cannot work is shown to nobody."""
    token = query(req, TokenQuery).token
    check_link(bootstrap.app().context, req.route_params["request_id"], token, purpose=purpose)
    return token


def _shown(state: RequestState) -> outcomes.Outcome:
    """Return what the page says of a confirmed request: a button pressed late begins nothing anew."""
    if state is RequestState.JOINED:
        return "joined"
    if state is RequestState.CANCELLED:
        return "cancelled"
    return "closed" if state in FINAL or state is RequestState.STANDING else "verified"
