"""What every store of controls and rate limits must do."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest

from shared.domain.controls import Claim
from shared.domain.errors import Conflict
from shared.domain.rights import Right
from shared.ports.controls import StoredControls

pytestmark = pytest.mark.platform
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def claim(request_id: str) -> Claim:
    """Return a claim of a request."""
    return Claim(request_id=request_id, right=Right.ERASURE, since=NOW)


async def claimed(controls, key, request_id):
    """Read, add a claim, write."""
    (stored,) = await controls.read([key])
    changed = stored.controls.model_copy(update={"claims": (*stored.controls.claims, claim(request_id))})
    return await controls.write(StoredControls(controls=changed, etag=stored.etag))


async def test_unknown_pseudonyms_have_empty_controls_in_the_order_asked(controls):
    """Nothing is known, and that is said for each."""
    known, unknown = f"k1-{uuid.uuid4().hex}", f"k1-{uuid.uuid4().hex}"
    await claimed(controls, known, "r-1")
    first, second, third = await controls.read([unknown, known, unknown])
    assert first.controls.subject_key == unknown
    assert first.etag is None
    assert second.controls.claims == (claim("r-1"),)
    assert third == first


async def test_a_write_after_somebody_elses_is_a_conflict(controls):
    """The first one stays."""
    key = f"k1-{uuid.uuid4().hex}"
    await claimed(controls, key, "r-1")
    (stored,) = await controls.read([key])
    await claimed(controls, key, "r-2")
    with pytest.raises(Conflict):
        await controls.write(StoredControls(controls=stored.controls, etag=stored.etag))


async def test_creating_over_somebody_elses_is_a_conflict(controls):
    """Both saw nothing; one wins."""
    key = f"k1-{uuid.uuid4().hex}"
    (stored,) = await controls.read([key])
    await claimed(controls, key, "r-1")
    with pytest.raises(Conflict):
        await controls.write(stored)


async def test_hits_are_counted_per_bucket_and_window(rate_limits):
    """One, two, three; another bucket starts at one."""
    limits, clock = rate_limits
    bucket = f"b-{uuid.uuid4().hex}"
    assert [await limits.hit(bucket, window_seconds=60) for _ in range(3)] == [1, 2, 3]
    assert await limits.hit(f"{bucket}-other", window_seconds=60) == 1
    clock.advance(seconds=60)
    assert await limits.hit(bucket, window_seconds=60) == 1


async def test_concurrent_hits_are_all_counted(rate_limits):
    """Workers share the count."""
    limits, _ = rate_limits
    bucket = f"b-{uuid.uuid4().hex}"
    counts = await asyncio.gather(*(limits.hit(bucket, window_seconds=3600) for _ in range(3)))
    assert sorted(counts) == [1, 2, 3]
