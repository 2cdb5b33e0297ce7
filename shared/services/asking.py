"""Questions to the person, and more time: both are letters first, and count from the day they left.

Source: GDPR articles 12(2), 12(3), 12(6), recital 63.
"""

from datetime import datetime
from typing import Literal

from shared.domain import tokens
from shared.domain.case_documents import Event, LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.deadlines import Deadline, Extension, deadline, due_on, require_extendable
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.messages import SendLetter
from shared.domain.request_states import RequestState
from shared.domain.times import after, copenhagen_day
from shared.domain.wishes import Question
from shared.ports.cases import Case, Write
from shared.rendering.letters import LetterKind
from shared.services.conflicts import settled
from shared.services.context import Context
from shared.services.deciding import MOST_TEXT
from shared.services.links import ANSWER

MOST_QUESTIONS = 20


async def ask(
    context: Context,
    request_id: str,
    *,
    kind: Literal["identity", "clarification"],
    text: str,
    asked_by: str,
) -> int:
    """Ask the person one question by letter and return its number. The work goes on meanwhile.

    The clock stands still from the day the letter leaves, if it leaves soon enough after receipt.

    Raises:
        Invalid: `question_missing` or `question_too_long`.
        NotAllowed: `request_closed`, `question_open` while another one waits for its answer, or
            `too_many_questions`.
    """
    wanted = text.strip()
    if not wanted:
        raise Invalid("question_missing", "write the question", field="text")
    if len(wanted) > MOST_TEXT:
        raise Invalid("question_too_long", f"at most {MOST_TEXT} characters", field="text")
    case = await context.cases.load(request_id)
    request = case.request
    _require_open(request)
    if any(one.answered_at is None for one in request.questions):
        raise NotAllowed("question_open")
    if len(request.questions) >= MOST_QUESTIONS:
        raise NotAllowed("too_many_questions")
    now = context.clock.now()
    number = len(request.questions)
    question = Question(number=number, kind=kind, text=wanted, asked_by=asked_by, created_at=now)
    letter = LetterDocument(
        id=f"letter-{LetterKind.QUESTION}-{number}",
        request_id=request_id,
        kind=LetterKind.QUESTION,
        created_at=now,
    )
    asked, event = request.with_(
        questions=(*request.questions, question),
        wake_at=_sooner(context, request),
    ).noted(now, "question_written", kind=kind, number=number, asked_by=asked_by)
    await _save(context, case, asked, event, letter)
    await context.queue.send([SendLetter(request_id=request_id, letter_id=letter.id)])
    return number


async def answer_by_link(context: Context, request_id: str, token: object, text: str) -> None:
    """Take in what the person answers through the link of the letter. A second answer is refused.

    Raises:
        Invalid: `answer_missing` or `answer_too_long`.
        NotAllowed: `token_invalid`, `token_expired`, or `no_question_open`.
    """
    tokens.check(context.keys, token, purpose=ANSWER, request_id=request_id, now=context.clock.now())
    await settled(lambda: answered(context, request_id, text=text, noted_by=None))


async def answered(context: Context, request_id: str, *, text: str, noted_by: str | None) -> None:
    """Note the answer to the open question: the clock runs again, and an operator is told.

    Raises:
        Invalid: `answer_missing` or `answer_too_long`.
        NotAllowed: `no_question_open`.
    """
    given = text.strip()
    if not given:
        raise Invalid("answer_missing", "write the answer", field="text")
    if len(given) > MOST_TEXT:
        raise Invalid("answer_too_long", f"at most {MOST_TEXT} characters", field="text")
    case = await context.cases.load(request_id)
    request = case.request
    _require_open(request)
    waiting = next((one for one in request.questions if one.answered_at is None), None)
    if waiting is None:
        raise NotAllowed("no_question_open")
    now = context.clock.now()
    done = waiting.model_copy(
        update={"answered_at": now, "answer": given, "asked_at": waiting.asked_at or now}
    )
    changed = request.with_(
        questions=tuple(done if one.number == done.number else one for one in request.questions)
    )
    soon = after(now, seconds=context.limits.wake_seconds)
    noted, event = timed(context, changed.with_(wake_at=min(soon, changed.wake_at or soon))).noted(
        now, "question_answered", number=done.number, noted_by=noted_by or "the person"
    )
    await _save(context, case, noted, event)
    await context.operators.alarm("question_answered", request_id=request_id)


async def extend(context: Context, request_id: str, *, months: int, reason: str, decided_by: str) -> None:
    """Take up to two months more, with a letter that says why. It counts only if the letter leaves in time.

    Raises:
        Invalid: `extension_months` or `extension_reason_missing`.
        NotAllowed: `extension_too_late`, `extended_already` or `request_closed`.
    """
    case = await context.cases.load(request_id)
    request = case.request
    _require_open(request)
    now = context.clock.now()
    require_extendable(
        request.received_at,
        months=months,
        reason=reason,
        today=copenhagen_day(now),
        extension=request.extension,
    )
    letter = LetterDocument(
        id=f"letter-{LetterKind.EXTENDED}-0", request_id=request_id, kind=LetterKind.EXTENDED, created_at=now
    )
    extended, event = request.with_(
        extension=Extension(months=months, reason=reason.strip()), wake_at=_sooner(context, request)
    ).noted(now, "extension_decided", months=months, decided_by=decided_by)
    await _save(context, case, extended, event, letter)
    await context.queue.send([SendLetter(request_id=request_id, letter_id=letter.id)])


async def lapse_if_late(context: Context, case: Case, letter: LetterDocument) -> bool:
    """Take back an extension whose notice can no longer leave in time, and tell an operator.

    No letter announces what does not count. False: the letter may leave. A second call finds it gone.
    Source: GDPR article 12(3).
    """
    today = copenhagen_day(context.clock.now())
    if letter.kind != LetterKind.EXTENDED or today <= due_on(case.request.received_at):
        return False
    lapsed, event = case.request.with_(extension=None).noted(context.clock.now(), "extension_lapsed")
    await context.cases.commit(
        lapsed.request_id,
        [Write(document=lapsed, etag=case.etags[lapsed.id]), Write(document=event, etag=None)],
        deletes=[letter.id],
    )
    await context.operators.alarm("extension_too_late", request_id=lapsed.request_id)
    return True


def letter_left(context: Context, request: SubjectRequest, letter: LetterDocument) -> SubjectRequest:
    """Return the request after one of its letters left: a question is asked, an extension is notified.

    It left when it was claimed: a letter that is only found later did not leave later.
    """
    now = letter.claimed_at or context.clock.now()
    if letter.kind == LetterKind.QUESTION:
        number = int(letter.id.rpartition("-")[2])
        asked = tuple(
            one.model_copy(update={"asked_at": now}) if one.number == number and not one.asked_at else one
            for one in request.questions
        )
        return timed(context, request.with_(questions=asked))
    if letter.kind == LetterKind.EXTENDED and request.extension and not request.extension.notified_at:
        told = request.extension.model_copy(update={"notified_at": now})
        return timed(context, request.with_(extension=told))
    return request


def deadline_of(context: Context, request: SubjectRequest) -> Deadline:
    """Return the days of a request as they stand today."""
    return deadline(
        request.received_at,
        pauses=request.pauses,
        extension=request.extension,
        today=copenhagen_day(context.clock.now()),
        ask_within_working_days=context.limits.ask_within_working_days,
    )


def timed(context: Context, request: SubjectRequest) -> SubjectRequest:
    """Return the request with its two dates as they are today."""
    found = deadline_of(context, request)
    return request.with_(target_on=found.target_on, due_on=found.legal_due_on)


def _require_open(request: SubjectRequest) -> None:
    answered_for_good = request.state in (RequestState.STANDING, RequestState.ANSWERING)
    if request.is_final or answered_for_good or request.is_internal:
        raise NotAllowed("request_closed")


def _sooner(context: Context, request: SubjectRequest) -> datetime:
    """Return when the sweep looks again, so that a letter whose message is lost is sent all the same."""
    soon = after(context.clock.now(), seconds=context.limits.wake_seconds)
    return min(soon, request.wake_at or soon)


async def _save(
    context: Context,
    case: Case,
    request: SubjectRequest,
    event: Event,
    letter: LetterDocument | None = None,
) -> None:
    writes = [Write(document=request, etag=case.etags[request.id]), Write(document=event, etag=None)]
    if letter is not None:
        writes.append(Write(document=letter, etag=case.etags.get(letter.id)))
    await context.cases.commit(request.request_id, writes)
