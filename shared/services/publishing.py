"""Publish a copy: close the archive over its staged blocks, and make it fetchable.

The last things checked before publication are the claims on the person: a copy is never published after an
erasure of that person began. Twins of this message stage equal closing blocks, so the second changes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from shared.datamap.models import DataMap
from shared.datamap.ownership import is_own
from shared.domain.case_documents import Package, Part
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Conflict
from shared.domain.outcomes import Outcome
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Task
from shared.domain.times import after, copenhagen_day
from shared.ports.cases import Case
from shared.ports.controls import StoredControls
from shared.rendering import archive
from shared.rendering.customer_answer import CustomerFacts, customer_entries
from shared.rendering.letters import LetterKind
from shared.rendering.portability import PortabilityFacts, portability_entries
from shared.rendering.report import AccessReport, HeldFact, StoreFinding, report_entries
from shared.services import fencing
from shared.services.answering import Answer, answer
from shared.services.attention import stop
from shared.services.concluding import case_with
from shared.services.context import Context
from shared.services.disclosing import disclose
from shared.services.drafting import in_scope, outside_portability
from shared.services.execution import stage_tasks_of
from shared.services.ledger import disclosures_to
from shared.services.parts import all_parts, forget_parts
from shared.services.policy_display import numbers_shown
from shared.services.progress import Progress
from shared.services.transferring import begin_transfer

SECTION_ENTRIES = 3  # a section is written as JSON, CSV and a page
_CHANGES_DATA = (
    Right.ERASURE,
    Right.WITHDRAWAL,
    Right.MARKETING_OBJECTION,
    Right.OBJECTION,
    Right.RECTIFICATION,
)
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
        not_covered=await outside_portability(context, request) if request.right is Right.PORTABILITY else (),
    )
    published = case_with(
        case,
        request.with_copy(
            request.copy_id, Package(published_at=now, expires_at=expires_at, size_bytes=size_bytes)
        ),
    )
    await disclose(context, request, by_store)
    gone = [part.id for part in parts[:_PARTS_IN_BATCH]]
    try:
        if request.right is Right.PORTABILITY and request.wishes.transfer_url and outcome.records:
            await begin_transfer(context, published, outcome, deletes=gone)
        else:
            await answer(context, published, _answer(request, outcome, size_bytes), deletes=gone)
    except Conflict:
        await _withdraw_if_cancelled(context, request)
        raise
    await forget_parts(context, request.request_id, parts[_PARTS_IN_BATCH:])


def _answer(request: SubjectRequest, outcome: Outcome, size_bytes: int) -> Answer:
    kind = LetterKind.PACKAGE_READY
    if request.right is Right.PORTABILITY:
        kind = LetterKind.PORTABILITY_READY if outcome.records else LetterKind.NOTHING_HELD
    elif request.scope.customer_id is not None:
        kind = LetterKind.CUSTOMER_PACKAGE_READY
    return Answer(
        outcome=outcome,
        letter=kind,
        event="copy_published",
        details={"records": outcome.records, "size_bytes": size_bytes},
    )


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
    members = [member for _, member in placed]
    if request.right is Right.PORTABILITY:
        entries = portability_entries(
            context.datamap,
            PortabilityFacts(
                request_id=request.request_id,
                language=request.language,
                prepared_at=request.begun_at or request.received_at,
                contacts=context.contacts,
                records={task.store_id: task.records for task in stage_tasks_of(case) if task.records},
            ),
            members,
        )
    elif request.scope.customer_id is not None:
        entries = customer_entries(_of_installation(context, request), _customer_facts(context, case))
    else:
        entries = report_entries(context.datamap, await _report(context, case, controls), members)
    closing = archive.closing_block(placed, entries, start_offset=offset, written_at=progress.written_at)
    block = await progress.stage(closing)
    await context.packages.publish(request.copy_id, [*block_ids, block.block_id])
    return offset + block.size_bytes


def _of_installation(context: Context, request: SubjectRequest) -> DataMap:
    """Return the map of what a customer's answer speaks of: the activities of its installations."""
    reached = {activity.id for activity, _ in in_scope(context, request)}
    activities = tuple(one for one in context.datamap.activities if one.id in reached)
    return context.datamap.model_copy(update={"activities": activities})


def _customer_facts(context: Context, case: Case) -> CustomerFacts:
    request = case.request
    return CustomerFacts(
        request_id=request.request_id,
        language=request.language,
        received_at=request.received_at,
        prepared_at=request.begun_at or request.received_at,
        customer=request.requester.customer_name or request.scope.customer_id or "",
        contacts=context.contacts,
        records={task.store_id: task.records for task in stage_tasks_of(case)},
    )


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
        disclosures=await disclosures_to(context, request),
        holds=tuple(  # each once, though it stands under every pseudonym of the person
            dict.fromkeys(
                HeldFact(activity_id=hold.activity_id or "all", reason=hold.reason, review_on=hold.review_on)
                for one in controls
                for hold in one.controls.holds
                if hold.released_at is None
            )
        ),
        restrictions=tuple(
            dict.fromkeys(
                restriction.ground
                for one in controls
                for restriction in one.controls.restrictions
                if restriction.lifted_at is None
            )
        ),
        suppressions=_listed(controls),
        policy_versions_shown=await numbers_shown(context, request.subject_keys),
        package_expires_at=after(begun_at, days=context.limits.package_days),
        for_representative=request.requester.kind == "representative",
        done_before=_done_before(request, begun_at),
    )


def _listed(controls: Sequence[StoredControls]) -> tuple[tuple[str, date], ...]:
    """Return why an address is not to be written to and since when. Source: GDPR article 15(1)."""
    objected = (
        ("objection", copenhagen_day(one.placed_at))
        for stored in controls
        for one in stored.controls.objections
        if one.kind == "marketing" and one.in_force
    )
    on_list = (
        (one.reason, copenhagen_day(one.since))
        for stored in controls
        if (one := stored.controls.suppression) is not None
    )
    return tuple(dict.fromkeys((*objected, *on_list)))


def _done_before(request: SubjectRequest, begun_at: datetime) -> tuple[tuple[str, int], ...]:
    """Return what other rights of the message did before the copy was begun, by store in the order done."""
    done: Counter[str] = Counter()
    for right, outcome in request.outcomes.items():
        if right in _CHANGES_DATA and outcome.at <= begun_at:
            done.update(outcome.by_store)
    return tuple(done.items())


def _finding(task: Task) -> StoreFinding:
    return StoreFinding(
        store_id=task.store_id,
        records=task.records,
        files=task.files,
        pages=task.pages,
        redactions=tuple(sorted(task.redacted.items())),
    )


async def _withdraw_if_cancelled(context: Context, request: SubjectRequest) -> None:
    case = await context.cases.load(request.request_id)
    if case.request.state is RequestState.CANCELLED or request.right in case.request.dropped:
        await context.packages.delete(request.copy_id)
