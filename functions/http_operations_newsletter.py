"""Doors for staff: how newsletters stand with their processor, and its webhooks."""

import azure.functions as func

from functions._bodies import read
from functions._door import Given, door
from functions._http import answer, shown
from functions._newsletter_bodies import NewsletterAnswer, RegisterBody, UnlistBody, WatchAnswer
from functions._staff import staff
from shared import bootstrap
from shared.domain.staff import Permission
from shared.services import consent_ledger, webhook_registration
from shared.services.newsletter_overview import overview

operations_newsletter = func.Blueprint()


@door(
    operations_newsletter,
    "operations_newsletter",
    "GET",
    "operations/newsletter",
    Given(answers={200: NewsletterAnswer}, problems=(401, 403), guard="staff"),
)
async def newsletter(req: func.HttpRequest) -> func.HttpResponse:
    """Show the last comparison with the newsletter processor, its webhooks, and what waits for staff."""
    await staff(req, Permission.LIST)
    return shown(NewsletterAnswer.of(await overview(bootstrap.app().context)))


@door(
    operations_newsletter,
    "operations_newsletter_webhooks",
    "POST",
    "operations/newsletter/webhooks",
    Given(body=RegisterBody, answers={200: WatchAnswer}, problems=(400, 401, 403, 413, 415), guard="staff"),
)
async def register_webhooks(req: func.HttpRequest) -> func.HttpResponse:
    """Register the webhooks of every list with a secret, and remove those of an earlier one."""
    await staff(req, Permission.REDRIVE)
    seen = await webhook_registration.register(bootstrap.app().context, read(req, RegisterBody).secret)
    return shown(WatchAnswer.of(seen))


@door(
    operations_newsletter,
    "operations_newsletter_unlist",
    "POST",
    "operations/newsletter/removals",
    Given(
        body=UnlistBody,
        answers={204: None},
        codes=("email_invalid",),
        guard="staff",
    ),
)
async def unlist(req: func.HttpRequest) -> func.HttpResponse:
    """Take an address off the list of those not to write to, as its person wished and was warned.

    An old list may bring it back then. Objections and withdrawals stay. A second call changes nothing.
    """
    await staff(req, Permission.LIFT)
    await consent_ledger.unsuppress(bootstrap.app().context, read(req, UnlistBody).email)
    return answer(None, status=204)
