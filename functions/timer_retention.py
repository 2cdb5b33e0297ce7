"""Door for the clock: every five minutes, see that scheduled deletion goes on, of our own data too."""

import logging

import azure.functions as func

from shared import bootstrap
from shared.services import own_data
from shared.services.retention import tick

retention = func.Blueprint()
_LOG = logging.getLogger("functions.retention")


@retention.function_name("retention")
@retention.timer_trigger("timer", "0 */5 * * * *", use_monitor=True)
async def walk_for_retention(timer: func.TimerRequest) -> None:
    """Send word of a run that is to begin or to go on; when the day's run is done, there is nothing to do."""
    context = bootstrap.app().context
    await tick(context)
    await own_data.delete_due(context)
    _LOG.info("retention looked for work, past due: %s", timer.past_due)
