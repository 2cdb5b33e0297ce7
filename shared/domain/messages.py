"""What travels in queues: ids only, versioned, one model per queue.

Names avoid `id`, `dequeueCount` and the like: the Functions host would overwrite the message's own
metadata with them. `traceparent` (W3C Trace Context) is random and ties the logs of a message to those of
whoever sent it; only a traced worker sends one.
"""

from typing import Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from shared.domain.errors import Permanent

PLAN_QUEUE = "request-plan"
TASK_QUEUE = "request-task"
FINISH_QUEUE = "request-finish"
LETTER_QUEUE = "request-letter"
CALLBACK_QUEUE = "request-callback"
NEWSLETTER_MAIL_QUEUE = "newsletter-mail"
NEWSLETTER_CHANGE_QUEUE = "newsletter-change"
NEWSLETTER_WEBHOOK_QUEUE = "newsletter-webhook"
RECONCILIATION_QUEUE = "newsletter-reconciliation"
REQUEST_QUEUES = (PLAN_QUEUE, TASK_QUEUE, FINISH_QUEUE, LETTER_QUEUE, CALLBACK_QUEUE)
RETENTION_QUEUE = "retention-run"
QUEUES = (
    *REQUEST_QUEUES,
    NEWSLETTER_MAIL_QUEUE,
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    RECONCILIATION_QUEUE,
    RETENTION_QUEUE,
)

SUBJECT_KEY_PATTERN = r"^k\d+-[0-9a-f]{64}$"
REQUEST_ID_PATTERN = r"^[0-9a-f]{32}$"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    v: Literal[1] = 1
    traceparent: str | None = Field(default=None, pattern=r"^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")

    @model_serializer(mode="wrap")
    def _without_absent_trace(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        content: dict[str, object] = serialize(self)
        if self.traceparent is None:  # a worker of the version before reads it then
            del content["traceparent"]
        return content


class _OfRequest(_Message):
    request_id: str = Field(pattern=REQUEST_ID_PATTERN)


class PlanRequest(_OfRequest):
    """Plan the request's present phase, or begin what is planned."""


class RunTasks(_OfRequest):
    """Work on the request's tasks of one lane."""

    lane: int = Field(ge=0, le=63)


class FinishStage(_OfRequest):
    """See whether every task of the present stage is done, and go on."""


class SendLetter(_OfRequest):
    """Send one letter that is saved with the request."""

    letter_id: str = Field(pattern=r"^(letter-[a-z_]+-\d+|notice-[a-z0-9_]+-[a-z_]+)$")


class SendCallback(_OfRequest):
    """Tell the platform that filed the request where it stands now."""


class SendSignUpMail(_Message):
    """Send the mail that asks somebody to confirm a newsletter sign-up."""

    sign_up_id: str = Field(pattern=REQUEST_ID_PATTERN)


class ApplyNewsletterChange(_Message):
    """Bring one address in one list in line with our ledger."""

    subject_key: str = Field(pattern=SUBJECT_KEY_PATTERN)
    list_id: str = Field(pattern=r"^[0-9a-fA-F]{32}$")


class ProcessWebhook(_Message):
    """Work on the events of one stored body of a webhook."""

    body_id: str = Field(pattern=r"^[0-9a-f]{64}$")


class Reconcile(_Message):
    """Go on comparing the newsletter processor's lists with our ledger."""

    run_id: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


class GoOnWithRun(_Message):
    """Do one message's work on the run of scheduled deletion."""


RequestMessage = PlanRequest | RunTasks | FinishStage | SendLetter | SendCallback
Message = RequestMessage | SendSignUpMail | ApplyNewsletterChange | ProcessWebhook | Reconcile | GoOnWithRun

QUEUE_OF: dict[type[_Message], str] = {
    PlanRequest: PLAN_QUEUE,
    RunTasks: TASK_QUEUE,
    FinishStage: FINISH_QUEUE,
    SendLetter: LETTER_QUEUE,
    SendCallback: CALLBACK_QUEUE,
    SendSignUpMail: NEWSLETTER_MAIL_QUEUE,
    ApplyNewsletterChange: NEWSLETTER_CHANGE_QUEUE,
    ProcessWebhook: NEWSLETTER_WEBHOOK_QUEUE,
    Reconcile: RECONCILIATION_QUEUE,
    GoOnWithRun: RETENTION_QUEUE,
}


M = TypeVar("M", bound=_Message)


def decode(model: type[M], body: bytes) -> M:
    """Read a message of one kind.

    Raises:
        Permanent: `message_unreadable`: not JSON, not this kind, or of a version this code does not know.
            The message belongs in the poison queue, where the text stays for a person.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in item["loc"]) or "body" for item in error.errors()})
        raise Permanent("message_unreadable", ", ".join(places)) from None
