"""Door for staff: who outside received data, and how each answers what it is told."""

import azure.functions as func

from functions._door import Given, door
from functions._http import shown
from functions._recipients_bodies import RecipientsAnswer
from functions._staff import staff
from shared import bootstrap
from shared.domain.staff import Permission
from shared.services import scoring

operations_recipients = func.Blueprint()


@door(
    operations_recipients,
    "operations_recipients",
    "GET",
    "operations/recipients",
    Given(answers={200: RecipientsAnswer}, problems=(400, 401, 403), guard="staff"),
)
async def recipients(req: func.HttpRequest) -> func.HttpResponse:
    """Tell of each recipient what it was told, what it confirmed and how fast, and what is overdue."""
    await staff(req, Permission.LIST)
    return shown(RecipientsAnswer.of(await scoring.scorecard(bootstrap.app().context)))
