"""What a product said about a blob stays when the blob is rewritten."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContentSettings, StandardBlobTier
from azure.storage.blob.aio import BlobClient

from shared.adapters.blob_store import AzureBlobs
from shared.domain.errors import Permanent

pytestmark = pytest.mark.platform
TAGS = {"product": "courses", "kept by": "a/b = +1"}


@pytest.fixture
async def container(storage, container_name):
    """A container of the storage account."""
    client = storage.container(container_name)
    await client.create_container()
    return client


async def rewrite(storage, name, container_name):
    """Give a blob new content through the port."""
    port = AzureBlobs(storage, with_versions=False)
    (blob,) = (await port.page(container_name, name, cursor=None, limit=10)).blobs
    await port.stage(container_name, name, "1" * 40, b"new")
    await port.commit(blob, ["1" * 40])


async def test_headers_metadata_tags_and_tier_stay(storage, container, container_name):
    """Nobody loses a blob's place in an index, or pays for another tier."""
    await container.upload_blob(
        "a",
        b"old",
        content_settings=ContentSettings(content_type="application/x-ndjson", content_language="da"),
        metadata={"made": "up"},
        tags=TAGS,
        standard_blob_tier=StandardBlobTier.COOL,
    )
    await rewrite(storage, "a", container_name)
    client = container.get_blob_client("a")
    found = await client.get_blob_properties()
    assert await (await client.download_blob()).readall() == b"new"
    assert found.content_settings.content_type == "application/x-ndjson"
    assert found.content_settings.content_language == "da"
    assert found.metadata == {"made": "up"}
    assert await client.get_blob_tags() == TAGS
    assert (found.blob_tier, bool(found.blob_tier_inferred)) == ("Cool", False)


async def test_a_tier_nobody_set_stays_the_accounts_own(storage, container, container_name):
    """It follows when the account's tier changes."""
    await container.upload_blob("a", b"old")
    await rewrite(storage, "a", container_name)
    assert (await container.get_blob_client("a").get_blob_properties()).blob_tier_inferred


async def test_tags_nobody_lets_us_read_are_never_dropped(storage, container, container_name, monkeypatch):
    """The rewrite is refused, and the blob stays as it was."""
    await container.upload_blob("a", b"old", tags=TAGS)

    async def refused(_):
        error = HttpResponseError(message="x")
        error.status_code = 403
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(BlobClient, "get_blob_tags", refused)
        with pytest.raises(Permanent) as caught:
            await rewrite(storage, "a", container_name)
    assert (caught.value.code, caught.value.detail) == ("service_refused", "blobs.commit 403")
    client = container.get_blob_client("a")
    assert await (await client.download_blob()).readall() == b"old"
    assert await client.get_blob_tags() == TAGS


async def test_tags_are_not_asked_for_where_there_are_none(storage, container, container_name, monkeypatch):
    """Reading tags takes a permission of its own."""
    await container.upload_blob("a", b"old")

    async def never(_):
        raise AssertionError("asked for tags")

    monkeypatch.setattr(BlobClient, "get_blob_tags", never)
    await rewrite(storage, "a", container_name)
