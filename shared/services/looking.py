"""Look again after an erasure, without its notes: count what should be gone and is still there.

Everything is read anew, through the map's matches and with every identifier known before the erasure; a
record counts as left when judging it once more would still take something out of it.
"""

from collections.abc import Sequence

from shared.datamap.models import DocumentStore, FileStore, LineStore
from shared.datamap.treatment import Verdict, erase_record
from shared.domain.outcomes import KeptRecords, summed
from shared.domain.tasks import Task, TaskState
from shared.domain.times import copenhagen_day
from shared.services.blob_walk import BlobWalk
from shared.services.context import Context
from shared.services.judging import is_within, judge_of, within
from shared.services.keeping import as_records
from shared.services.lines import LineMatcher, LineRanges
from shared.services.progress import Progress


async def look_at_documents(context: Context, progress: Progress, task: Task, store: DocumentStore) -> None:
    """Count what is left among one page of documents."""
    request = progress.request
    judge = await judge_of(context, request, store)
    page = await context.documents.page(
        store,
        request.identifiers,
        cursor=task.cursor,
        limit=context.limits.page_keys if judge.takes_whole else context.limits.page_documents,
        keys_only=judge.takes_whole,
    )
    progress.budget.spend(len(page.documents))
    judged = judge.judge(within(request.scope, store, page))
    left = sum(1 for treated in judged if treated.verdict is not Verdict.KEEP)
    kept = [one for treated in judged for one in as_records(store.id, treated.kept)]
    _note(progress, task, left, page.cursor, kept)


async def look_at_lines(context: Context, progress: Progress, task: Task, store: LineStore) -> None:
    """Count what is left among the lines of some blobs, older copies included."""
    matcher = LineMatcher(store, context.datamap, progress.request.identifiers)
    if not matcher.can_match:
        _note(progress, task, 0, None)
        return
    today = copenhagen_day(context.clock.now())
    ranges = LineRanges(context, store, progress.request.identifiers, task.cursor, copies=True)
    left = 0
    kept: list[KeptRecords] = []
    while (found := await ranges.next()) is not None:
        progress.budget.spend(1)
        left += 1 if found.problem else 0
        for line in matcher.read(found.data) if matcher.may_hold(found.data) else ():
            if line.unreadable:
                left += 1
            elif line.record is not None and is_within(progress.request.scope, store, line.record):
                treated = erase_record(line.record, store.fields, today=today)
                left += treated.verdict is not Verdict.KEEP
                if found.blob.is_current:
                    kept.extend(as_records(store.id, treated.kept))
        if progress.budget.is_spent:
            _note(progress, task, left, ranges.cursor, kept)
            return
    _note(progress, task, left, None, kept)


async def look_at_files(context: Context, progress: Progress, task: Task, store: FileStore) -> None:
    """Count the blobs, snapshots and versions left below the person's prefixes."""
    walk = BlobWalk(context, store, progress.request.identifiers, task.cursor)
    left = 0
    while await walk.current() is not None:
        left += 1
        walk.advance()
        progress.budget.spend(1)
        if progress.budget.is_spent:
            _note(progress, task, left, walk.cursor)
            return
    _note(progress, task, left, None)


def _note(
    progress: Progress, task: Task, left: int, cursor: str | None, kept: Sequence[KeptRecords] = ()
) -> None:
    progress.note(
        task.with_(
            records=task.records + left,
            kept=summed((*task.kept, *kept)),
            cursor=cursor,
            state=TaskState.QUEUED if cursor else TaskState.DONE,
        )
    )
