"""Records that scheduled deletion can neither delete nor let be: watched daily until somebody repairs them.

Nothing is deleted on doubt, and nothing in doubt is lost from sight: the searches of later runs begin behind
its day. Staff find each by its container and id. Source: GDPR articles 5(1)(d) and (e), 5(2).
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta

from shared.datamap.models import DocumentStore
from shared.domain.retention_runs import Doubt, Run, Watched
from shared.domain.times import copenhagen_day
from shared.ports.documents import NO_PARTITION, StoredDocument
from shared.ports.retention_runs import watch_id
from shared.services.context import Context
from shared.services.retention_cases import people_of

_RECORD = "record"


@dataclass(frozen=True, kw_only=True)
class Doubtful:
    """One record: its container and id, and why and since when it waits for staff. It names no content."""

    place: str
    store_id: str
    reason: Doubt
    since_on: date


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """A page of them. `cursor` None: the last."""

    found: tuple[Doubtful, ...]
    cursor: str | None


async def doubt(
    context: Context, store: DocumentStore, document: StoredDocument, reason: Doubt, *, key: str | None = None
) -> Watched:
    """Have a record looked at again tomorrow, say why, and return what is watched now.

    It stands under the pseudonym `key`; None: of the first person it names, or of the record where it names
    nobody. A second call for the same reason keeps the day since when it is in doubt.
    """
    today = copenhagen_day(context.clock.now())
    row = Watched(
        subject_key=key or _key(context, store, document, reason),
        store_id=store.id,
        document_id=document.document_id,
        partition=_partition(document),
        look_on=today + timedelta(days=1),
        doubt=reason,
        doubted_on=today,
    )
    old = await context.retention_runs.find(row)
    if old is not None:
        since = old.doubted_on if old.doubt is reason else today
        row = row.model_copy(update={"request_ids": old.request_ids, "doubted_on": since})
    await context.retention_runs.watch(row)
    return row


async def count_doubts(context: Context, run: Run) -> Run:
    """Return a run that is done with what stands in doubt, and whether staff are told of it.

    They are when there is more of anything than at the last run, and again after some days.
    """
    doubts = await context.retention_runs.doubts()
    last = next((one for one in await context.retention_runs.past(limit=2) if one.day < run.day), None)
    found = {reason.value: doubts[reason] for reason in Doubt}
    alarmed_on = None if last is None else last.alarmed_on
    grew = any(number > getattr(last, reason, 0) for reason, number in found.items())
    is_long_ago = (
        alarmed_on is None or (run.day - alarmed_on).days >= context.limits.retention_doubt_reminder_days
    )
    if not any(found.values()):
        alarmed_on = None
    elif grew or is_long_ago:
        alarmed_on = run.day
    return run.model_copy(update={**found, "alarmed_on": alarmed_on})


async def doubts(context: Context, *, after: str, limit: int) -> Doubts:
    """Return a page of what stands in doubt, from behind the cursor of the page before (empty: the first)."""
    rows = await context.retention_runs.doubted(after=after, limit=limit)
    found = tuple(
        Doubtful(
            place=f"{context.datamap.store(one.store_id)[1].container}/{one.document_id}",
            store_id=one.store_id,
            reason=one.doubt,
            since_on=one.doubted_on,
        )
        for one in rows
        if one.doubt is not None and one.doubted_on is not None
    )
    return Doubts(found=found, cursor=watch_id(rows[-1]) if len(rows) == limit else None)


def record_key(context: Context, store: DocumentStore, document: StoredDocument) -> str:
    """Return the pseudonym of a record, under which it is watched where it names nobody."""
    return context.keys.subject_key(_RECORD, f"{store.id}\n{_partition(document)}\n{document.document_id}")


def _key(context: Context, store: DocumentStore, document: StoredDocument, reason: Doubt) -> str:
    named = () if reason is Doubt.UNCLEAR else people_of(context.datamap, store, document.body)
    for identifiers in named:
        for key in context.subject_keys(identifiers)[:1]:
            return key
    return record_key(context, store, document)


def _partition(document: StoredDocument) -> str:
    return "" if document.partition is NO_PARTITION else json.dumps(document.partition)
