"""Transactional batches."""

import pytest
from azure.cosmos import exceptions


async def _lsn(raw) -> int:
    headers = {"x-ms-documentdb-partitionkey": '["nobody"]'}
    return int((await raw.send("GET", "dbs/shop/colls/things/docs/none", headers=headers)).headers["lsn"])


async def test_all_kinds_of_operations_run_in_one_batch(container):
    for name in ("read", "replace", "patch", "delete"):
        await container.create_item({"id": name, "pk": "a", "n": 1})
    results = await container.execute_item_batch(
        [
            ("create", ({"id": "created", "pk": "a"},)),
            ("upsert", ({"id": "upserted", "pk": "a"},)),
            ("read", ("read",)),
            ("replace", ("replace", {"id": "replace", "pk": "a", "n": 2})),
            (
                "patch",
                ("patch", [{"op": "incr", "path": "/n", "value": 5}]),
                {"filter_predicate": "from c where c.n=1"},
            ),
            ("delete", ("delete",)),
        ],
        "a",
    )
    assert [result["statusCode"] for result in results] == [201, 201, 200, 200, 200, 204]
    assert results[4]["resourceBody"]["n"] == 6
    assert all(result["requestCharge"] > 0 for result in results)
    assert sorted([item["id"] async for item in container.read_all_items()]) == [
        "created", "patch", "read", "replace", "upserted",
    ]  # fmt: skip


async def test_a_failed_operation_rolls_everything_back_and_the_rest_depends_on_it(container, raw):
    await container.create_item({"id": "old", "pk": "a", "n": 1})
    before = await _lsn(raw)
    with pytest.raises(exceptions.CosmosBatchOperationError) as caught:
        await container.execute_item_batch(
            [
                ("create", ({"id": "new", "pk": "a"},)),
                ("delete", ("old",)),
                ("create", ({"id": "new", "pk": "a"},)),
                ("create", ({"id": "later", "pk": "a"},)),
            ],
            "a",
        )
    assert [entry["statusCode"] for entry in caught.value.operation_responses] == [424, 424, 409, 424]
    assert caught.value.error_index == 2
    assert [item["id"] async for item in container.read_all_items()] == ["old"]
    assert await _lsn(raw) == before


async def test_an_etag_condition_holds_for_each_operation(container):
    item = await container.create_item({"id": "1", "pk": "a", "n": 1})
    await container.execute_item_batch(
        [("replace", ("1", {"id": "1", "pk": "a", "n": 2}), {"if_match_etag": item["_etag"]})], "a"
    )
    with pytest.raises(exceptions.CosmosBatchOperationError) as caught:
        await container.execute_item_batch(
            [
                ("upsert", ({"id": "2", "pk": "a"},)),
                ("replace", ("1", {"id": "1", "pk": "a", "n": 3}), {"if_match_etag": item["_etag"]}),
            ],
            "a",
        )
    assert [entry["statusCode"] for entry in caught.value.operation_responses] == [424, 412]
    assert [item["n"] async for item in container.read_all_items()] == [2]


async def test_a_batch_raises_the_lsn_by_one(container, raw):
    before = await _lsn(raw)
    await container.execute_item_batch([("create", ({"id": str(n), "pk": "a"},)) for n in range(50)], "a")
    assert await _lsn(raw) == before + 1


async def test_two_writes_of_one_item_in_a_batch_have_different_etags(container):
    results = await container.execute_item_batch(
        [("upsert", ({"id": "1", "pk": "a", "n": n},)) for n in range(2)], "a"
    )
    assert results[0]["eTag"] != results[1]["eTag"]


@pytest.mark.parametrize(("count", "text"), [(0, "has no operations"), (101, "more operations")])
async def test_a_batch_of_the_wrong_size_is_refused(container, count, text):
    operations = [("create", ({"id": str(n), "pk": "a"},)) for n in range(count)]
    with pytest.raises(exceptions.CosmosHttpResponseError, match=text) as caught:
        await container.execute_item_batch(operations, "a")
    assert caught.value.status_code == 400


@pytest.mark.filterwarnings(
    "ignore:Sending a large body:ResourceWarning"
)  # what aiohttp says about its client
async def test_a_batch_above_two_megabytes_is_too_large(container):
    operations = [("create", ({"id": str(n), "pk": "a", "text": "x" * 300_000},)) for n in range(8)]
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.execute_item_batch(operations, "a")
    assert caught.value.status_code == 413


async def test_an_item_of_another_partition_fails_the_batch(container):
    with pytest.raises(exceptions.CosmosBatchOperationError) as caught:
        await container.execute_item_batch(
            [("create", ({"id": "1", "pk": "a"},)), ("create", ({"id": "2", "pk": "b"},))], "a"
        )
    assert [entry["statusCode"] for entry in caught.value.operation_responses] == [424, 400]
    assert [item async for item in container.read_all_items()] == []
