"""Links that prove control of an address."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import NotAllowed
from shared.domain.identifiers import Pseudonymiser
from shared.domain.tokens import check, issue
from tests.factories import KEYS

REQUEST = "a" * 32
END = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
TOKEN = issue(KEYS, purpose="verify", request_id=REQUEST, expires_at=END)


def _check(token=TOKEN, *, purpose="verify", request_id=REQUEST, now=END, keys=KEYS):
    check(keys, token, purpose=purpose, request_id=request_id, now=now)


def test_the_same_arguments_give_the_same_token():
    """It can be made again, so it is stored nowhere."""
    assert issue(KEYS, purpose="verify", request_id=REQUEST, expires_at=END) == TOKEN


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_token_is_good_until_its_last_second(seconds):
    """Below and at its end."""
    _check(now=END + timedelta(seconds=seconds))


def test_a_token_is_expired_a_second_after_its_end():
    """Above its end."""
    with pytest.raises(NotAllowed) as caught:
        _check(now=END + timedelta(seconds=1))
    assert caught.value.code == "token_expired"


def _forged(token):
    with pytest.raises(NotAllowed) as caught:
        _check(token)
    assert caught.value.code == "token_invalid"
    assert str(caught.value) == "token_invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "cancel"},
        {"request_id": "b" * 32},
        {"keys": Pseudonymiser(b"another key that is long enough!")},
    ],
)
def test_a_token_fits_one_purpose_one_request_and_one_key(changes):
    """A link to confirm cannot cancel, nor confirm another request."""
    with pytest.raises(NotAllowed) as caught:
        _check(**changes)
    assert caught.value.code == "token_invalid"


def test_a_later_end_cannot_be_written_into_a_token():
    """The end is signed too."""
    end, _, signature = TOKEN.partition(".")
    _forged(f"{int(end) + 60}.{signature}")
    _forged(f"0{end}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        None,
        7,
        b"1.2",
        [TOKEN],
        {"token": TOKEN},
        "",
        ".",
        "1",
        "1.",
        ".x",
        f"{TOKEN}.x",
        f" {TOKEN}",
        f"{TOKEN}\n",
        f"-{TOKEN}",
        "\u0661.x",
        "1.\ud800",
        "9" * 12 + ".x",
        "9" * 100_000 + ".x",
        "1." + "x" * 1_000_000,
    ],
)
def test_what_is_no_token_is_refused(token):
    """Wrong types, cut, lengthened, foreign digits, half characters, huge."""
    _forged(token)


@given(st.text())
def test_no_text_is_a_token_by_chance(token):
    """And none raises anything else."""
    _forged(token)


@given(st.integers(min_value=0, max_value=len(TOKEN) - 1), st.characters(codec="ascii"))
def test_a_token_with_one_character_changed_is_refused(place, character):
    """Every character counts."""
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    if changed != TOKEN:
        _forged(changed)
