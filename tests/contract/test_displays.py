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


async def test_whole_people_are_listed_in_the_order_of_their_pseudonyms(displays, key):
    """However many rows a page holds; the next one begins after the last person."""
    keys = sorted([key, f"k1-{uuid.uuid4().hex}", f"k1-{uuid.uuid4().hex}"])
    for one in keys:
        await displays.record(display(one))
        await displays.record(display(one, channel=DisplayChannel.CONTENT_CLOUD))
    found, after = [], ""
    while page := await displays.listing(after=after, limit=1):
        assert len({one.subject_key for one in page}) == 1
        assert len(page) == 2
        after = page[-1].subject_key
        found.append(after)
    assert found == keys
    assert len(await displays.listing(after="", limit=100)) == 6
    assert {one.subject_key for one in await displays.listing(after=keys[0], limit=3)} == {*keys[1:]}


async def test_showings_are_counted_by_version_and_channel(displays, key):
    """One a person."""
    await displays.record(display(key, number="7"))
    await displays.record(display(f"k1-{uuid.uuid4().hex}", number="7"))
    assert await displays.count("7", DisplayChannel.APPLICATION) == 2
    assert await displays.count("7", DisplayChannel.CONTENT_CLOUD) == 0
    assert await displays.count("8", DisplayChannel.APPLICATION) == 0
