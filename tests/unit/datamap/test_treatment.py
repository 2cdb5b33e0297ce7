"""What an erasure and an access do to one record."""

import copy
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datamap.models import DocumentStore, Elements, Match
from shared.datamap.treatment import (
    SYSTEM_FIELDS,
    Verdict,
    erase_elements,
    erase_record,
    found_identifiers,
    goes_whole,
    unmapped_paths,
    visible_elements,
    visible_record,
)
from tests.factories import kept, key, rule, small_map, text

TODAY = date(2026, 3, 2)
LAST_DAY = date(2029, 12, 31)  # five years from the end of 2024
MAP = small_map()
ANE = {"email": ("ane@people.example",), "user_id": ("user-ane",)}
INVOICE_FIELDS = (
    key("/id"),
    rule("/email"),
    rule("/phone"),
    rule("/contact/name"),
    rule("/note", on_erasure="mask", mask_with="[erased]"),
    kept("/name"),
    kept("/invoice_on", type="date"),
)
INVOICE = {
    "id": "i-1",
    "email": "ane@people.example",
    "phone": "+45 00",
    "contact": {"name": "Ane"},
    "note": "call Ane",
    "name": "Ane Made-up",
    "invoice_on": "2024-03-10",
    "_etag": '"1"',
    "_ts": 1,
}
PEOPLE = Elements(
    path="/people", matches=(Match(identifier="email", path="/email"),), surroundings=("/title", "/info/unit")
)
PERSON_FIELDS = (rule("/email"), rule("/name"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "email", "name", "note", "contact", "invoice_on", "people", "_ts", "ttl", ""]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
RECORDS = st.dictionaries(
    st.sampled_from([*INVOICE, "people", "ttl", "extra"]) | st.text(max_size=4), JSON, max_size=8
)
INVOICES = st.fixed_dictionaries(
    {"id": st.text(max_size=4)},
    optional={
        "email": st.text(max_size=4),
        "phone": JSON,
        "contact": st.fixed_dictionaries({}, optional={"name": JSON}),
        "note": st.text(max_size=4) | st.just("[erased]"),
        "name": JSON,
        "invoice_on": st.dates().map(str) | st.just("soon"),
    },
)


def erase(record, fields=INVOICE_FIELDS, today=TODAY):
    return erase_record(record, fields, today=today)


@pytest.mark.clause("4.4")
def test_a_record_with_nothing_to_keep_is_erased_whole():
    """Keys and technical fields share its fate."""
    treated = erase({"id": "e-1", "user_id": "user-ane", "what": "x"}, (key("/id"), rule("/user_id")))
    assert (treated.verdict, treated.record, treated.kept) == (Verdict.ERASE, None, ())


def test_a_record_of_which_part_must_stay_is_cut_down():
    """Erased fields go, masked ones are overwritten, kept ones and keys stay; why is said."""
    treated = erase(INVOICE)
    assert treated.verdict is Verdict.REWRITE
    assert treated.record == {
        "id": "i-1",
        "note": "[erased]",
        "name": "Ane Made-up",
        "invoice_on": "2024-03-10",
    }
    (reason,) = treated.kept
    assert (reason.reason, reason.provision, reason.until) == ("bookkeeping", "Bookkeeping Act", LAST_DAY)


def test_the_record_read_is_left_as_it_was():
    """What is judged is still what was read."""
    before = copy.deepcopy(INVOICE)
    erase(INVOICE)
    assert before == INVOICE


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(
    ("today", "verdict"),
    [
        (date(2029, 12, 30), Verdict.KEEP),
        (LAST_DAY, Verdict.KEEP),
        (date(2030, 1, 1), Verdict.ERASE),
    ],
)
def test_a_record_is_kept_through_its_last_day(today, verdict):
    """Below, at and above."""
    record = {"id": "i-1", "name": "Ane", "invoice_on": "2024-03-10"}
    fields = (key("/id"), kept("/name"), kept("/invoice_on"))
    assert erase(record, fields, today).verdict is verdict


def test_a_reason_that_ran_out_keeps_nothing_while_another_goes_on():
    """Each field has a day of its own."""
    fields = (
        key("/id"),
        kept("/name", until_path="/old_on"),
        kept("/old_on", until_path="/old_on"),
        kept("/total", until_path="/new_on"),
        kept("/new_on", until_path="/new_on"),
    )
    record = {"id": "i", "name": "Ane", "old_on": "2015-01-01", "total": 5, "new_on": "2025-01-01"}
    treated = erase(record, fields)
    assert treated.record == {"id": "i", "total": 5, "new_on": "2025-01-01"}
    assert [reason.until for reason in treated.kept] == [date(2030, 12, 31)]


def test_a_date_stays_while_another_field_is_kept_by_it():
    """Without it nobody could tell later when the other one goes."""
    short = kept("/invoice_on", type="date")
    until = short.keep.until.model_copy(update={"period": "P1Y"})
    short = short.model_copy(update={"keep": short.keep.model_copy(update={"until": until})})
    record = {"id": "i", "email": "a@b.dk", "name": "Ane", "invoice_on": "2021-05-05"}
    treated = erase(record, (key("/id"), rule("/email"), kept("/name"), short))
    assert treated.record == {"id": "i", "name": "Ane", "invoice_on": "2021-05-05"}


def test_a_reason_without_a_day_keeps_for_good():
    """And says that no day is set."""
    duty = {"reason": text("a law"), "provision": "Some Act"}
    treated = erase({"id": "i", "name": "Ane"}, (key("/id"), rule("/name", on_erasure="keep", keep=duty)))
    assert treated.verdict is Verdict.KEEP
    assert treated.kept[0].until is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        20240310,
        17100288.5,
        True,
        ["2024-03-10"],
        {"day": "2024-03-10"},
        "10-03-2024",
        "2024-02-30",
        "2024-03-10T23:30:00",  # which day it was depends on a zone nobody wrote down
        "9999-12-31",  # nothing can be five years after it
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_keeping_duty_whose_date_cannot_be_read_is_undecidable(value):
    """Neither erased nor kept on a guess."""
    treated = erase({**INVOICE, "invoice_on": value})
    assert (treated.verdict, treated.record) == (Verdict.UNDECIDABLE, None)
    assert treated.problem == "keeping_date_unreadable:/invoice_on"


def test_a_missing_keeping_date_is_undecidable():
    """As long as something is kept by it."""
    record = {name: value for name, value in INVOICE.items() if name != "invoice_on"}
    assert erase(record).verdict is Verdict.UNDECIDABLE


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2024-12-31T22:59:59+00:00", LAST_DAY),
        ("2024-12-31T23:00:00Z", date(2030, 12, 31)),
        ("20241231", LAST_DAY),
    ],
)
def test_a_moment_counts_as_its_day_in_copenhagen(moment, until):
    """The last hour of the year belongs to the next."""
    assert erase({**INVOICE, "invoice_on": moment}).kept[0].until == until


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ({"nickname": "A"}, "/nickname"),
        ({"contact": {"name": "Ane", "title": "Dr"}}, "/contact/title"),
        ({"contact": "Ane"}, "/contact"),
        ({"contact": ["Ane"]}, "/contact"),
        ({"contact/name": "Ane"}, "/contact~1name"),
        ({"": "Ane"}, "/"),
    ],
)
def test_a_field_nobody_described_in_a_record_that_stays_is_undecidable(extra, path):
    """It might be the person's."""
    treated = erase({**INVOICE, **extra})
    assert (treated.verdict, treated.problem) == (Verdict.UNDECIDABLE, f"field_not_mapped:{path}")


def test_a_field_nobody_described_goes_with_a_record_that_goes():
    """Nothing of it stays to be judged."""
    assert erase({"id": "e", "nickname": "A"}, (key("/id"),)).verdict is Verdict.ERASE


def test_technical_fields_of_the_database_are_no_one_s():
    """They are neither unmapped nor written back."""
    record = {**INVOICE, **dict.fromkeys(SYSTEM_FIELDS - {"ttl"}, "x")}
    assert unmapped_paths(record, INVOICE_FIELDS) == []
    assert not set(erase(record).record or {}) & SYSTEM_FIELDS


def test_a_record_s_own_time_to_live_survives_its_rewriting():
    """Without it, what was to go by itself would stay for ever."""
    assert (erase({**INVOICE, "ttl": 3600}).record or {})["ttl"] == 3600


def test_a_parent_left_empty_goes_with_its_last_child():
    """An empty object tells that there was one."""
    fields = (key("/id"), rule("/a/b/c"), rule("/a/d"), kept("/invoice_on"))
    record = {"id": "i", "a": {"b": {"c": "x"}}, "invoice_on": "2024-03-10"}
    assert erase(record, fields).record == {"id": "i", "invoice_on": "2024-03-10"}
    record["a"]["d"] = "y"
    fields = (key("/id"), rule("/a/b/c"), key("/a/d"), kept("/invoice_on"))
    assert erase(record, fields).record == {"id": "i", "a": {"d": "y"}, "invoice_on": "2024-03-10"}


@given(INVOICES, st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1)))
def test_a_second_erasure_finds_nothing_more_to_take(record, today):
    """A record that was cut down says KEEP, for the same reasons."""
    first = erase(record, today=today)
    if first.verdict is Verdict.REWRITE:
        second = erase(first.record, today=today)
        assert (second.verdict, second.kept) == (Verdict.KEEP, first.kept)


@given(INVOICES.filter(lambda one: "2021" <= one.get("invoice_on", "2024") <= "2026"))
def test_what_must_go_is_never_left_and_what_must_stay_is_never_touched(record):
    """For every mix of fields and values."""
    treated = erase(record)
    if treated.record is None:
        return
    assert not {"email", "phone"} & set(treated.record)
    assert not treated.record.get("contact")
    assert treated.record.get("note", "[erased]") == "[erased]"
    for name in ("id", "name", "invoice_on"):
        assert (name in treated.record) == (name in record)


STORES = {store.id: store for _, store in MAP.stores()}


def test_only_stores_without_anything_to_keep_mask_or_share_go_whole():
    """There nobody need read a record before it goes."""
    whole = {name for name, store in STORES.items() if isinstance(store, DocumentStore) and goes_whole(store)}
    assert whole == {"people", "events"}


@given(RECORDS)
def test_a_record_of_a_store_that_goes_whole_is_erased_whatever_is_in_it(record):
    """So its key is enough."""
    for name in ("people", "events"):
        assert erase(record, STORES[name].fields).verdict is Verdict.ERASE


@given(RECORDS)
def test_no_record_raises(record):
    """Wrong types everywhere are judged or undecidable, never an exception half way through a page."""
    for fields in (INVOICE_FIELDS, PERSON_FIELDS, (), (key("/id"), kept("/a/b", until_path="/id"))):
        assert erase(record, fields).verdict in Verdict
        assert isinstance(visible_record(record, fields), dict)
        found_identifiers(record, fields)
        unmapped_paths(record, fields)
    treated = erase_elements(record, PEOPLE, PERSON_FIELDS, MAP, ANE, today=TODAY)
    assert treated.verdict in Verdict
    visible_elements(record, PEOPLE, PERSON_FIELDS, MAP, ANE)
