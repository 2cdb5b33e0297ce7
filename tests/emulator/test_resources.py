"""Databases, containers, throughput, ranges."""

import pytest
from azure.cosmos import PartitionKey, exceptions

KEY = {"paths": ["/pk"], "kind": "Hash", "version": 2}


async def test_databases_are_created_listed_queried_and_deleted(client):
    await client.create_database("one")
    await client.create_database_if_not_exists("one")
    await client.create_database_if_not_exists("two")
    assert sorted([found["id"] async for found in client.list_databases()]) == ["one", "two"]
    query = "SELECT * FROM root r WHERE r.id = @id"
    found = [
        row["id"] async for row in client.query_databases(query, parameters=[{"name": "@id", "value": "two"}])
    ]
    assert found == ["two"]
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await client.create_database("one")
    await client.delete_database("one")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await client.get_database_client("one").read()


async def test_containers_are_created_listed_queried_replaced_and_deleted(database):
    container = await database.create_container("things", PartitionKey("/pk"))
    properties = await container.read()
    assert properties["indexingPolicy"]["includedPaths"] == [{"path": "/*"}]
    assert properties["_docs"] == "docs/"
    assert [found["id"] async for found in database.list_containers()] == ["things"]
    query = "SELECT * FROM c WHERE c.id = 'things'"
    assert [found["id"] async for found in database.query_containers(query)] == ["things"]
    await database.replace_container(container, PartitionKey("/pk"), default_ttl=5)
    assert (await container.read())["defaultTtl"] == 5
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await database.replace_container(container, PartitionKey("/other"))
    assert caught.value.status_code == 400
    await database.delete_container("things")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("1", "a")


async def test_what_is_below_a_missing_parent_says_so(raw, database):
    for path in ("dbs/shop/colls/none/docs/1", "dbs/none/colls/none/docs/1"):
        reply = await raw.send("GET", path, headers={"x-ms-documentdb-partitionkey": '["a"]'})
        assert (reply.status, reply.headers["x-ms-substatus"]) == (404, "1003")
    reply = await raw.send("POST", "dbs/none/colls", {"id": "x", "partitionKey": KEY})
    assert (reply.status, reply.headers["x-ms-substatus"]) == (404, "1003")


async def test_a_recreated_container_is_empty_and_its_old_rid_is_refused(raw, database):
    container = await database.create_container("things", PartitionKey("/pk"))
    await container.create_item({"id": "1", "pk": "a"})
    old = (await container.read())["_rid"]
    await database.delete_container("things")
    fresh = await database.create_container("things", PartitionKey("/pk"))
    assert (await fresh.read())["_rid"] != old
    headers = {"x-ms-documentdb-partitionkey": '["a"]', "x-ms-cosmos-intended-collection-rid": old}
    reply = await raw.send("GET", "dbs/shop/colls/things/docs/1", headers=headers)
    assert (reply.status, reply.headers["x-ms-substatus"]) == (400, "1024")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("1", "a")


async def test_throughput_is_read_and_replaced(database):
    container = await database.create_container("things", PartitionKey("/pk"), offer_throughput=700)
    assert (await container.get_throughput()).offer_throughput == 700
    await container.replace_throughput(1000)
    assert (await container.get_throughput()).offer_throughput == 1000
    from azure.cosmos import ThroughputProperties

    scaled = await database.create_container(
        "scaled", PartitionKey("/pk"), offer_throughput=ThroughputProperties(auto_scale_max_throughput=4000)
    )
    assert (await scaled.get_throughput()).auto_scale_max_throughput == 4000
    with pytest.raises(exceptions.CosmosHttpResponseError):
        await database.create_container("poor", PartitionKey("/pk"), offer_throughput=100)


async def test_the_ranges_feed_ends_with_nothing_new(raw, container):
    headers = {"A-IM": "Incremental Feed", "x-ms-max-item-count": "-1"}
    first = await raw.send("GET", "dbs/shop/colls/things/pkranges", headers=headers)
    assert (first.status, '"maxExclusive":"FF"' in first.text) == (200, True)
    headers["If-None-Match"] = first.headers["etag"]
    again = await raw.send("GET", "dbs/shop/colls/things/pkranges", headers=headers)
    assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])


async def test_quota_headers_count_the_items(container):
    await container.create_item({"id": "1", "pk": "a"})
    await container.read(populate_quota_info=True)
    assert "documentsCount=1" in container.client_connection.last_response_headers["x-ms-resource-usage"]


async def test_conflicts_are_always_empty(container):
    assert [conflict async for conflict in container.list_conflicts()] == []


@pytest.mark.parametrize(
    "body",
    [
        {"id": "x"},
        {"partitionKey": KEY},
        {"id": "", "partitionKey": KEY},
        {"id": "a/b", "partitionKey": KEY},
        {"id": "x" * 256, "partitionKey": KEY},
        {"id": "x", "partitionKey": {"paths": []}},
        {"id": "x", "partitionKey": {"paths": ["pk"], "version": 2}},
        {"id": "x", "partitionKey": {"paths": ["/a", "/b", "/c", "/d"], "kind": "MultiHash", "version": 2}},
        {"id": "x", "partitionKey": {"paths": ["/a", "/b"], "kind": "Hash", "version": 2}},
        {"id": "x", "partitionKey": KEY, "indexingPolicy": {"includedPaths": ["/*"]}},
        {"id": "x", "partitionKey": KEY, "indexingPolicy": {"includedPaths": [{"path": "/a"}]}},
        {"id": "x", "partitionKey": KEY, "indexingPolicy": {"compositeIndexes": [3]}},
        {"id": "x", "partitionKey": KEY, "indexingPolicy": "all"},
        {"id": "x", "partitionKey": KEY, "uniqueKeyPolicy": {"uniqueKeys": [{"paths": []}]}},
        {"id": "x", "partitionKey": KEY, "uniqueKeyPolicy": 3},
        {"id": "x", "partitionKey": KEY, "computedProperties": [{"name": "a", "query": "SELECT * FROM c"}]},
        {"id": "x", "partitionKey": KEY, "computedProperties": [{"name": "a", "query": "nonsense"}]},
        ["x"],
        3,
    ],
)
async def test_a_malformed_container_is_refused(raw, database, body):
    reply = await raw.send("POST", "dbs/shop/colls", body)
    assert (reply.status, '"BadRequest"' in reply.text) == (400, True)
    assert (await raw.send("GET", "dbs/shop/colls/x")).status == 404
