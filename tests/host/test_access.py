"""Keys, local CORS and the host's own endpoints."""

import pytest

THREE_LEVELS = """
@app.route(route="open", auth_level="anonymous")
def open_(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")
@app.route(route="keyed", auth_level="function")
def keyed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")
@app.route(route="owner", auth_level="admin")
def owner(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")
"""
ORIGIN = "https://site.example"
MASTER = {"x-functions-key": "local-master-key"}


async def test_keys_are_not_asked_for_by_default(app):
    app.source(THREE_LEVELS)
    async with app.served() as (_, session):
        for route in ("open", "keyed", "owner"):
            async with session.get(f"/api/{route}") as answer:
                assert answer.status == 200


@pytest.mark.parametrize(
    ("target", "key", "status"),
    [
        ("/api/open", None, 200),
        ("/api/keyed", None, 401),
        ("/api/keyed", "wrong", 401),
        ("/api/keyed", "local-key-keyed", 200),
        ("/api/keyed", "local-key-owner", 401),
        ("/api/keyed", "local-host-key", 200),
        ("/api/keyed", "local-master-key", 200),
        ("/api/owner", "local-host-key", 401),
        ("/api/owner", "local-master-key", 200),
        ("/admin/host/status", None, 401),
        ("/admin/host/status", "local-master-key", 200),
    ],
)
async def test_keys_are_checked_when_asked_for(app, target, key, status):
    app.source(THREE_LEVELS)
    async with app.served(enable_auth=True) as (_, session):
        async with session.get(target, headers={} if key is None else {"X-Functions-Key": key}) as answer:
            assert answer.status == status
            assert status == 200 or await answer.read() == b""
        async with session.get(target, params={} if key is None else {"code": key}) as answer:
            assert answer.status == status


async def test_header_key_wins_over_the_query(app):
    app.source(THREE_LEVELS)
    async with app.served(enable_auth=True) as (_, session):
        async with session.get("/api/keyed?code=wrong", headers=MASTER) as answer:
            assert answer.status == 200
        async with session.get(
            "/api/keyed?code=local-master-key", headers={"x-functions-key": "no"}
        ) as answer:
            assert answer.status == 401


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }


async def test_preflight_is_answered_before_any_function(app):
    app.source(THREE_LEVELS)
    async with app.served(cors=f"http://other.example,{ORIGIN}") as (host, session):
        async with session.options("/api/open", headers=preflight(ORIGIN)) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert answer.headers["Access-Control-Allow-Methods"] == "POST"
            assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
        assert host.activity.of("open_").succeeded == 0


async def test_preflight_of_a_foreign_origin_is_204_without_permission(app):
    app.source(THREE_LEVELS)
    async with (
        app.served(cors=ORIGIN) as (_, session),
        session.options("/api/open", headers=preflight("https://evil.example")) as answer,
    ):
        assert answer.status == 204
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


async def test_allowed_origin_may_read_answers_errors_included(app):
    app.source(THREE_LEVELS)
    async with app.served(cors=ORIGIN) as (_, session):
        for target, status in (("/api/open", 200), ("/api/none", 404)):
            async with session.get(target, headers={"Origin": ORIGIN}) as answer:
                assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, ORIGIN)
                assert answer.headers["Vary"] == "Origin"


async def test_without_cors_a_preflight_is_an_ordinary_request(app):
    app.source(THREE_LEVELS.replace('route="open"', 'route="open", methods=["GET"]'))
    async with (
        app.served() as (_, session),
        session.options("/api/open", headers=preflight(ORIGIN)) as answer,
    ):
        assert (answer.status, "Access-Control-Allow-Origin" in answer.headers) == (404, False)


async def test_star_allows_every_origin(app):
    app.source(THREE_LEVELS)
    async with (
        app.served(cors="*") as (_, session),
        session.get("/api/open", headers={"Origin": ORIGIN}) as answer,
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_host_tells_its_state_and_its_functions(app):
    app.source(THREE_LEVELS)
    app.host_json({}, extensionBundle={"id": "Some.Bundle", "version": "[4.*, 5.0.0)"})
    async with app.served() as (_, session):
        async with session.get("/admin/host/status") as answer:
            status = await answer.json()
            assert status["state"] == "Running"
            assert status["extensionBundle"]["id"] == "Some.Bundle"
        async with session.get("/admin/functions") as answer:
            assert [item["name"] for item in await answer.json()] == ["keyed", "open_", "owner"]
        async with session.get("/admin/functions/KEYED") as answer:
            bindings = (await answer.json())["config"]["bindings"]
            assert {"httpTrigger", "http"} == {binding["type"] for binding in bindings}
        for method in ("GET", "POST"):
            async with session.request(method, "/admin/host/ping") as answer:
                assert answer.status == 200
        async with session.get("/admin/functions/none") as answer:
            assert answer.status == 404
        async with session.get("/admin/functions/keyed/status") as answer:
            assert await answer.json() == {}
        async with session.post("/admin/functions/keyed", json={"input": ""}) as answer:
            assert answer.status == 400


async def test_host_counts_invocations(app):
    app.source(THREE_LEVELS)
    async with app.served() as (_, session):
        await session.get("/api/open")
        async with session.get("/admin/local/idle") as answer:
            counts = await answer.json()
    assert counts["idle"] is True
    assert counts["functions"]["open_"] == {"running": 0, "succeeded": 1, "failed": 0}
