"""What every store of open changes must do."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.errors import Conflict
from shared.domain.newsletter_changes import Leaving, NewsletterChange
from shared.ports.newsletter_changes import StoredChange

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIST = "a" * 32


def change(**changes) -> StoredChange:
    """Return a new change."""
    made = NewsletterChange(
        **{
            "list_id": LIST,
            "subject_key": f"k1-{uuid.uuid4().hex}",
            "email": "mette@people.example",
            "asked_at": NOW,
            "wake_at": NOW,
            "leaving": (Leaving(purpose_ids=("member_newsletter",), at=NOW, channel="form"),),
            **changes,
        }
    )
    return StoredChange(change=made, etag=None)


async def test_a_change_is_read_as_it_was_written(newsletter_changes):
    """Under its pseudonym and list; another list has none."""
    wanted = change()
    etag = await newsletter_changes.write(wanted)
    key = wanted.change.subject_key
    assert await newsletter_changes.read(key, LIST) == StoredChange(change=wanted.change, etag=etag)
    assert await newsletter_changes.read(key, "b" * 32) is None


async def test_of_two_writers_one_gives_way(newsletter_changes):
    """Both create it, or both write it."""
    await newsletter_changes.write(wanted := change())
    with pytest.raises(Conflict):
        await newsletter_changes.write(wanted)
    stored = await newsletter_changes.read(wanted.change.subject_key, LIST)
    await newsletter_changes.write(stored)
    with pytest.raises(Conflict):
        await newsletter_changes.write(stored)


async def test_what_was_asked_for_anew_is_not_closed(newsletter_changes):
    """What is gone already is closed."""
    await newsletter_changes.write(wanted := change())
    stored = await newsletter_changes.read(wanted.change.subject_key, LIST)
    await newsletter_changes.write(stored)
    with pytest.raises(Conflict):
        await newsletter_changes.close(stored)
    stored = await newsletter_changes.read(wanted.change.subject_key, LIST)
    for _ in range(2):
        await newsletter_changes.close(stored)
    assert await newsletter_changes.read(wanted.change.subject_key, LIST) is None


@pytest.mark.parametrize(("seconds", "found"), [(-1, 0), (0, 1), (1, 1)])
async def test_a_change_wakes_at_its_time(newsletter_changes, seconds, found):
    """Not those that staff have to look at, which are listed by themselves."""
    await newsletter_changes.write(asleep := change(wake_at=NOW + timedelta(days=900)))
    await newsletter_changes.write(stopped := change(attention="contract_missing"))
    moment = NOW + timedelta(days=900, seconds=seconds)
    waking = {one.change.subject_key for one in await newsletter_changes.waking(moment, limit=1_000)}
    assert (asleep.change.subject_key in waking) is bool(found)
    assert stopped.change.subject_key not in waking
    waiting = await newsletter_changes.waiting_for_staff(limit=1_000)
    assert stopped.change in [one.change for one in waiting]
    assert len(await newsletter_changes.waiting_for_staff(limit=1)) == 1
