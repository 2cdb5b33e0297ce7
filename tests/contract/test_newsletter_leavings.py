"""What every store of leavings that were seen must do."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.cosmos_newsletter_leavings import CosmosNewsletterLeavings
from shared.domain.newsletter_leavings import Seen
from shared.ports.newsletter_leavings import SEEN_DAYS
from tests.fakes.newsletters import AUTHORS, NEWS

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def seen(**changes) -> Seen:
    """Return a leaving of somebody new."""
    key = f"k1-{uuid.uuid4().hex}"
    made = {"list_id": NEWS, "subject_key": key, "changed": "2026-03-02 10:00:00", "seen_at": NOW}
    return Seen(**{**made, **changes})


async def test_a_leaving_is_read_as_it_was_written(newsletter_leavings):
    """Under its pseudonym and list; another list and another person have none."""
    one = seen()
    await newsletter_leavings.write(one)
    assert await newsletter_leavings.read(one.subject_key, NEWS) == one
    assert await newsletter_leavings.read(one.subject_key, AUTHORS) is None
    assert await newsletter_leavings.read(seen().subject_key, NEWS) is None


async def test_the_last_leaving_takes_the_place_of_the_one_before(newsletter_leavings):
    """The processor shows no other."""
    one = seen()
    again = one.model_copy(update={"changed": "2026-03-03 10:00:00", "seen_at": NOW + timedelta(days=1)})
    for each in (one, again, again):
        await newsletter_leavings.write(each)
    assert await newsletter_leavings.read(one.subject_key, NEWS) == again


async def test_a_leaving_goes_by_itself(databases):
    """The database deletes it, so that nobody has to think of it."""
    one = seen()
    await CosmosNewsletterLeavings(databases).write(one)
    container = databases.container("compliance", "newsletter_leavings")
    row = await container.read_item(NEWS, one.subject_key)
    assert row["ttl"] == timedelta(days=SEEN_DAYS).total_seconds()
    assert (await container.read())["defaultTtl"] == -1
