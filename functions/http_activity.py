"""Door for the products: people's use of the application, so that its last day is known."""

from collections import Counter

import azure.functions as func

from functions._activity_bodies import ActivityAnswer, ActivityBody
from functions._bodies import checked
from functions._door import Given, door
from functions._http import fields, shown
from functions._system import require_system
from shared import bootstrap
from shared.services.activity import take_in

activity = func.Blueprint()

MOST_BYTES = 1024 * 1024  # a thousand events with long names


@door(
    activity,
    "activity_events",
    "POST",
    "activity",
    Given(
        body=ActivityBody,
        answers={200: ActivityAnswer},
        problems=(400, 401, 413, 415, 501),
        guard="system",
    ),
)
async def events(req: func.HttpRequest) -> func.HttpResponse:
    """Take in up to 1,000 events and say what came of each. Sending them again changes nothing."""
    require_system(req)
    body = checked(ActivityBody, fields(req, most_bytes=MOST_BYTES))
    verdicts = await take_in(bootstrap.app().context, [one.event for one in body.events])
    return shown(ActivityAnswer(verdicts=verdicts, counts=dict(Counter(verdicts))))
