"""What our own register says of a person who asks: the request itself is no data found."""

import html
import json
import re

import pytest

from shared.datamap.models import Text
from shared.rendering.archive import block
from shared.rendering.records import record_entries
from shared.rendering.report import StoreFinding, report_entries
from shared.rendering.words import words


def _made(datamap, report, members=()):
    """Return the page's text with single spaces, about.json, and every entry."""
    entries = dict(report_entries(datamap, report, members))
    text = html.unescape(re.sub(r"<[^>]+>", " ", entries["index.html"].decode()))
    return " ".join(text.split()), json.loads(entries["about.json"]), entries


def _with_register(datamap):
    """Return the map with an activity of our own database, which finds every request itself."""
    _, store = datamap.store("members")
    stores = tuple(
        store.model_copy(update={"id": name, "database": "compliance", "title": Text(en=name, da=name)})
        for name in ("own_requests", "disclosures")
    )
    register = datamap.activities[0].model_copy(update={"id": "own_records", "stores": stores})
    return datamap.model_copy(update={"activities": (*datamap.activities, register)})


def _found(*store_ids):
    return tuple(
        StoreFinding(store_id=store_id, records=1, files=0, pages=1, redactions=()) for store_id in store_ids
    )


NOTHING_ELSE = {"disclosures": (), "holds": (), "restrictions": (), "suppressions": ()}


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("language", "lead"),
    [
        ("en", "No data about you: we looked through all 3 activities of our privacy policy and found no"),
        ("da", "Ingen oplysninger om dig: Vi har gennemgået alle 3 aktiviteter"),
    ],
)
def test_a_request_that_finds_only_itself_finds_no_data_about_the_person(
    datamap, make_report, prepared_at, language, lead
):
    report = make_report(language=language, findings=_found("own_requests"), **NOTHING_ELSE)
    wide = _with_register(datamap)
    activity, store = wide.store("own_requests")
    written = record_entries(activity, store, [{"id": "1"}], page_number=1, language=language)
    text, about, entries = _made(wide, report, block(written, written_at=prepared_at).members)
    assert about["data_found"] is False
    assert not any(activity["data_found"] for activity in about["activities"])
    assert [activity["only_requests"] for activity in about["activities"]] == [False, False, True]
    assert lead in text
    assert text.count(words(language).found_none_register) == 2  # at the top, and at the register
    assert words(language).answer_requests in text
    # What is registered is in the copy all the same.
    assert b'href="data/own_requests/own_requests-000001.html"' in entries["index.html"]
    assert "schema/own_requests.schema.json" in entries


def test_the_register_does_not_count_among_activities_with_data(datamap, make_report):
    report = make_report(findings=_found("members", "own_requests"), **NOTHING_ELSE)
    text, about, _ = _made(_with_register(datamap), report)
    assert [activity["data_found"] for activity in about["activities"]] == [True, False, False]
    assert "all 3 activities of our privacy policy and found data about you in 1 of them" in text


@pytest.mark.parametrize("fact", NOTHING_ELSE)
def test_a_register_that_says_more_than_the_request_is_data_about_the_person(datamap, make_report, fact):
    full = make_report()
    facts = {**NOTHING_ELSE, fact: getattr(full, fact)}
    text, about, _ = _made(
        _with_register(datamap), make_report(findings=_found("own_requests", "disclosures"), **facts)
    )
    assert [activity["data_found"] for activity in about["activities"]] == [False, False, True]
    assert "found data about you in 1 of them" in text
