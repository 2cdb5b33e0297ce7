"""Door for the run of scheduled deletion: each message does a bounded part of it."""

import logging

import azure.functions as func

from functions._traced import following
from shared import bootstrap
from shared.domain.messages import RETENTION_QUEUE, GoOnWithRun, decode
from shared.services.retention import go_on

retention_queue = func.Blueprint()
_LOG = logging.getLogger("functions.retention")


@retention_queue.function_name("retention_run")
@retention_queue.queue_trigger("msg", RETENTION_QUEUE, "AzureWebJobsStorage")
async def retention_run(msg: func.QueueMessage) -> None:
    """Go on with the run of the day."""
    message = decode(GoOnWithRun, msg.get_body())
    with following("retention_run", message):
        run = await go_on(bootstrap.app().context)
    _LOG.info(
        "retention of %s: %s, %d records seen, %d erasures filed", run.day, run.step, run.seen, run.filed
    )
