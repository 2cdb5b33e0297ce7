"""Door for the newsletter processor's webhooks: keep what comes, and say so.

The secret is a part of the path, because the processor signs nothing and sends no header of ours. It is
compared as a hash, and no answer or log of ours repeats it. Wrong ones are counted by caller.
"""

import hashlib
import hmac

import azure.functions as func

from functions._bodies import Shown
from functions._door import Given, door
from functions._http import client_address, shown
from shared import bootstrap
from shared.domain.errors import Invalid, NotFound
from shared.services.newsletter_webhooks import receive, refuse_guess

webhooks = func.Blueprint()

MOST_BYTES = 4 * 1024 * 1024
"""A thousand events with all their fields take less than half of it."""


class TakenAnswer(Shown):
    """The body is kept and will be worked on."""

    taken: bool = True


@door(
    webhooks,
    "campaign_monitor_webhook",
    "POST",
    "webhooks/campaign-monitor/{secret:length(16,128)}",
    Given(
        answers={202: TakenAnswer},
        codes=("webhook_unknown", "too_many_requests", "body_missing", "body_too_large"),
    ),
)
async def campaign_monitor_webhook(req: func.HttpRequest) -> func.HttpResponse:
    """Take in a body of events, whatever it holds; a test call does nothing.

    What cannot be read is kept for staff. Sent again, it is worked on again, which changes nothing.
    """
    app = bootstrap.app()
    given = hashlib.sha256(req.route_params["secret"].encode()).hexdigest()
    if not app.settings.campaign_monitor_webhook_secrets_sha256:
        raise NotFound("webhook_unknown")
    known = [hmac.compare_digest(given, one) for one in app.settings.campaign_monitor_webhook_secrets_sha256]
    if not any(known):
        await refuse_guess(app.context, client_address(req))
    body = req.get_body()
    if not body:
        raise Invalid("body_missing", "send a body with a Content-Length")
    if len(body) > MOST_BYTES:
        raise Invalid("body_too_large", f"at most {MOST_BYTES} bytes")
    await receive(app.context, body)
    return shown(TakenAnswer(), status=202)
