"""End a case of several people that cannot go on as a whole, and go on with a case for each of them.

Scheduled deletion puts people into one case only where nothing stands in the way of any of them. What comes
up later for one, such as a hold, a new use, another request or a record nobody can judge, must keep none of
the others waiting, and must not be lost with the case. Source: GDPR article 5(1)(e).
"""

from shared.domain.cases import SubjectRequest
from shared.domain.errors import Retryable
from shared.domain.identifiers import SUBJECT_KEY, Identifiers
from shared.domain.outcomes import Outcome, summed
from shared.domain.plans import Action
from shared.domain.request_states import RequestState
from shared.domain.tasks import TaskState
from shared.ports.cases import Case
from shared.rendering.letters import LetterKind
from shared.services.answering import Answer, answer
from shared.services.context import Context
from shared.services.filing import Filing, put_on_file

_SPLITS_FROM = frozenset({RequestState.VERIFIED, RequestState.PLANNED, RequestState.IN_PROGRESS})


def may_split(case: Case) -> bool:
    """Whether a case is about several people and not answered yet."""
    return case.request.is_of_several and case.request.state in _SPLITS_FROM


async def split(context: Context, case: Case, why: str, *, lane: int | None = None) -> None:
    """File a case of its own for each person, then close this one with what it erased so far.

    The new cases wait until this one has given back its claims. Its tasks end with it, so that a worker that
    is still there finds them changed and erases no more. `lane`: whose own leases are no other's. A worker
    that died while it erased a page leaves that page's records uncounted: they are gone, and the proof names
    fewer. A second call files nobody twice.

    Raises:
        Retryable: `case_at_work`: another lane erases a page at this moment; split it again.
        Conflict: somebody changed the case meanwhile; read again.
    """
    now = context.clock.now()
    if any(one.claimed_until and one.claimed_until > now and one.lane != lane for one in case.tasks):
        raise Retryable("case_at_work", case.request.request_id)
    singles = [await _file(context, case.request, person) for person in case.request.subjects]
    prefix = f"task-{case.request.phase}-{Action.ERASE}-"
    erasures = [task for task in case.tasks if task.id.startswith(prefix)]
    by_store = {task.store_id: task.records + task.rewritten for task in erasures}
    outcome = Outcome(
        result="split",
        at=now,
        records=sum(by_store.values()),
        by_store={store_id: count for store_id, count in by_store.items() if count},
        kept=summed(one for task in erasures for one in task.kept),
    )
    begun = case.request.moved_to(RequestState.IN_PROGRESS, split_into=tuple(singles))
    await answer(
        context,
        Case(request=begun, tasks=case.tasks, letters=case.letters, findings=case.findings, etags=case.etags),
        Answer(
            outcome=outcome,
            letter=LetterKind.ERASED,  # nobody asked, so it is not written
            event="split",
            details={"why": why, "records": outcome.records, "people": case.request.subject_count},
        ),
        tasks=[
            one.unclaimed().with_(state=TaskState.DONE, cursor=None) for one in case.tasks if not one.is_final
        ],
    )


async def _file(context: Context, request: SubjectRequest, person: Identifiers) -> str:
    """Put a case of the same scope on file for one person, and return its id."""
    request_id = context.keys.sign("split", request.request_id, *context.subject_keys(person))[:32]
    await put_on_file(
        context,
        Filing(
            request_id=request_id,
            rights=request.rights,
            language=request.language,
            channel=request.channel,
            email=None,
            received_at=request.received_at,
            identifiers={kind: values for kind, values in person.items() if kind != SUBJECT_KEY},
            requester=request.requester,
            scope=request.scope,
            is_known=True,
        ),
    )
    return request_id
