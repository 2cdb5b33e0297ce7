"""What every register of showings of the policy must do."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.displays import Display, DisplayChannel

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def display(key: str, **changes) -> Display:
    """Return a showing with one thing changed."""
    return Display(
        **{
            "subject_key": key,
            "number": "2.1",
            "language": "en",
            "sha256": "0" * 64,
            "channel": DisplayChannel.APPLICATION,
            "shown_at": NOW,
            **changes,
        }
    )


@pytest.fixture
def key():
    """A pseudonym nobody else uses."""
    return f"k1-{uuid.uuid4().hex}"


async def test_what_was_recorded_is_shown_to_its_person_alone(displays, key):
    """Every version and channel is a row of its own."""
    wanted = {
        display(key),
        display(key, channel=DisplayChannel.CONTENT_CLOUD),
        display(key, number="3", language="da"),
    }
    for one in wanted:
        await displays.record(one)
    other = f"k1-{uuid.uuid4().hex}"
    await displays.record(display(other))
    assert set(await displays.shown((key,))) == wanted
    assert set(await displays.shown((other, key, other))) == {*wanted, display(other)}


async def test_the_first_showing_stays(displays, key):
    """A repeated record, as a retry sends it, changes neither time nor text."""
    await displays.record(display(key))
    await displays.record(display(key, shown_at=NOW + timedelta(days=1), sha256="1" * 64, language="da"))
    assert await displays.shown((key,)) == (display(key),)


async def test_nobody_known_was_shown_nothing(displays, key):
    """No pseudonym, and one without rows."""
    assert await displays.shown(()) == ()
    assert await displays.shown((key,)) == ()
