"""What every store of controls and rate limits must do."""

import asyncio
import uuid
from datetime import UTC, date, datetime

import pytest

from shared.domain.controls import Claim, Controls, Hold
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


def hold(hold_id: str, **changes) -> Hold:
    """Return a hold in force."""
    return Hold(
        **{
            "hold_id": hold_id,
            "activity_id": None,
            "ground": "legal_claim",
            "reason": "a dispute",
            "placed_at": NOW,
            "placed_by": "officer-1",
            "review_on": date(2026, 9, 1),
            **changes,
        }
    )


async def held(controls, *holds) -> str:
    """Save holds under a pseudonym nobody else has, and return it."""
    key = f"k1-{uuid.uuid4().hex}"
    await controls.write(StoredControls(controls=Controls(subject_key=key, holds=holds), etag=None))
    return key


async def test_a_hold_is_found_under_every_pseudonym_it_stands(controls):
    """And under no other, whatever else is held there."""
    wanted, other = uuid.uuid4().hex, uuid.uuid4().hex
    first = await held(controls, hold(other), hold(wanted))
    second = await held(controls, hold(wanted))
    await held(controls, hold(other))
    await held(controls)
    assert sorted(await controls.keys_with_hold(wanted)) == sorted([first, second])


async def test_a_hold_is_found_after_its_release(controls):
    """A release that was cut off is taken up again by its id."""
    wanted = uuid.uuid4().hex
    key = await held(controls, hold(wanted, released_at=NOW, released_by="officer-2"))
    assert await controls.keys_with_hold(wanted) == (key,)


async def test_an_unknown_hold_stands_under_nothing(controls):
    """Neither part of an id nor the empty one is one."""
    await held(controls, hold("held-once"))
    for unknown in (uuid.uuid4().hex, "held", ""):
        assert await controls.keys_with_hold(unknown) == ()


async def test_only_controls_with_a_hold_in_force_are_listed(controls):
    """One released beside one in force counts; released ones alone, claims and nothing do not."""
    force, mixed, released = hold("force"), hold("mixed"), hold("over", released_at=NOW)
    in_force = await held(controls, force)
    both = await held(controls, released, mixed)
    await held(controls, released)
    await held(controls)
    await claimed(controls, f"k1-{uuid.uuid4().hex}", "r-1")
    found = {one.subject_key: one for one in await controls.held(limit=100)}
    assert set(found) == {in_force, both}
    assert found[in_force].holds == (force,)
    assert found[both].holds == (released, mixed)


async def test_no_more_controls_are_listed_than_asked(controls):
    """One below, at and above what there is."""
    for _ in range(3):
        await held(controls, hold("many"))
    for limit, expected in ((2, 2), (3, 3), (4, 3)):
        assert len(await controls.held(limit=limit)) == expected


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
