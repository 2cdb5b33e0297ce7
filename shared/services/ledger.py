"""The ledger of disclosures: who received what of whom. Read for answers, and for who has to be told.

Source: GDPR articles 15(1)(c), 19.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.datamap.models import NOT_STATED, DocumentStore
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Permanent
from shared.domain.identifiers import Identifiers
from shared.domain.outcomes import Notice
from shared.domain.recipients import Instruction, NoticeState
from shared.domain.rights import Right
from shared.rendering.report import Disclosure
from shared.services.context import Context

LEDGER = "disclosures"
MOST_DISCLOSURES = 1_000  # shown in the readable answer; every row is among the records of the copy
INSTRUCTION_OF = {
    Right.ERASURE: Instruction.ERASE,
    Right.OBJECTION: Instruction.ERASE,
    Right.RECTIFICATION: Instruction.CORRECT,
    Right.RESTRICTION: Instruction.RESTRICT,
    Right.WITHDRAWAL: Instruction.UNSUBSCRIBE,
    Right.MARKETING_OBJECTION: Instruction.SUPPRESS,
}


async def disclosures_to(context: Context, request: SubjectRequest) -> tuple[Disclosure, ...]:
    """Return the rows of our ledger about the person, the earliest first.

    A disclosure that is written under several pseudonyms of the person is one.
    """
    return await disclosures_of(context, request.identifiers)


async def disclosures_of(context: Context, identifiers: Identifiers) -> tuple[Disclosure, ...]:
    """Return the rows of our ledger under these pseudonyms, as `disclosures_to` does for a request."""
    found: list[Disclosure] = []
    cursor: str | None = None
    while True:
        page = await context.documents.page(
            _ledger(context), identifiers, cursor=cursor, limit=context.limits.page_documents
        )
        found += [_disclosure(document.body) for document in page.documents]
        cursor = page.cursor
        if cursor is None or len(found) >= MOST_DISCLOSURES:
            return tuple(sorted(dict.fromkeys(found), key=lambda one: one.disclosed_at)[:MOST_DISCLOSURES])


async def notices_due(
    context: Context, request: SubjectRequest, changed_stores: Sequence[str]
) -> tuple[Notice, ...]:
    """Return a notice for each controller or customer that received, as the ledger says, what was changed.

    One whose contact the map has gets it by mail; staff tell the others. A processor works on our
    instructions and is instructed, not notified. Nothing is due where nothing was
    changed, unless the right restricts: that concerns whoever received anything. A recipient of other
    activities only is told nothing, nor is one that never received a fact that was corrected; one the map
    does not know is told, to be safe. Those that the request has already are left out.
    """
    if request.is_internal:
        return ()  # nobody's right was exercised: what recipients hold has a period of its own
    if request.right not in (Right.ERASURE, Right.OBJECTION, Right.RECTIFICATION, Right.RESTRICTION):
        return ()
    if request.right is not Right.RESTRICTION and not changed_stores:
        return ()
    kinds = {recipient.id: recipient.kind for recipient in context.datamap.recipients}
    mailed = {one.id for one in context.datamap.recipients if one.contact != NOT_STATED}
    known = {one.recipient_id for one in request.notices if one.right is request.right}
    rows = await disclosures_to(context, request)
    if request.right is Right.RECTIFICATION:
        facts = frozenset(request.wishes.corrections)
        rows = tuple(one for one in rows if may_carry(context, one, facts))
    received = dict.fromkeys(one.recipient_id for one in rows)
    changed = [context.datamap.store(name)[0] for name in changed_stores]
    concerned = {name for activity in changed for name in activity.recipients}
    if request.right is Right.RESTRICTION:
        concerned = set(received)
    return tuple(
        Notice(
            recipient_id=recipient_id,
            right=request.right,
            instruction=INSTRUCTION_OF[request.right],
            state=NoticeState.DUE,
            at=context.clock.now(),
            letter_id=f"notice-{recipient_id}-{request.right}" if recipient_id in mailed else None,
        )
        for recipient_id in received
        if kinds.get(recipient_id) != "processor"
        and recipient_id not in known
        and (recipient_id in concerned or recipient_id not in kinds)
    )


def may_carry(context: Context, row: Disclosure, facts: frozenset[str]) -> bool:
    """Whether one of these facts was among what was handed on; what cannot be told may have been."""
    handed = facts_of(context, row)
    return not facts or None in handed.values() or not facts.isdisjoint(handed.values())


def facts_of(context: Context, row: Disclosure) -> dict[str, str | None]:
    """Return each field that was handed on with its fact: "" for none, None for one that the map lacks."""
    try:
        activity, _ = context.datamap.purpose(row.purpose)
    except KeyError:
        return dict.fromkeys(row.fields)
    known = {field.path: field.fact or "" for store in activity.stores for field in store.fields}
    return {path: known.get(path) for path in row.fields}


def _ledger(context: Context) -> DocumentStore:
    _, store = context.datamap.store(LEDGER)
    if not isinstance(store, DocumentStore):
        raise Permanent("ledger_not_documents")
    return store


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
