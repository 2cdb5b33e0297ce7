"""Door for the clock: by day, every hour, tell members whose membership is about to end by time."""

import logging

import azure.functions as func

from shared import bootstrap
from shared.services.warning_members import warn_members

warnings = func.Blueprint()
_LOG = logging.getLogger("functions.warnings")


@warnings.function_name("membership_warnings")
@warnings.timer_trigger("timer", "0 20 7-16 * * *", use_monitor=True)
async def warn(timer: func.TimerRequest) -> None:
    """Send the letters that are due; without a number of days in the settings there are none."""
    sent = await warn_members(bootstrap.app().context)
    _LOG.info("membership warnings: %d sent, past due: %s", sent, timer.past_due)
