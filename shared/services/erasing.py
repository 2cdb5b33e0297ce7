"""Erase one page of one store, record by record as the map says. This is the dangerous part.

What keeps it safe: each record is judged by the pure rules of `shared.datamap.treatment`; what will go is
written down before it goes; holds and restrictions are asked for again after that and before the deed;
each deletion is guarded by the ETag of the judged content; what cannot be judged stays and is reported.
"""

from collections.abc import Sequence
from functools import partial

from shared.datamap.models import Activity, DocumentStore, FileStore
from shared.datamap.treatment import Treated, Verdict, found_identifiers
from shared.domain.cases import SubjectRequest
from shared.domain.controls import SWITCH_KEY, Restriction
from shared.domain.errors import Conflict
from shared.domain.identifiers import merged
from shared.domain.rights import Right
from shared.domain.tasks import Task, TaskState
from shared.domain.times import after
from shared.ports.blobs import BlobRef
from shared.ports.documents import Change, Changed, DocumentPage, StoredDocument
from shared.services import switching
from shared.services.blob_walk import BlobWalk
from shared.services.context import Context
from shared.services.due import is_still_due
from shared.services.findings import quarantine
from shared.services.judging import judge_of, within
from shared.services.keeping import as_records, out_of_sight
from shared.services.progress import Progress

_ERASE, _REWRITE = "e:", "r:"
RESTRICTED = "restricted"  # what a person has decided when an erasure runs in spite of a restriction


class PlanOutdatedError(Exception):
    """A hold, a restriction or a new use came since the plan was made: plan again before anything goes."""


class ErasingPausedError(Exception):
    """Somebody, or the cap on an hour's erasures, stopped all destruction: nothing more goes."""


async def ask_again(context: Context, request: SubjectRequest, activity: Activity) -> None:
    """Ask for the kill switch, holds and restrictions at the moment of destruction.

    What a person asked to end at once, such as a newsletter, is no other's to restrict; the request's own
    restriction, as under an objection that was upheld, does not stand in its own way. What scheduled deletion
    is about may have been used or renewed meanwhile; single events are asked too if it comes late.

    Raises:
        ErasingPausedError: the kill switch is thrown; nothing of this page was erased.
        PlanOutdatedError: a hold or a restriction was placed since the plan, or it is not due any more.
        Retryable: they could not be read, which is never "none".
    """
    late = after(request.received_at, seconds=context.limits.events_asked_seconds) < context.clock.now()
    if not await is_still_due(context, request.scope, request.people, directories_only=not late):
        raise PlanOutdatedError
    *controls, switch = await context.controls.read((*request.subject_keys, SWITCH_KEY))
    if switching.is_thrown(switch.controls):
        raise ErasingPausedError
    for one in controls:
        if any(hold.covers(activity.id) for hold in one.controls.holds):
            raise PlanOutdatedError
        decided = request.plan.restricted_by if request.plan else ()
        if any(
            in_the_way(restriction, request, activity.id)
            for restriction in one.controls.restrictions
            if restriction.restriction_id not in decided
        ):
            raise PlanOutdatedError


def in_the_way(restriction: Restriction, request: SubjectRequest, activity_id: str) -> bool:
    """Whether a restriction forbids what the request would erase, unless a person decides otherwise."""
    if request.right not in (Right.ERASURE, Right.OBJECTION) or not restriction.covers(activity_id):
        return False
    own = request.right is Right.OBJECTION and restriction.restriction_id.startswith(request.request_id)
    return not own


async def erase_documents(
    context: Context, progress: Progress, task: Task, activity: Activity, store: DocumentStore
) -> None:
    """Erase one page of documents."""
    request = progress.request
    judge = await judge_of(context, request, store)
    follows = store.locator and request.scope.customer_id is None

    keys_only = judge.takes_whole and not follows
    limit = context.limits.page_keys if keys_only else context.limits.page_documents
    # What is claimed and not on the page is gone, so no page is smaller than the one that was claimed.
    limit = max(limit, task.claimed_page)

    async def read(cursor: str | None) -> DocumentPage:
        return await context.documents.page(
            store, request.identifiers, cursor=cursor, limit=limit, keys_only=keys_only
        )

    page = await progress.ahead.page(store.id, task.cursor, partial(read, task.cursor))
    progress.budget.spend(len(page.documents))
    if task.counts_only:
        documents = within(request.scope, store, page)
        judged = list(zip(documents, judge.judge(documents), strict=True))
        progress.note(_count_interrupted(task, judged).left_out())
        return
    if page.cursor is not None and not progress.budget.is_spent:
        await progress.ahead.begin(store.id, page.cursor, partial(read, page.cursor))
    documents = within(request.scope, store, page)
    if follows:
        _require_known(request, store, documents)
    judged = list(zip(documents, judge.judge(documents), strict=True))
    today = judge.today
    task = _count_interrupted(task, judged)
    changes = []
    for document, treated in judged:
        if treated.verdict is Verdict.UNDECIDABLE:
            place = f"{store.container}/{document.document_id}"
            await quarantine(context, task, code=treated.problem or "undecidable", place=place)
        elif treated.verdict is not Verdict.KEEP:
            changes.append((Change(document=document, replacement=treated.record), treated))
    unsettled: tuple[str, ...] = ()
    if changes:
        names = tuple(
            f"{_REWRITE if change.replacement else _ERASE}{_name(change.document)}" for change, _ in changes
        )
        kept = {
            name: as_records(
                store.id,
                out_of_sight(store, treated, context.datamap, request.identifiers, today=today),
            )
            for name, (_, treated) in zip(names, changes, strict=True)
            if treated.record is not None
        }
        task = await progress.claim(task, names, kept, page=limit)
        await ask_again(context, request, activity)
        results = await context.documents.change(store, [change for change, _ in changes])
        # Written meanwhile, perhaps by a twin that did our work: the next reading tells and counts.
        unsettled = tuple(
            name for name, result in zip(names, results, strict=True) if result is Changed.CHANGED
        )
        done = [
            change
            for (change, _), result in zip(changes, results, strict=True)
            if result is not Changed.CHANGED
        ]
        gone = [name for name, result in zip(names, results, strict=True) if result is Changed.GONE]
        rewritten = sum(1 for change in done if change.replacement)
        task = task.settled(set(names) - set(unsettled), gone=gone).with_(
            records=task.records + len(done) - rewritten, rewritten=task.rewritten + rewritten
        )
    cursor = task.cursor if unsettled else page.cursor
    more = bool(unsettled) or cursor is not None
    progress.note(
        task.with_(
            cursor=cursor,
            state=TaskState.QUEUED if more else TaskState.DONE,
            claimed_until=None,
        )
    )


async def erase_files(
    context: Context, progress: Progress, task: Task, activity: Activity, store: FileStore
) -> None:
    """Erase the person's blobs of one listing, with every snapshot and version."""
    walk = BlobWalk(context, store, progress.request.identifiers, None)
    found: list[BlobRef] = []
    while len(found) < context.limits.blobs_per_page and (blob := await walk.current()) is not None:
        found.append(blob)
        walk.advance()
    gone = {name.removeprefix(_ERASE) for name in task.claimed} - {blob.name for blob in found}
    task = task.with_(records=task.records + len(gone), claimed=())
    if not found or task.counts_only:
        progress.note(task.with_(state=TaskState.DONE, claimed_until=None, counts_only=False))
        return
    progress.budget.spend(len(found))
    current = {blob.name for blob in found if blob.is_current}
    task = await progress.claim(task, tuple(f"{_ERASE}{name}" for name in sorted(current)))
    await ask_again(context, progress.request, activity)
    for blob in found:
        try:
            await context.blobs.erase(blob)
        except Conflict:
            current.discard(blob.name)  # written meanwhile: the next listing brings it again
    progress.note(
        task.with_(
            records=task.records + len(current),
            state=TaskState.QUEUED,
            claimed=(),
            claimed_until=None,
        )
    )


def _require_known(
    request: SubjectRequest, store: DocumentStore, documents: Sequence[StoredDocument]
) -> None:
    """Erase no record that leads to identifiers nobody has planned for: they could not be found again.

    Raises:
        PlanOutdatedError: it was written since the plan; nothing of this page was erased.
    """
    for document in documents:
        found, _ = found_identifiers(document.body, store.fields)
        if merged(request.identifiers, found) != request.identifiers:
            raise PlanOutdatedError


def _name(document: StoredDocument) -> str:
    return f"{document.partition}|{document.document_id}"


def _count_interrupted(task: Task, judged: Sequence[tuple[StoredDocument, Treated]]) -> Task:
    """Count what a worker before us erased and died before it could count.

    Its claim names the records. Those that are gone, or are cut down and need nothing more, were its work;
    one that was to go and is there, needing nothing, was written anew meanwhile: it is nobody's work.
    """
    if not task.claimed:
        return task
    waiting = {
        _name(document) for document, treated in judged if treated.verdict in (Verdict.ERASE, Verdict.REWRITE)
    }
    there = {_name(document) for document, _ in judged}
    finished = [name for name in task.claimed if name[2:] not in waiting]
    erased = [name for name in finished if name.startswith(_ERASE)]
    gone = sum(1 for name in erased if name[2:] not in there)
    return (
        task.settled(finished)
        .unclaimed()
        .with_(records=task.records + gone, rewritten=task.rewritten + len(finished) - len(erased))
    )
