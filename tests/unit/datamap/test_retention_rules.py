"""What the map says about the days that start a period."""

from shared.datamap.models import DataMap, DocumentStore
from shared.domain.retention import USE_KINDS, UseScope


def test_every_activity_with_a_rule_has_a_day_to_start_from(datamap: DataMap) -> None:
    """And every store of it goes by that rule."""
    for activity in datamap.activities:
        if activity.retention.rule == "not_stated":
            continue
        for rule_id in (activity.retention.rule, *activity.retention.further_rules):
            rule = datamap.rule(rule_id)
            assert rule.triggers, rule_id
            assert {store.id for store in activity.stores} <= {taken.store for taken in rule.takes}


def test_only_what_a_person_did_in_the_application_counts_as_use(datamap: DataMap) -> None:
    """The map and the pure rule name the same kinds."""
    events = next(one for one in datamap.rule("R1").triggers if one.store == "usage_events")
    assert events.only is not None
    assert set(events.only.values) == USE_KINDS


def test_the_scope_of_use_is_the_literal_one(datamap: DataMap) -> None:
    """All other rules count for each record alone."""
    scopes = {rule.id: rule.scope for rule in datamap.policy.retention_rules}
    assert scopes.pop("R1") is UseScope.PERSON
    assert set(scopes.values()) == {UseScope.RECORD}


def test_the_link_to_the_use_goes_with_the_use_and_with_the_membership(datamap: DataMap) -> None:
    """Policy 5.1 and 5.4."""
    for rule_id in ("R1", "R4a", "R4b", "R4c"):
        assert "usage_links" in {taken.store for taken in datamap.rule(rule_id).takes}


def test_a_walked_store_tells_who_its_people_are(datamap: DataMap) -> None:
    """Otherwise the daily run would find a day and nobody it belongs to."""
    for rule in datamap.policy.retention_rules:
        for trigger in rule.triggers:
            _, store = datamap.store(trigger.store)
            assert isinstance(store, DocumentStore)
            matches = store.elements.matches if store.elements else store.matches
            assert any(field.path == match.path for match in matches for field in store.fields)
