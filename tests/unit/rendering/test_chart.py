"""The chart: well-formed, readable aloud, and nothing in it but text and shapes."""

import xml.etree.ElementTree as ET
from datetime import date

import pytest

from shared.rendering.chart import chart

MONTHS = (date(2026, 3, 1), date(2026, 4, 1))
SVG = "{http://www.w3.org/2000/svg}"


def drawn(by_rule, overdue, **changes):
    """Return a chart as elements."""
    return ET.fromstring(chart(MONTHS, by_rule, overdue, **changes))  # noqa: S314  our own text


def test_it_says_in_words_what_it_shows():
    """Title and description stand first, and are what the image is labelled by."""
    root = drawn({"R1": (3, 0)}, {"R4c": 2})
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "chart-title chart-desc")
    assert [root[0].tag, root[1].tag] == [f"{SVG}title", f"{SVG}desc"]
    assert root[1].text == "records. due: R4c 2; 2026-03: R1 3."
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"R1", "R4c", "2026-03", "2026-04", "due"} <= set(texts)


def test_it_speaks_danish():
    """Title, unit and language."""
    root = drawn({}, {}, language="da")
    assert root.get("lang") == "da"
    assert root[1].text == "Intet skal slettes."


def test_names_are_escaped():
    """A rule's id is a value and never markup."""
    root = drawn({'<script>"&': (1, 1)}, {})
    assert [one.tag for one in root.iter() if "script" in one.tag] == []
    assert '<script>"&' in [one.text for one in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("highest", [0, 1, 4, 5, 99, 100, 101, 123_456])
def test_no_column_is_higher_than_the_scale(highest):
    """And none lies outside the picture."""
    root = drawn({"R1": (highest, -1)}, {})
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("x") and float(one.get("y", 0)) > 42]
    assert len(bars) == (1 if highest else 0)
    assert all(float(one.get("y")) >= 56 for one in bars)
    ticks = [one.text for one in root.iter(f"{SVG}text") if one.get("text-anchor") == "end"]
    assert int(ticks[4]) >= highest


def test_equal_counts_give_an_equal_chart():
    """Whatever order the rules come in."""
    assert chart(MONTHS, {"A": (1, 2), "B": (2, 1)}, {}) == chart(MONTHS, {"B": (2, 1), "A": (1, 2)}, {})
