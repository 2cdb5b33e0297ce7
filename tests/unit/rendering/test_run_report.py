"""The report of a run of scheduled deletion: every figure of the record, and nothing of anybody."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from shared.datamap.loader import load
from shared.domain.periods import add_months
from shared.domain.retention_runs import Run, Step
from shared.rendering.run_report import Ahead, run_report, run_report_headers
from shared.rendering.words import words

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")
DATAMAP = load()
BEGAN = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
AHEAD = Ahead(
    counted_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    months=tuple(add_months(date(2026, 3, 1), number) for number in range(24)),
    by_rule={"R1": (3, *([0] * 23)), "R4a": tuple(range(24))},
    overdue={"R2": 4711},
)


def run(**changes) -> Run:
    """Return a run that is done, each figure another one."""
    return Run(
        **{
            "day": date(2026, 3, 2),
            "started_at": BEGAN,
            "ended_at": BEGAN.replace(hour=2, minute=18, second=7),
            "step": Step.DONE,
            "seen": 1201,
            "filed": 302,
            "by_rule": {"R1": 203, "R4b": 104},
            "erased": {"usage_events": 4005, "members": 106},
            "kept": {"held": 7, "restricted": 8, "by_duty": 9, "at_work": 10},
            "undated": 11,
            "unclear": 12,
            "failed": 13,
            "request_units": 1414.5,
            "oldest_overdue_on": date(2026, 2, 28),
            **changes,
        }
    )


class _Page(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.text = ""
        self._style = False
        self.feed(content)

    def handle_starttag(self, tag, _attrs):
        self.tags.append(tag)
        self._style = tag == "style"
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, _tag):
        self._style = False

    def handle_data(self, data):
        if not self._style:
            self.text += data
            if self.rows and self.rows[-1]:
                self.rows[-1][-1] += data

    def number(self, name: str) -> str:
        """Return what stands in the row that begins with a name."""
        (row,) = [one for one in self.rows if len(one) == 2 and one[0].startswith(name)]
        return row[1].split()[0]


def page(language: str = "en", **changes) -> _Page:
    """Return the report as it is read."""
    return _Page(run_report(DATAMAP, run(**changes), AHEAD, language=language))


def test_each_figure_stands_beside_its_name():
    """Rules that deleted nothing are there too."""
    found = page()
    rules = {one: found.number(one) for one in ("R1", "R2", "R3", "R4a", "R4b", "R4c")}
    assert rules == {"R1": "203", "R2": "0", "R3": "0", "R4a": "0", "R4b": "104", "R4c": "0"}
    assert found.number("Starts, stops and features used") == "4005"
    w = words("en")
    kept = [
        found.number(getattr(w, f"run_kept_{one}")) for one in ("held", "restricted", "by_duty", "at_work")
    ]
    assert kept == ["7", "8", "9", "10"]
    assert [found.number(getattr(w, f"run_doubt_{one}")) for one in ("undated", "unclear", "failed")] == [
        "11",
        "12",
        "13",
    ]
    for wanted in ("2 March 2026", "02:15", "1:03:07", "1201", "302", "1414.50", "28 February 2026, 2 days"):
        assert wanted in found.text


def test_the_chart_of_the_months_ahead_is_in_it():
    """With what it shows in words, and when it was counted."""
    found = page()
    assert "svg" in found.tags
    assert "due: R2 4711" in found.text
    assert "2 March 2026, 10:30" in found.text


@pytest.mark.parametrize("language", ["en", "da"])
@pytest.mark.parametrize(
    "changes", [{}, {"erased": {}, "kept": {}, "by_rule": {}, "oldest_overdue_on": None}]
)
def test_it_reads_in_both_languages_also_when_nothing_was_due(language, changes):
    """No word is missing, and no placeholder is left."""
    found = page(language, **changes)
    assert not re.search(r"\{\w+\}", found.text)
    assert ("Planlagt sletning" in found.text) == (language == "da")


def test_a_run_at_work_is_called_so():
    """And has no end."""
    found = page(step=Step.WATCHING, ended_at=None)
    assert words("en").run_at_work in found.text
    assert words("en").run_took not in found.text


def test_nothing_in_it_runs_loads_or_names_anybody():
    """Names from the record that the map does not know are escaped."""
    html = run_report(
        DATAMAP, run(erased={"<script>alert(1)</script>": 1}, cursor="user-ane"), AHEAD, language="en"
    )
    assert "<script" not in html
    assert "user-ane" not in html
    policy = run_report_headers()["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert " src=" not in html
    assert " style=" not in html
    assert "href=" not in html
