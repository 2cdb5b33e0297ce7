"""Legal holds: placed, listed, released. A hold delays erasing and nothing else; releasing it erases at last.

A hold is written under every pseudonym of the person, so that it matches whatever address a request comes
by. Source: policy 5.3; GDPR article 17(3).
"""

import secrets
from dataclasses import dataclass
from datetime import date, timedelta

from shared.datamap.models import DocumentStore
from shared.domain.controls import RETENTION_SWITCH_KEY, SWITCH_KEY, Controls, Hold, HoldGround
from shared.domain.errors import Invalid, NotAllowed, NotFound
from shared.domain.identifiers import EMAIL, SUBJECT_KEY, Identifiers, parse_email
from shared.domain.times import copenhagen_day
from shared.services import marking
from shared.services.context import Context
from shared.services.deciding import MOST_TEXT
from shared.services.deferring import take_up_deferred
from shared.services.resolving import resolve

_LICENCES = "licences"
MOST_HELD = 10_000


@dataclass(frozen=True, kw_only=True)
class PlaceHold:
    """A hold to place. `activity_id` None: on everything of the person."""

    identifiers: Identifiers
    activity_id: str | None
    ground: HoldGround
    reason: str
    review_on: date
    placed_by: str


@dataclass(frozen=True, kw_only=True)
class PlacedHold:
    """A hold that stands. `matches`: how many stores of documents know the person today.

    0: none does, so most likely the name is mistyped. The hold stands all the same, for a record may come
    under that name later. Logs, files and processors are not asked. `beside`: other holds with its ground and
    scope on the same person, by id.
    """

    hold_id: str
    matches: int
    is_new: bool
    beside: tuple[str, ...]


async def place(context: Context, wanted: PlaceHold) -> PlacedHold:
    """Place a hold on a person. It counts at once, also for erasures that have begun.

    A second call with the same ground, scope and reason finds the first hold, with its own day of review, and
    completes it. Another reason is another hold: the release of one does not take the other away.

    Raises:
        Invalid: `hold_reason_missing`, `hold_review_past`, `hold_review_far` (later than the limits let it
            go unseen), `email_invalid`, `hold_ground_unfit` (policy 5.3 covers licence
            data only), `activity_unknown`, `identifier_unknown`, `identifier_shared` when none is one
            person's own, or `person_unclear` when the identifiers lead to more than one person.
    """
    if not wanted.reason.strip():
        raise Invalid("hold_reason_missing", "a hold needs a reason", field="reason")
    if len(wanted.reason) > MOST_TEXT:
        raise Invalid("hold_reason_too_long", f"at most {MOST_TEXT} characters", field="reason")
    _require_review(context, wanted.review_on)
    activity_ids = [one.id for one in context.datamap.activities]
    if wanted.activity_id is not None and wanted.activity_id not in activity_ids:
        raise Invalid("activity_unknown", f"choose from: {', '.join(activity_ids)}", field="activity_id")
    if wanted.ground == "policy_5_3" and wanted.activity_id != _LICENCES:
        raise Invalid("hold_ground_unfit", "policy 5.3 keeps licence data only", field="ground")
    require_one_person(context, wanted.identifiers, field="kind")
    resolved = await resolve(context, _well_formed(wanted.identifiers))
    if resolved.problem is not None:
        raise Invalid("person_unclear", resolved.problem, field="identifiers")
    matches = await _stores_that_know(context, resolved.identifiers)
    keys = resolved.identifiers[SUBJECT_KEY]
    beside = {
        one.hold_id: one
        for stored in await context.controls.read(keys)
        for one in stored.controls.holds
        if one.released_at is None and (one.ground, one.activity_id) == (wanted.ground, wanted.activity_id)
    }
    same = next((one for one in beside.values() if one.reason == wanted.reason.strip()), None)
    hold = same or Hold(
        hold_id=secrets.token_hex(8),
        activity_id=wanted.activity_id,
        ground=wanted.ground,
        reason=wanted.reason.strip(),
        placed_at=context.clock.now(),
        placed_by=wanted.placed_by,
        review_on=wanted.review_on,
    )

    def held(controls: Controls) -> Controls:
        known = any(one.hold_id == hold.hold_id for one in controls.holds)
        return controls if known else controls.model_copy(update={"holds": (*controls.holds, hold)})

    await marking.change(context, keys, held)
    others = tuple(sorted(beside.keys() - {hold.hold_id}))
    return PlacedHold(hold_id=hold.hold_id, matches=matches, is_new=same is None, beside=others)


def _require_review(context: Context, review_on: date) -> None:
    """Refuse a day that is over, and one so far ahead that a hold would keep data unseen for years."""
    today = copenhagen_day(context.clock.now())
    if review_on <= today:
        raise Invalid("hold_review_past", "a hold is reviewed on a day to come", field="review_on")
    most = context.limits.hold_review_days
    if review_on > today + timedelta(days=most):
        raise Invalid("hold_review_far", f"at most {most} days ahead", field="review_on")


def _well_formed(identifiers: Identifiers) -> Identifiers:
    return {
        kind: tuple(parse_email(value) for value in values) if kind == EMAIL else values
        for kind, values in identifiers.items()
    }


async def _stores_that_know(context: Context, identifiers: Identifiers) -> int:
    """Return how many stores of documents hold a record of a person; our own register is none of them."""
    stores = [
        store
        for _, store in context.datamap.stores()
        if isinstance(store, DocumentStore) and store.database != "compliance"
    ]
    return sum([await _knows(context, store, identifiers) for store in stores])


async def _knows(context: Context, store: DocumentStore, identifiers: Identifiers) -> bool:
    cursor: str | None = None
    while True:
        page = await context.documents.page(store, identifiers, cursor=cursor, limit=1)
        if page.documents:
            return True
        cursor = page.cursor
        if cursor is None:
            return False


def require_one_person(context: Context, identifiers: Identifiers, *, field: str) -> None:
    """Refuse what finds nobody: a hold on nobody would keep nothing, and nobody would notice.

    Raises:
        Invalid: `identifier_unknown` or `identifier_shared`, with this field.
    """
    kinds = {one.id: one for one in context.datamap.policy.identifiers if one.id != SUBJECT_KEY}
    if identifiers.keys() - kinds.keys():
        raise Invalid("identifier_unknown", "the data map has no such kind", field=field)
    if all(kinds[kind].shared for kind in identifiers):
        raise Invalid("identifier_shared", "name what is one person's own", field=field)


@dataclass(frozen=True, kw_only=True)
class HoldInForce:
    """A hold and every pseudonym it stands under. `is_overdue`: the day of its review has passed."""

    hold: Hold
    subject_keys: tuple[str, ...]
    is_overdue: bool


async def in_force(context: Context) -> tuple[HoldInForce, ...]:
    """Return every hold in force, the one to be reviewed first before the others; the kill switch is none."""
    found: dict[str, tuple[Hold, list[str]]] = {}
    for controls in await context.controls.held(limit=MOST_HELD):
        for hold in controls.holds:
            if hold.released_at is None and controls.subject_key not in (SWITCH_KEY, RETENTION_SWITCH_KEY):
                found.setdefault(hold.hold_id, (hold, []))[1].append(controls.subject_key)
    today = copenhagen_day(context.clock.now())
    listed = [
        HoldInForce(hold=hold, subject_keys=tuple(sorted(keys)), is_overdue=hold.review_on < today)
        for hold, keys in found.values()
    ]
    return tuple(sorted(listed, key=lambda one: (one.hold.review_on, one.hold.hold_id)))


@dataclass(frozen=True, kw_only=True)
class Released:
    """What a release did. `was_in_force` false: the hold had been released before."""

    taken_up: int
    was_in_force: bool


async def release(context: Context, hold_id: str, *, released_by: str, reason: str = "") -> Released:
    """Release a hold, and take up the erasures it deferred. A second call finds none and changes no reason.

    One that was cut off is called again: it takes up what the first call left. A request whose answer is on
    its way at this moment is taken up by whoever makes it stand.

    Raises:
        NotFound: `hold_unknown`.
        NotAllowed: `switch_is_no_hold`: erasing is resumed by its own switch.
    """
    if hold_id.startswith("switch-"):
        raise NotAllowed("switch_is_no_hold")
    keys = await context.controls.keys_with_hold(hold_id)
    if not keys:
        raise NotFound("hold_unknown")
    now = context.clock.now()
    note = {"released_at": now, "released_by": released_by, "release_reason": reason.strip()}
    was_in_force = any(
        one.hold_id == hold_id and one.released_at is None
        for stored in await context.controls.read(keys)
        for one in stored.controls.holds
    )

    def released(controls: Controls) -> Controls:
        return controls.model_copy(
            update={
                "holds": tuple(
                    one.model_copy(update=note) if one.hold_id == hold_id and one.released_at is None else one
                    for one in controls.holds
                )
            }
        )

    await marking.change(context, keys, released)
    taken_up = 0
    for request_id in await context.cases.of_person(keys):
        taken_up += await take_up_deferred(context, request_id)
    return Released(taken_up=taken_up, was_in_force=was_in_force)
