"""Doors for messages about newsletters: each reads one and calls one service."""

import azure.functions as func

from functions._traced import following
from shared import bootstrap
from shared.domain.messages import (
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_MAIL_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    RECONCILIATION_QUEUE,
    ApplyNewsletterChange,
    ProcessWebhook,
    Reconcile,
    SendSignUpMail,
    decode,
)
from shared.services import newsletter_changes, newsletter_webhooks, reconciling, sign_up_mail

newsletter_queues = func.Blueprint()
_CONNECTION = "AzureWebJobsStorage"


@newsletter_queues.function_name("newsletter_change")
@newsletter_queues.queue_trigger("msg", NEWSLETTER_CHANGE_QUEUE, _CONNECTION)
async def newsletter_change(msg: func.QueueMessage) -> None:
    """Bring one address in one list in line there."""
    message = decode(ApplyNewsletterChange, msg.get_body())
    with following("newsletter_change", message):
        await newsletter_changes.apply(bootstrap.app().context, message.subject_key, message.list_id)


@newsletter_queues.function_name("newsletter_webhook")
@newsletter_queues.queue_trigger("msg", NEWSLETTER_WEBHOOK_QUEUE, _CONNECTION)
async def newsletter_webhook(msg: func.QueueMessage) -> None:
    """Work on the events of one body."""
    message = decode(ProcessWebhook, msg.get_body())
    with following("newsletter_webhook", message):
        await newsletter_webhooks.process(bootstrap.app().context, message.body_id)


@newsletter_queues.function_name("newsletter_mail")
@newsletter_queues.queue_trigger("msg", NEWSLETTER_MAIL_QUEUE, _CONNECTION)
async def newsletter_mail(msg: func.QueueMessage) -> None:
    """Send the mail that asks to confirm a sign-up."""
    message = decode(SendSignUpMail, msg.get_body())
    with following("newsletter_mail", message):
        await sign_up_mail.send(bootstrap.app().context, message.sign_up_id)


@newsletter_queues.function_name("newsletter_reconciliation")
@newsletter_queues.queue_trigger("msg", RECONCILIATION_QUEUE, _CONNECTION)
async def newsletter_reconciliation(msg: func.QueueMessage) -> None:
    """Go on comparing lists with our ledger."""
    message = decode(Reconcile, msg.get_body())
    with following("newsletter_reconciliation", message):
        await reconciling.proceed(bootstrap.app().context, message.run_id)
