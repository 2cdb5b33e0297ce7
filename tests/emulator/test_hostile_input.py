"""Whatever a client sends, the answer is a 4xx with the error body."""

import asyncio
import io

import orjson
import pytest

DOCS = "dbs/shop/colls/things/docs"
KEY = {"x-ms-documentdb-partitionkey": '["a"]'}
QUERY = {"x-ms-documentdb-isquery": "true", "Content-Type": "application/query+json", **KEY}


def _assert_refused(reply, *statuses):
    assert reply.status in (statuses or (400,)), reply.text
    body = orjson.loads(reply.text)
    assert set(body) == {"code", "message"}
    assert body["message"].strip()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"3", b"null", b'"x"', b"\xff\xfe",
        b'{"id":"1","pk":"a","x":NaN}', b'{"id":"\\ud800","pk":"a"}',
        b'{"id":1,"pk":"a"}', b'{"pk":"a"}', b'{"id":"","pk":"a"}',
        b'{"id":"a/b","pk":"a"}', b'{"id":"a\\\\b","pk":"a"}',
        b'{"id":"' + b"x" * 1024 + b'","pk":"a"}',
        b'{"id":"1","pk":"a","x":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"id":"1","pk":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)  # fmt: skip
async def test_a_bad_document_is_refused(raw, container, data):
    for headers in (KEY, KEY | {"x-ms-documentdb-is-upsert": "True"}):
        _assert_refused(await raw.send("POST", DOCS, headers=headers, data=data))
    _assert_refused(await raw.send("PUT", f"{DOCS}/1", headers=KEY, data=data), 400)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"{}", b'{"query":3}', b'{"query":""}', b'{"query":"SELECT"}',
        b'{"query":"\\u0000"}',
        b'{"query":"SELECT * FROM c","parameters":3}', b'{"query":"SELECT * FROM c","parameters":[3]}',
        b'{"query":"SELECT * FROM c","parameters":[{"name":"x","value":1}]}',
        b'{"query":"SELECT * FROM c WHERE c.x = @x","parameters":[{"name":"@y","value":1}]}',
        b'{"query":"SELECT * FROM c WHERE c.x IN ()"}',
        b'{"query":"SELECT VALUE (SELECT VALUE t FROM t IN [1,2]) FROM c"}',
        b'{"query":"' + b"(" * 5000 + b'"}',
    ],
)  # fmt: skip
async def test_a_bad_query_is_refused(raw, container, data):
    await container.create_item({"id": "1", "pk": "a"})
    _assert_refused(await raw.send("POST", DOCS, headers=QUERY, data=data))
    plan = {"x-ms-cosmos-is-query-plan-request": "True"}
    if b"SELECT VALUE (" not in data:
        _assert_refused(await raw.send("POST", DOCS, headers=plan, data=data))


@pytest.mark.parametrize("count", ["0", "-2", "x", "1.5", ""])
async def test_a_bad_page_size_is_refused(raw, container, count):
    body = {"query": "SELECT * FROM c"}
    _assert_refused(await raw.send("POST", DOCS, body, QUERY | {"x-ms-max-item-count": count}))
    _assert_refused(
        await raw.send("GET", DOCS, headers={"A-IM": "Incremental Feed", "x-ms-max-item-count": count})
    )


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"3", b"[3]", b'[{"operationType":"Explode"}]', b'[{"operationType":"Read"}]',
        b'[{"operationType":"Read","id":3}]', b'[{"operationType":"Delete","id":"1","ifMatch":3}]',
    ],
)  # fmt: skip
async def test_a_bad_batch_is_refused(raw, container, data):
    headers = KEY | {"x-ms-cosmos-is-batch-request": "True", "x-ms-cosmos-batch-atomic": "True"}
    _assert_refused(await raw.send("POST", DOCS, headers=headers, data=data))


async def test_a_bad_operation_in_a_batch_fails_the_batch_only(raw, container):
    headers = KEY | {"x-ms-cosmos-is-batch-request": "True", "x-ms-cosmos-batch-atomic": "True"}
    for body in (
        [{"operationType": "Create"}],
        [{"operationType": "Create", "resourceBody": {"id": 3, "pk": "a"}}],
        [{"operationType": "Patch", "id": "1", "resourceBody": None}],
        [{"operationType": "Patch", "id": "1", "resourceBody": {"operations": [3]}}],
    ):
        reply = await raw.send("POST", DOCS, body, headers)
        assert (reply.status, orjson.loads(reply.text)[0]["statusCode"]) == (207, 400)


async def test_a_huge_body_is_too_large(raw, container):
    body = io.BytesIO(b'{"id":"1","pk":"a","x":"' + b"x" * 5_000_000 + b'"}')
    reply = await raw.send("POST", DOCS, headers=KEY, data=body)
    _assert_refused(reply, 413)

    async def chunks():
        for _ in range(50):
            yield b"x" * 100_000

    _assert_refused(await raw.send("POST", DOCS, headers=KEY, data=chunks()), 413)
    assert (await raw.send("GET", "dbs/shop")).status == 200


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "nothing", 400),
        ("GET", "dbs/shop/users", 400),
        ("POST", "dbs/shop/colls/things/sprocs", 400),
        ("GET", "dbs/shop/colls/things/docs/1/attachments", 400),
        ("TRACE", "dbs/shop/colls/things/docs/1", 400),
        ("PUT", "dbs/shop", 405),
        ("DELETE", "dbs", 405),
        ("GET", "offers/none", 404),
        ("GET", "_emulator/secrets", 404),
        ("PUT", "_emulator/clock", 405),
    ],
)
async def test_an_unknown_path_or_method_is_refused(raw, container, verb, path, status):
    _assert_refused(await raw.send(verb, path, headers=KEY), status)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ms-documentdb-pre-trigger-include": "x"},
        {"x-ms-made-up": "1"},
        {"x-ms-session-token": "nonsense"},
        {"x-ms-session-token": "0:a#b"},
    ],
)
async def test_a_header_that_is_not_understood_is_refused(raw, container, headers):
    await container.create_item({"id": "1", "pk": "a"})
    _assert_refused(await raw.send("GET", f"{DOCS}/1", headers=KEY | headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"A-IM": "Everything"},
        {"A-IM": "Incremental Feed", "If-None-Match": '"x"'},
        {"A-IM": "Incremental Feed", "If-Modified-Since": "yesterday"},
        {"A-IM": "Incremental Feed", "x-ms-documentdb-partitionkeyrangeid": "0", "x-ms-start-epk": "zz"},
        {"A-IM": "Full-Fidelity Feed"},
    ],
)
async def test_a_bad_change_feed_request_is_refused(raw, container, headers):
    _assert_refused(await raw.send("GET", DOCS, headers=headers))


async def test_half_a_request_does_not_stop_the_others(emulator, raw, container):
    host, port = emulator.endpoint.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /dbs/shop/colls/things/docs HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    assert (await raw.send("GET", "dbs/shop")).status == 200
    writer.close()
    await writer.wait_closed()
