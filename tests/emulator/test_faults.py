"""Failures on purpose, throttling and counters."""

import aiohttp
import pytest
from azure.cosmos import exceptions
from azure.cosmos.aio import CosmosClient

from devtools.cosmos_emulator import EMULATOR_KEY, CosmosEmulator, FaultRule
from devtools.cosmos_emulator.errors import ServiceError
from tests.emulator.raw_requests import RawClient


async def test_a_status_is_answered_with_sub_status_and_retry_after(emulator, raw, container):
    emulator.faults.add({"operation": "read", "status": 429, "sub_status": 3200, "retry_after_ms": 7})
    headers = {"x-ms-documentdb-partitionkey": '["a"]'}
    reply = await raw.send("GET", "dbs/shop/colls/things/docs/1", headers=headers)
    assert reply.status == 429
    assert reply.headers["x-ms-substatus"] == "3200"
    assert reply.headers["x-ms-retry-after-ms"] == "7"
    assert '"TooManyRequests"' in reply.text


async def test_the_client_retries_a_rate_limit_until_it_is_over(emulator, container):
    await container.create_item({"id": "1", "pk": "a"})
    rule = emulator.faults.add(
        {"operation": "read", "times": 3, "status": 429, "sub_status": 3200, "retry_after_ms": 1}
    )
    assert (await container.read_item("1", "a"))["id"] == "1"
    assert (rule.hits, rule.seen) == (3, 4)


async def test_only_the_nth_request_fails(emulator, container):
    emulator.faults.add({"operation": "create", "nth": [2, 4], "status": 412})
    outcomes = []
    for number in range(5):
        try:
            await container.create_item({"id": str(number), "pk": "a"})
            outcomes.append(201)
        except exceptions.CosmosHttpResponseError as error:
            outcomes.append(error.status_code)
    assert outcomes == [201, 412, 201, 412, 201]


async def test_an_error_after_the_write_leaves_the_write_done(emulator, container):
    emulator.faults.add({"operation": "create", "when": "after", "status": 408})
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.create_item({"id": "1", "pk": "a"})
    assert caught.value.status_code == 408
    emulator.faults.clear()
    assert (await container.read_item("1", "a"))["id"] == "1"


@pytest.mark.parametrize(("when", "status"), [("before", 404), ("after", 200)])
async def test_a_connection_is_dropped_before_or_after_the_write(emulator, raw, container, when, status):
    emulator.faults.add({"method": "POST", "path": "dbs/*/docs", "drop": True, "when": when})
    headers = {"x-ms-documentdb-partitionkey": '["a"]'}
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await raw.send("POST", "dbs/shop/colls/things/docs", {"id": "1", "pk": "a"}, headers)
    assert (await raw.send("GET", "dbs/shop/colls/things/docs/1", headers=headers)).status == status


async def test_the_aio_client_repeats_a_create_after_a_dropped_connection_and_meets_its_own_item(
    emulator, container
):
    emulator.faults.add({"operation": "create", "drop": True, "when": "after", "times": 1})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.create_item({"id": "1", "pk": "a"})


async def test_the_path_and_the_method_select_requests(emulator, container, make_container):
    other = await make_container("other")
    emulator.faults.add({"method": "POST", "path": "dbs/shop/colls/other/docs", "status": 403})
    await container.create_item({"id": "1", "pk": "a"})
    with pytest.raises(exceptions.CosmosHttpResponseError):
        await other.create_item({"id": "1", "pk": "a"})


def test_a_seed_repeats_the_same_failures():
    def drawn(seed):
        rule = FaultRule(probability=0.5, seed=seed, status=503)
        return [rule.fits("GET", "/", "read") for _ in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 10 < sum(drawn(1)) < 40


@pytest.mark.parametrize(
    "rule",
    [{"statos": 500}, {"status": 200}, {}, {"status": 503, "when": "never"}, {"nth": 1}, {"delay_ms": "x"}],
)
async def test_a_rule_that_makes_no_sense_is_refused(emulator, raw, rule):
    with pytest.raises(ServiceError):
        emulator.faults.add(rule)
    with pytest.raises(AssertionError, match="BadRequest"):
        await raw.admin("POST", "faults", rule)


async def test_rules_can_be_set_and_cleared_over_http(raw, container):
    await raw.admin("POST", "faults", [{"name": "one", "operation": "read", "status": 503}])
    assert [rule["name"] for rule in (await raw.admin("GET", "faults"))["rules"]] == ["one"]
    assert (await raw.admin("DELETE", "faults"))["rules"] == []


async def test_counters_are_kept_by_container_and_operation(raw, container):
    await container.create_item({"id": "0", "pk": "a"})
    await container.read_item("0", "a")
    await raw.admin("DELETE", "metrics")
    await container.create_item({"id": "1", "pk": "a"})
    await container.read_item("1", "a")
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        await container.read_item("2", "a")
    counted = (await raw.admin("GET", "metrics"))["containers"]["shop/things"]
    assert counted["requests"] == {"create": 1, "read": 2}
    assert counted["statuses"] == {"201": 1, "200": 1, "404": 1}
    assert counted["request_units"] == pytest.approx(5.6 + 1 + 1)


async def test_a_container_beyond_its_throughput_answers_429_and_changes_nothing():
    async with (
        CosmosEmulator(enforce_throughput=True) as emulator,
        CosmosClient(emulator.endpoint, EMULATOR_KEY, retry_total=0) as client,
        aiohttp.ClientSession() as session,
    ):
        database = await client.create_database("shop")
        await database.create_container("things", {"paths": ["/pk"], "kind": "Hash", "version": 2})
        raw = RawClient(session, emulator.endpoint)
        headers = {"x-ms-documentdb-partitionkey": '["a"]'}
        path = "dbs/shop/colls/things/docs"
        stored = limited = 0
        for number in range(400):
            reply = await raw.send("POST", path, {"id": str(number), "pk": "a"}, headers)
            stored += reply.status == 201
            if reply.status == 429:
                limited += 1
                assert reply.headers["x-ms-substatus"] == "3200"
                assert 1 <= int(reply.headers["x-ms-retry-after-ms"]) <= 1000
                break
        assert limited == 1
        assert stored >= 400 // 6
