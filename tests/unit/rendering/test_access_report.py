import hashlib
import json
from configparser import ConfigParser
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from string import Formatter

import pytest

from shared.datamap.models import Recipient, Text, Transfer
from shared.domain.errors import Permanent
from shared.rendering.report import HeldFact, StoreFinding, report_entries
from shared.rendering.templating import TEMPLATES
from shared.rendering.transfers import transfer_spans
from shared.rendering.words import words


class _Page(HTMLParser):
    def __init__(self, content):
        super().__init__()
        self.tags, self.pieces = [], []
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.pieces.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.pieces).split())


def _made(datamap, report, members=()):
    entries = dict(report_entries(datamap, report, members))
    return _Page(entries["index.html"]), json.loads(entries["about.json"]), entries


def test_report_consists_of_its_entries_in_a_fixed_order(datamap, make_report, members_of_archive):
    names = [name for name, _ in report_entries(datamap, make_report(), members_of_archive)]
    assert names == [
        *("index.html", "about.json", "schema/members.schema.json", "schema/member_files.schema.json"),
        *("README.txt", "manifest.json"),
    ]


EVERY_ROW = [
    ("15(1) confirmation", "Yes, we process personal data about you", ("data_found",), True),
    ("15(1) per activity yes", "Data about you: ✓ Yes", ("activities", 0, "data_found"), True),
    ("15(1) per activity no", "Data about you: \u2013 No", ("activities", 1, "data_found"), False),
    ("15(1)(a)", "Run the membership", ("activities", 0, "purposes", 0, "title"), "Run the membership"),
    ("15(1)(a) each", "Send the newsletter", ("activities", 0, "purposes", 1, "id"), "newsletter"),
    (
        "15(1)(b) category",
        "Contact details :",
        ("activities", 0, "categories", 1, "title"),
        "Contact details",
    ),
    ("15(1)(b) field", "Name", ("activities", 0, "categories", 1, "fields", 1, "title"), "Name"),
    ("15(1)(c) name", "Example Mail Ltd", ("activities", 0, "recipients", 0, "name"), "Example Mail Ltd"),
    (
        "15(1)(c) role",
        "Example Mail Ltd , works for us on our instructions (processor)",
        ("activities", 0, "recipients", 0, "kind"),
        "processor",
    ),
    (
        "15(1)(c) date",
        "3 February 2026, 13:00 : handed over e-mail, name (mailing of February, M-77)",
        ("activities", 0, "recipients", 0, "disclosures", 0, "disclosed_at"),
        "2026-02-03T12:00:00.000000Z",
    ),
    (
        "15(1)(c) ledger",
        "Made-up Carrier role not stated",
        ("disclosures", 1, "recipient"),
        "Made-up Carrier",
    ),
    ("15(1)(d) period", "3 years : Three years after", ("activities", 0, "retention", "period"), "P3Y"),
    ("15(1)(d) criteria", "While you log in", ("activities", 0, "retention", "criteria"), "While you log in"),
    ("15(1)(d) gap", "not stated", ("activities", 1, "retention", "period"), "not_stated"),
    (
        "15(1)(d) gap criteria",
        "we do not invent one. Criteria: The contract's end",
        ("activities", 1, "retention", "criteria"),
        "The contract's end",
    ),
    (
        "15(1)(d) hold",
        "Erasure waits: a dispute over a fee. Not used for anything else. To be reviewed on 15 January 2027",
        ("activities", 0, "holds", 0, "review_on"),
        "2027-01-15",
    ),
    ("15(1)(e) always", "Erasure: applies", ("activities", 1, "rights", 1, "applies"), True),
    ("15(1)(e) objection", "Objection: applies", ("activities", 0, "rights", 3, "right"), "objection"),
    (
        "15(1)(e) portability",
        "Data portability: does not apply . It rests on an interest",
        ("activities", 1, "rights", 4, "applies"),
        False,
    ),
    (
        "15(1)(e) withdrawal",
        "Withdrawal of consent: applies",
        ("activities", 0, "rights", 5, "applies"),
        True,
    ),
    (
        "15(1)(f)",
        "The Example Authority , https://authority.example.invalid/",
        ("complaint", "authority", "url"),
        "https://authority.example.invalid/",
    ),
    ("15(1)(g)", "You gave it at sign-up", ("activities", 0, "source", "text"), "You gave it at sign-up"),
    ("15(1)(g) kinds", "observed when you use", ("activities", 1, "source", "kinds"), ["observed"]),
    (
        "15(1)(h) profiling",
        "Usage is linked to the profile",
        ("activities", 0, "profiling"),
        "Usage is linked to the profile",
    ),
    ("15(1)(h) none", "No profiling takes place", ("activities", 1, "profiling"), None),
    (
        "15(1)(h) decisions",
        "No decision based solely on automated processing",
        ("activities", 0, "automated_decisions"),
        "none_recorded",
    ),
    (
        "15(2) past",
        "Privacy Shield , from 28 May 2018 to 15 July 2020; in the past",
        ("activities", 0, "transfers", 0, "status"),
        "past",
    ),
    (
        "15(2) gap",
        "no mechanism recorded , from 16 July 2020 to 9 July 2023; in the past",
        ("activities", 0, "transfers", 1, "mechanism"),
        None,
    ),
    (
        "15(2) now",
        "Data Privacy Framework, from 10 July 2023 (no end date); valid now ; evidence: list checked",
        ("activities", 0, "transfers", 2, "status"),
        "now",
    ),
    (
        "15(2) copy",
        "You can have a copy of the safeguards",
        ("controller", "email"),
        "privacy@example.invalid",
    ),
    (
        "basis stated",
        "Stated in the policy: (c) legal",
        ("activities", 1, "legal_basis", "stated"),
        ["c", "f"],
    ),
    (
        "basis supported",
        "What it rests on: (f) legitimate interests",
        ("activities", 1, "legal_basis", "supported"),
        ["f"],
    ),
    (
        "basis unsupported",
        "we find no support for it and do not rely on it against you: (c) legal obligation",
        ("activities", 1, "legal_basis", "stated_but_not_supported"),
        ["c"],
    ),
    ("interest", "Knowing our members", ("activities", 0, "legal_basis", "interest"), "Knowing our members"),
    (
        "interest gap",
        "Legitimate interest: not stated",
        ("activities", 1, "legal_basis", "interest"),
        "not_stated",
    ),
    ("role contested", "Contested: the customer who receives", ("activities", 1, "role_contested"), True),
    ("controller", "Prøvevej 1, 9999 Eksempelby", ("controller", "name"), "Example Learning A/S"),
    (
        "officer",
        "No data protection officer stated",
        ("controller", "data_protection_officer"),
        "not_stated",
    ),
    ("remedy", "You can also take the matter to the courts", ("complaint", "verified_on"), "2026-11-01"),
    ("restriction", "your objection is being decided", ("restrictions", 0, "ground"), "objection"),
    (
        "suppression",
        "block list since 6 May 2025: objection to marketing",
        ("suppressions", 0, "since"),
        "2025-05-06",
    ),
    ("versions", "3 from 1 April 2022 yes, recorded", ("policy_versions", 1, "shown_to_you"), True),
    ("versions not shown", "to 1 September 2021 not recorded", ("policy_versions", 0, "shown_to_you"), False),
    ("backups", "Database copies: 30 days", ("backups", 0, "horizon_days"), 30),
    (
        "redactions",
        "Member profiles other people's data (GDPR article 15(4)) 2",
        ("redactions", 0, "count"),
        2,
    ),
]


@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("shown", "path", "value"), [row[1:] for row in EVERY_ROW], ids=[r[0] for r in EVERY_ROW]
)
def test_every_part_of_article_15_is_in_both_forms(
    datamap, make_report, members_of_archive, shown, path, value
):
    page, about, _ = _made(datamap, make_report(), members_of_archive)
    assert " ".join(shown.split()).replace(" ", "") in page.text.replace(" ", "")
    for step in path:
        about = about[step]
    assert about == value


@pytest.mark.clause("4.9")
@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", ("You can complain to the supervisory authority", "courts")),
        ("da", ("klage til tilsynsmyndigheden", "domstolene")),
    ],
)
def test_complaint_and_court_are_named_in_both_languages(datamap, make_report, language, shown):
    page, about, _ = _made(datamap, make_report(language=language))
    assert all(words_shown in page.text for words_shown in shown)
    assert about["complaint"]["judicial_remedy"] in page.text


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("language", ["en", "da"])
@pytest.mark.parametrize(
    "findings", [(), (StoreFinding(store_id="members", records=0, files=0, pages=0, redactions=()),)]
)
def test_no_data_about_you_is_an_answer_of_the_same_form(datamap, make_report, language, findings):
    full, full_about, _ = _made(datamap, make_report(language=language))
    report = make_report(
        language=language, findings=findings, disclosures=(), holds=(), restrictions=(), suppressions=()
    )
    page, about, entries = _made(datamap, report)
    assert ("No data about you" if language == "en" else "Ingen oplysninger om dig") in page.text
    assert about["data_found"] is False
    assert about.keys() == full_about.keys()
    assert not any(name.startswith("schema/") for name in entries)
    headings = [attributes.get("id") for tag, attributes in page.tags if tag in {"h2", "h3"}]
    assert headings == [attributes.get("id") for tag, attributes in full.tags if tag in {"h2", "h3"}]


@pytest.mark.parametrize("language", ["en", "da"])
def test_danish_and_english_have_one_form(datamap, make_report, members_of_archive, language):
    page, about, entries = _made(datamap, make_report(language=language), members_of_archive)
    assert dict(page.tags)["html"]["lang"] == language
    assert ("Medlemskab" in page.text) == (language == "da")
    assert ("23. november 2026 kl. 10.15" in page.text) == (language == "da")
    assert ("Denne pakke" in entries["README.txt"].decode()) == (language == "da")
    assert about["language"] == language
    assert len(entries["README.txt"].decode().strip().split("\n\n")) == 2


def test_every_word_exists_in_both_languages_with_the_same_places():
    found = []
    for language in ("en", "da"):
        parser = ConfigParser(interpolation=None, delimiters=("=",))
        parser.read_string((TEMPLATES / f"words.{language}.ini").read_text("utf-8"))
        found.append(
            {
                name: sorted(field for _, field, _, _ in Formatter().parse(text) if field)
                for name, text in parser.items("words")
            }
        )
    assert found[0] == found[1]
    assert words("en").yes == "yes"


def test_manifest_holds_the_checksum_of_every_other_entry(datamap, make_report, members_of_archive):
    _, _, entries = _made(datamap, make_report(), members_of_archive)
    manifest = json.loads(entries["manifest.json"])
    listed = {row["name"]: row for row in manifest["entries"]}
    assert len(listed) == len(manifest["entries"])
    assert listed.keys() == ({member.name for member in members_of_archive} | entries.keys()) - {
        "manifest.json"
    }
    for name, content in entries.items():
        if name != "manifest.json":
            assert listed[name]["sha256"] == hashlib.sha256(content).hexdigest()
            assert listed[name]["size_bytes"] == len(content)
    assert listed["files/member_files/000001-cv.pdf"]["sha256"] == hashlib.sha256(b"x").hexdigest()
    assert (manifest["request_id"], manifest["map_digest"]) == ("req-0001", "d" * 64)
    assert manifest["prepared_at"] == "2026-11-23T09:15:30.000000Z"


def test_every_link_of_the_index_leads_to_an_entry_or_a_heading(datamap, make_report, members_of_archive):
    page, _, entries = _made(datamap, make_report(), members_of_archive)
    targets = {member.name for member in members_of_archive} | entries.keys()
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert "data/members/members-000002.html" in links
    assert "files/member_files/000001-cv.pdf" in links
    for link in links:
        assert link in targets or link.removeprefix("#") in anchors or link.startswith("https://authority.")


def test_index_loads_and_runs_nothing(datamap, make_report):
    page, _, _ = _made(datamap, make_report())
    assert not {"script", "img", "iframe", "link", "object", "form"} & {tag for tag, _ in page.tags}
    policies = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies[0].startswith("default-src 'none'; style-src 'sha256-")
    assert [tag for tag, _ in page.tags].count("h1") == 1


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", "\u202eabc", "a\x00b", "👩‍💻", "x\ud800y"])
def test_hostile_value_of_a_ledger_row_stays_a_value(datamap, make_report, value):
    report = make_report()
    hostile = replace(
        report.disclosures[0], recipient_id=value, purpose=value, fields=(value,), reference=value
    )
    holds = (HeldFact(activity_id=value, reason=value, review_on=None),)
    report = replace(report, disclosures=(hostile,), holds=holds, restrictions=(value,))
    page, about, entries = _made(datamap, report)
    assert "script" not in {tag for tag, _ in page.tags}
    assert b"\x00" not in entries["index.html"]
    assert about["disclosures"][0]["purpose"] == value
    assert value.replace("\x00", "␀").replace("\ud800", "\\ud800") in page.text


def test_hold_over_everything_is_shown_at_every_activity(datamap, make_report):
    hold = HeldFact(activity_id="all", reason="a claim", review_on=None)
    page, about, _ = _made(datamap, make_report(holds=(hold,)))
    assert [len(activity["holds"]) for activity in about["activities"]] == [1, 1]
    assert "Every activity" in page.text
    assert "No review date is set" in page.text


@pytest.mark.parametrize("name", ["controller_email", "authority_address", "authority_url", "verified_on"])
def test_answer_is_refused_while_a_contact_is_missing(datamap, make_report, contacts, name):
    empty = None if name == "verified_on" else ""
    with pytest.raises(Permanent, match=name):
        report_entries(datamap, make_report(contacts=replace(contacts, **{name: empty})), ())


def test_finding_of_an_unknown_store_is_an_error(datamap, make_report):
    finding = StoreFinding(store_id="nowhere", records=1, files=0, pages=1, redactions=())
    with pytest.raises(KeyError):
        report_entries(datamap, make_report(findings=(finding,)), ())


def test_same_facts_give_the_same_bytes(datamap, make_report, members_of_archive):
    made = [report_entries(datamap, make_report(), members_of_archive) for _ in range(2)]
    assert made[0] == made[1]


def _spans(*rows, today=date(2026, 11, 23)):
    recipient = Recipient(
        id="r",
        name="R",
        kind="processor",
        clause="3.3",
        what_for=Text(en="x", da="x"),
        data=Text(en="x", da="x"),
        transfers=tuple(
            Transfer(country="US", importer="R Inc", mechanism=mechanism, valid_from=start, valid_to=end)
            for mechanism, start, end in rows
        ),
    )
    return [
        (span.mechanism, span.valid_from, span.valid_to, span.status)
        for span in transfer_spans(recipient, today=today)
    ]


def test_transfer_without_rows_has_no_spans():
    assert _spans() == []


def test_transfer_rows_that_touch_leave_no_gap():
    rows = [("A", date(2020, 1, 1), date(2021, 1, 1)), ("B", date(2021, 1, 2), None)]
    assert [span[0] for span in _spans(*rows)] == ["A", "B"]


def test_one_day_between_transfer_rows_is_a_gap():
    rows = [("A", date(2020, 1, 1), date(2021, 1, 1)), ("B", date(2021, 1, 3), None)]
    assert _spans(*rows)[1] == (None, date(2021, 1, 2), date(2021, 1, 2), "past")


def test_transfer_whose_last_mechanism_ended_has_none_now():
    assert _spans(("A", None, date(2020, 7, 15)))[-1] == (None, date(2020, 7, 16), None, "now")


def test_transfer_that_only_says_not_stated_has_no_mechanism_since_then():
    assert _spans(("not_stated", date(2018, 5, 28), None)) == [(None, date(2018, 5, 28), None, "now")]
    assert _spans(("not_stated", None, None)) == [(None, None, None, "now")]


def test_gap_the_map_names_itself_is_shown_once():
    rows = [
        ("A", date(2018, 5, 28), date(2020, 7, 15)),
        ("not_stated", date(2020, 7, 16), date(2023, 7, 9)),
        ("B", date(2023, 7, 10), None),
    ]
    assert [span[0] for span in _spans(*rows)] == ["A", None, "B"]
    assert _spans(*rows)[1][1:3] == (date(2020, 7, 16), date(2023, 7, 9))


def test_overlapping_transfer_rows_leave_no_gap():
    rows = [("A", date(2018, 1, 1), None), ("B", date(2019, 1, 1), date(2020, 1, 1))]
    assert [span[0] for span in _spans(*rows)] == ["A", "B"]


def test_mechanism_of_a_later_day_is_not_valid_now():
    rows = [("A", date(2027, 1, 1), None)]
    assert _spans(*rows) == [("A", date(2027, 1, 1), None, "future")]
