"""Collect one page of one store for a copy: what the person may see, cut down and written as entries."""

from collections.abc import Sequence
from typing import Any

from shared.datamap.models import Activity, DocumentStore, FileStore, LineStore
from shared.datamap.portability import portable_part, portable_record
from shared.datamap.treatment import OTHERS_DATA, visible_elements, visible_record
from shared.domain.case_documents import Block
from shared.domain.errors import Conflict, NotFound, Retryable
from shared.domain.rights import Right
from shared.domain.tasks import Task, TaskState
from shared.ports.blobs import BlobRef
from shared.rendering import archive
from shared.rendering.records import record_entries
from shared.services.blob_walk import BlobWalk
from shared.services.context import Context
from shared.services.findings import quarantine
from shared.services.judging import within
from shared.services.lines import LineMatcher, LineRanges
from shared.services.progress import Progress

UNREADABLE = "a record that could not be read"
_MOST_REREADS = 20  # of blobs written while they are read
_RECORDS_BYTES = 512 * 1024  # lines of a section come to about this


async def collect_documents(
    context: Context, progress: Progress, task: Task, activity: Activity, store: DocumentStore
) -> None:
    """Collect one page of documents."""
    identifiers = progress.request.identifiers
    page = await context.documents.page(
        store, identifiers, cursor=task.cursor, limit=context.limits.page_documents
    )
    fields = store.fields
    ported = progress.request.right is Right.PORTABILITY
    records: list[dict[str, Any]] = []
    others = 0
    for document in within(progress.request.scope, store, page):
        if ported:
            records += [taken] if (taken := portable_record(document.body, store)) else []
        elif store.elements is None:
            records.append(visible_record(document.body, fields))
        else:
            mine, left_out = visible_elements(
                document.body, store.elements, fields, context.datamap, identifiers
            )
            records.extend(mine)
            others += left_out
    progress.budget.spend(len(page.documents))
    redacted = dict(task.redacted)
    if others:
        redacted[OTHERS_DATA] = redacted.get(OTHERS_DATA, 0) + others
    shown = portable_part(store) if ported else store
    task = await _add(progress, task.with_(redacted=redacted), activity, shown, records)
    progress.note(_next(task, page.cursor))


async def collect_lines(
    context: Context, progress: Progress, task: Task, activity: Activity, store: LineStore
) -> None:
    """Collect the person's lines of some blobs, until a section is full or the budget is spent."""
    matcher = LineMatcher(store, context.datamap, progress.request.identifiers)
    if not matcher.can_match:
        progress.note(_next(task, None))
        return
    ranges = LineRanges(context, store, progress.request.identifiers, task.cursor, copies=False)
    records: list[dict[str, Any]] = []
    collected_bytes = 0
    while (found := await ranges.next()) is not None:
        progress.budget.spend(1)
        unreadable = [found.problem] if found.problem else []
        for line in matcher.read(found.data) if matcher.may_hold(found.data) else ():
            if line.unreadable:
                unreadable.append("line_unreadable")
            elif line.record is not None:
                records.append(visible_record(line.record, store.fields))
                collected_bytes += len(line.raw)
        for code in unreadable:
            await quarantine(context, task, code=code, place=f"{found.blob.name}@{found.offset}")
            count = task.redacted.get(UNREADABLE, 0) + 1
            task = task.with_(redacted={**task.redacted, UNREADABLE: count})
        if collected_bytes >= _RECORDS_BYTES or progress.budget.is_spent:
            task = await _add(progress, task, activity, store, records)
            progress.note(_next(task, ranges.cursor))
            return
    task = await _add(progress, task, activity, store, records)
    progress.note(_next(task, None))


async def collect_files(context: Context, progress: Progress, task: Task, store: FileStore) -> None:
    """Copy the person's files into the package, one after the other, until the budget is spent."""
    walk = BlobWalk(context, store, progress.request.identifiers, task.cursor)
    rereads = 0
    while (blob := await walk.current()) is not None:
        if blob.is_current:
            try:
                await _copy_file(context, progress, task, store, blob)
            except NotFound:
                walk.advance()
                continue
            except Conflict:
                rereads += 1
                if rereads > _MOST_REREADS:
                    raise Retryable("blob_busy", "files") from None
                walk.reread()
                continue
            task = task.with_(files=task.files + 1, records=task.records + 1)
        walk.advance()
        progress.budget.spend(1)
        progress.note(_next(task, walk.cursor))
        await progress.flush_when_full()
        if progress.budget.is_spent:
            return
    progress.note(_next(task, None))


async def _copy_file(
    context: Context, progress: Progress, task: Task, store: FileStore, blob: BlobRef
) -> None:
    entry = archive.file_entry_name(store.id, task.files + 1, blob.name)
    member = archive.FileMember(expected_bytes=blob.size_bytes)
    pending = member.begin(entry, progress.written_at)
    blocks: list[Block] = []
    offset = 0
    while chunk := await context.blobs.read(blob, offset=offset, length=context.limits.read_bytes):
        offset += len(chunk)
        pending += member.update(chunk)
        if len(pending) >= context.limits.read_bytes:
            blocks.append(await progress.stage(pending))
            pending = b""
        if offset >= blob.size_bytes:
            break
    tail, made = member.finish()
    blocks.append(await progress.stage(pending + tail))
    await progress.add_part(blocks, [made])


async def _add(
    progress: Progress,
    task: Task,
    activity: Activity,
    store: DocumentStore | LineStore,
    records: Sequence[dict[str, Any]],
) -> Task:
    if not records:
        return task
    if not progress.request.requester.standing(progress.request.right).gives_copy:
        # a customer learns what is processed about the person, and gets no copy: that is the person's right
        return task.with_(records=task.records + len(records))
    entries = record_entries(
        activity, store, records, page_number=task.pages + 1, language=progress.request.language
    )
    await progress.add_entries(entries)
    return task.with_(pages=task.pages + 1, records=task.records + len(records))


def _next(task: Task, cursor: str | None) -> Task:
    return task.with_(cursor=cursor, state=TaskState.QUEUED if cursor else TaskState.DONE)
