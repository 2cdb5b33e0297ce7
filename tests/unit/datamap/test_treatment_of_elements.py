"""Whose a record is, what the person may see of it, and elements of documents many people share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datamap.models import Match
from shared.datamap.treatment import (
    MISSING,
    OTHERS_DATA,
    Verdict,
    belongs,
    erase_elements,
    found_identifiers,
    value_at,
    visible_elements,
    visible_record,
)
from tests.factories import kept, key, rule
from tests.unit.datamap.test_treatment import ANE, JSON, LAST_DAY, MAP, PEOPLE, PERSON_FIELDS, TODAY

# elements of shared documents

TEAM = {
    "id": "t-1",
    "title": "All",
    "info": {"unit": "north", "secret": "x"},
    "people": [
        {"email": "bo@people.example", "name": "Bo", "odd": [1, {"a": None}]},
        {"email": "ANE@People.Example", "name": "Ane"},
        "not an object",
        {"email": "carl@people.example", "name": "Carl"},
    ],
    "_etag": '"7"',
}


def _erase_team(team, fields=PERSON_FIELDS, identifiers=ANE, today=TODAY):
    return erase_elements(team, PEOPLE, fields, MAP, identifiers, today=today)


@pytest.mark.clause("4.4")
def test_only_the_person_s_elements_leave_a_shared_document():
    """The others stay as they are, in their order, whatever is in them."""
    treated = _erase_team(TEAM)
    assert treated.verdict is Verdict.REWRITE
    assert treated.record == {
        "id": "t-1",
        "title": "All",
        "info": TEAM["info"],
        "people": [TEAM["people"][0], *TEAM["people"][2:]],
    }


def test_a_shared_document_without_the_person_is_left_alone():
    """As it is after an erasure."""
    again = _erase_team(_erase_team(TEAM).record)
    assert (again.verdict, again.record) == (Verdict.KEEP, None)


def test_an_element_that_must_stay_in_part_is_cut_down_in_its_place():
    """With its reason; a second call keeps it."""
    fields = (rule("/email"), kept("/name"), kept("/invoice_on"))
    team = {
        "people": [
            {"email": "bo@people.example"},
            {"email": "ane@people.example", "name": "Ane", "invoice_on": "2024-03-10"},
        ]
    }
    treated = _erase_team(team, fields)
    assert treated.record == {
        "people": [{"email": "bo@people.example"}, {"name": "Ane", "invoice_on": "2024-03-10"}]
    }
    assert treated.kept[0].until == LAST_DAY


def test_one_undecidable_element_leaves_the_whole_document():
    """Nothing is written half."""
    fields = (rule("/email"), kept("/name"), kept("/invoice_on"))
    people = [{"email": "ane@people.example"}, {"email": "ane@people.example", "name": "A"}]
    treated = _erase_team({"people": people}, fields)
    assert (treated.verdict, treated.record) == (Verdict.UNDECIDABLE, None)


@pytest.mark.parametrize("people", [None, {}, "x", 5, {"0": {"email": "ane@people.example"}}])
def test_elements_that_are_no_array_are_undecidable(people):
    """The person might be in there."""
    treated = _erase_team({"id": "t-1", "people": people})
    assert (treated.verdict, treated.problem) == (Verdict.UNDECIDABLE, "not_an_array:/people")
    assert _erase_team({"id": "t-1"}).verdict is Verdict.UNDECIDABLE


ELEMENTS = st.lists(
    JSON
    | st.fixed_dictionaries(
        {"email": st.sampled_from(["ane@people.example", "Ane@People.example", "bo@people.example"])},
        optional={"name": JSON, "extra": JSON},
    ),
    max_size=6,
)


@given(ELEMENTS)
def test_elements_of_others_are_equal_before_and_after(people):
    """Whoever else is in the document, whatever was written about them."""
    others = [one for one in people if not belongs(one, PEOPLE.matches, MAP, ANE)]
    treated = _erase_team({"id": "t-1", "people": people})
    after = people if treated.record is None else treated.record["people"]
    assert repr(after) == repr(others)


# whose a record is


@pytest.mark.parametrize(
    ("record", "mine"),
    [
        ({"email": "ane@people.example"}, True),
        ({"email": "ANE@PEOPLE.EXAMPLE"}, True),
        ({"email": "ane@people.example2"}, False),
        ({"email": ["ane@people.example"]}, False),
        ({"email": {"ane@people.example": 1}}, False),
        ({"email": None}, False),
        ({"Email": "ane@people.example"}, False),
        ({}, False),
        ("ane@people.example", False),
        (["ane@people.example"], False),
        (None, False),
    ],
)
def test_a_record_is_a_person_s_by_the_value_at_its_place(record, mine):
    """Addresses without case; other types and other places are nobody's."""
    assert belongs(record, (Match(identifier="email", path="/email"),), MAP, ANE) is mine


def test_exact_identifiers_are_compared_with_their_case():
    """Two user ids may differ by it."""
    match = (Match(identifier="user_id", path="/user_id"),)
    assert belongs({"user_id": "user-ane"}, match, MAP, ANE)
    assert not belongs({"user_id": "USER-ANE"}, match, MAP, ANE)


def test_one_of_many_values_is_enough():
    """Where the map says there are many."""
    match = (Match(identifier="user_id", path="/users", many=True),)
    assert belongs({"users": [7, None, "user-ane"]}, match, MAP, ANE)
    assert belongs({"users": "user-ane"}, match, MAP, ANE)
    assert not belongs({"users": ["user-bo"]}, match, MAP, ANE)


def test_nobody_known_owns_nothing():
    """An empty set of identifiers matches no empty value."""
    match = (Match(identifier="email", path="/email"),)
    for identifiers in ({}, {"email": ()}):
        assert not belongs({"email": ""}, match, MAP, identifiers)
        assert not belongs({}, match, MAP, identifiers)


def test_identifiers_of_the_wrong_type_are_named():
    """A number where an identifier should be leads nowhere, which must not pass unseen."""
    fields = (rule("/email", identifier="email"), rule("/user_id", identifier="user_id"), rule("/name"))
    found, wrong = found_identifiers({"email": "a@b.dk", "user_id": 5, "name": 7}, fields)
    assert (found, wrong) == ([("email", "a@b.dk")], ["/user_id"])
    assert found_identifiers({"email": None, "user_id": ""}, fields) == ([], [])
    assert found_identifiers({"email": " \t", "user_id": " "}, fields) == ([], [])


# what the person may see


@pytest.mark.clause("4.2")
def test_a_person_sees_the_record_without_other_people_s_values():
    """What was left out is named, with the reason."""
    fields = (key("/id"), rule("/name"), rule("/boss/name", about="other"), rule("/boss/mail", about="other"))
    record = {"id": "1", "name": "Ane", "boss": {"name": "Bo"}, "unmapped": 5, "_ts": 3, "ttl": 9}
    seen = visible_record(record, fields)
    assert seen == {
        "id": "1",
        "name": "Ane",
        "unmapped": 5,
        "_redacted": [{"path": "/boss/name", "reason": OTHERS_DATA}],
    }
    assert record["boss"] == {"name": "Bo"}


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("record", "shown", "is_named"),
    [
        ({"by": {"kind": "subject"}, "email": "a@b.dk"}, "a@b.dk", False),
        ({"by": {"kind": "other"}, "email": "a@b.dk"}, None, True),
        ({"by": {}, "email": "a@b.dk"}, None, True),
        ({"email": "a@b.dk"}, None, True),
        ({"by": {"kind": "other"}, "email": None}, None, False),
        ({"by": {"kind": "other"}}, None, False),
    ],
    ids=["own", "another's", "nobody's", "unknown whose", "emptied", "never there"],
)
def test_a_value_that_is_the_person_s_in_some_records_is_seen_in_those_only(record, shown, is_named):
    """Where it is not said whose it is, it is not shown; and it leads to no other records either."""
    own = rule("/email", identifier="email", own_when={"path": "/by/kind", "equals": "subject"})
    fields = (key("/id"), rule("/by", type="object"), own)
    seen = visible_record({"id": "1", **record}, fields)
    assert seen.get("email") == shown
    assert ("_redacted" in seen) is is_named
    assert found_identifiers(record, fields) == ([("email", shown)] if shown else [], [])


@pytest.mark.clause("4.2")
def test_a_person_sees_the_own_elements_with_their_surroundings():
    """Not the other elements; that there are some is said."""
    seen, others = visible_elements(TEAM, PEOPLE, PERSON_FIELDS, MAP, ANE)
    assert others == 3
    (mine,) = seen
    assert mine == {
        "title": "All",
        "info_unit": "north",
        "email": "ANE@People.Example",
        "name": "Ane",
        "_redacted": [{"path": "/people", "reason": OTHERS_DATA}],
    }


def test_elements_without_others_have_nothing_left_out():
    """No note without a reason."""
    seen, others = visible_elements(
        {"people": [{"email": "ane@people.example"}]}, PEOPLE, PERSON_FIELDS, MAP, ANE
    )
    assert (seen, others) == ([{"email": "ane@people.example"}], 0)


def test_a_value_is_found_by_its_pointer():
    """A missing value is not the same as null."""
    record = {"a": {"b": None}, "c": [1]}
    assert value_at(record, "/a/b") is None
    assert value_at(record, "/a/x") is MISSING
    assert value_at(record, "/c/0") is MISSING
    assert not MISSING
    assert repr(MISSING) == "MISSING"
