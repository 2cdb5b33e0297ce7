"""Doors for our own messages: each reads one and calls one service. An error lets the queue deliver again."""

import azure.functions as func

from functions._traced import following
from shared import bootstrap
from shared.domain.messages import (
    CALLBACK_QUEUE,
    FINISH_QUEUE,
    LETTER_QUEUE,
    PLAN_QUEUE,
    TASK_QUEUE,
    FinishStage,
    PlanRequest,
    RunTasks,
    SendCallback,
    SendLetter,
    decode,
)
from shared.services.calling_back import call_back
from shared.services.execution import run_lane
from shared.services.finishing import finish_stage
from shared.services.planning import plan
from shared.services.sending import send_letter

queues = func.Blueprint()
_CONNECTION = "AzureWebJobsStorage"


@queues.function_name("request_plan")
@queues.queue_trigger("msg", PLAN_QUEUE, _CONNECTION)
async def request_plan(msg: func.QueueMessage) -> None:
    """Plan a request, or begin what is planned."""
    message = decode(PlanRequest, msg.get_body())
    with following("request_plan", message):
        await plan(bootstrap.app().context, message.request_id)


@queues.function_name("request_task")
@queues.queue_trigger("msg", TASK_QUEUE, _CONNECTION)
async def request_task(msg: func.QueueMessage) -> None:
    """Work on one lane of a request."""
    message = decode(RunTasks, msg.get_body())
    with following("request_task", message):
        await run_lane(bootstrap.app().context, message.request_id, message.lane)


@queues.function_name("request_finish")
@queues.queue_trigger("msg", FINISH_QUEUE, _CONNECTION)
async def request_finish(msg: func.QueueMessage) -> None:
    """Go on when a stage is done."""
    message = decode(FinishStage, msg.get_body())
    with following("request_finish", message):
        await finish_stage(bootstrap.app().context, message.request_id)


@queues.function_name("request_letter")
@queues.queue_trigger("msg", LETTER_QUEUE, _CONNECTION)
async def request_letter(msg: func.QueueMessage) -> None:
    """Send one letter."""
    message = decode(SendLetter, msg.get_body())
    with following("request_letter", message):
        await send_letter(bootstrap.app().context, message.request_id, message.letter_id)


@queues.function_name("request_callback")
@queues.queue_trigger("msg", CALLBACK_QUEUE, _CONNECTION)
async def request_callback(msg: func.QueueMessage) -> None:
    """Tell a platform where its request stands."""
    message = decode(SendCallback, msg.get_body())
    with following("request_callback", message):
        await call_back(bootstrap.app().context, message.request_id)
