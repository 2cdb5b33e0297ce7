"""What is on file about one person, found by an address or a user id. Source: policy 6.2; GDPR 15(1).

The look-up is written down before anything is shown, as that of a case is; see `looking_up`.
"""

from dataclasses import dataclass

from shared.domain.controls import Hold, Restriction
from shared.domain.identifiers import SUBJECT_KEY, Identifiers
from shared.ports.cases import CaseRow
from shared.services.context import Context
from shared.services.holding import require_one_person
from shared.services.looking_up import note_look, wanted_purpose
from shared.services.resolving import resolve

MOST_REQUESTS = 500


@dataclass(frozen=True, kw_only=True)
class PersonView:
    """Holds and restrictions in force, and requests, the newest first; nothing: nothing is on file.

    `unclear`: why the person's other identifiers could not be relied on, so that only what stands under the
    one that was named is shown; None: they could. `has_more`: there are older requests than are shown.
    """

    holds: tuple[Hold, ...]
    restrictions: tuple[Restriction, ...]
    requests: tuple[CaseRow, ...]
    unclear: str | None
    has_more: bool


async def find_person(
    context: Context, named: Identifiers, *, purpose: str, staff_id: str, role: str
) -> PersonView:
    """Note the look-up under the person's pseudonym and return what is on file. A second call is another.

    Raises:
        Invalid: `purpose_missing` or `purpose_too_long`: say what for; `identifier_unknown` or
            `identifier_shared`: name one that the data map has and that is one person's own.
    """
    wanted = wanted_purpose(purpose)
    require_one_person(context, named, field=next(iter(named)))
    own = context.subject_keys(named)
    await note_look(context, own[0], purpose=wanted, staff_id=staff_id, role=role)
    person = await resolve(context, named)
    keys = own if person.problem else person.identifiers[SUBJECT_KEY]
    controls = [one.controls for one in await context.controls.read(keys)]
    # each once, though it stands under every pseudonym of the person
    holds = {hold.hold_id: hold for one in controls for hold in one.holds if hold.released_at is None}
    marks = {mark.restriction_id: mark for one in controls for mark in one.restrictions if not mark.lifted_at}
    rows, has_more = await _requests(context, keys)
    return PersonView(
        holds=tuple(holds.values()),
        restrictions=tuple(marks.values()),
        requests=rows,
        unclear=person.problem,
        has_more=has_more,
    )


async def _requests(context: Context, keys: tuple[str, ...]) -> tuple[tuple[CaseRow, ...], bool]:
    found: list[CaseRow] = []
    cursor: str | None = None
    while True:
        page = await context.cases.listing(subject_keys=keys, cursor=cursor, limit=100)
        found += page.rows
        cursor = page.cursor
        if cursor is None or len(found) >= MOST_REQUESTS:
            newest = sorted(found, key=lambda one: (one.received_at, one.request_id), reverse=True)
            return tuple(newest), cursor is not None
