"""How long data stays, in words for the person: as the policy says, or as the controller decided."""

from collections.abc import Iterator

from shared.datamap.models import Activity, DataMap
from shared.datamap.own_data import OWN_RECORDS
from shared.rendering.dates import day_text, period_text
from shared.rendering.words import words


def criteria_text(datamap: DataMap, activity: Activity, language: str) -> str:
    """Return what decides how long an activity's data stays, with each decision and the day it holds from."""
    said = activity.retention.criteria.in_language(language)
    if activity.id == OWN_RECORDS:
        decided = list(_of_own_data(datamap, language))
        return " ".join([*decided, words(language).own_rest, said]) if decided else said
    return " ".join(_of_activity(datamap, activity, language)) or said


def _of_activity(datamap: DataMap, activity: Activity, language: str) -> Iterator[str]:
    titles = {one.id: one.title.in_language(language) for one in activity.retention.may_count_from}
    decisions = datamap.decisions_of(activity.id)
    for one in decisions:
        yield words(language).decided_period.format(
            period=period_text(one.period, language),
            after=titles[one.trigger],
            day=day_text(one.effective_from, language),
        )
    if any(one.applies_to_existing is None for one in decisions[1:]):
        yield words(language).decided_before


def _of_own_data(datamap: DataMap, language: str) -> Iterator[str]:
    for one in datamap.own_data:
        for decision in one.decisions:
            yield words(language).own_decided.format(
                title=one.title.in_language(language),
                period=period_text(decision.period, language),
                counted_from=one.counted_from.in_language(language),
                day=day_text(decision.effective_from, language),
            )
