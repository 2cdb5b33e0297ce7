"""Messages kept aside: written once, listed, read and removed, in memory and in Azurite."""

import uuid

import pytest

from shared.adapters import blob_quarantine
from shared.adapters.blob_quarantine import BlobQuarantine
from shared.domain.errors import CannotTell, NotFound
from tests.fakes.messaging import MemoryQuarantine

pytestmark = pytest.mark.platform


@pytest.fixture
def prefix():
    """A place nobody else uses."""
    return f"q-{uuid.uuid4().hex}/"


@pytest.fixture(params=["memory", "azurite"])
async def quarantine(request):
    """The port on both."""
    if request.param == "memory":
        yield MemoryQuarantine()
        return
    storage = request.getfixturevalue("storage_sync")
    container = storage.container("quarantine")
    if not await container.exists():
        await container.create_container()
    yield BlobQuarantine(storage)
    await storage.close()


async def _all(quarantine, prefix):
    found, cursor = [], None
    while True:
        names, cursor = await quarantine.page(prefix, cursor=cursor)
        found += names
        if cursor is None:
            return found


async def test_what_is_kept_is_listed_and_read(quarantine, prefix):
    """Once each, over all pages, and nothing of another place."""
    assert await _all(quarantine, prefix) == []
    names = [f"{prefix}{number}.json" for number in range(5)]
    for number, name in enumerate(names):
        await quarantine.record(name, {"number": number, "text": "æøå"})
    await quarantine.record(f"other-{prefix}0.json", {})
    assert await _all(quarantine, prefix) == names
    assert await quarantine.read(names[3]) == {"number": 3, "text": "æøå"}


async def test_the_first_record_of_a_name_stays(quarantine, prefix):
    """A message that is put aside twice is kept once."""
    for number in range(2):
        await quarantine.record(f"{prefix}a.json", {"number": number})
    assert await quarantine.read(f"{prefix}a.json") == {"number": 0}


async def test_what_is_removed_is_gone(quarantine, prefix):
    """Twice is once, and reading it says so."""
    await quarantine.record(f"{prefix}a.json", {})
    for _ in range(2):
        await quarantine.remove(f"{prefix}a.json")
    assert await _all(quarantine, prefix) == []
    with pytest.raises(NotFound, match="quarantine_gone"):
        await quarantine.read(f"{prefix}a.json")


@pytest.mark.parametrize("data", [b"", b"no json", b"[]", b"[" * 100_000])
async def test_a_blob_that_is_no_record_is_an_error(storage, prefix, data):
    """Somebody else wrote it."""
    container = storage.container("quarantine")
    if not await container.exists():
        await container.create_container()
    await container.upload_blob(f"{prefix}a.json", data)
    with pytest.raises(CannotTell, match="quarantine_unreadable"):
        await BlobQuarantine(storage).read(f"{prefix}a.json")


async def test_a_record_larger_than_any_message_is_an_error(storage, prefix, monkeypatch):
    """It is not read into memory."""
    container = storage.container("quarantine")
    if not await container.exists():
        await container.create_container()
    quarantine = BlobQuarantine(storage)
    for length in (9, 10, 11):
        name = f"{prefix}{length}.json"
        await container.upload_blob(name, b'{"a":"%s"}' % (b"x" * (length - 8)))
        monkeypatch.setattr(blob_quarantine, "_MAX_BYTES", 10)
        if length <= 10:
            assert await quarantine.read(name)
            continue
        with pytest.raises(CannotTell, match="quarantine_unreadable"):
            await quarantine.read(name)
