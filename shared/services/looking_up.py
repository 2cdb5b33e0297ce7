"""What staff see of a case, and the note that they saw it. Source: policy 6.2; GDPR 15(1), C-579/21.

The look-up is written down before anything is shown. The person sees when, why and in which role in the
answer to an access request, not who.
"""

import secrets
from dataclasses import dataclass

from shared.domain.ageing import Ageing, ageing
from shared.domain.case_documents import Event, Finding, LetterDocument
from shared.domain.cases import SubjectRequest
from shared.domain.deadlines import Deadline
from shared.domain.errors import Invalid
from shared.domain.tasks import Task
from shared.domain.times import copenhagen_day, utc_text
from shared.services.asking import deadline_of
from shared.services.context import Context

MOST_PURPOSE = 200


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """A case as staff see it, with its history."""

    request: SubjectRequest
    tasks: tuple[Task, ...]
    letters: tuple[LetterDocument, ...]
    findings: tuple[Finding, ...]
    events: tuple[Event, ...]
    deadline: Deadline
    ageing: Ageing


async def look_up(context: Context, request_id: str, *, purpose: str, staff_id: str, role: str) -> CaseView:
    """Note the look-up and return the case. A second call is a second look-up.

    Raises:
        Invalid: `purpose_missing` or `purpose_too_long`: say what for.
        NotFound: `request_unknown`.
    """
    wanted = wanted_purpose(purpose)
    case = await context.cases.load(request_id)
    request = case.request
    await note_look(
        context,
        request.subject_keys[0],
        purpose=wanted,
        staff_id=staff_id,
        role=role,
        request_id=request_id,
    )
    found = deadline_of(context, request)
    today = copenhagen_day(context.clock.now())
    return CaseView(
        request=request,
        tasks=case.tasks,
        letters=case.letters,
        findings=case.findings,
        events=await context.cases.events(request_id),
        deadline=found,
        ageing=ageing(
            found,
            today,
            due_soon_days=context.limits.due_soon_days,
            answered_on=copenhagen_day(request.closed_at) if request.closed_at else None,
        ),
    )


def wanted_purpose(purpose: str) -> str:
    """Return what a look-up is for, without the space around it.

    Raises:
        Invalid: `purpose_missing` or `purpose_too_long`.
    """
    wanted = purpose.strip()
    if not wanted:
        raise Invalid("purpose_missing", "say what the look-up is for", field="purpose")
    if len(wanted) > MOST_PURPOSE:
        raise Invalid("purpose_too_long", f"at most {MOST_PURPOSE} characters", field="purpose")
    return wanted


async def note_look(
    context: Context,
    subject_key: str,
    *,
    purpose: str,
    staff_id: str,
    role: str,
    request_id: str | None = None,
) -> None:
    """Write down that somebody looks, before anything is shown. `request_id` None: at all of the person."""
    case = {} if request_id is None else {"request_id": request_id}
    await context.own_records.put(
        "lookups",
        {
            "id": f"lookup-{secrets.token_hex(8)}",
            "subject_key": subject_key,
            **case,
            "purpose": purpose,
            "role": role,
            "staff_id": staff_id,
            "looked_at": utc_text(context.clock.now()),
        },
    )
