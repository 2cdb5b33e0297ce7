"""What every store of walks must do."""

import uuid
from datetime import UTC, date, datetime

import pytest

from shared.domain.errors import Conflict
from shared.domain.walks import Walk
from shared.ports.walks import StoredWalk

pytestmark = pytest.mark.platform


def new(name: str, **changes: object) -> StoredWalk:
    """Return a walk that begins."""
    walk = Walk(
        name=name,
        day=date(2026, 3, 2),
        store_ids=("members", "licences"),
        started_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    )
    return StoredWalk(walk=walk.model_copy(update=changes), etag=None)


async def test_an_unknown_walk_is_none(walks):
    """And a saved one is as it was saved."""
    name = uuid.uuid4().hex
    assert await walks.read(name) is None
    saved = new(name, cursor='{"token":"a+b/c=="}', seen=100)
    etag = await walks.write(saved)
    assert await walks.read(name) == StoredWalk(walk=saved.walk, etag=etag)


async def test_of_two_workers_one_gives_way(walks):
    """Both begin, or both go on."""
    name = uuid.uuid4().hex
    await walks.write(new(name))
    with pytest.raises(Conflict):
        await walks.write(new(name))
    stored = await walks.read(name)
    await walks.write(stored.model_copy(update={"walk": stored.walk.model_copy(update={"seen": 1})}))
    with pytest.raises(Conflict):
        await walks.write(stored)
    assert (await walks.read(name)).walk.seen == 1
