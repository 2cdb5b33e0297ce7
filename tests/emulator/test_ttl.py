"""Time to live, with a clock that is moved instead of waited for."""

import pytest
from azure.cosmos import PartitionKey, exceptions


async def _exists(container, name):
    try:
        await container.read_item(name, "a")
    except exceptions.CosmosResourceNotFoundError:
        return False
    return True


async def test_an_item_is_gone_in_the_second_it_is_due(emulator, make_container):
    container = await make_container("ttl", default_ttl=100)
    emulator.clock.set(1_700_000_000, frozen=True)
    await container.create_item({"id": "default", "pk": "a"})
    await container.create_item({"id": "short", "pk": "a", "ttl": 10})
    await container.create_item({"id": "never", "pk": "a", "ttl": -1})
    emulator.clock.advance(9)
    assert await _exists(container, "short")
    emulator.clock.advance(1)
    assert not await _exists(container, "short")
    emulator.clock.advance(89)
    assert await _exists(container, "default")
    emulator.clock.advance(1)
    assert [item["id"] async for item in container.read_all_items()] == ["never"]


async def test_every_write_restarts_the_clock(emulator, make_container):
    container = await make_container("ttl", default_ttl=10)
    emulator.clock.set(1_700_000_000, frozen=True)
    await container.create_item({"id": "1", "pk": "a"})
    emulator.clock.advance(8)
    await container.patch_item("1", "a", [{"op": "set", "path": "/x", "value": 1}])
    emulator.clock.advance(8)
    assert await _exists(container, "1")


async def test_item_ttl_counts_only_where_the_container_allows_it(emulator, make_container):
    off, on = await make_container("off"), await make_container("on", default_ttl=-1)
    for container in (off, on):
        await container.create_item({"id": "1", "pk": "a", "ttl": 5})
        await container.create_item({"id": "2", "pk": "a"})
    emulator.clock.advance(1000)
    assert await _exists(off, "1")
    assert not await _exists(on, "1")
    assert await _exists(on, "2")


async def test_the_id_and_unique_key_of_an_expired_item_are_free_again(emulator, make_container):
    container = await make_container(
        "ttl", default_ttl=10, unique_key_policy={"uniqueKeys": [{"paths": ["/mail"]}]}
    )
    first = await container.create_item({"id": "1", "pk": "a", "mail": "x"})
    emulator.clock.advance(11)
    again = await container.create_item({"id": "1", "pk": "a", "mail": "x"})
    assert again["_rid"] != first["_rid"]
    emulator.clock.advance(11)
    await container.create_item({"id": "2", "pk": "a", "mail": "x"})


async def test_counts_and_queries_leave_expired_items_out(emulator, make_container):
    container = await make_container("ttl", default_ttl=-1)
    for number in range(10):
        await container.create_item({"id": str(number), "pk": "a", "ttl": 5 if number % 2 else -1})
    emulator.clock.advance(6)
    assert [
        row async for row in container.query_items("SELECT VALUE COUNT(1) FROM c", partition_key="a")
    ] == [5]
    rows = [
        row["id"]
        async for row in container.query_items("SELECT * FROM c WHERE c.id >= '0'", partition_key="a")
    ]
    assert rows == ["0", "2", "4", "6", "8"]


@pytest.mark.parametrize("ttl", [0, -2, 1.5, "10", None, True, 2_147_483_648])
async def test_a_ttl_that_makes_no_sense_is_refused(container, ttl):
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.create_item({"id": "1", "pk": "a", "ttl": ttl})
    assert caught.value.status_code == 400


@pytest.mark.parametrize("ttl", [0, -2, "10"])
async def test_a_default_ttl_that_makes_no_sense_is_refused(raw, database, ttl):
    body = {"id": "x", "partitionKey": {"paths": ["/pk"], "kind": "Hash", "version": 2}, "defaultTtl": ttl}
    assert (await raw.send("POST", "dbs/shop/colls", body)).status == 400


async def test_the_default_ttl_can_be_changed_later(emulator, database, container):
    await container.create_item({"id": "1", "pk": "a"})
    await database.replace_container("things", PartitionKey("/pk"), default_ttl=10)
    assert await _exists(container, "1")
    emulator.clock.advance(11)
    assert not await _exists(container, "1")


async def test_the_clock_moves_over_http(raw, make_container):
    container = await make_container("ttl", default_ttl=10)
    await container.create_item({"id": "1", "pk": "a"})
    before = (await raw.admin("GET", "clock"))["now"]
    after = (await raw.admin("POST", "clock", {"advance_seconds": 60}))["now"]
    assert 60 <= after - before < 70
    assert not await _exists(container, "1")
    await raw.admin("POST", "clock", {"now": 1_700_000_000, "frozen": True})
    assert (await container.create_item({"id": "2", "pk": "a"}))["_ts"] == 1_700_000_000
    assert (await raw.admin("POST", "clock", {"reset": True}))["now"] > 1_700_000_100
