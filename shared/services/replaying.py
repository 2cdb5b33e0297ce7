"""After a restore: erase again what had been erased since the copy was made, and nothing that came later.

The proofs name keyed pseudonyms and times. Every record of the restored stores is walked, its identifiers are
turned into pseudonyms, and a person whose erasure was proved after the copy is erased again. Run it before
the stores are opened for use. Source: GDPR articles 5(1)(e), 17, 32(1)(c).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.datamap.models import DocumentStore
from shared.datamap.treatment import value_at
from shared.domain.errors import CannotTell
from shared.domain.identifiers import SUBJECT_KEY, Identifiers
from shared.domain.rights import Right
from shared.domain.times import moment_of, utc_text
from shared.domain.walks import Walk
from shared.domain.wishes import Requester, Scope
from shared.services import retention_cases
from shared.services.context import Context
from shared.services.filing import Filing, put_on_file
from shared.services.judging import STOPPING
from shared.services.resolving import resolve
from shared.services.walking import pace, proceed

_PROOFS = 200  # read at once


@dataclass(frozen=True, kw_only=True)
class _Proof:
    name: str
    right: Right
    scope: Scope
    received_at: datetime
    proved_at: datetime  # what was made from then on was left: an erasure may have been of what was before
    store_ids: tuple[str, ...]  # of which something went
    subject_keys: tuple[str, ...]


async def replay(context: Context, *, restored_from: datetime) -> Walk:
    """Go on with the replay for a copy of that moment; call it again until the walk it returns is done.

    `filed` counts the erasures that were filed; the stores may be opened when all of those are closed. A
    second replay of the same copy files nothing that is on file.

    Raises:
        CannotTell: `proof_unreadable`: look at the proof of that name first; the stores stay closed.
    """
    found = await _by_pseudonym(context, restored_from)
    seen: set[tuple[str, ...]] = set()

    async def look(context: Context, walk: Walk, store: DocumentStore, record: Mapping[str, Any]) -> Walk:
        filed = 0
        created_at = _created_at(store, record)
        for identifiers in retention_cases.people_of(context.datamap, store, record):
            keys = context.subject_keys(identifiers)
            hits = {proof.name: proof for key in keys for proof in found.get(key, ())}
            for proof in hits.values():
                once = (proof.name, *keys)
                if once in seen or (created_at is not None and created_at >= proof.proved_at):
                    continue
                filed += await _again(context, walk.name, identifiers, proof)
                seen.add(once)
        return walk.model_copy(update={"filed": walk.filed + filed})

    stores = tuple(
        store.id
        for _, store in context.datamap.stores()
        if isinstance(store, DocumentStore) and store.database == "clicklearn"
    )
    return await proceed(context, f"replay-{utc_text(restored_from)}", stores, look)


async def _by_pseudonym(context: Context, since: datetime) -> dict[str, list[_Proof]]:
    """Return the proofs of erasures since a moment by each pseudonym they name."""
    found: defaultdict[str, list[_Proof]] = defaultdict(list)
    cursor: str | None = None
    while True:
        page = await context.evidence.proofs_since(since, cursor=cursor, limit=_PROOFS)
        for name, body in page.proofs:
            proof = _proof(name, body)
            for key in proof.subject_keys:
                found[key].append(proof)
        cursor = page.cursor
        if cursor is None:
            return found


def _proof(name: str, body: Mapping[str, Any]) -> _Proof:
    try:
        scope = Scope.model_validate(body["scope"])
        proved_at = datetime.fromisoformat(body["proved_at"])
        return _Proof(
            name=name,
            right=Right(body["right"]),
            scope=scope,
            received_at=datetime.fromisoformat(body["received_at"]),
            proved_at=min(proved_at, scope.created_before or proved_at),
            store_ids=tuple(body["erased_by_store"]),
            subject_keys=tuple(body["subject_keys"]),
        )
    except (KeyError, TypeError, ValueError):
        raise CannotTell("proof_unreadable", name) from None


async def _again(context: Context, walk: str, identifiers: Identifiers, proof: _Proof) -> int:
    """File the erasure of one proof again; what a retention rule took falls due again by itself."""
    if proof.scope.rule_ids:
        return await retention_cases.run_person(context, identifiers, is_paced=True)
    known: Identifiers = identifiers
    keys = context.subject_keys(identifiers)
    if proof.scope.customer_id is None:
        resolved = await resolve(context, identifiers)
        if resolved.problem is not None:
            await context.operators.alarm("replay_person_unclear", details=resolved.problem)
            return 0
        known, keys = resolved.identifiers, resolved.identifiers[SUBJECT_KEY]
    right = proof.right if proof.right in STOPPING else Right.ERASURE
    request_id = context.keys.sign("replay", walk, proof.name, *keys)[:32]
    await pace(context)
    return await put_on_file(
        context,
        Filing(
            request_id=request_id,
            rights=(right,),
            language="en",
            channel="retention",
            email=None,
            received_at=proof.received_at if right in STOPPING else context.clock.now(),
            identifiers={kind: values for kind, values in known.items() if kind != SUBJECT_KEY},
            requester=Requester(kind="controller"),
            scope=await _scope(context, known, proof, request_id),
            is_known=True,
        ),
    )


async def _scope(context: Context, identifiers: Identifiers, proof: _Proof, request_id: str) -> Scope:
    """Return the proof's scope, for records of before it.

    Where the person has come back since, a store that does not tell when a record was made is left to an
    operator: the new cannot be told from the old there.
    """
    scope = proof.scope.model_copy(update={"created_before": proof.proved_at})
    if proof.right is Right.OBJECTION:
        scope = scope.model_copy(update={"store_ids": proof.store_ids})
    if not await _came_back(context, identifiers, proof.proved_at):
        return scope
    reached = [
        store
        for activity, store in context.datamap.stores()
        if (not scope.activity_ids or activity.id in scope.activity_ids)
        and (not scope.store_ids or store.id in scope.store_ids)
    ]
    untold = [store.id for store in reached if store.created_path is None]
    await context.operators.alarm("replay_stores_left", request_id=request_id, details=",".join(untold))
    return scope.model_copy(
        update={"store_ids": tuple(store.id for store in reached if store.created_path is not None)}
    )


async def _came_back(context: Context, identifiers: Identifiers, moment: datetime) -> bool:
    """Whether a record that leads on to others was made for the person after its erasure."""
    for _, store in context.datamap.stores():
        if not isinstance(store, DocumentStore) or not store.locator or store.created_path is None:
            continue
        cursor: str | None = None
        while True:
            page = await context.documents.page(
                store, identifiers, cursor=cursor, limit=context.limits.page_documents
            )
            made = (_created_at(store, document.body) for document in page.documents)
            if any(created_at is not None and created_at >= moment for created_at in made):
                return True
            cursor = page.cursor
            if cursor is None:
                break
    return False


def _created_at(store: DocumentStore, record: Mapping[str, Any]) -> datetime | None:
    return moment_of(value_at(record, store.created_path)) if store.created_path else None
