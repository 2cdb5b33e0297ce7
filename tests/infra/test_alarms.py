"""Alarms and the workbook read metrics and codes that the code writes."""

import json
import re

import pytest

from shared.telemetry import LABELS, METRICS
from tests.infra.bicep import INFRA, ROOT, read

RULES = json.loads((INFRA / "alarms.json").read_text("utf-8"))
WORKBOOK = json.loads((INFRA / "workbook.json").read_text("utf-8"))
QUERIES = [item["content"]["query"] for item in WORKBOOK["items"] if "query" in item.get("content", {})]
WHAT_MUST_RAISE_ONE = {
    "poison queue": "queue.poison_messages",
    "queue age": "queue.oldest_seconds",
    "case near its day": "cases.due_soon",
    "case past its day": "cases.overdue",
    "retention run missing or unfinished": "retention.run.unfinished",
    "webhook deactivated": "newsletter.webhook.active",
    "reconciliation diverging": "newsletter.reconciliation.diverging",
}
TABLES = {"AppMetrics", "AppTraces", "AppRequests"}
LONGEST_WINDOW_HOURS = 48


def _metrics(query: str) -> set[str]:
    return set(re.findall(r"'([a-z_]+(?:\.[a-z_]+)+)'", query))


@pytest.mark.parametrize("query", [*(one["query"] for one in RULES), *QUERIES])
def test_a_query_reads_what_is_measured(query):
    """By the names that the code has."""
    assert query.split(" ")[0] in TABLES
    assert _metrics(query) <= set(METRICS)
    assert set(re.findall(r"tostring\(Properties\.(\w+)\)", query)) <= LABELS
    assert query.startswith("AppMetrics") == bool(_metrics(query))


@pytest.mark.parametrize("metric", WHAT_MUST_RAISE_ONE.values(), ids=WHAT_MUST_RAISE_ONE)
def test_what_must_raise_an_alarm_has_a_rule(metric):
    """Besides errors of ours and throttling."""
    assert any(metric in _metrics(one["query"]) for one in RULES)


def test_errors_of_ours_and_throttling_have_their_rules_too():
    """The platform counts both."""
    assert any("ResultCode" in one["query"] for one in RULES)
    throttled = read(INFRA / "modules" / "alarms.bicep").resources["throttled"].text
    assert "values: ['429']" in throttled


def test_the_workbook_shows_every_metric():
    """And so all that an alarm reads."""
    assert {name for query in QUERIES for name in _metrics(query)} == set(METRICS)


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one["name"])
def test_a_rule_has_what_the_template_asks_for(rule):
    """Its text says what is wrong; what it looks back on is no shorter than its pause."""
    assert set(rule) == {"name", "severity", "every", "window", "operator", "threshold", "text", "query"}
    assert rule["operator"] in {"GreaterThan", "LessThan"}
    assert 0 <= rule["severity"] <= 4
    assert _minutes(rule["every"]) <= _minutes(rule["window"]) <= LONGEST_WINDOW_HOURS * 60
    assert rule["text"].endswith(".")


def test_every_code_of_an_alarm_is_in_the_operator_s_table():
    """Somebody has to know what to do."""
    table = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for rule in RULES:
        assert f"`{rule['name']}`" in table, rule["name"]


def test_alarms_reach_people_and_nothing_else():
    """One group, by mail; none is muted."""
    module = read(INFRA / "modules" / "alarms.bicep")
    assert module.resources["people"].value["properties"]["enabled"] is True
    assert module.resources["rule"].value["properties"]["actions"] == {"actionGroups": ["people.id"]}
    assert "muteActionsDuration" not in module.resources["rule"].text


def _minutes(duration: str) -> int:
    days, hours, minutes = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", duration).groups()
    return int(days or 0) * 1440 + int(hours or 0) * 60 + int(minutes or 0)
