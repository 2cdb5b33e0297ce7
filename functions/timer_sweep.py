"""Door for the clock: every minute, take up what stopped half way."""

import asyncio
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
    swept = await asyncio.gather(
        sweep(context),
        newsletter_changes.sweep(context),
        newsletter_webhooks.sweep(context),
        signing_up.sweep(context),
        return_exceptions=True,
    )
    for one in swept:  # what is wrong with one kind has held up no other
        if isinstance(one, BaseException):
            raise one
    taken_up, changes, bodies, _ = swept
    _LOG.info(
        "sweep took up %d requests, %d changes of newsletters, %d webhooks, past due: %s",
        taken_up,
        changes,
        bodies,
        timer.past_due,
    )
