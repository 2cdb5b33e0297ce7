"""Doors for messages that failed too often, one for each queue."""

import azure.functions as func

from shared import bootstrap
from shared.domain.messages import (
    CALLBACK_QUEUE,
    FINISH_QUEUE,
    LETTER_QUEUE,
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_MAIL_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    PLAN_QUEUE,
    RECONCILIATION_QUEUE,
    RETENTION_QUEUE,
    TASK_QUEUE,
)
from shared.services.poison import put_aside

poison = func.Blueprint()
_CONNECTION = "AzureWebJobsStorage"


@poison.function_name("poison_plan")
@poison.queue_trigger("msg", f"{PLAN_QUEUE}-poison", _CONNECTION)
async def poison_plan(msg: func.QueueMessage) -> None:
    """Mark a request that could not be planned."""
    await put_aside(bootstrap.app().context, PLAN_QUEUE, msg.get_body())


@poison.function_name("poison_task")
@poison.queue_trigger("msg", f"{TASK_QUEUE}-poison", _CONNECTION)
async def poison_task(msg: func.QueueMessage) -> None:
    """Mark the tasks of a lane that could not be worked on."""
    await put_aside(bootstrap.app().context, TASK_QUEUE, msg.get_body())


@poison.function_name("poison_finish")
@poison.queue_trigger("msg", f"{FINISH_QUEUE}-poison", _CONNECTION)
async def poison_finish(msg: func.QueueMessage) -> None:
    """Mark a request whose stage could not be finished."""
    await put_aside(bootstrap.app().context, FINISH_QUEUE, msg.get_body())


@poison.function_name("poison_letter")
@poison.queue_trigger("msg", f"{LETTER_QUEUE}-poison", _CONNECTION)
async def poison_letter(msg: func.QueueMessage) -> None:
    """Mark a request whose letter could not be sent."""
    await put_aside(bootstrap.app().context, LETTER_QUEUE, msg.get_body())


@poison.function_name("poison_callback")
@poison.queue_trigger("msg", f"{CALLBACK_QUEUE}-poison", _CONNECTION)
async def poison_callback(msg: func.QueueMessage) -> None:
    """Give up telling a platform; the request itself goes on."""
    await put_aside(bootstrap.app().context, CALLBACK_QUEUE, msg.get_body())


@poison.function_name("poison_newsletter_change")
@poison.queue_trigger("msg", f"{NEWSLETTER_CHANGE_QUEUE}-poison", _CONNECTION)
async def poison_newsletter_change(msg: func.QueueMessage) -> None:
    """Leave a change at the newsletter processor to staff."""
    await put_aside(bootstrap.app().context, NEWSLETTER_CHANGE_QUEUE, msg.get_body())


@poison.function_name("poison_newsletter_webhook")
@poison.queue_trigger("msg", f"{NEWSLETTER_WEBHOOK_QUEUE}-poison", _CONNECTION)
async def poison_newsletter_webhook(msg: func.QueueMessage) -> None:
    """Keep a webhook's body for staff."""
    await put_aside(bootstrap.app().context, NEWSLETTER_WEBHOOK_QUEUE, msg.get_body())


@poison.function_name("poison_newsletter_mail")
@poison.queue_trigger("msg", f"{NEWSLETTER_MAIL_QUEUE}-poison", _CONNECTION)
async def poison_newsletter_mail(msg: func.QueueMessage) -> None:
    """Give up the mail of a sign-up, which lapses."""
    await put_aside(bootstrap.app().context, NEWSLETTER_MAIL_QUEUE, msg.get_body())


@poison.function_name("poison_reconciliation")
@poison.queue_trigger("msg", f"{RECONCILIATION_QUEUE}-poison", _CONNECTION)
async def poison_reconciliation(msg: func.QueueMessage) -> None:
    """Give up the listing at hand; the run goes on with the next."""
    await put_aside(bootstrap.app().context, RECONCILIATION_QUEUE, msg.get_body())


@poison.function_name("poison_retention_run")
@poison.queue_trigger("msg", f"{RETENTION_QUEUE}-poison", _CONNECTION)
async def poison_retention_run(msg: func.QueueMessage) -> None:
    """Tell that a run of scheduled deletion does not get on; the timer sends word of it again."""
    await put_aside(bootstrap.app().context, RETENTION_QUEUE, msg.get_body())
