"""What falls due in the months ahead, counted by the database. Nothing is read, and nothing written.

Source: policy section 5.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from shared.datamap.models import Trigger
from shared.domain.periods import add_months
from shared.domain.retention_runs import bound_by
from shared.domain.times import copenhagen_day
from shared.ports.documents import DueSearch
from shared.services.context import Context
from shared.services.retention_looking import documents_of
from shared.services.retention_searches import over, triggers

MONTHS = 24


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Records of the directories by the month in which they fall due, by rule; the first: due by today.

    `months`: the first day of each month, the present one first. Holds, restrictions and uses to come
    are left out.
    """

    months: tuple[date, ...]
    overdue: Mapping[str, int]
    by_rule: Mapping[str, tuple[int, ...]]


async def outlook(context: Context) -> Outlook:
    """Return what falls due in the next 24 months, counted by the database without reading a record."""
    today = copenhagen_day(context.clock.now())
    months = tuple(add_months(today.replace(day=1), number) for number in range(MONTHS))
    ends = [add_months(one, 1) - timedelta(days=1) for one in months]
    overdue: dict[str, int] = {}
    by_rule: dict[str, tuple[int, ...]] = {}
    for rule, trigger in triggers(context.datamap):
        if not trigger.directory and any(one.directory for one in rule.triggers):
            continue
        store = documents_of(context, trigger.store)
        if rule.period is None:
            overdue[rule.id] = overdue.get(rule.id, 0) + await context.documents.tally(
                store, over(rule.id, trigger)
            )
            continue
        counts = [0] * MONTHS
        for path, without in _first_days(trigger):
            since: str | None = None
            for number, last in enumerate([today, *ends]):
                until = bound_by(rule.terms, last)
                if not until:  # no decision holds yet
                    overdue.setdefault(rule.id, 0)
                    continue
                wanted = DueSearch(path=path, since=since, until=until, without=without)
                tallied = await context.documents.tally(store, wanted)
                if number == 0:
                    overdue[rule.id] = overdue.get(rule.id, 0) + tallied
                else:
                    counts[number - 1] += tallied
                since = until
        old = by_rule.get(rule.id, (0,) * MONTHS)
        by_rule[rule.id] = tuple(a + b for a, b in zip(old, counts, strict=True))
    return Outlook(months=months, overdue=overdue, by_rule=by_rule)


def _first_days(trigger: Trigger) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield paths that date each record once: the first, and those that do where it says nothing."""
    earlier: tuple[str, ...] = ()
    for path in (*trigger.paths, *trigger.otherwise):
        yield path, earlier
        earlier = (*earlier, path)
