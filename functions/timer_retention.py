"""Door for the clock: every five minutes, go on with the day's walk over everybody whose data may be due."""

import logging

import azure.functions as func

from shared import bootstrap
from shared.services.retention import daily

retention = func.Blueprint()
_LOG = logging.getLogger("functions.retention")


@retention.function_name("retention")
@retention.timer_trigger("timer", "0 */5 * * * *", use_monitor=True)
async def walk_for_retention(timer: func.TimerRequest) -> None:
    """Look at some more records; when the day's walk is done, nothing is left to do until the next."""
    walk = await daily(bootstrap.app().context)
    _LOG.info(
        "retention of %s: %d records seen, %d erasures filed, done: %s, past due: %s",
        walk.day,
        walk.seen,
        walk.filed,
        walk.is_done,
        timer.past_due,
    )
