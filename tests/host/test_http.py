"""HTTP functions: routing, requests and responses as the real host has them."""

import asyncio

import pytest

ECHO = """
import json
@app.route(route="echo/{a?}")
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps({
        "method": req.method, "url": req.url, "headers": dict(req.headers), "params": dict(req.params),
        "route": dict(req.route_params), "body": req.get_body().decode("latin-1"),
    }))
"""


async def raw_exchange(host, text: bytes) -> bytes:
    """Send bytes as they are and return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(host.url.rsplit(":", 1)[1]))
    try:
        writer.write(text)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_routes_are_tried_by_function_name_not_by_specificity(app):
    app.source("""
@app.route(route="items/export")
def b_export(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("export")
@app.route(route="items/{id}")
def a_get(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("get " + req.route_params["id"])
""")
    async with app.served() as (_, session), session.get("/api/items/export") as answer:
        assert await answer.text() == "get export"


async def test_missed_constraint_falls_through_to_the_next_route_and_then_404(app):
    app.source("""
@app.route(route="items/{id:int}")
def a(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("number")
@app.route(route="items/{id:alpha}")
def b(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("letters")
""")
    async with app.served() as (_, session):
        async with session.get("/api/items/abc") as answer:
            assert await answer.text() == "letters"
        async with session.get("/api/items/a-1") as answer:
            assert (answer.status, await answer.read()) == (404, b"")


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "DELETE"])
async def test_wrong_method_is_an_empty_404(app, method):
    app.source("""
@app.route(route="one", methods=["GET"])
def one(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("x")
""")
    async with app.served() as (_, session), session.request(method, "/api/one") as answer:
        assert (answer.status, await answer.read()) == (404, b"")


async def test_function_without_methods_answers_every_verb(app):
    app.source(ECHO)
    async with app.served() as (_, session):
        for method in ("GET", "PUT", "PATCH", "OPTIONS", "PURGE"):
            async with session.request(method, "/api/echo") as answer:
                assert (await answer.json(content_type=None))["method"] == method
        async with session.head("/api/echo") as answer:
            assert (answer.status, await answer.read()) == (200, b"")


async def test_same_route_with_other_methods_leads_to_the_other_function(app):
    app.source("""
@app.route(route="r", methods=["GET"])
def a(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("get")
@app.route(route="R", methods=["POST"])
def b(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("post")
""")
    async with app.served() as (_, session), session.post("/api/r") as answer:
        assert await answer.text() == "post"


async def test_blank_route_is_the_function_name(app):
    app.source("""
@app.route(route="")
def blank(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("here")
""")
    async with app.served() as (_, session):
        async with session.get("/api/blank") as answer:
            assert answer.status == 200
        async with session.get("/api") as answer:
            assert answer.status == 404


async def test_route_prefix_comes_from_host_json_and_the_environment_wins(app):
    app.source(ECHO)
    app.host_json({"http": {"routePrefix": "v1"}})
    async with app.served() as (_, session), session.get("/v1/echo") as answer:
        assert answer.status == 200
    override = {"AzureFunctionsJobHost__extensions__http__routePrefix": ""}
    async with app.served(environment=override) as (_, session), session.get("/echo") as answer:
        assert answer.status == 200


async def test_request_arrives_as_in_azure(app):
    app.source(ECHO)
    async with app.served() as (host, session):
        headers = [("X-Many", "1"), ("X-Many", "2"), ("X-CASE", "Kept")]
        url = "/api/echo/a%20b%2Fc?x=1&empty=&x=2&y=%C3%B8"
        async with session.post(url, data=b"\x00\xff", headers=headers) as answer:
            seen = await answer.json(content_type=None)
    assert seen["url"].startswith(f"{host.url}/api/echo/a%20b%2Fc?x=1")
    assert seen["params"] == {"x": "1,2", "y": "ø"}
    assert seen["route"] == {"a": "a b%2Fc"}
    assert seen["body"] == "\x00\xff"
    assert seen["headers"]["x-many"] == "1,2"
    assert seen["headers"]["x-case"] == "Kept"


async def test_absent_optional_parameter_is_a_missing_key(app):
    app.source(ECHO)
    async with app.served() as (_, session), session.get("/api/echo") as answer:
        assert (await answer.json(content_type=None))["route"] == {}


async def test_chunked_body_reaches_the_function_empty(app):
    app.source(ECHO)
    request = (
        b"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n"
    )
    async with app.served() as (host, _):
        answer = await raw_exchange(host, request)
    assert b'"body": ""' in answer


async def test_client_that_expects_a_continue_gets_it(app):
    app.source(ECHO)
    head = (
        b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
        b"Connection: close\r\n\r\nhi"
    )
    async with app.served() as (host, _):
        answer = await raw_exchange(host, head)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert b'"body": "hi"' in answer


async def test_compressed_body_is_left_as_it_is(app):
    app.source(ECHO)
    async with (
        app.served() as (_, session),
        session.post("/api/echo", data=b"raw", headers={"Content-Encoding": "gzip"}) as answer,
    ):
        assert (await answer.json(content_type=None))["body"] == "raw"


async def test_oversized_body_is_413_and_never_reaches_the_function(app):
    app.source(ECHO)
    environment = {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "10"}
    async with app.served(environment=environment) as (host, session):
        async with session.post("/api/echo", data=b"x" * 11) as answer:
            assert answer.status == 413
        assert host.activity.of("echo").succeeded == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return None", "nothing returned"),
        ("raise RuntimeError('x')", "raised"),
        ("return 5", "neither response nor text"),
        ("return func.HttpResponse('x', status_code='abc')", "status is no number"),
        ("return func.HttpResponse('x', headers={'X': 'a\\nb'})", "header with a line break"),
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_failed_invocation_is_an_empty_500(app, kind, body, reason):
    app.source(f"""
@app.route(route="f")
{kind} f(req: func.HttpRequest):
    {body}
""")
    async with app.served() as (_, session), session.get("/api/f") as answer:
        assert (answer.status, await answer.read()) == (500, b""), reason


async def test_response_keeps_the_last_of_repeated_headers_and_every_cookie(app):
    app.source("""
from werkzeug.datastructures import Headers
@app.route(route="f")
def f(req: func.HttpRequest) -> func.HttpResponse:
    headers = Headers()
    headers.add("X-Twice", "first")
    headers.add("X-Twice", "last")
    headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    headers.add("Set-Cookie", "b=2; SameSite=Lax")
    return func.HttpResponse(b"bytes", status_code=201, headers=headers, mimetype="application/json")
""")
    async with app.served() as (_, session), session.get("/api/f") as answer:
        assert answer.status == 201
        assert await answer.read() == b"bytes"
        assert answer.headers.getall("X-Twice") == ["last"]
        assert answer.headers.getall("Set-Cookie") == ["a=1; HttpOnly; Path=/", "b=2; SameSite=Lax"]
        assert answer.headers["Content-Type"] == "application/json"


async def test_default_content_type_is_plain_text_in_utf_8(app):
    app.source("""
@app.route(route="f")
def f(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ø")
""")
    async with app.served() as (_, session), session.get("/api/f") as answer:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert await answer.text() == "ø"


async def test_text_that_looks_like_a_response_is_taken_for_one(app):
    app.source("""
@app.route(route="a")
def a(req: func.HttpRequest) -> str:
    return '{"status": 418, "body": "teapot", "headers": {"X-A": "b"}}'
@app.route(route="b")
def b(req: func.HttpRequest) -> str:
    return '{"x":1}'
@app.route(route="c")
def c(req: func.HttpRequest) -> str:
    return 'plain'
""")
    async with app.served() as (_, session):
        async with session.get("/api/a") as answer:
            assert (answer.status, answer.headers["X-A"], await answer.text()) == (418, "b", "teapot")
        async with session.get("/api/b") as answer:
            assert (answer.content_type, await answer.text()) == ("application/json", '{"x": 1}')
        async with session.get("/api/c") as answer:
            assert await answer.text() == "plain"


async def test_asynchronous_functions_run_on_the_hosts_own_loop_and_others_in_threads(app):
    app.source("""
import asyncio, threading
@app.route(route="a")
async def a(req: func.HttpRequest) -> func.HttpResponse:
    calls.append(asyncio.get_running_loop())
    return func.HttpResponse()
@app.route(route="b")
def b(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    calls.append((threading.current_thread() is threading.main_thread(), context.function_name))
    return func.HttpResponse(context.invocation_id)
""")
    async with app.served() as (_, session):
        await session.get("/api/a")
        async with session.get("/api/b") as answer:
            assert len(await answer.text()) == 36
    assert app.module.calls == [asyncio.get_running_loop(), (False, "b")]


async def test_function_that_runs_too_long_fails(app):
    app.source("""
import asyncio
@app.route(route="slow")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(60)
""")
    app.host_json({}, functionTimeout="00:00:00.05")
    async with app.served() as (_, session), session.get("/api/slow") as answer:
        assert (answer.status, await answer.read()) == (500, b"")


async def test_home_page_can_be_switched_off(app):
    app.source(ECHO)
    async with app.served() as (_, session), session.get("/") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    environment = {"AzureWebJobsDisableHomepage": "true"}
    async with app.served(environment=environment) as (_, session), session.get("/") as answer:
        assert (answer.status, await answer.read()) == (204, b"")


async def test_disabled_function_is_404(app):
    app.source(ECHO)
    environment = {"AzureWebJobs.echo.Disabled": "true"}
    async with app.served(environment=environment) as (_, session), session.get("/api/echo") as answer:
        assert answer.status == 404


async def test_only_the_functions_asked_for_are_served(app):
    app.source(ECHO + ECHO.replace("echo", "other"))
    async with app.served(functions=["OTHER"]) as (_, session):
        async with session.get("/api/echo") as answer:
            assert answer.status == 404
        async with session.get("/api/other") as answer:
            assert answer.status == 200


async def test_blueprint_and_wrapped_functions_are_served(app):
    app.source("""
import functools
bp = func.Blueprint()
def wrapped(call):
    @functools.wraps(call)
    async def inner(*args, **kwargs):
        return await call(*args, **kwargs)
    return inner
@bp.route(route="w")
@wrapped
async def w(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("wrapped")
app.register_functions(bp)
""")
    async with app.served() as (_, session), session.get("/api/w") as answer:
        assert await answer.text() == "wrapped"
