"""Messages that failed too often: the work they stood for is marked, an operator is told, nothing is lost."""

import base64
import hashlib

from shared.domain.errors import ComplianceError, NotFound
from shared.domain.messages import (
    CALLBACK_QUEUE,
    FINISH_QUEUE,
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_MAIL_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    PLAN_QUEUE,
    RECONCILIATION_QUEUE,
    RETENTION_QUEUE,
    TASK_QUEUE,
    ApplyNewsletterChange,
    FinishStage,
    GoOnWithRun,
    PlanRequest,
    ProcessWebhook,
    Reconcile,
    RunTasks,
    SendCallback,
    SendLetter,
    SendSignUpMail,
    decode,
)
from shared.domain.times import utc_text
from shared.services import newsletter_changes, newsletter_webhooks, reconciling, sign_up_mail
from shared.services.attention import fail_lane, stop
from shared.services.calling_back import give_up
from shared.services.context import Context


async def put_aside(context: Context, queue: str, body: bytes) -> None:
    """Mark what a poisoned message stood for; one that cannot be read is kept whole in quarantine."""
    try:
        await _mark(context, queue, body)
    except NotFound:
        await _keep(context, queue, body, "request_unknown")
    except ComplianceError as error:
        if error.code != "message_unreadable":
            raise
        await _keep(context, queue, body, error.code)


async def _mark(context: Context, queue: str, body: bytes) -> None:
    if queue == TASK_QUEUE:
        message = decode(RunTasks, body)
        await fail_lane(context, message.request_id, message.lane, "task_poisoned")
        return
    if queue == NEWSLETTER_MAIL_QUEUE:
        await sign_up_mail.poisoned(context, decode(SendSignUpMail, body).sign_up_id)
        return
    if queue == NEWSLETTER_CHANGE_QUEUE:
        change = decode(ApplyNewsletterChange, body)
        await newsletter_changes.poisoned(context, change.subject_key, change.list_id)
        return
    if queue == NEWSLETTER_WEBHOOK_QUEUE:
        await newsletter_webhooks.poisoned(context, decode(ProcessWebhook, body).body_id)
        return
    if queue == RECONCILIATION_QUEUE:
        await reconciling.poisoned(context, decode(Reconcile, body).run_id)
        return
    if queue == RETENTION_QUEUE:
        decode(GoOnWithRun, body)
        await context.operators.alarm("retention_run_poisoned")
        return
    if queue == CALLBACK_QUEUE:
        await give_up(context, decode(SendCallback, body).request_id, "callback_poisoned")
        return
    if queue == PLAN_QUEUE:
        request_id = decode(PlanRequest, body).request_id
    elif queue == FINISH_QUEUE:
        request_id = decode(FinishStage, body).request_id
    else:
        request_id = decode(SendLetter, body).request_id
    case = await context.cases.load(request_id)
    await stop(context, case, f"{queue.removeprefix('request-')}_poisoned")


async def _keep(context: Context, queue: str, body: bytes, code: str) -> None:
    name = hashlib.sha256(body).hexdigest()[:32]
    await context.quarantine.record(
        f"{queue}/{name}.json",
        {
            "queue": queue,
            "code": code,
            "kept_at": utc_text(context.clock.now()),
            "body_base64": base64.b64encode(body).decode(),
        },
    )
    await context.operators.alarm(code, details=queue)
