"""Doors for our other systems and newsletters: old lists, links for a mail, purchases that allow mail."""

import azure.functions as func

from functions._bodies import checked, read
from functions._door import Given, door
from functions._http import fields, shown
from functions._sign_up_bodies import (
    ImportAnswer,
    ImportBody,
    LinksAnswer,
    LinksBody,
    SaleAnswer,
    SaleBody,
)
from functions._system import require_system
from shared import bootstrap
from shared.services import choosing, consents, importing
from shared.services.importing import ImportRow

newsletter_systems = func.Blueprint()

MOST_BYTES = 1024 * 1024  # a thousand rows


@door(
    newsletter_systems,
    "newsletter_import",
    "POST",
    "newsletter/imports",
    Given(body=ImportBody, answers={200: ImportAnswer}, codes=(), guard="system"),
)
async def take_in(req: func.HttpRequest) -> func.HttpResponse:
    """Add subscribers of an old list who showed their consent. Sending it again adds nobody."""
    require_system(req)
    body = checked(ImportBody, fields(req, most_bytes=MOST_BYTES))
    rows = [
        ImportRow(
            email=one.email,
            purpose_id=one.purpose,
            given_at=one.given_at,
            policy_version=one.policy_version,
            wording_version=one.wording_version,
            wording_sha256=one.wording_sha256,
            name=one.name,
            language=one.language,
        )
        for one in body.rows
    ]
    counts = await importing.take_in(bootstrap.app().context, rows)
    return shown(ImportAnswer.model_validate(counts))


@door(
    newsletter_systems,
    "newsletter_links",
    "POST",
    "newsletter/links",
    Given(
        body=LinksBody,
        answers={200: LinksAnswer},
        codes=("email_invalid", "purpose_unknown", "sign_up_unknown"),
        guard="system",
    ),
)
async def links(req: func.HttpRequest) -> func.HttpResponse:
    """Return the links and headers of one mail to one address."""
    require_system(req)
    body = read(req, LinksBody)
    found = await choosing.links_for(bootstrap.app().context, body.email, body.purpose)
    return shown(
        LinksAnswer(
            unsubscribe_url=found.unsubscribe,
            preferences_url=found.preferences,
            list_unsubscribe=f"<{found.unsubscribe}>",
        )
    )


@door(
    newsletter_systems,
    "marketing_exceptions_record",
    "POST",
    "marketing-exceptions",
    Given(
        body=SaleBody,
        answers={200: SaleAnswer},
        codes=(
            *("email_invalid", "exception_unproven", "given_at_invalid"),
            *("purpose_unknown", "purpose_without_consent"),
        ),
        guard="system",
    ),
)
async def record_exception(req: func.HttpRequest) -> func.HttpResponse:
    """Note a purchase that allows mail about similar goods. Sending it again changes nothing."""
    require_system(req)
    body = read(req, SaleBody)
    sale = consents.Sale(
        email=body.email,
        purpose_id=body.purpose,
        sold_at=body.sold_at,
        reference=body.reference,
        refusal_offered=body.refusal_offered,
        similar=body.similar,
    )
    counts = await consents.record_exception(bootstrap.app().context, sale)
    return shown(SaleAnswer(purpose=body.purpose, counts=counts))
