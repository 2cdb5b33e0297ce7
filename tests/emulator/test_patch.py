"""Partial updates."""

import pytest
from azure.cosmos import exceptions

DOCUMENT = {"id": "1", "pk": "a", "n": 1, "list": [1, 2, 3], "deep": {"x": {"y": 1}}, "a/b": 1, "t~u": 2}


@pytest.fixture
async def item(container):
    return await container.create_item(dict(DOCUMENT))


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        ({"op": "add", "path": "/new", "value": 5}, "new", 5),
        ({"op": "add", "path": "/list/1", "value": 9}, "list", [1, 9, 2, 3]),
        ({"op": "add", "path": "/list/-", "value": 9}, "list", [1, 2, 3, 9]),
        ({"op": "add", "path": "/list/3", "value": 9}, "list", [1, 2, 3, 9]),
        ({"op": "set", "path": "/list/1", "value": 9}, "list", [1, 9, 3]),
        ({"op": "set", "path": "/deep/x/z", "value": [1]}, "deep", {"x": {"y": 1, "z": [1]}}),
        ({"op": "replace", "path": "/n", "value": None}, "n", None),
        ({"op": "replace", "path": "/list/0", "value": 7}, "list", [7, 2, 3]),
        ({"op": "remove", "path": "/deep/x/y"}, "deep", {"x": {}}),
        ({"op": "remove", "path": "/list/0"}, "list", [2, 3]),
        ({"op": "incr", "path": "/n", "value": 2.5}, "n", 3.5),
        ({"op": "incr", "path": "/counter", "value": 4}, "counter", 4),
        ({"op": "move", "from": "/n", "path": "/m"}, "m", 1),
        ({"op": "set", "path": "/a~1b", "value": 3}, "a/b", 3),
        ({"op": "set", "path": "/t~0u", "value": 4}, "t~u", 4),
    ],
)
async def test_an_operation_changes_what_it_names(container, item, operation, path, expected):
    changed = await container.patch_item("1", "a", [operation])
    assert changed[path] == expected
    assert changed["_rid"] == item["_rid"]
    assert changed["_etag"] != item["_etag"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "remove", "path": "/missing"},
        {"op": "move", "from": "/missing", "path": "/m"},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/no/where", "value": 1},
        {"op": "incr", "path": "/list", "value": 1},
        {"op": "incr", "path": "/n", "value": "x"},
        {"op": "set", "path": "/id", "value": "2"},
        {"op": "set", "path": "/pk", "value": "b"},
        {"op": "set", "path": "/_ts", "value": 1},
        {"op": "remove", "path": "/pk"},
        {"op": "frobnicate", "path": "/n"},
        {"op": "set", "path": "n", "value": 1},
        {"op": "set", "path": "/n"},
        {"op": "move", "from": "/deep", "path": "/deep/x/q"},
    ],
)
async def test_an_operation_that_does_not_fit_is_refused_and_writes_nothing(container, item, operation):
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.patch_item("1", "a", [{"op": "set", "path": "/first", "value": 1}, operation])
    assert caught.value.status_code == 400
    assert await container.read_item("1", "a") == item


async def test_more_than_ten_operations_are_refused(container, item):
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.patch_item("1", "a", [{"op": "incr", "path": "/n", "value": 1}] * 11)
    assert caught.value.status_code == 400


async def test_a_true_condition_lets_the_patch_pass_and_a_false_one_does_not(container, item):
    operations = [{"op": "incr", "path": "/n", "value": 1}]
    changed = await container.patch_item("1", "a", operations, filter_predicate="from c where c.n = 1")
    assert changed["n"] == 2
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.patch_item("1", "a", operations, filter_predicate="from c where c.n = 1")
    assert (caught.value.status_code, caught.value.sub_status) == (412, 1110)
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.patch_item("1", "a", operations, filter_predicate="from c where c.n = = 1")
    assert caught.value.status_code == 400
