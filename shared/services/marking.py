"""Write and take back what must not be done with a person's data, on every pseudonym of the person.

A mark is named after its request and right, so that writing it again changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from shared.domain.cases import SubjectRequest
from shared.domain.consent import ended_for, left, listed
from shared.domain.consent_ledger import ConsentEvent, EventKind, present_state
from shared.domain.controls import EVERY_PURPOSE, Controls, Objection, Restriction, RestrictionGround
from shared.domain.errors import Conflict
from shared.domain.rights import Right
from shared.ports.controls import StoredControls
from shared.services.context import Context

RESTRICTING = frozenset({Right.RESTRICTION, Right.OBJECTION, Right.RECTIFICATION})  # rights that may restrict
_WRITE_ATTEMPTS = 6

M = TypeVar("M")


def mark_id(request: SubjectRequest, right: Right) -> str:
    """Return the name of the mark that a right of this request leaves."""
    return f"{request.request_id}-{right}"


def marked_keys(context: Context, request: SubjectRequest, subject_keys: Sequence[str]) -> tuple[str, ...]:
    """Return the pseudonyms a request marks: a customer's those it named, any other's all of the person."""
    if request.scope.customer_id is None:
        return tuple(subject_keys)
    return context.subject_keys(request.identifiers)


async def change(
    context: Context, subject_keys: Sequence[str], changed: Callable[[Controls], Controls]
) -> None:
    """Change the controls of every pseudonym, each by itself; one that is as it should be is left alone.

    Raises:
        Conflict: somebody else kept writing; let the queue deliver again.
    """
    for key in subject_keys:
        for attempt in range(_WRITE_ATTEMPTS):
            (stored,) = await context.controls.read((key,))
            wanted = changed(stored.controls)
            if wanted == stored.controls:
                break
            try:
                await context.controls.write(StoredControls(controls=wanted, etag=stored.etag))
                break
            except Conflict:
                if attempt == _WRITE_ATTEMPTS - 1:
                    raise


async def restrict(
    context: Context, request: SubjectRequest, subject_keys: Sequence[str], ground: RestrictionGround
) -> None:
    """Restrict the person's data, all of it or what an objection names. A second call changes nothing.

    Source: GDPR article 18(1).
    """
    activity_ids, purpose_ids = _extent(context, request, ground)
    wanted = Restriction(
        restriction_id=mark_id(request, request.right),
        ground=ground,
        activity_ids=activity_ids,
        purpose_ids=purpose_ids,
        placed_at=request.verified_at or request.received_at,
    )

    def restricted(controls: Controls) -> Controls:
        known = [one for one in controls.restrictions if one.restriction_id == wanted.restriction_id]
        if known and known[0].ground != ground and known[0].lifted_at is None:  # what was meant is known now
            others = tuple(one for one in controls.restrictions if one not in known)
            return controls.model_copy(update={"restrictions": (*others, wanted)})
        if known:
            return controls
        return controls.model_copy(update={"restrictions": (*controls.restrictions, wanted)})

    await change(context, marked_keys(context, request, subject_keys), restricted)


async def lift(
    context: Context, subject_keys: Sequence[str], restriction_ids: Iterable[str], *, at: datetime
) -> None:
    """Lift restrictions. One that is lifted already stays as it is.

    Source: GDPR article 18(3): the person was told before.
    """
    wanted = frozenset(restriction_ids)

    def lifted(controls: Controls) -> Controls:
        return controls.model_copy(
            update={
                "restrictions": tuple(
                    one.model_copy(update={"lifted_at": at})
                    if one.restriction_id in wanted and one.lifted_at is None
                    else one
                    for one in controls.restrictions
                )
            }
        )

    await change(context, subject_keys, lifted)


async def lift_if_misread(context: Context, request: SubjectRequest) -> None:
    """Lift what an unclear message restricted, once it is saved that something else was meant.

    It was no restriction that anybody asked for, so no notice goes before. A second call changes nothing.
    """
    was_unclear = any(one.right is Right.RESTRICTION for one in request.decisions)
    if was_unclear and Right.RESTRICTION not in request.rights:
        own = mark_id(request, Right.RESTRICTION)
        await lift(context, request.subject_keys, [own], at=context.clock.now())


async def take_back(context: Context, request: SubjectRequest) -> None:
    """Lift what was restricted while a right waited that was cancelled. A second call changes nothing.

    A restriction that the person was told of is answered: it ends after notice alone. Source: GDPR 18(3).
    """
    own = [mark_id(request, right) for right in RESTRICTING if right not in request.outcomes]
    await lift(context, request.subject_keys, own, at=context.clock.now())


async def object_to(context: Context, request: SubjectRequest, subject_keys: Sequence[str]) -> None:
    """Note an objection that holds from now on, also when the data is gone. A second call changes nothing.

    Of objections to all marketing the first and the last are kept.

    A customer that objects to marketing to its people stops none that the person consented to.
    Source: GDPR article 21.
    """
    activity_ids: tuple[str, ...] = ()
    purpose_ids: tuple[str, ...] = ()
    if request.right is Right.OBJECTION:
        activity_ids, purpose_ids = named(context, request.wishes.objects_to)
    elif request.requester.standing(request.right).keeps_consents:
        purpose_ids = _without_consent(context)
    wanted = Objection(
        objection_id=mark_id(request, request.right),
        kind="general" if activity_ids or purpose_ids else "marketing",
        activity_ids=activity_ids,
        purpose_ids=purpose_ids,
        placed_at=request.received_at,
    )

    def objected(controls: Controls) -> Controls:
        if any(one.objection_id == wanted.objection_id for one in controls.objections):
            return controls
        # anybody may send a thousand: the first tells since when, the last which opt-in it overtook
        same = [one for one in controls.objections if wanted.kind == "marketing" and _says_so(one)]
        same.sort(key=lambda one: one.placed_at)
        if same and same[-1].placed_at >= wanted.placed_at:
            return controls
        others = tuple(one for one in controls.objections if one not in same[1:])
        marked = controls.model_copy(update={"objections": (*others, wanted)})
        if wanted.kind != "marketing":
            return marked
        return listed(marked, at=wanted.placed_at, reason="objected")

    keys = marked_keys(context, request, subject_keys)
    await change(context, keys, objected)
    if wanted.kind == "marketing":
        event_id = f"objected-{wanted.objection_id}"
        await _write_down(context, keys, EventKind.OBJECTED, event_id, at=wanted.placed_at)


async def is_upheld(context: Context, request: SubjectRequest) -> bool:
    """Whether the request's objection holds: it was upheld before, such as under a hold, or is about to be.

    Raises:
        Retryable: it could not be read; ask again.
    """
    if request.right is not Right.OBJECTION:
        return False
    own = mark_id(request, Right.OBJECTION)
    stored = await context.controls.read(tuple(request.subject_keys))
    return any(
        mark.objection_id == own and mark.in_force for one in stored for mark in one.controls.objections
    )


async def withdraw(context: Context, request: SubjectRequest, subject_keys: Sequence[str]) -> None:
    """Withdraw every consent that was given before the request came. One given since then stays.

    A person who signs up anew right after withdrawing is not unsubscribed by a late message.
    Source: GDPR article 7(3).
    """
    at = request.received_at
    await change(
        context, subject_keys, lambda controls: left(controls, EVERY_PURPOSE, at, reason="withdrawn")
    )
    event_id = f"withdrawn-all-{int(at.timestamp() * 1_000_000)}"
    await _write_down(context, subject_keys, EventKind.WITHDRAWN, event_id, at=at)


async def _write_down(
    context: Context, subject_keys: Iterable[str], kind: EventKind, event_id: str, *, at: datetime
) -> None:
    """Write an end into the ledger where something it knows of stood then; the gate is closed already.

    A second call writes nothing: whoever asks a hundred times ended one thing.
    """
    keys = tuple(subject_keys)
    events = await context.consent_ledger.of_person(keys)
    for key in keys:
        known = [one for one in events if one.subject_key == key and one.at <= at]
        purposes = {one.purpose_id for one in known if one.begins}
        if any(present_state(known, purpose_id).in_force for purpose_id in purposes):
            await context.consent_ledger.append(
                ConsentEvent(
                    event_id=event_id,
                    subject_key=key,
                    purpose_id=EVERY_PURPOSE,
                    kind=kind,
                    at=at,
                    noted_at=context.clock.now(),
                    channel="request",
                )
            )


async def erased(context: Context, request: SubjectRequest, *, found_records: bool) -> None:
    """End the consents of a person who was erased, and keep an old list from bringing the address back.

    Where there was nothing of the person, nothing is begun about them. What was consented to since the
    request came stays. Source: GDPR articles 17(1)(b), 21(3); policy 4.4, 4.8.
    """
    at = request.received_at

    def ended(controls: Controls) -> Controls:
        if not found_records and not controls.consents:
            return controls
        return left(controls, EVERY_PURPOSE, at, reason="erased")

    await change(context, request.subject_keys, ended)


async def carry_over(context: Context, subject_keys: Sequence[str]) -> None:
    """Write what stands under any pseudonym of one person under all of them. Repeating it changes nothing.

    A person who gets a new address, or a new name in some system, keeps every mark; nobody gets around one.
    """
    known = [one.controls for one in await context.controls.read(subject_keys)]
    holds = [hold for one in known for hold in one.holds if hold.released_at is None]
    restrictions = [mark for one in known for mark in one.restrictions if mark.lifted_at is None]
    objections = [mark for one in known for mark in one.objections if mark.in_force]
    withdrawn_at = max((one.withdrawn_at for one in known if one.withdrawn_at), default=None)
    withdrawals = [end for one in known for end in one.withdrawals]
    suppression = next((one.suppression for one in known if one.suppression), None)

    def carried(controls: Controls) -> Controls:
        held = {one.hold_id for one in controls.holds}
        restricted = {one.restriction_id for one in controls.restrictions}
        objected = {one.objection_id for one in controls.objections}
        for end in withdrawals:
            controls = ended_for(controls, end.purpose_id, end.at)
        return controls.model_copy(
            update={
                "suppression": controls.suppression or suppression,
                "holds": (*controls.holds, *_once(holds, held, "hold_id")),
                "restrictions": (
                    *controls.restrictions,
                    *_once(restrictions, restricted, "restriction_id"),
                ),
                "objections": (*controls.objections, *_once(objections, objected, "objection_id")),
                "withdrawn_at": max(
                    (at for at in (withdrawn_at, controls.withdrawn_at) if at is not None), default=None
                ),
            }
        )

    await change(context, subject_keys, carried)


def _says_so(objection: Objection) -> bool:
    return objection.kind == "marketing" and objection.in_force


def _once(marks: Iterable[M], known: set[str], name: str) -> list[M]:
    """Return the marks that are not known yet, each once."""
    new = {getattr(mark, name): mark for mark in marks}
    return [mark for mark_id, mark in new.items() if mark_id not in known]


async def apply_at_once(context: Context, request: SubjectRequest, subject_keys: Sequence[str]) -> None:
    """Let a right that waits for nobody take effect: no mail and no profile from this moment on."""
    for right, apply in ((Right.MARKETING_OBJECTION, object_to), (Right.WITHDRAWAL, withdraw)):
        is_due = right in request.rights and right not in request.outcomes
        if is_due and request.requester.refusal(right) is None:
            await apply(context, request.for_right(right), subject_keys)


def _without_consent(context: Context) -> tuple[str, ...]:
    """Return marketing that rests on no consent: all that a customer can stop for a person."""
    return tuple(
        purpose.id
        for activity in context.datamap.activities
        for purpose in activity.purposes
        if purpose.marketing and not purpose.needs_consent
    )


def named(context: Context, ids: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of the ids are activities and which purposes. None named: everything on letter f."""
    wanted = tuple(ids)
    activities = tuple(one.id for one in context.datamap.activities if one.id in wanted)
    purposes = tuple(
        purpose.id
        for activity in context.datamap.activities
        for purpose in activity.purposes
        if purpose.id in wanted
    )
    if not wanted:
        return context.datamap.on_interest(), ()
    return activities, purposes


def _on_interest(
    context: Context, activity_ids: tuple[str, ...], purpose_ids: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Narrow activities that serve a contract too to their purposes that do not: a membership goes on."""
    mixed = {
        activity.id: [one.id for one in activity.purposes if not one.rests_on or "f" in one.rests_on]
        for activity in context.datamap.activities
        if activity.id in activity_ids
        and any(one.rests_on and "f" not in one.rests_on for one in activity.purposes)
    }
    reached = [purpose_id for purposes in mixed.values() for purpose_id in purposes]
    return (
        tuple(one for one in activity_ids if one not in mixed),
        tuple(dict.fromkeys((*purpose_ids, *reached))),
    )


def _extent(
    context: Context, request: SubjectRequest, ground: RestrictionGround
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a restriction covers: what is objected to, a customer's installation, or everything."""
    if ground == "objection":
        return _on_interest(context, *named(context, request.wishes.objects_to))
    if request.scope.customer_id is None:
        return (), ()
    reached = (
        activity.id
        for activity in context.datamap.activities
        if any(store.customer_path is not None for store in activity.stores)
    )
    return tuple(reached), ()
