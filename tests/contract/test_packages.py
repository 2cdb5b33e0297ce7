"""What every package port must do."""

import uuid

import pytest

from shared.domain.errors import Conflict, NotFound

pytestmark = pytest.mark.platform


@pytest.fixture
def request_id():
    """A request nobody else uses."""
    return uuid.uuid4().hex


async def test_nothing_can_be_fetched_before_it_is_published(packages, request_id):
    """Half a copy is no copy."""
    port, fetch = packages
    await port.stage(request_id, "1" * 40, b"one")
    assert not await fetch(request_id)
    with pytest.raises(NotFound):
        await port.download_url(request_id, file_name="x.zip", minutes=5)


async def test_the_published_package_is_its_blocks_in_order(packages, request_id):
    """Byte for byte."""
    port, fetch = packages
    await port.stage(request_id, "1" * 40, b"one")
    await port.stage(request_id, "2" * 40, b"two")
    await port.publish(request_id, ["2" * 40, "1" * 40])
    assert await fetch(request_id) == b"twoone"


async def test_publishing_the_same_again_changes_nothing(packages, request_id):
    """A twin may come late."""
    port, fetch = packages
    await port.stage(request_id, "1" * 40, b"one")
    await port.publish(request_id, ["1" * 40])
    await port.publish(request_id, ["1" * 40])
    assert await fetch(request_id) == b"one"


async def test_publishing_blocks_that_are_lost_is_a_conflict(packages, request_id):
    """They have to be staged again."""
    port, _ = packages
    await port.stage(request_id, "1" * 40, b"one")
    with pytest.raises(Conflict):
        await port.publish(request_id, ["1" * 40, "9" * 40])


async def test_deleting_removes_package_and_staged_blocks(packages, request_id):
    """A cancelled copy leaves nothing behind."""
    port, fetch = packages
    await port.stage(request_id, "1" * 40, b"one")
    await port.publish(request_id, ["1" * 40])
    await port.stage(request_id, "2" * 40, b"two")
    await port.delete(request_id)
    assert await fetch(request_id) is None
    with pytest.raises(Conflict):
        await port.publish(request_id, ["2" * 40])


async def test_deleting_what_is_not_there_is_fine(packages, request_id):
    """A second call does no harm."""
    port, fetch = packages
    await port.delete(request_id)
    await port.delete(request_id)
    assert await fetch(request_id) is None


async def test_a_package_is_read_block_by_block_as_often_as_needed(packages, request_id):
    """Once for its digest, once to send it."""
    port, _ = packages
    part, ids = bytes(range(256)) * 3_000, [str(number) * 40 for number in range(1, 8)]
    for block_id in ids:
        await port.stage(request_id, block_id, part)
    await port.publish(request_id, ids)
    data = part * len(ids)  # more than one block of the real store
    content = await port.read(request_id)
    assert content.size_bytes == len(data)
    for _ in range(2):
        blocks = [block async for block in content.chunks()]
        assert len(blocks) > 1
        assert b"".join(blocks) == data


async def test_a_package_that_is_not_published_cannot_be_read(packages, request_id):
    """Half a copy is no copy."""
    port, _ = packages
    await port.stage(request_id, "1" * 40, b"one")
    with pytest.raises(NotFound):
        await port.read(request_id)


async def test_a_package_that_changes_while_it_is_read_is_a_conflict(packages, request_id):
    """Never the beginning of one and the end of another."""
    port, _ = packages
    await port.stage(request_id, "1" * 40, b"the first one")
    await port.publish(request_id, ["1" * 40])
    content = await port.read(request_id)
    await port.stage(request_id, "2" * 40, b"the second one")
    await port.publish(request_id, ["2" * 40])
    with pytest.raises(Conflict):
        [block async for block in content.chunks()]


async def test_a_package_deleted_while_it_is_read_is_gone(packages, request_id):
    """The person may delete it at any time."""
    port, _ = packages
    await port.stage(request_id, "1" * 40, b"the only one")
    await port.publish(request_id, ["1" * 40])
    content = await port.read(request_id)
    await port.delete(request_id)
    with pytest.raises(NotFound):
        [block async for block in content.chunks()]
