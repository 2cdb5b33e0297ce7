"""What every record of proofs must do."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.times import utc_text

pytestmark = pytest.mark.platform
THEN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def proof(proved_at: datetime, **changes: object) -> dict[str, object]:
    """Return a proof of a moment."""
    return {"proved_at": utc_text(proved_at), "right": "erasure", **changes}


async def since(evidence, moment, limit=2):
    """Return every proof since a moment, over all pages."""
    found, cursor = {}, None
    while True:
        page = await evidence.proofs_since(moment, cursor=cursor, limit=limit)
        found.update(page.proofs)
        cursor = page.cursor
        if cursor is None:
            return found


async def test_a_proof_that_is_there_stays_as_it_is(evidence):
    """A second one of its name changes nothing."""
    await evidence.record("r-1/erasure-0.json", proof(THEN, records=1))
    await evidence.record("r-1/erasure-0.json", proof(THEN, records=2))
    found = await since(evidence, THEN)
    assert found == {"r-1/erasure-0.json": proof(THEN, records=1)}


async def test_proofs_of_a_moment_and_later_are_listed_over_pages(evidence):
    """One second before is too early."""
    for number in range(-3, 4):
        await evidence.record(f"r-{number}/erasure-0.json", proof(THEN + timedelta(seconds=number)))
    found = await since(evidence, THEN)
    assert sorted(found) == [f"r-{number}/erasure-0.json" for number in range(4)]


async def test_what_proves_nothing_is_left_out(evidence):
    """A record without the time of its work."""
    await evidence.record("other.json", {"body": "a message"})
    assert await since(evidence, THEN) == {}


async def test_nothing_recorded_is_nothing_listed(evidence):
    """One page, and no more."""
    page = await evidence.proofs_since(THEN, cursor=None, limit=10)
    assert (page.proofs, page.cursor) == ((), None)
