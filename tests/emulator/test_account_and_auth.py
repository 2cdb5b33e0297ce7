"""The account, signatures, and what every reply carries."""

from email.utils import formatdate

import pytest
from azure.cosmos import exceptions
from azure.cosmos.aio import CosmosClient

from tests.emulator.raw_requests import signature

OTHER_KEY = "b3RoZXIga2V5IG1hZGUgdXAgZm9yIHRoaXMgdGVzdA=="


async def test_the_account_names_the_address_it_was_asked_at(emulator, raw):
    reply = await raw.send("GET", "", headers={"authorization": _account_signature(), "x-ms-date": _now()})
    assert reply.status == 200
    assert emulator.endpoint in reply.text
    assert '"Session"' in reply.text


def _now() -> str:
    return formatdate(usegmt=True)


def _account_signature() -> str:
    return signature("GET", "", "", _now())


async def test_a_wrong_key_is_unauthorised(emulator):
    client = CosmosClient(emulator.endpoint, OTHER_KEY)
    try:
        with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
            await client.__aenter__()
    finally:
        await client.close()
    assert caught.value.status_code == 401


@pytest.mark.parametrize("skew_seconds", [-16 * 60, 16 * 60])
async def test_a_clock_that_is_far_off_is_unauthorised(raw, container, skew_seconds):
    import time

    date = formatdate(time.time() + skew_seconds, usegmt=True)
    headers = {"x-ms-date": date, "authorization": signature("GET", "dbs", "dbs/shop", date)}
    assert (await raw.send("GET", "dbs/shop", headers=headers)).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "type%3Dmaster"},
        {"authorization": "type%3Daad%26ver%3D1.0%26sig%3Dabc"},
        {"authorization": "\u00e6\u00f8"},
        {"x-ms-date": "yesterday"},
    ],
)
async def test_a_malformed_signature_is_unauthorised_and_never_an_error_of_the_server(raw, database, headers):
    reply = await raw.send("GET", "dbs/shop", headers=headers)
    assert reply.status == 401
    assert '"Unauthorized"' in reply.text


async def test_a_signature_for_another_resource_is_unauthorised(raw, container):
    date = _now()
    headers = {
        "x-ms-date": date,
        "authorization": signature("GET", "docs", "dbs/shop/colls/things/docs/2", date),
    }
    assert (await raw.send("GET", "dbs/shop/colls/things/docs/1", headers=headers)).status == 401


async def test_every_reply_carries_charge_activity_and_version(raw, container):
    activity = {"x-ms-activity-id": "made-up-activity"}
    for path in ("dbs/shop", "dbs/shop/colls/things", "dbs/none", "dbs/shop/colls/things/docs/1"):
        reply = await raw.send("GET", path, headers=activity)
        assert float(reply.headers["x-ms-request-charge"]) >= 1
        assert reply.headers["x-ms-activity-id"] == "made-up-activity"
        assert reply.headers["x-ms-version"] == "2020-07-15"
        assert reply.headers["Content-Type"] == "application/json"
