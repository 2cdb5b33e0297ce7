"""What one right would do to each store of one person: the plan, made anew from what is there now."""

from collections.abc import Sequence

from shared.datamap.models import (
    NOT_STATED,
    Activity,
    DocumentStore,
    LineStore,
    OnErasure,
    Store,
    rests_on_interest,
)
from shared.datamap.ownership import is_own
from shared.datamap.portability import is_portable, not_covered
from shared.domain.cases import SubjectRequest
from shared.domain.identifiers import EMAIL, Identifiers, merged
from shared.domain.plans import Action, Plan, PlanEntry
from shared.domain.rights import IMMEDIATE, Right
from shared.domain.times import after
from shared.ports.controls import StoredControls
from shared.services.context import Context
from shared.services.correcting import held_facts
from shared.services.due import is_still_due
from shared.services.erasing import RESTRICTED, in_the_way
from shared.services.judging import records_within
from shared.services.marking import named

_COLLECTING = frozenset({Right.ACCESS, Right.PORTABILITY})
UNCLEAR = "unclear_wording"
MASS_ERASURE = "mass_erasure"
MANDATE = "mandate"  # one member of staff alone must not send anybody's data anywhere, nor erase it
ENTERED_TRANSFER = "entered_transfer"  # nor name the address a copy goes to
HELD = "held"  # a correction overwrites what a hold keeps, perhaps as it was
IDENTIFIER_CHANGES = "identifier_changes"
COMPLAINT_TO_READ = "complaint_to_read"  # its words go when the case closes: somebody reads them first
CONTRADICTS = "contradicts_person"  # a customer; the person is asked which is right
DISPUTED = "accuracy_disputed"  # words alone say what is wrong: somebody reads them and judges the accuracy
SECOND_LOOK = frozenset({MASS_ERASURE, MANDATE, ENTERED_TRANSFER, IDENTIFIER_CHANGES})
"""What nobody decides who entered the request."""


async def draft(
    context: Context,
    request: SubjectRequest,
    identifiers: Identifiers,
    controls: Sequence[StoredControls],
) -> Plan:
    """Return the sealed plan of the request's present right. It reads and changes nothing."""
    entries: list[PlanEntry] = []
    people = request.subjects or (identifiers,)
    # who filed it has just asked single events too; a plan that comes late asks them again, and so does that
    # of a part of a split case, which was received with the whole: who filed that part asked nothing
    is_fresh = context.clock.now() <= after(request.received_at, seconds=context.limits.fresh_seconds)
    is_due = await is_still_due(context, request.scope, people, directories_only=is_fresh)
    for activity, store in in_scope(context, request) if is_due else ():
        if not _is_touched(context, request, activity, store):
            continue
        if request.right in _COLLECTING:
            entries.append(_entry(activity, store, Action.COLLECT))
        elif request.right is Right.RECTIFICATION:
            entries.append(_entry(activity, store, Action.CORRECT))
        else:
            entries.append(await _erasure(context, request, activity, store, identifiers, controls))
    held_by = held_facts(request, controls, [entry.activity_id for entry in entries])
    return Plan(
        right=request.right,
        revision=request.plans_made + 1,
        map_digest=context.datamap.digest,
        entries=tuple(entries),
        needs_decision=(
            *await _needs_decision(context, request, identifiers, controls, entries),
            *((HELD,) if held_by else ()),
        ),
        held_by=held_by,
        restricted_by=() if request.is_internal else _restricted_by(request, controls, entries),
    ).sealed()


def _is_touched(context: Context, request: SubjectRequest, activity: Activity, store: Store) -> bool:
    """Whether the request's present right does something to the store."""
    match request.right:
        case Right.PORTABILITY:
            return is_portable(activity, store)
        case Right.RECTIFICATION:
            return corrects(store, request.wishes.corrections)
        case Right.OBJECTION:
            return objected_to(context, request, activity, store)
        case Right.WITHDRAWAL | Right.MARKETING_OBJECTION:
            return ends(store, request.right)
        case _:
            return request.right in (Right.ACCESS, Right.ERASURE)


def in_scope(context: Context, request: SubjectRequest) -> list[tuple[Activity, Store]]:
    """Return the stores the request is about; a customer's request reaches its installations' only."""
    scope = request.scope
    return [
        (activity, store)
        for activity, store in context.datamap.stores()
        if (not scope.activity_ids or activity.id in scope.activity_ids)
        and (not scope.store_ids or store.id in scope.store_ids)
        and (scope.customer_id is None or _is_customers(context, store))
    ]


def _is_customers(context: Context, store: Store) -> bool:
    """Whether one customer's part of the store can be told from the rest: by a field, or by installation."""
    if store.customer_path is not None:
        return True
    shared = [one.id for one in context.datamap.policy.identifiers if one.shared]
    return isinstance(store, LineStore) and any(f"{{{name}}}" in store.prefix for name in shared)


async def reaches_person(context: Context, request: SubjectRequest, identifiers: Identifiers) -> bool:
    """Tell whether the requester may speak of this person: a customer has to hold data of it.

    Else an administrator could mark anybody whose address it knows. Source: policy 4.2.1.
    """
    if request.scope.customer_id is None:
        return True
    for _, store in in_scope(context, request):
        if isinstance(store, DocumentStore) and await records_within(
            context, request.scope, store, identifiers
        ):
            return True
    return False


def objected_to(context: Context, request: SubjectRequest, activity: Activity, store: Store) -> bool:
    """Whether an objection that is upheld takes the store's data.

    Data that serves other purposes too stays for them: an objection to single purposes takes nothing unless
    it names every purpose of the activity. Source: GDPR articles 17(1)(c), 21(1).
    """
    activity_ids, purpose_ids = named(context, request.wishes.objects_to)
    whole = activity.id in activity_ids or {one.id for one in activity.purposes} <= set(purpose_ids)
    return whole and rests_on_interest(activity, store)


def ends(store: Store, right: Right) -> bool:
    """Whether the right ends the store's records, or switches a choice in them off."""
    return right in store.ends_with or any(right in field.off_by for field in store.fields)


def corrects(store: Store, corrections: dict[str, str]) -> bool:
    """Whether the store holds one of the facts and may be corrected in it."""
    return isinstance(store, DocumentStore) and any(field.fact in corrections for field in store.fields)


async def _needs_decision(
    context: Context,
    request: SubjectRequest,
    identifiers: Identifiers,
    controls: Sequence[StoredControls],
    entries: Sequence[PlanEntry],
) -> tuple[str, ...]:
    """Return why a person must decide before this plan may run. Source: GDPR article 12(4), 18(2), 21(1)."""
    right = request.right
    refused = request.requester.refusal(right)
    going = sum(entry.records for entry in entries if entry.action is Action.ERASE)
    reasons = {
        refused: True,
        "objection": refused is None and right is Right.OBJECTION and not _is_upheld(request),
        MANDATE: request.requester.kind == "representative" and right not in IMMEDIATE,
        ENTERED_TRANSFER: right is Right.PORTABILITY and request.entered_by and request.wishes.transfer_url,
        UNCLEAR: right is Right.RESTRICTION and request.wishes.ground == "unclear",
        RESTRICTED: not request.is_internal and _restricted_by(request, controls, entries),
        MASS_ERASURE: right in (Right.ERASURE, Right.OBJECTION)
        and not request.is_internal
        and going > context.limits.mass_records,
        COMPLAINT_TO_READ: right is Right.COMPLAINT and request.wishes.statement,
    }
    needed = [code for code, is_so in reasons.items() if code is not None and is_so]
    if right is Right.RECTIFICATION:
        needed += await _about_correction(context, request, identifiers)
    if right is Right.PORTABILITY and await _only_outside(context, request, identifiers, entries):
        needed.append("nothing_portable")
    return tuple(needed)


def _is_upheld(request: SubjectRequest) -> bool:
    """Whether the objection was upheld already, and a hold alone kept it from being carried out."""
    return request.revivals > 0 and request.decision is not None and request.decision.result == "upheld"


async def contradicts_person(context: Context, request: SubjectRequest) -> bool:
    """Tell whether a customer would change a fact that the person corrected before.

    Source: GDPR articles 16, 18(1)(a).
    """
    if not request.requester.standing(Right.RECTIFICATION).asks_subject:
        return False
    for request_id in await context.cases.of_person(request.subject_keys):
        other = (await context.cases.load(request_id)).request
        outcome = other.outcomes.get(Right.RECTIFICATION)
        if other.requester.kind == "customer" or outcome is None or request_id == request.request_id:
            continue
        if set(outcome.facts) & set(request.wishes.corrections):
            return True
    return False


def _restricted_by(
    request: SubjectRequest, controls: Sequence[StoredControls], entries: Sequence[PlanEntry]
) -> tuple[str, ...]:
    """Return the restrictions that stand in the way of what the plan would erase, or tell a customer."""
    tells = request.requester.kind == "customer" and request.right is Right.ACCESS
    found = {
        restriction.restriction_id
        for one in controls
        for restriction in one.controls.restrictions
        for entry in entries
        if in_the_way(restriction, request, entry.activity_id)
        or (tells and restriction.covers(entry.activity_id))
    }
    return tuple(sorted(found))


async def _about_correction(context: Context, request: SubjectRequest, identifiers: Identifiers) -> list[str]:
    changed = request.wishes.corrections
    identifying = {
        field.fact
        for _, store in context.datamap.stores()
        for field in store.fields
        if field.identifier is not None and field.fact is not None
    }
    reasons = {
        IDENTIFIER_CHANGES: bool(identifying & set(changed)),
        "correction_unclear": not changed and not request.wishes.statement,
        CONTRADICTS: await contradicts_person(context, request),
        DISPUTED: not changed and bool(request.wishes.statement),
        "address_in_use": await _address_in_use(context, request, identifiers),
    }
    return [code for code, is_so in reasons.items() if is_so]


async def _address_in_use(context: Context, request: SubjectRequest, identifiers: Identifiers) -> bool:
    """Tell whether records stand already under the address that is to become the person's."""
    new = request.wishes.corrections.get(EMAIL)
    if new is None or merged(identifiers, [(EMAIL, new)]) == identifiers:
        return False
    return await _holds(context, [store.id for _, store in in_scope(context, request)], {EMAIL: (new,)})


async def _only_outside(
    context: Context, request: SubjectRequest, identifiers: Identifiers, entries: Sequence[PlanEntry]
) -> bool:
    """Tell whether there is data of the person, and none of it is what portability covers."""
    if await _holds(context, [entry.store_id for entry in entries], identifiers):
        return False
    others = [
        store.id
        for activity, store in in_scope(context, request)
        if not is_portable(activity, store) and not is_own(context.datamap, store.id)
    ]
    return await _holds(context, others, identifiers)


async def outside_portability(context: Context, request: SubjectRequest) -> tuple[str, ...]:
    """Return the activities that hold data of the person and are not portable. Source: GDPR article 20(1)."""
    return tuple(
        [
            activity.id
            for activity in not_covered(context.datamap)
            if await _holds(context, [store.id for store in activity.stores], request.identifiers)
        ]
    )


async def _holds(context: Context, store_ids: Sequence[str], identifiers: Identifiers) -> bool:
    for store_id in store_ids:
        _, store = context.datamap.store(store_id)
        if isinstance(store, DocumentStore) and await context.documents.count(store, identifiers):
            return True
    return False


def _entry(activity: Activity, store: Store, action: Action) -> PlanEntry:
    return PlanEntry(store_id=store.id, activity_id=activity.id, action=action, records=0)


async def _erasure(
    context: Context,
    request: SubjectRequest,
    activity: Activity,
    store: Store,
    identifiers: Identifiers,
    controls: Sequence[StoredControls],
) -> PlanEntry:
    hold = next((hold for one in controls for hold in one.controls.holds if hold.covers(activity.id)), None)
    held_by = hold.hold_id if hold else None
    if request.is_internal and any(one.controls.restricts(activity.id) for one in controls):
        held_by = RESTRICTED  # scheduled deletion waits while the person's data is restricted
    treatment = {field.on_erasure for field in store.fields if field.on_erasure is not OnErasure.FOLLOW}
    action = Action.KEEP if treatment == {OnErasure.KEEP} and not _has_last_day(store) else Action.ERASE
    is_counted = not request.is_internal or held_by is not None or action is Action.KEEP
    if isinstance(store, DocumentStore) and is_counted:  # how much scheduled deletion takes decides nothing
        records = await records_within(context, request.scope, store, identifiers)
    else:
        records = 0  # lines and files are found while they are read; counting them would read them twice
    return PlanEntry(
        store_id=store.id,
        activity_id=activity.id,
        action=Action.HOLD if held_by else action,
        records=records,
        treatment=tuple(sorted(treatment)),
        held_by=held_by,
    )


def _has_last_day(store: Store) -> bool:
    """Whether a keeping duty of the store ends on a day that has to be read from each record."""
    return any(field.keep is not None and field.keep.until != NOT_STATED for field in store.fields)
