"""A stored document that cannot be read is an error of ours, without its content."""

import pytest

from shared.adapters.cosmos_cases import _read
from shared.adapters.cosmos_controls import _stored
from shared.domain.errors import CannotTell

KEY = "k1-0"


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"type": "unknown", "id": "x"},
        {"type": "request", "id": "request", "email": "ane@people.example"},
        {"type": "event", "id": "event-000001", "request_id": "a", "at": "ane@people.example", "what": "x"},
    ],
)
def test_a_document_of_a_case_that_cannot_be_read_is_told_by_code(row):
    """Written by newer code or by hand: the sweep tells an operator and goes on with the others."""
    with pytest.raises(CannotTell) as caught:
        _read(row)
    assert caught.value.code == "document_unreadable"
    assert "ane@" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [{"holds": [{"reason": "Ane"}]}, {"holds": "none"}, {"restrictions": None}, {"later": 1}]
)
def test_controls_that_cannot_be_read_are_never_no_hold(content):
    """The message fails, and nothing is erased."""
    with pytest.raises(CannotTell) as caught:
        _stored(KEY, {"id": "controls", "subject_key": KEY, "_etag": '"1"', **content})
    assert "Ane" not in str(caught.value)


def test_missing_controls_are_empty_and_say_so():
    """Nobody has placed anything."""
    found = _stored(KEY, None)
    assert (found.etag, found.controls.holds, found.controls.is_restricted) == (None, (), False)
