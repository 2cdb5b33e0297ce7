"""Queries through the SDK: pages, continuation, scopes, strictness."""

import base64

import pytest
from azure.cosmos import exceptions

from devtools.cosmos_emulator import EMULATOR_KEY, CosmosEmulator


async def _fill(container, count=60, partitions=3):
    for number in range(count):
        await container.create_item(
            {
                "id": f"{number:03}",
                "pk": f"p{number % partitions}",
                "n": number,
                "tags": ["x", number % 4],
                "g": number % 5,
            }
        )


async def _ids(pages):
    return [item["id"] async for page in pages async for item in page]


async def test_pages_have_the_size_asked_for_and_continue_to_the_end(container):
    await _fill(container)
    sizes = []
    found = []
    async for page in container.query_items("SELECT * FROM c WHERE c.n >= 5", max_item_count=7).by_page():
        rows = [item["n"] async for item in page]
        sizes.append(len(rows))
        found += rows
    assert found == list(range(5, 60))
    assert set(sizes[:-1]) == {7}


async def test_a_continuation_survives_deletes_and_inserts_between_pages(container):
    await _fill(container)
    seen = []
    pages = container.query_items("SELECT * FROM c", partition_key="p0", max_item_count=5).by_page()
    async for page in pages:
        rows = [item async for item in page]
        seen += [row["id"] for row in rows]
        for row in rows:
            await container.delete_item(row["id"], row["pk"])
        await container.create_item({"id": f"new{len(seen)}", "pk": "p1"})
    assert seen == [f"{number:03}" for number in range(0, 60, 3)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM c ORDER BY c.n DESC",
        "SELECT * FROM c ORDER BY c.g",
        "SELECT * FROM c WHERE c.n > 3 ORDER BY c.missing",
        "SELECT c.id, t FROM c JOIN t IN c.tags",
        "SELECT c.id, t FROM c JOIN t IN c.tags ORDER BY c.n",
        "SELECT * FROM c OFFSET 3 LIMIT 11",
        "SELECT * FROM c ORDER BY c.n DESC OFFSET 3 LIMIT 11",
        "SELECT TOP 9 * FROM c",
        "SELECT DISTINCT VALUE c.g FROM c",
        "SELECT DISTINCT c.g FROM c ORDER BY c.g DESC",
        "SELECT c.g, COUNT(1) AS n FROM c GROUP BY c.g",
    ],
)
async def test_small_pages_of_one_partition_give_the_same_rows_as_one_page(container, query):
    await _fill(container, 40, 1)
    whole = [row async for row in container.query_items(query, partition_key="p0")]
    token = None
    rows = []
    for _ in range(100):
        pages = container.query_items(query, partition_key="p0", max_item_count=3).by_page(token)
        page = [row async for row in await anext(pages)]
        assert len(page) <= 3
        rows += page
        token = pages.continuation_token
        if token is None:
            break
    assert rows == whole
    assert len(whole) > 3


async def test_a_token_of_another_query_or_a_damaged_one_is_refused(container, raw):
    await _fill(container, 10, 1)
    pages = container.query_items("SELECT * FROM c", partition_key="p0", max_item_count=3).by_page()
    await anext(pages)
    token = pages.continuation_token
    other = base64.urlsafe_b64encode(b'{"query":"x","sequence":-1}').decode()
    for query, bad in (
        ("SELECT c.id FROM c", token),
        ("SELECT * FROM c", "garbage"),
        ("SELECT * FROM c", other),
    ):
        headers = {
            "x-ms-documentdb-partitionkey": '["p0"]',
            "x-ms-documentdb-isquery": "true",
            "x-ms-continuation": bad,
            "Content-Type": "application/query+json",
        }
        reply = await raw.send("POST", "dbs/shop/colls/things/docs", {"query": query}, headers)
        assert (reply.status, "Continuation" in reply.text) == (400, True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT VALUE c.n FROM c ORDER BY c.n DESC", list(range(59, -1, -1))),
        ("SELECT TOP 2 VALUE c.n FROM c ORDER BY c.n", [0, 1]),
        ("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 3 LIMIT 2", [3, 4]),
        ("SELECT c.n, c.g FROM c WHERE c.n < 2 ORDER BY c.n DESC", [{"n": 1, "g": 1}, {"n": 0, "g": 0}]),
        ("SELECT VALUE COUNT(1) FROM c", [60]),
        ("SELECT VALUE COUNT(1) FROM c WHERE c.g = 1", [12]),
        ("SELECT VALUE SUM(c.n) FROM c", [1770]),
        ("SELECT VALUE MIN(c.n) FROM c", [0]),
        ("SELECT VALUE MAX(c.n) FROM c", [59]),
        ("SELECT VALUE AVG(c.n) FROM c", [29.5]),
        ("SELECT VALUE MAX(c.missing) FROM c", [None]),
        ("SELECT DISTINCT VALUE c.g FROM c ORDER BY c.g", [0, 1, 2, 3, 4]),
        ("SELECT TOP 3 * FROM c", 3),
        ("SELECT * FROM c OFFSET 5 LIMIT 7", 7),
        ("SELECT DISTINCT VALUE c.g FROM c", 5),
        ("SELECT VALUE t FROM c JOIN t IN c.tags WHERE c.n = 1 ORDER BY c.n", ["x", 1]),
    ],
)
async def test_what_needs_a_plan_works_through_the_clients_own_pipeline(emulator, container, query, expected):
    await _fill(container)
    emulator.metrics.reset()
    rows = [row async for row in container.query_items(query)]
    assert (len(rows) if isinstance(expected, int) else rows) == expected
    requests = emulator.metrics.report()["containers"]["shop/things"]
    assert requests["requests"]["query_plan"] == 1
    assert requests["statuses"]["400"] == 1


async def test_group_by_over_partitions_is_refused_as_the_client_cannot_finish_it(container):
    await _fill(container, 6)
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        _ = [row async for row in container.query_items("SELECT c.g, COUNT(1) AS n FROM c GROUP BY c.g")]
    assert caught.value.status_code == 400
    with pytest.raises(exceptions.CosmosHttpResponseError):
        _ = [row async for row in container.query_items("SELECT COUNT(1) AS n FROM c")]


async def test_the_open_mode_answers_without_a_plan():
    from azure.cosmos import PartitionKey
    from azure.cosmos.aio import CosmosClient

    async with (
        CosmosEmulator(is_open=True) as emulator,
        CosmosClient(emulator.endpoint, EMULATOR_KEY) as client,
    ):
        database = await client.create_database("shop")
        container = await database.create_container("things", PartitionKey("/pk"))
        await _fill(container, 10)
        query = "SELECT c.g, COUNT(1) AS n FROM c GROUP BY c.g"
        assert len([row async for row in container.query_items(query)]) == 5
        rows = [row async for row in container.query_items("SELECT VALUE c.n FROM c ORDER BY c.g DESC, c.n")]
        assert rows == [4, 9, 3, 8, 2, 7, 1, 6, 0, 5]
        assert "query_plan" not in emulator.metrics.report()["containers"]["shop/things"]["requests"]


async def test_an_order_over_two_properties_needs_a_composite_index(make_container):
    plain = await make_container("plain")
    with pytest.raises(exceptions.CosmosHttpResponseError, match="composite index") as caught:
        _ = [row async for row in plain.query_items("SELECT * FROM c ORDER BY c.a, c.b", partition_key="x")]
    assert caught.value.status_code == 400
    orders = [{"path": "/g", "order": "ascending"}, {"path": "/n", "order": "descending"}]
    indexed = await make_container("indexed", indexing_policy={"compositeIndexes": [orders]})
    await _fill(indexed, 6, 1)
    rows = [
        row
        async for row in indexed.query_items(
            "SELECT VALUE c.n FROM c ORDER BY c.g, c.n DESC", partition_key="p0"
        )
    ]
    assert rows == [5, 0, 1, 2, 3, 4]
    rows = [row async for row in indexed.query_items("SELECT VALUE c.n FROM c ORDER BY c.g DESC, c.n ASC")]
    assert rows == [4, 3, 2, 1, 0, 5]


async def test_an_order_by_what_is_not_indexed_is_refused(make_container):
    policy = {"includedPaths": [{"path": "/*"}], "excludedPaths": [{"path": "/secret/?"}]}
    container = await make_container("partly", indexing_policy=policy)
    for query in ("SELECT * FROM c ORDER BY c.secret", "SELECT * FROM c ORDER BY LOWER(c.id)"):
        with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
            _ = [row async for row in container.query_items(query, partition_key="x")]
        assert caught.value.status_code == 400


async def test_a_query_without_scope_is_refused_unless_its_filter_pins_the_partition(raw, container):
    await _fill(container, 6)
    headers = {"x-ms-documentdb-isquery": "true", "Content-Type": "application/query+json"}
    path = "dbs/shop/colls/things/docs"
    refused = await raw.send("POST", path, {"query": "SELECT * FROM c"}, headers)
    assert (refused.status, "Cross partition query" in refused.text) == (400, True)
    pinned = await raw.send(
        "POST", path, {"query": "SELECT * FROM c WHERE c.pk = 'p1' ORDER BY c.n"}, headers
    )
    assert (pinned.status, pinned.headers["x-ms-item-count"]) == (200, "2")


async def test_hierarchical_prefixes_read_their_part_only(make_container):
    container = await make_container("nested", ["/tenant", "/user", "/session"])
    for tenant in "ab":
        for user in "xyz":
            for session in range(3):
                await container.create_item(
                    {"id": f"{tenant}{user}{session}", "tenant": tenant, "user": user, "session": session}
                )
    query = "SELECT * FROM c"
    assert len([row async for row in container.query_items(query, partition_key=["a"])]) == 9
    assert len([row async for row in container.query_items(query, partition_key=["a", "y"])]) == 3
    full = [row["id"] async for row in container.query_items(query, partition_key=["a", "y", 1])]
    assert full == ["ay1"]
    assert (await container.read_item("bz2", ["b", "z", 2]))["id"] == "bz2"
    with pytest.raises(exceptions.CosmosHttpResponseError):
        await container.read_item("bz2", ["b", "z"])


async def test_computed_properties_can_be_filtered_on_but_are_not_returned(make_container):
    computed = [{"name": "low", "query": "SELECT VALUE LOWER(c.name) FROM c"}]
    container = await make_container("computed", computed_properties=computed)
    await container.create_item({"id": "1", "pk": "a", "name": "ANNA"})
    rows = [row async for row in container.query_items("SELECT * FROM c WHERE c.low = 'anna'")]
    assert [row["id"] for row in rows] == ["1"]
    assert "low" not in rows[0]
    assert [row async for row in container.query_items("SELECT VALUE c.low FROM c")] == ["anna"]


async def test_a_query_error_names_the_place_in_the_text(container):
    with pytest.raises(exceptions.CosmosHttpResponseError, match="SC1001") as caught:
        _ = [row async for row in container.query_items("SELECT * FORM c")]
    assert caught.value.status_code == 400


async def test_metrics_headers_appear_when_asked_for(container):
    await _fill(container, 10, 1)
    rows = container.query_items(
        "SELECT * FROM c WHERE c.n < 4",
        partition_key="p0",
        populate_query_metrics=True,
        populate_index_metrics=True,
    )
    assert len([row async for row in rows]) == 4
    headers = container.client_connection.last_response_headers
    assert "retrievedDocumentCount=4" in headers["x-ms-documentdb-query-metrics"]
    assert "/n/?" in str(headers["x-ms-cosmos-index-utilization"])


async def test_an_unknown_range_is_gone(raw, container):
    headers = {
        "x-ms-documentdb-isquery": "true",
        "Content-Type": "application/query+json",
        "x-ms-documentdb-partitionkeyrangeid": "7",
    }
    reply = await raw.send("POST", "dbs/shop/colls/things/docs", {"query": "SELECT * FROM c"}, headers)
    assert (reply.status, reply.headers["x-ms-substatus"]) == (410, "1002")


async def test_a_query_whose_container_is_dropped_meanwhile_finds_it_gone(raw, database, container):
    import asyncio

    for batch in range(20):
        operations = [
            ("create", ({"id": f"{batch}-{number}", "pk": "p", "n": number},)) for number in range(100)
        ]
        await container.execute_item_batch(operations, "p")
    headers = {
        "x-ms-documentdb-isquery": "true",
        "Content-Type": "application/query+json",
        "x-ms-documentdb-partitionkey": '["p"]',
    }
    body = {"query": "SELECT VALUE SUM(c.n % 7) FROM c WHERE c.n * 2 >= 0"}
    asking = asyncio.create_task(raw.send("POST", "dbs/shop/colls/things/docs", body, headers))
    deleted = await raw.send("DELETE", "dbs/shop/colls/things")
    reply = await asking
    assert deleted.status == 204
    assert reply.status in {200, 404}
    assert reply.status == 200 or reply.headers["x-ms-substatus"] == "1003"
