"""Correct one page of one store, and look afterwards that every fact is right. Source: GDPR article 16.

Each write is guarded by the ETag of what was read, and writing the right value twice changes nothing; what
is counted is counted by the look, so that a crash loses no count.
"""

from collections.abc import Collection, Sequence

from shared.datamap.correction import correct_document
from shared.datamap.models import Activity, DocumentStore
from shared.domain.cases import SubjectRequest
from shared.domain.rights import Right
from shared.domain.tasks import Task, TaskState
from shared.ports.controls import StoredControls
from shared.ports.documents import Change, Changed
from shared.services.context import Context
from shared.services.erasing import PlanOutdatedError
from shared.services.judging import within
from shared.services.progress import Progress


def held_facts(
    request: SubjectRequest, controls: Sequence[StoredControls], activity_ids: Collection[str]
) -> tuple[str, ...]:
    """Return the holds on what a correction would overwrite: the wrong value may be what they keep.

    Source: policy 5.3; GDPR article 17(3)(e).
    """
    if request.right is not Right.RECTIFICATION:
        return ()
    holds = [hold for one in controls for hold in one.controls.holds]
    return tuple(sorted({one.hold_id for one in holds if any(map(one.covers, activity_ids))}))


async def correct_documents(
    context: Context, progress: Progress, task: Task, activity: Activity, store: DocumentStore
) -> None:
    """Write the right values into one page of documents; a page somebody wrote meanwhile is read again.

    Raises:
        TaskTakenError: another worker has the task; leave it.
        PlanOutdatedError: a hold was placed since the plan; nothing of this page was written.
    """
    request = progress.request
    page = await context.documents.page(
        store, request.identifiers, cursor=task.cursor, limit=context.limits.page_documents
    )
    progress.budget.spend(len(page.documents))
    changes = [
        Change(document=document, replacement=corrected)
        for document in within(request.scope, store, page)
        if (
            corrected := correct_document(
                document.body, store, request.wishes.corrections, context.datamap, request.identifiers
            )
        )
        is not None
    ]
    lost = False
    if changes:
        task = await progress.claim(task, ())
        controls = await context.controls.read(request.subject_keys)
        decided = request.plan.held_by if request.plan else ()
        if set(held_facts(request, controls, (activity.id,))) - set(decided):
            raise PlanOutdatedError
        results = await context.documents.change(store, changes)
        lost = Changed.CHANGED in results
    cursor = task.cursor if lost else page.cursor
    progress.note(
        task.with_(
            cursor=cursor,
            state=TaskState.QUEUED if lost or cursor is not None else TaskState.DONE,
            claimed_until=None,
        )
    )


async def check_documents(context: Context, progress: Progress, task: Task, store: DocumentStore) -> None:
    """Count, in one page, records that are still wrong (`records`) and those that are right (`rewritten`)."""
    request = progress.request
    page = await context.documents.page(
        store, request.identifiers, cursor=task.cursor, limit=context.limits.page_documents
    )
    progress.budget.spend(len(page.documents))
    documents = within(request.scope, store, page)
    wrong = sum(
        correct_document(
            document.body, store, request.wishes.corrections, context.datamap, request.identifiers
        )
        is not None
        for document in documents
    )
    progress.note(
        task.with_(
            records=task.records + wrong,
            rewritten=task.rewritten + len(documents) - wrong,
            cursor=page.cursor,
            state=TaskState.QUEUED if page.cursor else TaskState.DONE,
        )
    )
