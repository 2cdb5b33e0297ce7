"""What scheduled deletion would do by a day. Nothing is written.

The preview looks at people as a run does, with the same rules and the same controls, as if nobody used,
renewed or released anything until that day. Source: policy section 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from shared.datamap.falling_due import DueActivity, due_of_record
from shared.datamap.models import NOT_STATED, DocumentStore
from shared.datamap.treatment import value_at
from shared.domain.errors import Invalid
from shared.domain.identifiers import SUBJECT_KEY, Identifiers
from shared.domain.periods import add_months
from shared.domain.retention import DueState, UseScope
from shared.domain.retention_runs import Run
from shared.domain.times import copenhagen_day
from shared.ports.documents import StoredDocument
from shared.services.context import Context
from shared.services.due import due_of_person
from shared.services.progress import Budget
from shared.services.resolving import resolve
from shared.services.retention_cases import people_of
from shared.services.retention_looking import documents_of, holds_events, unknown_of
from shared.services.retention_searches import search_of, versions, whole

MOST_YEARS_AHEAD = 10
MOST_PEOPLE = 1_000
_PAGE_RECORDS = 100
_PAGE_EVENTS = 1_000
_PAST_RUNS = 30


@dataclass
class RulePreview:
    """What one rule comes to. People and documents of those due; of the kept ones people alone.

    `documents`: lines of shared files are not among them. `earliest_on`: the first day of any; None: nothing.
    """

    rule_id: str
    people: int = 0
    documents: int = 0
    held: int = 0
    restricted: int = 0
    earliest_on: date | None = None


@dataclass
class Preview:
    """What would go by a day. `is_complete` false: there are more people than one call looks at.

    `looked_at`: people. `kept_active`: people with an old record whom a later use keeps. `undated`: records
    of which nothing says when their period began. `unclear`: records of no single person.
    `request_units`: of this look.
    `erasing_request_units`: what the runs `estimated_from` needed for a record, times the documents due;
    None: no run erased anything yet. `undecided`: activities without a period.
    """

    as_of: date
    rules: dict[str, RulePreview] = field(default_factory=dict)
    is_complete: bool = True
    looked_at: int = 0
    kept_active: int = 0
    undated: int = 0
    unclear: int = 0
    request_units: float = 0.0
    erasing_request_units: float | None = None
    estimated_from: tuple[date, ...] = ()
    undecided: tuple[str, ...] = ()


async def preview(context: Context, as_of: date | None = None, *, most: int = MOST_PEOPLE) -> Preview:
    """Return what would go by a day, today where none is named. It writes nothing.

    Raises:
        Invalid: `as_of_out_of_range`.
        Retryable: a store or the controls could not be read.
    """
    today = copenhagen_day(context.clock.now())
    day = as_of or today
    if not today <= day <= add_months(today, 12 * MOST_YEARS_AHEAD):
        raise Invalid("as_of_out_of_range", "a day from today on, within ten years", field="as_of")
    found = Preview(
        as_of=day,
        rules={one.id: RulePreview(rule_id=one.id) for one in context.datamap.policy.retention_rules},
        undecided=tuple(one.id for one in context.datamap.activities if one.retention.rule == NOT_STATED),
    )
    with context.meter.measured() as spent:
        await _look(context, found, most)
        found.request_units = round(spent.take(), 2)
    runs = [
        one for one in await context.retention_runs.past(limit=_PAST_RUNS) if one.is_done and _erased(one)
    ]
    if runs:
        each = sum(one.request_units for one in runs) / sum(map(_erased, runs))
        found.erasing_request_units = round(each * sum(one.documents for one in found.rules.values()), 2)
        found.estimated_from = tuple(one.day for one in runs)
    return found


async def _look(context: Context, found: Preview, most: int) -> None:
    """Search as a run of that day does that follows none; single events, of which there are many, last."""
    budget = Budget(context)
    seen: set[str] = set()
    records: set[tuple[str, str, str]] = set()  # one may be found by more than one of its days
    run = whole(context.datamap, found.as_of, now=context.clock.now())
    past = await context.retention_runs.past(limit=1)
    looks_at_all = bool(past) and past[0].versions not in ({}, versions(context.datamap))  # as a run does
    stores = {one.key: documents_of(context, one.store_id) for one in run.sources}
    for source in sorted(run.sources, key=lambda one: holds_events(context.datamap, stores[one.key])):
        store = stores[source.key]
        wanted = search_of(context.datamap, run, source)
        is_event = holds_events(context.datamap, store)
        cursor: str | None = None
        while True:
            page = await context.documents.search(
                store, wanted, cursor=cursor, limit=_PAGE_EVENTS if is_event else _PAGE_RECORDS
            )
            budget.spend(len(page.documents))
            documents: Sequence[StoredDocument] = page.documents
            if is_event and not looks_at_all:
                documents = await unknown_of(context, store, documents, day=found.as_of)
            for document in documents:
                name = (store.id, repr(document.partition), document.document_id)
                if name in records:
                    continue
                records.add(name)
                if not await _record(context, found, store, document, (seen, most, budget)):
                    return
            cursor = page.cursor
            if cursor is None:
                break


async def _record(
    context: Context,
    found: Preview,
    store: DocumentStore,
    document: StoredDocument,
    bounded: tuple[set[str], int, Budget],
) -> bool:
    """Look at the people of one record; False: there are more people than one call looks at."""
    seen, most, budget = bounded
    states = due_of_record(context.datamap.families, store, document.body, today=found.as_of)
    if DueState.DUE not in states and not holds_events(context.datamap, store):
        found.undated += DueState.UNDATED in states
        return True
    people = list(people_of(context.datamap, store, document.body))
    found.unclear += any(not context.subject_keys(one) for one in people)
    for identifiers in people:
        is_new = not seen.issuperset(context.subject_keys(identifiers))
        if is_new and (found.looked_at >= most or budget.is_spent):
            found.is_complete = False
            return False
        await _person(context, found, identifiers, seen)
    return True


async def _person(context: Context, found: Preview, identifiers: Identifiers, seen: set[str]) -> None:
    keys = context.subject_keys(identifiers)
    if seen.issuperset(keys):
        return
    found.looked_at += 1
    resolved = await resolve(context, identifiers)
    if resolved.problem is not None:
        seen.update(keys)
        found.unclear += 1
        return
    known = resolved.identifiers[SUBJECT_KEY]
    is_new = seen.isdisjoint(known)
    seen.update(known)
    if not is_new:
        return
    await _verdicts(context, found, resolved.identifiers)


async def _verdicts(context: Context, found: Preview, identifiers: Identifiers) -> None:
    """Count what one person's data comes to."""
    controls = [one.controls for one in await context.controls.read(identifiers[SUBJECT_KEY])]
    kept = True
    for one in await due_of_person(context, identifiers, controls, today=found.as_of):
        line = found.rules.get(one.due.rule_id or "")
        if line is None or one.due.state is DueState.NOT_DUE:
            continue
        kept = False
        if one.due.erase_on is not None:
            line.earliest_on = min(line.earliest_on or one.due.erase_on, one.due.erase_on)
        if one.due.state is DueState.HELD:
            line.held += 1
        elif one.due.state is DueState.RESTRICTED:
            line.restricted += 1
        elif one.due.state is DueState.DUE:
            line.people += 1
            line.documents += await _documents(context, identifiers, one)
    found.kept_active += kept


async def _documents(context: Context, identifiers: Identifiers, due: DueActivity) -> int:
    """Return how many documents of a person go, as an erasure of these groups would take them."""
    single = due.scope is UseScope.RECORD or not due.is_whole
    total = 0
    for taken in due.takes:
        _, store = context.datamap.store(taken.store)
        if not isinstance(store, DocumentStore) or (taken.by is None and not due.is_whole):
            continue
        if taken.by is None or not single:
            total += await context.documents.count(store, identifiers)
            continue
        cursor: str | None = None
        names: set[str] = set()  # a document may come twice
        while True:
            page = await context.documents.page(
                store, identifiers, cursor=cursor, limit=context.limits.page_documents
            )
            names |= {one.document_id for one in page.documents if value_at(one.body, taken.by) in due.groups}
            cursor = page.cursor
            if cursor is None:
                break
        total += len(names)
    return total


def _erased(run: Run) -> int:
    return sum(run.erased.values())
