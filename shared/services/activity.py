"""Take in what the products tell of people's use, and keep one clock a person and installation.

Scheduled deletion works from the records alone; a clock that is there only ever makes data go later. A call
that is repeated changes nothing. Source: policy 5.1.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.datamap.models import DataMap, DocumentStore, RetentionRule
from shared.domain.activity import ActivityClock, ActivityEvent, EventVerdict, moved, read_event
from shared.domain.errors import Conflict, Permanent
from shared.domain.retention import Fact, term_on
from shared.domain.times import copenhagen_day
from shared.ports.activity import StoredClock
from shared.services.context import Context

STORE_ID = "activity_clocks"
USER_ID = "user_id"
_TRIES = 5

_Use = tuple[datetime, str]
_Place = tuple[str, str]  # installation and customer


async def take_in(context: Context, events: Sequence[ActivityEvent]) -> tuple[EventVerdict, ...]:
    """Move the clocks of last use by some events, and return what came of each, in their order.

    Raises:
        Conflict: others write the same clocks; send the same events again.
        Retryable: a store did not answer; send the same events again.
    """
    now = context.clock.now()
    term = term_on(_rule(context.datamap).terms, copenhagen_day(now))
    period = (term.period if term else None) or ""
    verdicts: list[EventVerdict] = []
    uses: defaultdict[str, list[tuple[int, _Place, _Use]]] = defaultdict(list)
    seen: set[str] = set()
    for place, event in enumerate(events):
        verdict, used_at = read_event(event, now, period)
        if used_at is not None and event.event_id in seen:
            verdict, used_at = EventVerdict.REPEATED, None
        verdicts.append(verdict)
        if used_at is not None:
            seen.add(event.event_id)
            digest = ""
            if verdict is EventVerdict.CAPPED:
                digest = context.keys.sign("activity", event.event_id)[:16]
            uses[event.user_id].append((place, (event.installation_id, event.customer_id), (used_at, digest)))
    for user_id, of_person in uses.items():
        for place, verdict in (await _of_person(context, user_id, of_person)).items():
            verdicts[place] = verdict
    return tuple(verdicts)


async def last_use(context: Context, subject_keys: Sequence[str]) -> tuple[Fact, ...]:
    """Return the day of last use on each installation that was told. Empty: nobody told of any.

    Raises:
        Retryable: the clocks could not be read; never take that for "not used".
    """
    return tuple(
        Fact(
            group=one.clock.installation_id,
            on=copenhagen_day(one.clock.last_used_at),
            customer_id=one.clock.customer_id,
        )
        for one in await context.activity.read(subject_keys)
    )


async def _of_person(
    context: Context, user_id: str, uses: Sequence[tuple[int, _Place, _Use]]
) -> dict[int, EventVerdict]:
    """Move one person's clocks, and return the verdicts that turned out otherwise."""
    key = context.keys.subject_key(USER_ID, user_id)
    for _ in range(_TRIES):
        stored = await context.activity.read((key,))
        if not stored and not await _is_known(context, user_id):
            return {place: EventVerdict.UNKNOWN_PERSON for place, _, _ in uses}
        try:
            return await _moved(context, key, stored, uses)
        except Conflict:
            continue
    raise Conflict("changed_meanwhile", "activity")


async def _moved(
    context: Context, key: str, stored: Iterable[StoredClock], uses: Sequence[tuple[int, _Place, _Use]]
) -> dict[int, EventVerdict]:
    by_place = {(one.clock.installation_id, one.clock.customer_id): one for one in stored}
    repeated: dict[int, EventVerdict] = {}
    grouped: defaultdict[_Place, list[_Use]] = defaultdict(list)
    for number, place, use in uses:
        known = by_place.get(place)
        if use[1] and known is not None and use[1] in known.clock.capped:
            repeated[number] = EventVerdict.REPEATED
        grouped[place].append(use)
    for place, those in grouped.items():
        known = by_place.get(place)
        first = ActivityClock(
            subject_key=key, installation_id=place[0], customer_id=place[1], last_used_at=those[0][0]
        )
        clock = moved(known.clock if known else None, first, those)
        if clock is not None:
            await context.activity.write(StoredClock(clock=clock, etag=known.etag if known else None))
    return repeated


async def _is_known(context: Context, user_id: str) -> bool:
    """Whether the directory that the rule walks knows the person: else nothing would ever find the clock."""
    directory = next(one for one in _rule(context.datamap).triggers if one.directory)
    _, store = context.datamap.store(directory.store)
    if not isinstance(store, DocumentStore):
        raise Permanent("walk_not_documents", store.id)
    page = await context.documents.page(store, {USER_ID: (user_id,)}, cursor=None, limit=1, keys_only=True)
    return bool(page.documents)


def _rule(datamap: DataMap) -> RetentionRule:
    """Return the rule that the clocks are for."""
    for rule in datamap.policy.retention_rules:
        if any(one.store == STORE_ID for one in rule.triggers):
            return rule
    raise Permanent("activity_without_rule", STORE_ID)
