"""Door for our other systems: may this be handed to that recipient, and the ledger of what was."""

import azure.functions as func

from functions._bodies import checked
from functions._disclosure_bodies import DisclosureAnswer, DisclosuresAnswer, DisclosuresBody
from functions._door import Given, door
from functions._http import fields, language_of, shown
from functions._system import require_system
from shared import bootstrap
from shared.domain.errors import Invalid
from shared.services import handing_on
from shared.services.context import Context
from shared.services.handing_on import Handing

disclosures = func.Blueprint()

MOST_BYTES = 512 * 1024  # a hundred sendings with every field of an order


@door(
    disclosures,
    "disclosures_record",
    "POST",
    "disclosures",
    Given(
        body=DisclosuresBody,
        answers={200: DisclosuresAnswer},
        problems=(400, 401, 413, 415, 501),
        guard="system",
    ),
)
async def disclosures_record(req: func.HttpRequest) -> func.HttpResponse:
    """Answer whether data may leave for a recipient, and note what does. An error is no leave: ask again."""
    require_system(req)
    context = bootstrap.app().context
    language = language_of(req)
    told = checked(DisclosuresBody, fields(req, most_bytes=MOST_BYTES))
    decided = await handing_on.hand_on(context, _handings(context, told))
    answers = (
        DisclosureAnswer.of(one.id, found, language)
        for one, found in zip(told.disclosures, decided, strict=True)
    )
    return shown(DisclosuresAnswer(disclosures=tuple(answers)))


def _handings(context: Context, told: DisclosuresBody) -> list[Handing]:
    """Return the sendings of a batch; what is wrong with one is said with its place."""
    found = []
    for place, one in enumerate(told.disclosures):
        try:
            found.append(
                handing_on.handing(
                    context,
                    one.person,
                    handing_id=one.id,
                    recipient_id=one.recipient,
                    purpose_id=one.purpose,
                    fields=one.fields,
                    reference=one.reference,
                )
            )
        except Invalid as error:
            raise Invalid(error.code, error.detail, field=f"disclosures.{place}.{error.field}") from None
    return found
