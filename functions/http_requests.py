"""Doors for a person's request: file it, confirm it, see where it stands, cancel it."""

import azure.functions as func

from functions._http import (
    answer,
    answering,
    client_address,
    fields,
    header,
    is_form,
    language_of,
    page,
    redirect,
)
from shared import bootstrap
from shared.domain.cases import FINAL, RequestState
from shared.domain.errors import Invalid
from shared.domain.rights import Right
from shared.rendering import outcomes, pages
from shared.services import intake
from shared.services.intake import Submission

requests = func.Blueprint()

OFFERED = (Right.ACCESS, Right.ERASURE)
_MAX_REPEAT_KEY = 200
_ID = "requests/{request_id:length(32)}"


@requests.function_name("requests_submit")
@requests.route("requests", methods=["POST"])
@answering
async def submit(req: func.HttpRequest) -> func.HttpResponse:
    """File a request: `email`, `right` or `rights`, optional `language`. The same answer for everybody."""
    app = bootstrap.app()
    request_id = await intake.submit(app.context, _submission(req))
    if is_form(req):
        if app.settings.allowed_return_url:
            return redirect(app.settings.allowed_return_url)
        return page(outcomes.outcome_page("received", language=_language(fields(req), req)), status=202)
    location = f"{app.context.public_url}/requests/{request_id}"
    return answer({"request_id": request_id, "status_url": location}, status=202, Location=location)


@requests.function_name("requests_status")
@requests.route(_ID, methods=["GET"])
@answering
async def status(req: func.HttpRequest) -> func.HttpResponse:
    """Tell where a request stands, without personal data."""
    found = await intake.status(bootstrap.app().context, req.route_params["request_id"])
    return answer(
        {
            "request_id": found.request_id,
            "state": found.state,
            "rights": list(found.rights),
            "received_on": found.received_on.isoformat(),
            "due_on": found.due_on.isoformat(),
            "copy_available": found.copy_available,
        }
    )


@requests.function_name("requests_verification_page")
@requests.route(f"{_ID}/verification", methods=["GET"])
@answering
async def verification_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page with the button. Opening it confirms nothing: mail scanners open links."""
    found = await intake.status(bootstrap.app().context, req.route_params["request_id"])
    return page(
        pages.verification_page(
            language=language_of(req),
            action_url="verification",  # relative, so that it works behind any address
            token=req.params.get("token", ""),
            rights=found.rights,
        )
    )


@requests.function_name("requests_verification")
@requests.route(f"{_ID}/verification", methods=["POST"])
@answering
async def verification(req: func.HttpRequest) -> func.HttpResponse:
    """Confirm the address of a request."""
    token = fields(req).get("token")
    state = await intake.verify(bootstrap.app().context, req.route_params["request_id"], token)
    if not is_form(req):
        return answer({"request_id": req.route_params["request_id"], "state": state})
    return page(outcomes.outcome_page(_shown(state), language=language_of(req)))


@requests.function_name("requests_cancellation_page")
@requests.route(f"{_ID}/cancellation", methods=["GET"])
@answering
async def cancellation_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page whose button cancels the request."""
    return page(
        pages.cancellation_page(
            language=language_of(req), action_url="cancellation", token=req.params.get("token", "")
        )
    )


@requests.function_name("requests_cancellation")
@requests.route(f"{_ID}/cancellation", methods=["POST"])
@answering
async def cancellation(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a request before anything is erased."""
    token = fields(req).get("token")
    state = await intake.cancel(bootstrap.app().context, req.route_params["request_id"], token)
    if is_form(req):
        return page(outcomes.outcome_page("cancelled", language=language_of(req)))
    return answer({"request_id": req.route_params["request_id"], "state": state})


def _submission(req: func.HttpRequest) -> Submission:
    found = fields(req)
    unknown = sorted(set(found) - {"email", "right", "rights", "language"})
    if unknown:
        raise Invalid("field_unknown", "known fields: email, right, rights, language", field=unknown[0][:40])
    email = found.get("email")
    repeat_key = header(req, "idempotency-key")
    if len(repeat_key) > _MAX_REPEAT_KEY:
        raise Invalid("idempotency_key_too_long", f"at most {_MAX_REPEAT_KEY} characters")
    if not isinstance(email, str):
        raise Invalid("email_invalid", "an e-mail address is needed", field="email")
    return Submission(
        email=email,
        rights=_rights(found),
        language="da" if _language(found, req) == "da" else "en",
        client=client_address(req),
        repeat_key=repeat_key or None,
    )


def _shown(state: RequestState) -> outcomes.Outcome:
    """Return what the page says of a confirmed request: a button pressed late begins nothing anew."""
    if state is RequestState.JOINED:
        return "joined"
    if state is RequestState.CANCELLED:
        return "cancelled"
    return "closed" if state in FINAL else "verified"


def _rights(found: dict[str, object]) -> tuple[Right, ...]:
    """Return the rights asked for, a copy before an erasure, each once."""
    if "rights" in found and "right" in found:
        raise Invalid("right_ambiguous", "send right or rights, not both", field="rights")
    given = found.get("rights", found.get("right"))
    names = given if isinstance(given, list) else [given]
    known = [right for right in OFFERED if right in names]
    if not names or len(names) > len(Right) or any(name not in known for name in names):
        offered = ", ".join(OFFERED)
        raise Invalid("right_unknown", f"choose from: {offered}", field="rights")
    return tuple(known)


def _language(found: dict[str, object], req: func.HttpRequest) -> str:
    given = found.get("language")
    if given is None or given == "":
        return language_of(req)
    if given not in ("en", "da"):
        raise Invalid("language_unknown", "choose from: en, da", field="language")
    return str(given)
