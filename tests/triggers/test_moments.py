"""Days and moments in bodies: as the description says, and never a number."""

import pytest

from functions._bodies import Body, Day, Moment, checked
from shared.domain.errors import Invalid


class _Dated(Body):
    on: Day | None = None
    at: Moment | None = None


@pytest.mark.parametrize("text", ["2026-11-23", "2024-02-29"])
def test_a_day_is_written_out(text):
    """In the order of ISO 8601."""
    assert checked(_Dated, {"on": text}).on.isoformat() == text


@pytest.mark.parametrize(
    "text", ["2026-11-23T09:15:00Z", "2026-11-23T09:15:00.5+01:00", "2026-11-23t09:15:00z"]
)
def test_a_moment_is_written_out_with_its_offset(text):
    """As RFC 3339 has it."""
    assert checked(_Dated, {"at": text}).at.utcoffset() is not None


@pytest.mark.parametrize(
    "found",
    [
        {"on": 0},
        {"on": "0"},
        {"on": 1_795_000_000},
        {"on": "2026-11-23T00:00:00"},
        {"on": "2026-02-29"},
        {"on": True},
        {"at": 0},
        {"at": 1.5},
        {"at": "1795000000"},
        {"at": "2026-11-23"},
        {"at": "2026-11-23T09:15:00"},
        {"at": "2026-11-23T25:00:00Z"},
    ],
)
def test_anything_else_is_refused_by_its_field(found):
    """A number would be read as seconds since 1970."""
    with pytest.raises(Invalid) as refused:
        checked(_Dated, found)
    assert (refused.value.code, refused.value.field) == ("field_invalid", next(iter(found)))


def test_the_description_says_so():
    """By the formats of JSON Schema."""
    fields = _Dated.model_json_schema()["properties"]
    assert [fields[name]["anyOf"][0]["format"] for name in ("on", "at")] == ["date", "date-time"]
