"""Door for probes: whether the app has all it needs to work."""

import azure.functions as func

from functions._http import answer, answering, problem
from shared import bootstrap
from shared.domain.errors import Permanent

health = func.Blueprint()

_GAPS = frozenset({"settings_invalid", "contacts_incomplete"})  # their details are names, never values


@health.function_name("health")
@health.route("health", methods=["GET"])
@answering
async def show(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Answer 200 when settings, data map and contacts are complete, else 503 naming what is missing."""
    try:
        app = bootstrap.app()
        app.context.contacts.require_complete()
    except Permanent as error:
        if error.code not in _GAPS:
            raise
        return problem(error.code, status=503, title="Something is not configured.", detail=error.detail)
    return answer({"status": "ok", "datamap": app.context.datamap.digest[:12]})
