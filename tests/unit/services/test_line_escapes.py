"""A value may stand in a line in any of JSON's ways of writing it."""

import json

import pytest

from shared.services.lines import LineMatcher
from tests.factories import small_map

MAP = small_map()
STORE = MAP.store("log")[1]


@pytest.mark.parametrize("value", ["CORP\\ane", 'a"b', "a/b", "bjørn", "a\tb", "u1"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_value_is_found_however_it_is_escaped(value, ascii_only):
    """Backslash, quote, slash, letter."""
    matcher = LineMatcher(STORE, MAP, {"user_id": (value,)})
    text = json.dumps({"user_id": value, "what": "x"}, ensure_ascii=ascii_only)
    for written in (text, text.replace("/", "\\/"), text.replace("u", "\\u0075", 0)):
        data = written.encode() + b"\n"
        assert matcher.may_hold(data)
        assert [line.record is not None for line in matcher.read(data)] == [True]


@pytest.mark.parametrize("value", ["CORP\\ane", 'a"b', "a/b", "bjørn"])
def test_a_value_in_a_broken_line_is_reported_however_it_is_escaped(value):
    """It cannot be taken apart, and it is not passed over."""
    matcher = LineMatcher(STORE, MAP, {"user_id": (value,)})
    text = json.dumps({"user_id": value})[:-1].replace("/", "\\/")
    (line,) = matcher.read(text.encode() + b"\n")
    assert line.unreadable
