"""Door for the clock: every five minutes, measure what the alarms read."""

import asyncio

import azure.functions as func

from shared import bootstrap
from shared.services.measuring import measure

measuring = func.Blueprint()


@measuring.function_name("measure")
@measuring.timer_trigger("timer", "30 */5 * * * *", use_monitor=False)
async def measure_everything(timer: func.TimerRequest) -> None:  # noqa: ARG001  the host passes it
    """Record every figure; what a restart missed is not made up for."""
    await measure(bootstrap.app().context)
    # Nothing else may run on this instance for minutes, and one that is taken away sends nothing.
    await asyncio.to_thread(bootstrap.tracing().flush)
