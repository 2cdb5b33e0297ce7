import csv
import io
import json
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rendering.archive import block
from shared.rendering.records import json_schema, record_entries
from shared.rendering.table import table_of, to_csv

APOSTROPHE_BEFORE_A_FORMULA = re.compile(r"(^|;)'(?=[ \"'\u200b]*[\t\r\n=+\-@])")
HOSTILE = {
    "script": "</td><script>alert(1)</script>",
    "formula": '=HYPERLINK("https://evil.invalid","click")',
    "right_to_left": "\u202egnp.exe",
    "emoji": "👩‍💻 æøå",
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "lines": "one\r\ntwo\nthree",
}


def _entries(datamap, records, language="en", store_id="members"):
    activity, store = datamap.store(store_id)
    found = record_entries(activity, store, records, page_number=1, language=language)
    return {name.rsplit(".", 1)[1]: content for name, content in found}


def _rows(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


class _Page(HTMLParser):
    def __init__(self, content):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def test_page_gives_three_entries_under_the_stores_folder(datamap, prepared_at):
    activity, store = datamap.store("members")
    found = record_entries(activity, store, [{"id": "1"}], page_number=12, language="en")
    assert [name for name, _ in found] == [
        "data/members/members-000012.json",
        "data/members/members-000012.csv",
        "data/members/members-000012.html",
    ]
    assert len(block(found, written_at=prepared_at).members) == 3


@pytest.mark.clause("4.2")
def test_json_copy_is_the_records_themselves_with_letters_as_they_are(datamap):
    records = [{"id": "1", "name": "Søren", "address": {"city": "Århus"}, "x": [1, None]}, {"id": "2"}]
    content = _entries(datamap, records)["json"]
    assert json.loads(content) == records
    assert "Søren" in content.decode()


def test_empty_page_is_valid_in_every_form(datamap):
    found = _entries(datamap, [])
    assert json.loads(found["json"]) == []
    assert len(_rows(found["csv"])) == 1
    assert "There is no record" in found["html"].decode()


def test_csv_has_mark_crlf_and_the_maps_columns_first(datamap):
    content = _entries(datamap, [{"zeta": 1, "alpha": 2, "name": "N", "address": {"city": "C", "zip": 1}}])[
        "csv"
    ]
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    assert _rows(content)[0] == [
        *("/id", "/email", "/name", "/address/street", "/address/city", "/joined", "/born", "/logins"),
        *("/tags", "/sponsor", "/address/zip", "/alpha", "/zeta"),
    ]


def test_csv_columns_do_not_depend_on_which_mapped_fields_a_page_has(datamap):
    one, two = (_rows(_entries(datamap, [record])["csv"])[0] for record in ({"id": "1"}, {"tags": []}))
    assert one == two


def test_csv_writes_each_kind_of_value_so_that_it_stays_one(datamap):
    record = {"a": -5, "b": 1.5, "c": True, "d": None, "e": [1, "x"], "f": {}, "g": "-5"}
    header, row = _rows(_entries(datamap, [record])["csv"])
    cells = dict(zip(header, row, strict=True))
    assert [cells[f"/{name}"] for name in "abcdefg"] == ["-5", "1.5", "true", "", '[1, "x"]', "{}", "'-5"]


def test_key_with_slash_or_tilde_becomes_a_json_pointer(datamap):
    assert "/a~1b~0c" in _rows(_entries(datamap, [{"a/b~c": 1}])["csv"])[0]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+45 12345678",
        "-x",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        '"=1',
        "'=1",
        "\u00a0=1",
        "\uff1d1",
    ],
)
def test_text_a_spreadsheet_would_run_gets_an_apostrophe(datamap, text):
    header, row = _rows(_entries(datamap, [{"note": text}])["csv"])
    assert row[header.index("/note")] == f"'{text}"


def test_text_behind_a_semicolon_is_made_safe_for_danish_spreadsheets(datamap):
    header, row = _rows(_entries(datamap, [{"note": "a;=1+1;b; -2"}])["csv"])
    assert row[header.index("/note")] == "a;'=1+1;b;' -2"


@given(st.text(alphabet=st.sampled_from("=+-@\t\r\n '\";,ab1\u200b"), max_size=12))
def test_no_cell_starts_a_formula_and_nothing_is_lost(text):
    table = table_of((), [{"v": text}])
    row = list(csv.reader(io.StringIO(to_csv(table, [""]), newline="")))[1]
    cell = row[0]
    for piece in cell.split(";"):
        assert not re.match(r"[\t\r\n]|[ \u200b]*[=+\-@]", piece)
    assert APOSTROPHE_BEFORE_A_FORMULA.sub(r"\1", cell) == text


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=8).filter(lambda name: name != "_redacted"),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
                ),
                max_leaves=6,
            ),
            max_size=5,
        ),
        max_size=4,
    )
)
def test_any_json_becomes_a_table_with_equal_rows_and_unique_columns(records):
    table = table_of((), records)
    lines = list(csv.reader(io.StringIO(to_csv(table, ["" for _ in records]), newline="")))
    assert len(set(table.columns)) == len(table.columns)
    assert all(len(row) == len(table.columns) for row in table.rows)
    if table.columns:
        assert len(lines) == len(records) + 1


def test_number_without_a_json_form_does_not_break_the_copy(datamap):
    found = _entries(datamap, [{"a": math.nan, "b": [-math.inf]}])
    assert json.loads(found["json"]) == [{"a": "nan", "b": ["-inf"]}]
    header, row = _rows(found["csv"])
    assert row[header.index("/a")] == "nan"


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("language", ["en", "da"])
def test_hostile_value_stays_a_value_in_every_form(datamap, kind, language):
    value = HOSTILE[kind]
    found = _entries(datamap, [{"name": value, value: "as a key"}], language)
    assert json.loads(found["json"]) == [{"name": value, value: "as a key"}]
    page = _Page(found["html"])
    assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert b"\x00" not in found["html"] + found["csv"]
    shown = value.replace("\x00", "␀").replace("\ud800", "\\ud800").replace("\r\n", "\n")
    assert shown in "".join(page.text).replace("\r\n", "\n")
    assert all(not cell.startswith("=") for row in _rows(found["csv"]) for cell in row)


@pytest.mark.parametrize("language", ["en", "da"])
def test_html_page_is_accessible_and_loads_nothing(datamap, language):
    page = _Page(_entries(datamap, [{"id": "1", "name": "N"}], language)["html"])
    tags = dict(page.tags)
    assert tags["html"]["lang"] == language
    assert [tag for tag, _ in page.tags].count("h1") == 1
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")
    links = [a["href"] for t, a in page.tags if t == "a"]
    assert links == ["../../index.html", "members-000001.csv", "members-000001.json"]


def test_titles_of_fields_are_in_the_readers_language(datamap):
    assert "Navn" in _entries(datamap, [{"name": "N"}], "da")["html"].decode()
    assert "Medlemsprofiler" in _entries(datamap, [{"name": "N"}], "da")["html"].decode()


def test_long_cell_is_shown_whole_on_a_sheet_of_its_record(datamap):
    page = _entries(datamap, [{"name": "x" * 10_000}])["html"].decode()
    assert "x" * 10_000 in page
    assert 'class="sheet"' in page


def test_short_records_stand_side_by_side(datamap):
    page = _entries(datamap, [{"name": "a"}, {"name": None}, {"email": False}])["html"].decode()
    assert 'class="rows"' in page
    assert "(empty)" in page
    assert "<td>no</td>" in page


@pytest.mark.clause("4.2")
def test_what_was_left_out_is_shown_with_its_reason_in_every_form(datamap):
    record = {"id": "1", "_redacted": [{"path": "/sponsor", "reason": "other people's data"}]}
    found = _entries(datamap, [record, {"id": "2"}], "da")
    assert json.loads(found["json"])[0]["_redacted"][0]["path"] == "/sponsor"
    header, first, second = _rows(found["csv"])
    assert header[-1] == "/_redacted"
    assert "other people" in first[-1]
    assert second[-1] == ""
    assert "udeladt: andre personers oplysninger" in found["html"].decode()


def test_same_page_gives_the_same_bytes(datamap):
    records = [{"name": "N", "b": {"d": 1, "c": 2}, "_redacted": [{"path": "/x", "reason": "r"}]}]
    assert _entries(datamap, records) == _entries(datamap, records)


def test_schema_describes_the_maps_fields_nested_as_they_are_stored(member_store):
    schema = json_schema(member_store)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["id", "email", "address"]
    address = schema["properties"]["address"]
    assert address["type"] == "object"
    assert address["required"] == ["street"]
    assert address["properties"]["city"]["type"] == ["string", "null"]
    assert schema["properties"]["joined"]["format"] == "date-time"
    assert schema["properties"]["born"]["format"] == "date"
    assert schema["properties"]["logins"]["type"] == ["integer", "null"]
    assert schema["properties"]["_redacted"]["items"]["required"] == ["path", "reason"]
    assert schema.get("additionalProperties", True) is True


def test_schema_never_requires_what_the_copy_leaves_out(member_store):
    assert "sponsor" not in json_schema(member_store)["required"]
