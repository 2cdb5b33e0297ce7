"""Door for the clock: every minute, take up what stopped half way."""

import logging

import azure.functions as func

from shared import bootstrap
from shared.services.sweeping import sweep

timers = func.Blueprint()
_LOG = logging.getLogger("functions.sweep")


@timers.function_name("sweep")
@timers.timer_trigger("timer", "0 * * * * *", use_monitor=True)
async def sweep_requests(timer: func.TimerRequest) -> None:
    """Send again what is due."""
    taken_up = await sweep(bootstrap.app().context)
    _LOG.info("sweep took up %d requests, past due: %s", taken_up, timer.past_due)
