"""What every store of clocks of last use must do."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.activity import ActivityClock
from shared.domain.errors import Conflict
from shared.ports.activity import StoredClock

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def clock(key: str, installation: str = "A / b?#", **changes) -> ActivityClock:
    """Return a clock with one thing changed."""
    return ActivityClock(
        **{"subject_key": key, "installation_id": installation, "last_used_at": NOW, **changes}
    )


@pytest.fixture
def key():
    """A pseudonym nobody else uses."""
    return f"k1-{uuid.uuid4().hex}"


async def test_each_person_has_a_clock_an_installation_and_customer(activity, key):
    """Whatever an installation is called."""
    wanted = [clock(key), clock(key, "B"), clock(key, customer_id="c-2", capped=("0" * 16,))]
    for one in wanted:
        await activity.write(StoredClock(clock=one, etag=None))
    await activity.write(StoredClock(clock=clock(f"k1-{uuid.uuid4().hex}"), etag=None))
    found = [one.clock for one in await activity.read((key, key))]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert await activity.read(()) == ()


async def test_of_two_writers_the_second_is_refused(activity, key):
    """Also where both create it."""
    await activity.write(StoredClock(clock=clock(key), etag=None))
    with pytest.raises(Conflict):
        await activity.write(StoredClock(clock=clock(key), etag=None))
    (read,) = await activity.read((key,))
    later = clock(key, last_used_at=NOW + timedelta(days=1))
    await activity.write(StoredClock(clock=later, etag=read.etag))
    with pytest.raises(Conflict):
        await activity.write(
            StoredClock(clock=clock(key, last_used_at=NOW + timedelta(days=2)), etag=read.etag)
        )
    assert [one.clock for one in await activity.read((key,))] == [later]
