"""Doors for people and newsletters: sign up, confirm, choose, leave."""

import azure.functions as func

from functions._bodies import checked, query, read
from functions._cross_origin import cross_origin, preflight
from functions._door import PAGE, Given, door
from functions._http import MAX_BODY_BYTES, client_address, is_form, language_of, page, redirect, shown
from functions._request_bodies import TokenBody, TokenQuery
from functions._sign_up_bodies import (
    AskedAnswer,
    ChoiceBody,
    ChoicesAnswer,
    ChoiceShown,
    JoinedAnswer,
    LeavingBody,
    LeftAnswer,
    LinkBody,
    SignUpBody,
)
from shared import bootstrap
from shared.domain.errors import Invalid
from shared.rendering import outcomes, pages
from shared.services import choosing, signing_up
from shared.services.signing_up import SignUpForm

newsletter = func.Blueprint()

_SIGN_UPS = "newsletter/subscriptions"
_LEAVING = "newsletter/unsubscribe"
_CONFIRMATION = f"{_SIGN_UPS}/{{sign_up_id:length(32)}}/confirmation"
_LEAVE = f"{_LEAVING}/{{sign_up_id:length(32)}}"
_CHOICES = "newsletter/preferences/{sign_up_id:length(32)}"
_ONE_CLICK = b"one-click"


@door(
    newsletter,
    "newsletter_subscribe",
    "POST",
    _SIGN_UPS,
    Given(
        body=SignUpBody,
        answers={202: AskedAnswer, 303: None},
        codes=(
            *("consent_missing", "email_invalid", "language_unknown", "policy_version_unknown"),
            *("purpose_unknown", "too_many_requests"),
        ),
        takes_form=True,
        wrap=cross_origin,
    ),
)
async def subscribe(req: func.HttpRequest) -> func.HttpResponse:
    """Sign up for newsletters. Everybody gets the same answer; nothing counts before it is confirmed."""
    app = bootstrap.app()
    body = read(req, SignUpBody)
    language = body.language or ("da" if language_of(req) == "da" else "en")
    await signing_up.ask(
        app.context,
        SignUpForm(
            email=body.email,
            purpose_ids=body.purposes,
            language=language,
            policy_version=body.policy_version,
            wording_version=body.wording_version,
            wording_sha256=body.wording_sha256,
            form_version=body.form_version,
            name=body.name,
            client=client_address(req),
        ),
    )
    if not is_form(req):
        return shown(AskedAnswer(), status=202)
    if app.settings.allowed_return_url:
        return redirect(app.settings.allowed_return_url)
    return page(outcomes.outcome_page("asked", language=language), status=202)


@door(newsletter, "newsletter_subscribe_preflight", "OPTIONS", _SIGN_UPS, Given(answers={204: None}))
async def subscribe_preflight(req: func.HttpRequest) -> func.HttpResponse:
    """Tell a browser whether a page of another site may send the form."""
    return preflight(req)


@door(
    newsletter,
    "newsletter_confirmation_page",
    "GET",
    _CONFIRMATION,
    Given(answers={200: PAGE}, query=TokenQuery, codes=(), guard="token"),
)
async def confirmation_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page with the button. Opening it confirms nothing: mail scanners open links."""
    token, language = query(req, TokenQuery).token, language_of(req)
    context = bootstrap.app().context
    purpose_ids = await signing_up.pending(context, req.route_params["sign_up_id"], token)
    titles = [context.datamap.purpose(one)[1].title.in_language(language) for one in purpose_ids]
    return page(pages.join_page(language=language, action_url="confirmation", token=token, titles=titles))


@door(
    newsletter,
    "newsletter_confirmation",
    "POST",
    _CONFIRMATION,
    Given(body=TokenBody, answers={200: JoinedAnswer}, codes=(), guard="token", takes_form=True),
)
async def confirmation(req: func.HttpRequest) -> func.HttpResponse:
    """Confirm a sign-up; from now on it counts. Pressing again changes nothing."""
    token = read(req, TokenBody).token
    await signing_up.confirm(bootstrap.app().context, req.route_params["sign_up_id"], token)
    if is_form(req):
        return page(outcomes.outcome_page("joined_list", language=language_of(req)))
    return shown(JoinedAnswer())


@door(
    newsletter,
    "newsletter_leave_address",
    "POST",
    _LEAVING,
    Given(
        body=LeavingBody,
        answers={200: LeftAnswer},
        codes=("email_invalid", "too_many_requests"),
        takes_form=True,
        wrap=cross_origin,
    ),
)
async def leave_address(req: func.HttpRequest) -> func.HttpResponse:
    """End every newsletter of an address, at once. Everybody gets the same answer."""
    email = read(req, LeavingBody).email
    await choosing.unsubscribe_address(bootstrap.app().context, email, client_address(req))
    return _left(req)


@door(newsletter, "newsletter_leave_preflight", "OPTIONS", _LEAVING, Given(answers={204: None}))
async def leave_preflight(req: func.HttpRequest) -> func.HttpResponse:
    """Tell a browser whether a page of another site may send the form."""
    return preflight(req)


@door(
    newsletter,
    "newsletter_leave_page",
    "GET",
    _LEAVE,
    Given(answers={200: PAGE}, query=TokenQuery, codes=(), guard="token"),
)
async def leave_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the page with the button. Opening it ends nothing: mail scanners open links."""
    token, sign_up_id = query(req, TokenQuery).token, req.route_params["sign_up_id"]
    choosing.check_unsubscribe(bootstrap.app().context, sign_up_id, token)
    return page(pages.leave_page(language=language_of(req), action_url=sign_up_id, token=token))


@door(
    newsletter,
    "newsletter_leave",
    "POST",
    _LEAVE,
    Given(
        body=LinkBody,
        query=TokenQuery,
        answers={200: LeftAnswer},
        codes=(),
        guard="token",
        takes_form=True,
    ),
)
async def leave(req: func.HttpRequest) -> func.HttpResponse:
    """End one newsletter, at once: by the page's button, or by a mail program in one click (RFC 8058)."""
    token = _one_click_token(req) or read(req, LinkBody).token
    await choosing.unsubscribe(bootstrap.app().context, req.route_params["sign_up_id"], token)
    return _left(req)


@door(
    newsletter,
    "newsletter_choices",
    "GET",
    _CHOICES,
    Given(answers={200: PAGE}, query=TokenQuery, codes=("sign_up_unknown",), guard="token"),
)
async def choices_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show what there is to choose, and what is on. Opening it changes nothing."""
    token, sign_up_id = query(req, TokenQuery).token, req.route_params["sign_up_id"]
    language = language_of(req)
    found = await choosing.choices(bootstrap.app().context, sign_up_id, token, language)
    return page(pages.choice_page(language=language, action_url=sign_up_id, token=token, choices=found))


@door(
    newsletter,
    "newsletter_choose",
    "POST",
    _CHOICES,
    Given(
        body=ChoiceBody,
        answers={200: ChoicesAnswer},
        codes=("purpose_unknown", "sign_up_unknown"),
        guard="token",
        takes_form=True,
    ),
)
async def choose(req: func.HttpRequest) -> func.HttpResponse:
    """Switch on exactly these purposes, at once."""
    body, context, language = read(req, ChoiceBody), bootstrap.app().context, language_of(req)
    sign_up_id = req.route_params["sign_up_id"]
    await choosing.choose(context, sign_up_id, body.token, body.purposes, language)
    if is_form(req):
        return page(outcomes.outcome_page("chosen", language=language))
    found = await choosing.choices(context, sign_up_id, body.token, language)
    return shown(
        ChoicesAnswer(
            choices=tuple(
                ChoiceShown(purpose=one.purpose_id, title=one.title, is_on=one.is_on) for one in found
            )
        )
    )


def _one_click_token(req: func.HttpRequest) -> str:
    """Return the link's token where a mail program sent its one field; empty: somebody else sent it.

    The field comes as `multipart/form-data` or as a form, and says nothing beyond that a person clicked.
    """
    body = req.get_body()
    if len(body) > MAX_BODY_BYTES:
        raise Invalid("body_too_large", f"at most {MAX_BODY_BYTES} bytes")
    if _ONE_CLICK not in body.lower():
        return ""
    return checked(TokenQuery, dict(req.params)).token


def _left(req: func.HttpRequest) -> func.HttpResponse:
    if is_form(req):
        return page(outcomes.outcome_page("left", language=language_of(req)))
    return shown(LeftAnswer())
