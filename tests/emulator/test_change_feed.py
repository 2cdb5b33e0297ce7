"""The change feed."""

from datetime import UTC, datetime

import pytest
from azure.cosmos import exceptions


async def _changes(container, **options):
    return [item async for item in container.query_items_change_feed(**options)]


async def test_the_feed_gives_the_latest_version_of_each_item_in_the_order_of_writes(container):
    for number in range(5):
        await container.create_item({"id": str(number), "pk": f"p{number}"})
    await container.upsert_item({"id": "1", "pk": "p1", "again": True})
    await container.delete_item("2", "p2")
    found = await _changes(container, start_time="Beginning")
    assert [item["id"] for item in found] == ["0", "3", "4", "1"]
    assert [item["_lsn"] for item in found] == sorted(item["_lsn"] for item in found)


async def test_the_feed_continues_where_it_stopped(container):
    for number in range(7):
        await container.create_item({"id": str(number), "pk": "a"})
    pages = container.query_items_change_feed(start_time="Beginning", max_item_count=3).by_page()
    first = [item["id"] async for item in await anext(pages)]
    token = pages.continuation_token
    await container.create_item({"id": "later", "pk": "a"})
    rest = await _changes(container, continuation=token)
    assert first == ["0", "1", "2"]
    assert [item["id"] for item in rest] == ["3", "4", "5", "6", "later"]


async def test_a_page_never_ends_within_a_batch(container):
    await container.execute_item_batch([("create", ({"id": str(n), "pk": "a"},)) for n in range(10)], "a")
    await container.create_item({"id": "after", "pk": "a"})
    pages = container.query_items_change_feed(start_time="Beginning", max_item_count=4).by_page()
    sizes = [len([item async for item in page]) async for page in pages]
    assert [size for size in sizes if size] == [10, 1]


async def test_the_feed_can_begin_now_or_at_a_time(emulator, container):
    await container.create_item({"id": "old", "pk": "a"})
    pages = container.query_items_change_feed(start_time="Now").by_page()
    assert [item async for page in pages async for item in page] == []
    token = container.client_connection.last_response_headers["etag"]
    emulator.clock.advance(3600)
    await container.create_item({"id": "new", "pk": "a"})
    assert [item["id"] for item in await _changes(container, continuation=token)] == ["new"]
    half_way = datetime.fromtimestamp(emulator.clock.now() - 1800, UTC)
    assert [item["id"] for item in await _changes(container, start_time=half_way)] == ["new"]


async def test_the_feed_of_one_partition_shows_only_that_one(container):
    for number in range(6):
        await container.create_item({"id": str(number), "pk": f"p{number % 2}"})
    found = await _changes(container, start_time="Beginning", partition_key="p1")
    assert [item["id"] for item in found] == ["1", "3", "5"]


async def test_feed_ranges_cover_everything(container):
    await container.create_item({"id": "1", "pk": "a"})
    ranges = [feed_range async for feed_range in container.read_feed_ranges()]
    assert len(ranges) == 1
    found = await _changes(container, start_time="Beginning", feed_range=ranges[0])
    assert [item["id"] for item in found] == ["1"]


async def test_all_versions_and_deletes_need_a_policy_and_then_show_everything(make_container):
    plain = await make_container("plain")
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await _changes(plain, mode="AllVersionsAndDeletes")
    assert caught.value.status_code == 400


async def test_all_versions_and_deletes_are_kept_where_the_container_says_so(raw, database):
    policy = {"retentionDuration": 10}
    partition = {"paths": ["/pk"], "kind": "Hash", "version": 2}
    made = await raw.send(
        "POST", "dbs/shop/colls", {"id": "kept", "partitionKey": partition, "changeFeedPolicy": policy}
    )
    assert made.status == 201
    container = database.get_container_client("kept")
    pages = container.query_items_change_feed(mode="AllVersionsAndDeletes").by_page()
    assert [item async for page in pages async for item in page] == []
    token = container.client_connection.last_response_headers["etag"]
    await container.create_item({"id": "1", "pk": "a", "n": 1})
    await container.upsert_item({"id": "1", "pk": "a", "n": 2})
    await container.delete_item("1", "a")
    found = await _changes(container, continuation=token)
    assert [item["metadata"]["operationType"] for item in found] == ["create", "replace", "delete"]
    assert [item["current"].get("n") for item in found] == [1, 2, None]
    assert [item.get("previous", {}).get("n") for item in found] == [None, 1, 2]


async def test_expired_items_are_not_in_the_feed(emulator, make_container):
    container = await make_container("ttl", default_ttl=60)
    await container.create_item({"id": "1", "pk": "a"})
    emulator.clock.advance(61)
    assert await _changes(container, start_time="Beginning") == []
