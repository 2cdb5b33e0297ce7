"""What the controller decided about periods the policy does not state, and the rules that come of it.

A decision is no more than a rule with a first day, a person who answers for it and a reason: what executes
the policy's own rules executes it. One that says too little, or is about something that is not open, keeps
the map from being loaded: nothing is passed over in silence.
Source: GDPR articles 5(1)(e) and 5(2).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from shared.datamap.findings import Finding, Place, Way
from shared.datamap.models import (
    NOT_STATED,
    UNDECIDED,
    Activity,
    ActivityDecision,
    Countable,
    Decision,
    Frozen,
    OwnData,
    OwnDataDecision,
    Policy,
    RetentionRule,
    RuleVersion,
)
from shared.domain.times import copenhagen_day


class Decisions(Frozen):
    """The file of decisions, in two lists. Empty: nothing is decided."""

    activities: tuple[ActivityDecision, ...]
    own_data: tuple[OwnDataDecision, ...]


def decisions_hold(
    activities: Sequence[Activity], own_data: Sequence[OwnData], decisions: Decisions
) -> Iterator[Finding]:
    """Find decisions about what is not open, by a day that the map does not know, or made after the fact."""
    known = {one.id: one for one in activities}
    firsts: dict[str, ActivityDecision] = {}
    latest: dict[str, date] = {}
    for index, one in enumerate(decisions.activities):
        place: Way = ("activities", index)
        activity = known.get(one.activity)
        if activity is None:
            yield _finding((*place, "activity"), "decision_activity_unknown", f"no activity {one.activity}")
            continue
        if activity.retention.rule != NOT_STATED:
            message = f"the policy states a period for {one.activity}"
            yield _finding((*place, "activity"), "decision_period_in_policy", message)
            continue
        if one.trigger not in {countable.id for countable in activity.retention.may_count_from}:
            message = f"{one.activity} has nothing called {one.trigger} to count from"
            yield _finding((*place, "trigger"), "decision_trigger_unknown", message)
        if one.trigger != firsts.setdefault(one.activity, one).trigger:
            message = "an earlier decision counts from something else"
            yield _finding((*place, "trigger"), "decision_trigger_changed", message)
        yield from _dated(place, one, latest.get(one.activity))
        latest[one.activity] = max(one.effective_from, latest.get(one.activity, one.effective_from))
    yield from _own_data_holds(own_data, decisions)


def _own_data_holds(own_data: Sequence[OwnData], decisions: Decisions) -> Iterator[Finding]:
    known = {one.id: one for one in own_data}
    latest: dict[str, date] = {}
    for index, one in enumerate(decisions.own_data):
        place: Way = ("own_data", index)
        found = known.get(one.own_data)
        if found is None:
            yield _finding((*place, "own_data"), "decision_own_data_unknown", f"no own data {one.own_data}")
            continue
        if found.kept != UNDECIDED:
            message = f"how long {one.own_data} stays is said elsewhere"
            yield _finding((*place, "own_data"), "decision_period_elsewhere", message)
        elif found.deletes is None:
            yield _finding((*place, "own_data"), "decision_not_executable", "nothing would execute it")
        yield from _dated(place, one, latest.get(one.own_data))
        latest[one.own_data] = max(one.effective_from, latest.get(one.own_data, one.effective_from))


def _dated(place: Way, decision: Decision, before: date | None) -> Iterator[Finding]:
    if decision.effective_from < copenhagen_day(decision.decided_at):
        yield _finding((*place, "effective_from"), "decision_backdated", "it holds before it was made")
    if before is not None and decision.effective_from <= before:
        message = "it does not hold after the decision before it"
        yield _finding((*place, "effective_from"), "decision_out_of_order", message)
    if before is None and decision.applies_to_existing is not None:
        message = "there is no earlier decision that existing data would stay under"
        yield _finding((*place, "applies_to_existing"), "decision_without_earlier", message)


def _finding(way: Way, code: str, message: str) -> Finding:
    return Place(kind="decisions", way=way).finding(f"{code}: {message}")


def with_decisions(
    policy: Policy, activities: Iterable[Activity], decisions: Iterable[ActivityDecision]
) -> tuple[Policy, tuple[Activity, ...]]:
    """Return policy and activities with the rules that decisions make; the decisions are sound."""
    made = list(decisions)
    rules: list[RetentionRule] = []
    found: list[Activity] = []
    for activity in activities:
        own = tuple(one for one in made if one.activity == activity.id)
        if not own:
            found.append(activity)
            continue
        countable = next(one for one in activity.retention.may_count_from if one.id == own[-1].trigger)
        rule = _rule(activity, countable, own)
        rules.append(rule)
        retention = activity.retention.model_copy(update={"rule": rule.id})
        found.append(activity.model_copy(update={"retention": retention}))
    stated = [one.model_copy(update={"decisions": ()}) for one in policy.retention_rules]
    return policy.model_copy(update={"retention_rules": (*stated, *rules)}), tuple(found)


def own_data_decided(
    own_data: Iterable[OwnData], decisions: Iterable[OwnDataDecision]
) -> tuple[OwnData, ...]:
    """Return our own data with what was decided about it; the decisions are sound."""
    made = tuple(decisions)
    return tuple(
        one.model_copy(update={"decisions": tuple(each for each in made if each.own_data == one.id)})
        for one in own_data
    )


def _rule(activity: Activity, countable: Countable, decisions: tuple[ActivityDecision, ...]) -> RetentionRule:
    """Return the rule of an activity's decisions, oldest first; the last one is its present version."""
    *earlier, present = decisions
    versions = {
        "period": present.period,
        "valid_from": present.effective_from,
        "applies_to_existing": present.applies_to_existing,
        "earlier": tuple(
            RuleVersion(
                valid_from=one.effective_from, period=one.period, applies_to_existing=one.applies_to_existing
            )
            for one in earlier
        ),
        "decisions": decisions,
    }
    return rule_of(activity, countable).model_copy(update=versions)


def rule_of(activity: Activity, countable: Countable) -> RetentionRule:
    """Return the rule that a decision to count from these days would make, still without a period."""
    return RetentionRule(
        id=rule_id_of(activity.id),
        clause=activity.clauses[0],
        title=countable.title,
        trigger=countable.id,
        reset_by=countable.reset_by,
        erased_with_it=countable.erased_with_it,
        scope=countable.scope,
        triggers=countable.triggers,
        takes=countable.takes,
    )


def rule_id_of(activity_id: str) -> str:
    """Return what the rule of an activity's decisions is called."""
    return f"D-{activity_id}"
