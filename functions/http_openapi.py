"""Door for the description of all doors."""

import azure.functions as func

from functions._door import Given, door
from functions._http import answer
from functions._openapi import description
from shared import bootstrap

openapi = func.Blueprint()


@door(openapi, "openapi", "GET", "openapi.json", Given(answers={200: "application/json"}))
async def show(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the host passes it
    """Return the description of every door, OpenAPI 3.1."""
    return answer(description(server_url=bootstrap.app().context.public_url))
