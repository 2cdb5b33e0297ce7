"""Point operations, conditions and system properties, as the SDK sees them."""

import pytest
from azure.core import MatchConditions
from azure.cosmos import PartitionKey, exceptions

SYSTEM = {"_rid", "_self", "_etag", "_attachments", "_ts"}


async def test_a_created_item_is_read_back_with_system_properties(container):
    created = await container.create_item({"id": "1", "pk": "a", "name": "æble"})
    read = await container.read_item("1", "a")
    assert read == created
    assert read.keys() >= SYSTEM
    assert read["_etag"].startswith('"')
    assert isinstance(read["_ts"], int)


async def test_client_sent_system_properties_are_ignored(container):
    created = await container.create_item(
        {"id": "1", "pk": "a", "_etag": "mine", "_ts": 1, "_rid": "x", "_self": "y"}
    )
    assert created["_etag"] != "mine"
    assert created["_ts"] > 1
    assert created["_rid"] != "x"


async def test_creating_an_id_twice_in_a_partition_is_a_conflict(container):
    await container.create_item({"id": "1", "pk": "a"})
    await container.create_item({"id": "1", "pk": "b"})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.create_item({"id": "1", "pk": "a"})


async def test_a_missing_item_is_not_found_for_read_replace_patch_and_delete(container):
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("1", "a")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.replace_item("1", {"id": "1", "pk": "a"})
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.patch_item("1", "a", [{"op": "set", "path": "/x", "value": 1}])
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.delete_item("1", "a")


async def test_upsert_creates_and_then_replaces_with_a_stable_rid_and_a_new_etag(container):
    first = await container.upsert_item({"id": "1", "pk": "a", "n": 1})
    second = await container.upsert_item({"id": "1", "pk": "a", "n": 2})
    assert first["_rid"] == second["_rid"]
    assert first["_etag"] != second["_etag"]
    assert (await container.read_item("1", "a"))["n"] == 2


async def test_replace_with_a_stale_etag_fails_and_changes_nothing(container):
    first = await container.create_item({"id": "1", "pk": "a", "n": 1})
    await container.upsert_item({"id": "1", "pk": "a", "n": 2})
    with pytest.raises(exceptions.CosmosAccessConditionFailedError):
        await container.replace_item(
            "1",
            {"id": "1", "pk": "a", "n": 3},
            etag=first["_etag"],
            match_condition=MatchConditions.IfNotModified,
        )
    assert (await container.read_item("1", "a"))["n"] == 2


async def test_delete_with_a_stale_etag_fails_and_with_the_current_one_succeeds(container):
    first = await container.create_item({"id": "1", "pk": "a"})
    second = await container.upsert_item({"id": "1", "pk": "a", "n": 2})
    with pytest.raises(exceptions.CosmosAccessConditionFailedError):
        await container.delete_item(
            "1", "a", etag=first["_etag"], match_condition=MatchConditions.IfNotModified
        )
    await container.delete_item("1", "a", etag=second["_etag"], match_condition=MatchConditions.IfNotModified)
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("1", "a")


async def test_upsert_of_a_missing_item_ignores_the_etag(container):
    await container.upsert_item(
        {"id": "1", "pk": "a"}, etag='"gone"', match_condition=MatchConditions.IfNotModified
    )
    assert (await container.read_item("1", "a"))["id"] == "1"


async def test_a_write_if_missing_fails_on_an_existing_item(container):
    await container.create_item({"id": "1", "pk": "a"})
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.upsert_item({"id": "1", "pk": "a"}, match_condition=MatchConditions.IfMissing)
    assert caught.value.status_code == 412


async def test_a_read_of_an_unchanged_item_is_not_modified(raw, container):
    item = await container.create_item({"id": "1", "pk": "a"})
    headers = {"x-ms-documentdb-partitionkey": '["a"]', "If-None-Match": item["_etag"]}
    reply = await raw.send("GET", "dbs/shop/colls/things/docs/1", headers=headers)
    assert reply.status == 304
    assert reply.headers["etag"] == item["_etag"]


async def test_the_id_of_an_item_cannot_be_replaced(container):
    await container.create_item({"id": "1", "pk": "a"})
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.replace_item("1", {"id": "2", "pk": "a"})
    assert caught.value.status_code == 400


async def test_a_key_in_the_header_that_differs_from_the_body_is_refused(raw, container):
    headers = {"x-ms-documentdb-partitionkey": '["b"]'}
    reply = await raw.send("POST", "dbs/shop/colls/things/docs", {"id": "1", "pk": "a"}, headers)
    assert reply.status == 400
    assert reply.headers["x-ms-substatus"] == "1001"


async def test_no_response_on_write_gives_no_body(container):
    reply = await container.create_item({"id": "1", "pk": "a"}, no_response=True)
    assert not reply
    assert (await container.read_item("1", "a"))["id"] == "1"


async def test_ids_with_spaces_unicode_and_percent_signs_are_addressable(container):
    for name in ("a b", "blåbær", "50%", "x+y", "a&b=c", "%2F", "日本"):
        await container.create_item({"id": name, "pk": name})
        assert (await container.read_item(name, name))["id"] == name
        await container.delete_item(name, name)


async def test_an_item_given_as_an_object_is_addressed_by_its_resource_id(container):
    item = await container.create_item({"id": "1", "pk": "a", "n": 1})
    assert (await container.read_item(item, "a"))["n"] == 1
    await container.replace_item(item, {"id": "1", "pk": "a", "n": 2})
    assert (await container.read_item("1", "a"))["n"] == 2
    await container.delete_item(item, "a")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("1", "a")


async def test_read_items_leaves_out_what_is_missing(container):
    for number in range(30):
        await container.create_item({"id": str(number), "pk": f"p{number % 3}"})
    wanted = [(str(number), f"p{number % 3}") for number in range(35)]
    assert {item["id"] for item in await container.read_items(wanted)} == {
        str(number) for number in range(30)
    }


async def test_delete_by_partition_key_removes_one_partition_at_once(container):
    for number in range(20):
        await container.create_item({"id": str(number), "pk": f"p{number % 2}"})
    await container.delete_all_items_by_partition_key("p0")
    left = [item["pk"] async for item in container.read_all_items()]
    assert left == ["p1"] * 10


async def test_unique_keys_hold_within_a_partition_and_count_missing_as_a_value(make_container):
    container = await make_container("unique", unique_key_policy={"uniqueKeys": [{"paths": ["/mail"]}]})
    await container.create_item({"id": "1", "pk": "a", "mail": "x"})
    await container.create_item({"id": "1", "pk": "b", "mail": "x"})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.create_item({"id": "2", "pk": "a", "mail": "x"})
    await container.create_item({"id": "3", "pk": "a"})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.create_item({"id": "4", "pk": "a"})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.patch_item("3", "a", [{"op": "set", "path": "/mail", "value": "x"}])
    await container.delete_item("1", "a")
    await container.create_item({"id": "2", "pk": "a", "mail": "x"})


@pytest.mark.filterwarnings(
    "ignore:Sending a large body:ResourceWarning"
)  # what aiohttp says about its client
async def test_an_item_above_two_megabytes_is_too_large(container):
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.create_item({"id": "1", "pk": "a", "text": "x" * (2 * 1024 * 1024)})
    assert caught.value.status_code == 413
    await container.create_item({"id": "1", "pk": "a", "text": "x" * (2 * 1024 * 1024 - 2000)})


async def test_the_sync_client_works_too(emulator):
    import asyncio

    from azure.cosmos import CosmosClient

    from devtools.cosmos_emulator import EMULATOR_KEY

    def work():
        with CosmosClient(emulator.endpoint, EMULATOR_KEY) as client:
            container = client.create_database("d").create_container("c", PartitionKey("/pk"))
            container.create_item({"id": "1", "pk": "a", "n": 1})
            container.upsert_item({"id": "2", "pk": "b", "n": 2})
            found = container.query_items(
                "SELECT VALUE c.n FROM c ORDER BY c.n DESC", enable_cross_partition_query=True
            )
            single = container.query_items("SELECT * FROM c WHERE c.pk = 'a'")
            return list(found), [item["id"] for item in single], container.read_item("2", "b")["n"]

    assert await asyncio.to_thread(work) == ([2, 1], ["1"], 2)


async def test_reads_after_writes_carry_and_satisfy_session_tokens(raw, container):
    await container.create_item({"id": "1", "pk": "a"})
    headers = {"x-ms-documentdb-partitionkey": '["a"]'}
    path = "dbs/shop/colls/things/docs/1"
    ahead = await raw.send("GET", path, headers=headers | {"x-ms-session-token": "0:-1#999"})
    assert (ahead.status, ahead.headers["x-ms-substatus"]) == (404, "1002")
    assert ahead.headers["x-ms-alt-content-path"] == "dbs/shop/colls/things"
    now = await raw.send("GET", path, headers=headers | {"x-ms-session-token": "0:-1#1"})
    assert now.status == 200
    assert now.headers["x-ms-session-token"] == "0:-1#1"
    assert now.headers["x-ms-documentdb-partitionkeyrangeid"] == "0"
    vector = await raw.send("GET", path, headers=headers | {"x-ms-session-token": "0:1#1#4=-1"})
    assert vector.status == 200


async def test_a_point_read_is_one_request_once_the_client_is_warm(emulator, container):
    await container.create_item({"id": "1", "pk": "a"})
    await container.read_item("1", "a")
    emulator.metrics.reset()
    for _ in range(5):
        await container.read_item("1", "a")
    assert emulator.metrics.report()["containers"]["shop/things"]["requests"] == {"read": 5}
