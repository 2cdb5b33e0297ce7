"""Doors for our other systems: may this be done with a person's data, and a new opt-in."""

import azure.functions as func

from functions._bodies import checked, read
from functions._door import Given, door
from functions._http import fields, language_of, shown
from functions._processing_bodies import (
    ConsentAnswer,
    ConsentBody,
    DecisionAnswer,
    DecisionsAnswer,
    ProcessingAnswer,
    ProcessingBody,
    QuestionBody,
    QuestionsBody,
)
from functions._system import require_system
from shared import bootstrap
from shared.domain.errors import Invalid
from shared.services import consents, enforcing
from shared.services.context import Context
from shared.services.enforcing import Question

processing = func.Blueprint()

MOST_BYTES = 128 * 1024  # a hundred questions with long addresses
_REFUSED = (400, 401, 413, 415, 501)


@door(
    processing,
    "processing_decisions",
    "POST",
    "processing-decisions",
    Given(body=ProcessingBody, answers={200: ProcessingAnswer}, problems=_REFUSED, guard="system"),
)
async def processing_decisions(req: func.HttpRequest) -> func.HttpResponse:
    """Answer whether a person's data may be used. An error is no leave: do nothing, and ask again."""
    require_system(req)
    context = bootstrap.app().context
    language = language_of(req)
    found = fields(req, most_bytes=MOST_BYTES)
    if "questions" not in found:
        asked = checked(QuestionBody, found)
        decided = await enforcing.decide_processing(context, asked.person, asked.purpose, asked.operation)
        return shown(DecisionAnswer.of(decided, language))
    decisions = await enforcing.decide_all(context, _questions(context, checked(QuestionsBody, found)))
    return shown(DecisionsAnswer(decisions=tuple(DecisionAnswer.of(one, language) for one in decisions)))


@door(
    processing,
    "consents_record",
    "POST",
    "consents",
    Given(body=ConsentBody, answers={200: ConsentAnswer}, problems=_REFUSED, guard="system"),
)
async def consents_record(req: func.HttpRequest) -> func.HttpResponse:
    """Note an opt-in. Sending it again changes nothing."""
    require_system(req)
    body = read(req, ConsentBody)
    counts = await consents.record_consent(
        bootstrap.app().context, body.email, body.purpose, body.policy_version, body.given_at
    )
    return shown(ConsentAnswer(purpose=body.purpose, counts=counts))


def _questions(context: Context, asked: QuestionsBody) -> list[Question]:
    """Return the questions of a batch; what is wrong with one is said with its place."""
    found = []
    for place, one in enumerate(asked.questions):
        try:
            found.append(enforcing.question(context, one.person, one.purpose, one.operation))
        except Invalid as error:
            raise Invalid(error.code, error.detail, field=f"questions.{place}.{error.field}") from None
    return found
