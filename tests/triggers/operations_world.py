"""Every door for staff with who may open it, and calls to them."""

import json

import azure.functions as func

import function_app  # noqa: F401  loading it makes the doors known
from functions import (
    http_operations_cases as cases,
)
from functions import (
    http_operations_decisions as decisions,
)
from functions import (
    http_operations_holds as holds,
)
from functions import http_operations_newsletter as newsletter
from functions import (
    http_operations_queues as queues,
)
from functions import http_operations_recipients as recipients
from functions import http_operations_restores as restores
from functions import http_operations_retention as retention
from functions._door import DOORS
from shared.domain.staff import Permission
from tests.triggers.conftest import content

UNKNOWN = "0" * 32


# Which permission each door asks for, said a second time on purpose: whoever changes one sees the other.
PERMISSIONS = {
    "operations_list": Permission.LIST,
    "operations_recipients": Permission.LIST,
    "operations_view": Permission.VIEW,
    "operations_find": Permission.VIEW,
    "operations_identity": Permission.ENTER_REQUEST,
    "operations_replay": Permission.REPLAY,
    "operations_newsletter": Permission.LIST,
    "operations_newsletter_webhooks": Permission.REDRIVE,
    "operations_newsletter_unlist": Permission.LIFT,
    "operations_forecast": Permission.FORECAST,
    "operations_retention_preview": Permission.PREVIEW,
    "operations_retention_chart": Permission.PREVIEW,
    "operations_retention_runs": Permission.PREVIEW,
    "operations_retention_report": Permission.PREVIEW,
    "operations_retention_doubts": Permission.LIST,
    "operations_policy_unseen": Permission.LIST,
    "operations_enter": Permission.ENTER_REQUEST,
    "operations_customer_request": Permission.CUSTOMER_REQUEST,
    "operations_retry": Permission.RETRY,
    "operations_pause_case": Permission.PAUSE,
    "operations_transfer": Permission.APPROVE,  # it says where somebody's data goes
    "operations_notice": Permission.RETRY,
    "operations_letter": Permission.RETRY,
    "operations_approve": Permission.APPROVE,
    "operations_refuse": Permission.REFUSE,
    "operations_reread": Permission.APPROVE,
    "operations_extend": Permission.EXTEND,
    "operations_ask": Permission.ASK,
    "operations_note_answer": Permission.ASK,
    "operations_lift": Permission.LIFT,
    "operations_holds": Permission.LIST,
    "operations_hold": Permission.HOLD,
    "operations_release": Permission.RELEASE,
    "operations_pause_erasing": Permission.PAUSE,
    "operations_resume_erasing": Permission.RESUME,
    "operations_pause_retention": Permission.PAUSE,
    "operations_resume_retention": Permission.RESUME,
    "operations_redrive": Permission.REDRIVE,
}


HANDLERS = {
    one._function.get_function_name(): one
    for module in (cases, decisions, holds, newsletter, queues, recipients, restores, retention)
    for one in vars(module).values()
    if isinstance(one, func.decorators.function_app.FunctionBuilder)
}


async def call(name, token, body=None, *, query=None, **route_params):
    """Call a door as a member of staff."""
    method = DOORS[name].method
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    request = func.HttpRequest(
        method=method,
        url=f"http://127.0.0.1:7071/api/{DOORS[name].route}",
        headers=headers,
        params=query or {},
        route_params=route_params,
        body=json.dumps(body).encode() if body is not None else b"",
    )
    return await HANDLERS[name](request)


def staff_id(token, tokens):
    return tokens.members[token].staff_id


def problem_field(response):
    """Return the field a refused request got wrong."""
    assert response.status_code == 400, response.get_body()
    return content(response)["field"]
