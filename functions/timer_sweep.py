"""Door for the clock: every minute, take up what stopped half way."""

import logging

import azure.functions as func

from shared import bootstrap
from shared.services import newsletter_changes, newsletter_webhooks, signing_up
from shared.services.sweeping import sweep

timers = func.Blueprint()
_LOG = logging.getLogger("functions.sweep")


@timers.function_name("sweep")
@timers.timer_trigger("timer", "0 * * * * *", use_monitor=True)
async def sweep_requests(timer: func.TimerRequest) -> None:
    """Send again what is due."""
    context = bootstrap.app().context
    taken_up = await sweep(context)
    changes = await newsletter_changes.sweep(context)
    await signing_up.sweep(context)
    bodies = await newsletter_webhooks.sweep(context)
    _LOG.info(
        "sweep took up %d requests, %d changes of newsletters, %d webhooks, past due: %s",
        taken_up,
        changes,
        bodies,
        timer.past_due,
    )
