"""A person reads how long data stays as the controller decided, and never a period nobody set."""

import pytest

from shared.datamap.loader import load
from shared.rendering.kept import criteria_text
from tests.unit.services.deciding_periods import decided_map, decision, own_decision


def kept(datamap, activity_id: str, language: str = "en") -> str:
    return criteria_text(datamap, datamap.activity(activity_id), language)


@pytest.mark.parametrize("activity_id", ["usage", "orders", "own_records"])
def test_without_a_decision_the_map_speaks(activity_id):
    datamap = load()
    for language in ("en", "da"):
        criteria = datamap.activity(activity_id).retention.criteria.in_language(language)
        assert kept(datamap, activity_id, language) == criteria


def test_a_decision_is_told_with_the_day_it_holds_from():
    datamap = decided_map(decision("orders", "P2Y", "2027-01-01"))
    assert kept(datamap, "orders") == (
        "2 years after an order was shipped or invoiced; the controller decided so with effect from "
        "1 January 2027."
    )
    assert kept(datamap, "orders", "da") == (
        "2 år efter at en ordre er afsendt eller faktureret; det har den dataansvarlige besluttet "
        "med virkning fra 1. januar 2027."
    )
    assert "No period has been set yet." in kept(datamap, "authors")


@pytest.mark.parametrize(("basis", "told"), [(None, True), ("a new contract", False)])
def test_a_later_decision_is_told_beside_the_one_before(basis, told):
    later = decision("orders", "P3Y", "2028-01-01", applies_to_existing=basis)
    text = kept(decided_map(decision("orders", "P2Y", "2027-01-01"), later), "orders")
    assert text.startswith("2 years after ")
    assert "3 years after " in text
    assert ("collected before a longer period" in text) is told


@pytest.mark.parametrize("language", ["en", "da"])
def test_nobody_s_name_or_reason_is_told_to_the_person(language):
    datamap = decided_map(
        decision("orders", "P2Y", "2027-01-01"), own_decision("case_files", "P3Y", "2027-01-01")
    )
    text = kept(datamap, "orders", language) + kept(datamap, "own_records", language)
    assert "made-up" not in text


def test_what_was_decided_about_our_own_data_stands_before_the_rest():
    datamap = decided_map(own_decision("case_files", "P36M", "2027-01-01"))
    assert kept(datamap, "own_records").startswith(
        "Your requests, our letters and what was done: 36 months after the request was closed, "
        "with effect from 1 January 2027. For the rest: No period has been set yet."
    )
