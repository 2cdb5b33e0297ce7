"""A decision that says too little, or is about what is not open, keeps the map from being loaded."""

from datetime import date

import pytest

from shared.datamap.loader import load
from tests.unit.datamap.conftest import Spoilt

COMPLETE = {
    "activity": "orders",
    "trigger": "shipped_or_invoiced",
    "period": "P2Y",
    "decided_by": "Head of a made-up company",
    "decided_at": "2026-01-01T09:00:00Z",
    "reason": "a made-up reason",
    "effective_from": "2026-02-01",
}


def decide(spoilt: Spoilt, *decisions: dict[str, str | None]) -> None:
    """Write decisions into the copied map; a None leaves its member out."""
    lines = ["activities:"]
    for one in decisions:
        members = [f"{key}: {value}" for key, value in one.items() if value is not None]
        lines += [f"  {'- ' if number == 0 else '  '}{text}" for number, text in enumerate(members)]
    path = spoilt.directory / "decisions.yaml"
    text = path.read_text(encoding="utf-8").replace("activities: []", "\n".join(lines))
    path.write_text(text, encoding="utf-8")


def test_a_complete_decision_makes_a_rule_that_says_who_decided(spoilt: Spoilt) -> None:
    decide(spoilt, COMPLETE)
    datamap = load(spoilt.directory)
    rule = datamap.rule("D-orders")
    assert datamap.activity("orders").retention.rule == rule.id
    assert (rule.period, rule.valid_from) == ("P2Y", date(2026, 2, 1))
    (one,) = datamap.decisions_of("orders")
    assert (one.decided_by, one.reason) == ("Head of a made-up company", "a made-up reason")
    assert datamap.digest != load().digest


def test_nothing_is_decided_as_it_ships() -> None:
    datamap = load()
    assert all(not rule.decisions for rule in datamap.policy.retention_rules)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"decided_by": None}, "decision_incomplete", "decided_by"),
        ({"decided_by": '""'}, "decision_incomplete", "decided_by"),
        ({"decided_at": None}, "decision_incomplete", "decided_at"),
        ({"reason": '"  "'}, "decision_incomplete", "reason"),
        ({"reason": None}, "decision_incomplete", "reason"),
        ({"reason": '""'}, "decision_incomplete", "reason"),
        ({"effective_from": None}, "decision_incomplete", "effective_from"),
        ({"period": None}, "decision_incomplete", "period"),
        ({"trigger": None}, "decision_incomplete", "trigger"),
        ({"activity": None, "id": "x"}, "decision_incomplete", "activity"),
        ({"period": "two years"}, "decision_period_unreadable", "period"),
        ({"period": "P0Y"}, "decision_period_unreadable", "period"),
        ({"period": "P1Y6M"}, "decision_period_unreadable", "period"),
        ({"period": "P730D"}, "decision_period_unreadable", "period"),
        ({"period": "P1000Y"}, "decision_period_unreadable", "period"),
        ({"decided_at": "2026-01-01T09:00:00"}, "decision_unreadable", "decided_at"),
        ({"effective_from": "soon"}, "decision_unreadable", "effective_from"),
        ({"valid_until": "2030-01-01"}, "decision_unreadable", "valid_until"),
        ({"activity": "order"}, "decision_activity_unknown", "activity"),
        ({"activity": "usage"}, "decision_period_in_policy", "activity"),
        ({"trigger": "paid"}, "decision_trigger_unknown", "trigger"),
        ({"activity": "own_records"}, "decision_trigger_unknown", "trigger"),
        ({"effective_from": "2025-12-31"}, "decision_backdated", "effective_from"),
        ({"applies_to_existing": "a basis"}, "decision_without_earlier", "applies_to_existing"),
    ],
)
def test_a_decision_is_refused_with_its_code_and_place(
    spoilt: Spoilt, changes: dict[str, str | None], code: str, field: str
) -> None:
    decide(spoilt, {**COMPLETE, **changes})
    problems = spoilt.problems()
    assert any(one.startswith("decisions.yaml:") and f".{field}: {code}: " in one for one in problems), (
        problems
    )


def test_a_day_that_is_none_is_refused(spoilt: Spoilt) -> None:
    decide(spoilt, {**COMPLETE, "effective_from": "2026-02-30"})
    (problem,) = spoilt.problems()
    assert problem.endswith("activities[0].effective_from: there is no such day or time")


def test_a_decision_may_hold_from_the_day_it_is_made(spoilt: Spoilt) -> None:
    """Of Copenhagen: late in the evening of the day before, in UTC."""
    decide(spoilt, {**COMPLETE, "decided_at": "2026-01-31T23:30:00Z", "effective_from": "2026-02-01"})
    assert load(spoilt.directory).rule("D-orders").valid_from == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"effective_from": "2026-02-01"}, "decision_out_of_order"),
        ({"effective_from": "2026-01-31"}, "decision_out_of_order"),
    ],
)
def test_a_later_decision_holds_after_the_one_before_it(
    spoilt: Spoilt, changes: dict[str, str | None], code: str
) -> None:
    decide(spoilt, COMPLETE, {**COMPLETE, **changes})
    assert any(f"{code}: " in one for one in spoilt.problems())


def test_a_later_decision_is_a_version_of_the_rule(spoilt: Spoilt) -> None:
    later = {"period": "P1Y", "effective_from": "2026-02-02"}
    decide(spoilt, COMPLETE, {**COMPLETE, **later})
    terms = load(spoilt.directory).rule("D-orders").terms
    assert [(one.period, one.valid_from) for one in terms] == [
        ("P2Y", date(2026, 2, 1)),
        ("P1Y", date(2026, 2, 2)),
    ]


def test_a_later_decision_counts_from_the_same(spoilt: Spoilt) -> None:
    spoilt.replace("orders.yaml", "    - id: shipped_or_invoiced", _ANOTHER + "    - id: shipped_or_invoiced")
    decide(spoilt, COMPLETE, {**COMPLETE, "trigger": "shipped", "effective_from": "2026-03-01"})
    assert any("decision_trigger_changed: " in one for one in spoilt.problems())


def test_all_that_is_wrong_with_decisions_is_told_at_once(spoilt: Spoilt) -> None:
    decide(spoilt, {**COMPLETE, "activity": "order"}, {**COMPLETE, "trigger": "paid"})
    assert len(spoilt.problems()) == 2


def test_a_map_without_its_file_of_decisions_is_refused(spoilt: Spoilt) -> None:
    (spoilt.directory / "decisions.yaml").unlink()
    assert spoilt.problems() == ["decisions.yaml:1 the file is missing"]


_ANOTHER = """    - id: shipped
      title: {en: after an order was shipped, da: efter at en ordre er afsendt}
      erased_with_it: {en: The address, da: Adressen}
      triggers: [{store: orders, group: /id, paths: [/shipped_at]}]
      takes: [{store: orders, by: /id}]
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("paths: [/shipped_at, /invoice_on]}", "paths: [/sent_at]}", "no field describes /sent_at"),
        ("paths: [/shipped_at, /invoice_on]}", "paths: []}", "a period needs a date to start from"),
        ("- {store: orders, by: /id}", "- {store: members, by: /id}", "leaves orders behind"),
    ],
)
def test_a_day_no_decision_could_count_from_is_found_before_anybody_decides(
    spoilt: Spoilt, old: str, new: str, message: str
) -> None:
    spoilt.replace("orders.yaml", old, new)
    assert any("may_count_from[0]" in one and message in one for one in spoilt.problems())


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ("    earlier: [{period: P2Y}]\n", "a later version needs the day it holds from"),
        (
            "    valid_from: 2026-01-01\n    earlier: [{period: P2Y, valid_from: 2026-01-01}]\n",
            "it does not hold after the version before it",
        ),
        ("    applies_to_existing: a basis\n", "there is no earlier version"),
        ("    valid_from: 2026-01-01\n    earlier: [{}]\n", "a version without a period"),
    ],
)
def test_versions_of_a_rule_follow_each_other(spoilt: Spoilt, versions: str, message: str) -> None:
    spoilt.replace("policy.yaml", "    period: P1Y\n", "    period: P1Y\n" + versions)
    assert any(message in one for one in spoilt.problems())
