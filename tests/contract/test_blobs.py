"""What every blob port must do."""

import pytest

from shared.domain.errors import Conflict, NotFound, Permanent

pytestmark = pytest.mark.platform


async def test_a_missing_container_holds_no_blobs(blobs):
    """Nothing there is an answer, not an error."""
    page = await blobs.port.page(f"{blobs.container}x", "", cursor=None, limit=10)
    assert page.blobs == ()
    assert page.cursor is None


async def test_every_blob_below_the_prefix_is_listed_once_over_pages(blobs):
    """Pages end, and nothing comes twice."""
    for number in range(5):
        await blobs.write(f"a/{number}", b"x")
    await blobs.write("b/0", b"x")
    assert [blob.name for blob in await blobs.all("a/")] == [f"a/{number}" for number in range(5)]


async def test_snapshots_are_listed_beside_their_blob(blobs):
    """An older copy is a copy."""
    await blobs.write("a", b"old")
    await blobs.snapshot("a")
    await blobs.write("a", b"new")
    found = await blobs.all("a")
    assert sorted(blob.is_current for blob in found) == [False, True]
    for blob in found:
        expected = b"new" if blob.is_current else b"old"
        assert await blobs.port.read(blob, offset=0, length=10) == expected


async def test_a_range_ends_at_the_end_of_the_blob(blobs):
    """Below, at and above the size."""
    await blobs.write("a", b"0123456789")
    blob = await blobs.one("a")
    assert await blobs.port.read(blob, offset=8, length=1) == b"8"
    assert await blobs.port.read(blob, offset=8, length=2) == b"89"
    assert await blobs.port.read(blob, offset=8, length=3) == b"89"
    assert await blobs.port.read(blob, offset=10, length=1) == b""


async def test_an_empty_blob_reads_as_nothing(blobs):
    """Zero bytes are a blob."""
    await blobs.write("a", b"")
    assert await blobs.port.read(await blobs.one("a"), offset=0, length=5) == b""


async def test_reading_a_blob_written_since_is_a_conflict(blobs):
    """No mixture of old and new bytes."""
    await blobs.write("a", b"old")
    blob = await blobs.one("a")
    await blobs.write("a", b"newer")
    with pytest.raises(Conflict):
        await blobs.port.read(blob, offset=0, length=5)


async def test_reading_a_deleted_blob_is_not_found(blobs):
    """Gone is gone."""
    await blobs.write("a", b"old")
    blob = await blobs.one("a")
    assert await blobs.port.erase(blob)
    with pytest.raises(NotFound):
        await blobs.port.read(blob, offset=0, length=5)


async def test_staged_blocks_change_nothing_before_they_are_committed(blobs):
    """A worker may die here."""
    await blobs.write("a", b"old")
    await blobs.port.stage(blobs.container, "a", "0" * 40, b"new")
    assert await blobs.read("a") == b"old"


async def test_committed_blocks_become_the_content_in_their_order(blobs):
    """The same block may stand twice."""
    await blobs.write("a", b"old")
    blob = await blobs.one("a")
    await blobs.port.stage(blobs.container, "a", "1" * 40, b"one ")
    await blobs.port.stage(blobs.container, "a", "2" * 40, b"two ")
    await blobs.port.commit(blob, ["1" * 40, "2" * 40, "1" * 40])
    assert await blobs.read("a") == b"one two one "


async def test_committing_no_blocks_empties_the_blob(blobs):
    """All lines were one person's."""
    await blobs.write("a", b"old")
    await blobs.port.commit(await blobs.one("a"), [])
    assert await blobs.read("a") == b""


async def test_committing_to_a_blob_written_since_is_a_conflict(blobs):
    """Nobody's line is lost."""
    await blobs.write("a", b"old")
    blob = await blobs.one("a")
    await blobs.write("a", b"newer")
    await blobs.port.stage(blobs.container, "a", "1" * 40, b"one ")
    with pytest.raises(Conflict):
        await blobs.port.commit(blob, ["1" * 40])
    assert await blobs.read("a") == b"newer"


async def test_committing_blocks_another_worker_dropped_is_a_conflict(blobs):
    """A commit drops every block it does not name."""
    await blobs.write("a", b"old")
    blob = await blobs.one("a")
    await blobs.port.stage(blobs.container, "a", "1" * 40, b"mine")
    await blobs.write("a", b"old")
    with pytest.raises(Conflict):
        await blobs.port.commit(blob, ["1" * 40])


async def test_erasing_takes_the_snapshots_along(blobs):
    """Every copy goes."""
    await blobs.write("a", b"old")
    await blobs.snapshot("a")
    assert await blobs.port.erase(await blobs.one("a"))
    assert await blobs.all("a") == []


async def test_erasing_one_snapshot_leaves_the_blob(blobs):
    """A shared log's older copy goes alone."""
    await blobs.write("a", b"old")
    await blobs.snapshot("a")
    copy = next(blob for blob in await blobs.all("a") if not blob.is_current)
    assert await blobs.port.erase(copy)
    assert [blob.is_current for blob in await blobs.all("a")] == [True]


async def test_erasing_twice_finds_it_gone(blobs):
    """A second call does no harm."""
    await blobs.write("a", b"old")
    blob = await blobs.one("a")
    assert await blobs.port.erase(blob)
    assert not await blobs.port.erase(blob)


async def test_erasing_a_blob_written_since_is_a_conflict(blobs):
    """It has to be listed and judged again."""
    await blobs.write("a", b"old")
    blob = await blobs.one("a")
    await blobs.write("a", b"newer")
    with pytest.raises(Conflict):
        await blobs.port.erase(blob)
    assert await blobs.read("a") == b"newer"


@pytest.mark.parametrize("name", ["a b/ø.txt", "100%.txt", "a+b&c=d?.txt", "æ/#1"])
async def test_names_with_any_letters_are_found_and_erased(blobs, name):
    """File names are people's own."""
    await blobs.write(name, b"x")
    blob = await blobs.one(name[:2])
    assert blob.name == name
    assert await blobs.port.read(blob, offset=0, length=5) == b"x"
    assert await blobs.port.erase(blob)


async def test_a_leased_blob_is_locked_and_not_changed_meanwhile(blobs):
    """Listing it again would never end."""
    await blobs.write("a", b"old")
    await blobs.port.stage(blobs.container, "a", "1" * 40, b"new")
    await blobs.snapshot("a")
    await blobs.lease("a")
    blob = await blobs.one("a")
    calls = (
        blobs.port.erase(blob),
        blobs.port.stage(blobs.container, "a", "2" * 40, b"new"),
        blobs.port.commit(blob, ["1" * 40]),
    )
    for call in calls:
        with pytest.raises(Permanent) as caught:
            await call
        assert caught.value.code == "blob_locked"
    assert await blobs.read("a") == b"old"
    assert await blobs.port.read(blob, offset=0, length=5) == b"old"


async def test_a_snapshot_of_a_leased_blob_is_erased(blobs):
    """The lease is on the blob alone."""
    await blobs.write("a", b"old")
    await blobs.snapshot("a")
    await blobs.lease("a")
    assert await blobs.port.erase(next(blob for blob in await blobs.all("a") if not blob.is_current))


async def test_an_archived_blob_cannot_be_read_and_can_be_erased(blobs):
    """Somebody has to bring it back first, which takes hours."""
    await blobs.write("a", b"old")
    await blobs.archive("a")
    blob = await blobs.one("a")
    with pytest.raises(Permanent) as caught:
        await blobs.port.read(blob, offset=0, length=5)
    assert caught.value.code == "blob_archived"
    assert await blobs.port.erase(blob)
