"""Door for probes: whether the app has all it needs to work."""

import azure.functions as func

from functions._http import answer, answering
from shared import bootstrap

health = func.Blueprint()


@health.function_name("health")
@health.route("health", methods=["GET"])
@answering
async def show(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Answer 200 when settings, data map and contacts are complete, and name the gap otherwise."""
    app = bootstrap.app()
    app.context.contacts.require_complete()
    return answer({"status": "ok", "datamap": app.context.datamap.digest[:12]})
