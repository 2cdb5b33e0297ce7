"""The rules that take the same records. Source: policy section 5."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from shared.datamap.activities import Activity
from shared.datamap.retention_rules import RetentionRule, Taken
from shared.domain.retention import UseScope


@dataclass(frozen=True, kw_only=True)
class Family:
    """The rules that take the same records, and the activity they belong to."""

    activity_id: str
    rules: tuple[RetentionRule, ...]
    takes: tuple[Taken, ...]

    @property
    def scope(self) -> UseScope:
        """Whose later use keeps whose data."""
        return self.rules[0].scope


def families_of(rules: Sequence[RetentionRule], activities: Sequence[Activity]) -> tuple[Family, ...]:
    """Return the rules with a stored trigger, those that take the same records together."""
    taken: defaultdict[tuple[Taken, ...], list[RetentionRule]] = defaultdict(list)
    for rule in rules:
        if rule.triggers:
            taken[rule.takes].append(rule)
    found = []
    for takes, together in taken.items():
        ids = {rule.id for rule in together}
        activity = next(one for one in activities if ids & {one.retention.rule, *one.retention.further_rules})
        found.append(Family(activity_id=activity.id, rules=tuple(together), takes=takes))
    return tuple(found)
