"""Door for probes: whether the app has all it needs to work."""

from datetime import date
from typing import Literal

import azure.functions as func

from functions._bodies import Shown
from functions._door import Given, door
from functions._http import problem, shown
from shared import bootstrap
from shared.domain.errors import Permanent
from shared.services.measuring import RetentionState, require_retention_on_time, retention_status

health = func.Blueprint()

_GAPS = frozenset(
    {"settings_invalid", "contacts_incomplete", "retention_late"}
)  # their details are names, never values


class HealthAnswer(Shown):
    """The app has all it needs. `datamap`: the beginning of the digest of the map it works by.

    `retention`: whether scheduled deletion is at work, or rests in its hours or until somebody resumes it.
    `retention_overdue_since` null: the last run found nothing overdue. `retention_waiting`: records that were
    still to be looked at when the last hour's pace was used up.
    """

    status: Literal["ok"] = "ok"
    retention: RetentionState
    retention_overdue_since: date | None
    retention_waiting: int
    datamap: str


@door(health, "health", "GET", "health", Given(answers={200: HealthAnswer}))
async def show(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Answer 200 when nothing is missing and scheduled deletion is on time, else 503 naming what is wrong."""
    try:
        app = bootstrap.app()
        app.context.contacts.require_complete()
        await require_retention_on_time(app.context)
        found = await retention_status(app.context)
    except Permanent as error:
        if error.code not in _GAPS:
            raise
        return problem(error.code, status=503, title="Something is missing or late.", detail=error.detail)
    return shown(
        HealthAnswer(
            datamap=app.context.datamap.digest[:12],
            retention=found.state,
            retention_overdue_since=found.overdue_since,
            retention_waiting=found.waiting,
        )
    )
