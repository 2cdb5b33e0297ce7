"""Door for staff: messages that failed for good are sent again."""

import azure.functions as func

from functions._door import Given, door
from functions._http import shown
from functions._operations_bodies import RedrivenAnswer
from functions._staff import staff
from shared import bootstrap
from shared.domain.staff import Permission
from shared.services import redriving

operations_queues = func.Blueprint()


@door(
    operations_queues,
    "operations_redrive",
    "POST",
    "operations/queues/{queue}/redrive",
    Given(answers={200: RedrivenAnswer}, problems=(400, 401, 403, 404, 413, 415), guard="staff"),
)
async def redrive(req: func.HttpRequest) -> func.HttpResponse:
    """Take up the cases that a failed message of this queue stopped, and send messages kept aside again."""
    member = await staff(req, Permission.REDRIVE)
    found = await redriving.redrive(
        bootstrap.app().context, req.route_params["queue"], decided_by=member.staff_id
    )
    return shown(RedrivenAnswer(cases=found.cases, messages=found.messages, left=found.left))
