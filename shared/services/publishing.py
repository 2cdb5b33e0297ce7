"""Publish a copy: close the archive over its staged blocks, and make it fetchable.

The last things checked before publication are the claims on the person: a copy is never published after an
erasure of that person began. Twins of this message stage equal closing blocks, so the second changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.datamap.models import DocumentStore
from shared.datamap.ownership import is_own
from shared.domain.cases import LetterDocument, Outcome, Package, Part, RequestState, Task
from shared.domain.errors import Conflict, Permanent
from shared.domain.messages import SendLetter
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.ports.controls import StoredControls
from shared.rendering import archive
from shared.rendering.letters import LetterKind
from shared.rendering.report import AccessReport, Disclosure, HeldFact, StoreFinding, report_entries
from shared.services import fencing
from shared.services.attention import stop
from shared.services.context import Context
from shared.services.execution import stage_tasks_of
from shared.services.parts import all_parts, forget_parts
from shared.services.progress import Progress

_LEDGER = "disclosures"
_MOST_DISCLOSURES = 1_000  # shown in the readable answer; every row is among the records of the copy
SECTION_ENTRIES = 3  # a section is written as JSON, CSV and a page
_PARTS_IN_BATCH = 90  # beside the request, its letter and its audit entry


async def publish_copy(context: Context, case: Case) -> None:
    """Publish the copy of a request whose collecting is done, and save its letter to send.

    Raises:
        Conflict: staged blocks are lost or the request changed; let the queue deliver again.
    """
    request = case.request
    controls = await context.controls.read(request.subject_keys)
    if not fencing.is_held(request, controls):
        await stop(context, case, "fence_lost")
        return
    now = context.clock.now()
    parts = await all_parts(context, request.request_id)
    current = [part for part in parts if part.id.startswith(f"part-{request.runs:04d}-")]
    tasks = stage_tasks_of(case)
    expected = sum(SECTION_ENTRIES * task.pages + task.files for task in tasks)
    if sum(len(part.members) for part in current) != expected:
        # A twin has published and taken the parts away, or is about to: what is here is not the copy.
        raise Conflict("parts_gone")
    expires_at = after(now, days=context.limits.package_days)
    size_bytes = await _publish(context, case, current, controls)
    by_store = {task.store_id: task.records for task in tasks if task.records}
    outcome = Outcome(
        result="answered" if any(not is_own(context.datamap, name) for name in by_store) else "nothing_held",
        at=now,
        records=sum(by_store.values()),
        by_store=by_store,
    )
    letter = LetterDocument(
        id=f"letter-{LetterKind.PACKAGE_READY}-{request.phase}",
        request_id=request.request_id,
        kind=LetterKind.PACKAGE_READY,
        closes=True,
        created_at=now,
    )
    answered, event = request.moved_to(
        RequestState.ANSWERING,
        outcomes={**request.outcomes, request.right: outcome},
        package=Package(published_at=now, expires_at=expires_at, size_bytes=size_bytes),
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "copy_published", records=outcome.records, size_bytes=size_bytes)
    try:
        await context.cases.commit(
            request.request_id,
            [
                Write(document=answered, etag=case.etags[answered.id]),
                Write(document=event, etag=None),
                Write(document=letter, etag=case.etags.get(letter.id)),
            ],
            deletes=[part.id for part in parts[:_PARTS_IN_BATCH]],
        )
    except Conflict:
        await _withdraw_if_cancelled(context, request.request_id)
        raise
    await forget_parts(context, request.request_id, parts[_PARTS_IN_BATCH:])
    await context.queue.send([SendLetter(request_id=request.request_id, letter_id=letter.id)])


async def _publish(
    context: Context, case: Case, parts: Sequence[Part], controls: Sequence[StoredControls]
) -> int:
    request = case.request
    progress = Progress(context, case)
    placed: list[tuple[int, archive.Member]] = []
    block_ids: list[str] = []
    offset = 0
    for part in parts:
        placed += [(offset, archive.Member.from_json(member)) for member in part.members]
        block_ids += [block.block_id for block in part.blocks]
        offset += sum(block.size_bytes for block in part.blocks)
    report = await _report(context, case, controls)
    entries = report_entries(context.datamap, report, [member for _, member in placed])
    closing = archive.closing_block(placed, entries, start_offset=offset, written_at=progress.written_at)
    block = await progress.stage(closing)
    await context.packages.publish(request.request_id, [*block_ids, block.block_id])
    return offset + block.size_bytes


async def _report(context: Context, case: Case, controls: Sequence[StoredControls]) -> AccessReport:
    request = case.request
    begun_at = request.begun_at or request.received_at
    return AccessReport(
        request_id=request.request_id,
        language=request.language,
        received_at=request.received_at,
        prepared_at=begun_at,
        contacts=context.contacts,
        findings=tuple(_finding(task) for task in stage_tasks_of(case)),
        disclosures=await _disclosures(context, case),
        holds=tuple(
            HeldFact(activity_id=hold.activity_id or "all", reason=hold.reason, review_on=hold.review_on)
            for one in controls
            for hold in one.controls.holds
            if hold.released_at is None
        ),
        restrictions=tuple(
            restriction.ground
            for one in controls
            for restriction in one.controls.restrictions
            if restriction.lifted_at is None
        ),
        suppressions=(),
        policy_versions_shown=(),
        package_expires_at=after(begun_at, days=context.limits.package_days),
    )


async def _disclosures(context: Context, case: Case) -> tuple[Disclosure, ...]:
    """Return the rows of our ledger about the person: who really received what, and when."""
    _, store = context.datamap.store(_LEDGER)
    if not isinstance(store, DocumentStore):
        raise Permanent("ledger_not_documents")
    found: list[Disclosure] = []
    cursor: str | None = None
    while True:
        page = await context.documents.page(
            store, case.request.identifiers, cursor=cursor, limit=context.limits.page_documents
        )
        found += [_disclosure(document.body) for document in page.documents]
        cursor = page.cursor
        if cursor is None or len(found) >= _MOST_DISCLOSURES:
            return tuple(sorted(found, key=lambda one: one.disclosed_at)[:_MOST_DISCLOSURES])


def _disclosure(row: Mapping[str, Any]) -> Disclosure:
    """Read one row that we wrote ourselves."""
    reference = row.get("reference")
    return Disclosure(
        recipient_id=str(row["recipient"]),
        disclosed_at=datetime.fromisoformat(str(row["disclosed_at"])),
        fields=tuple(str(field) for field in row["fields"]),
        purpose=str(row["purpose"]),
        reference=None if reference is None else str(reference),
    )


def _finding(task: Task) -> StoreFinding:
    return StoreFinding(
        store_id=task.store_id,
        records=task.records,
        files=task.files,
        pages=task.pages,
        redactions=tuple(sorted(task.redacted.items())),
    )


async def _withdraw_if_cancelled(context: Context, request_id: str) -> None:
    case = await context.cases.load(request_id)
    if case.request.state is RequestState.CANCELLED:
        await context.packages.delete(request_id)
