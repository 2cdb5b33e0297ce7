"""The doors against their own description, tried by schemathesis on a platform of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle

import httpx
import pytest
import schemathesis
from werkzeug import Request, Response

from devtools.demo.mailbox import Mailbox
from devtools.demo.stranger import Stranger
from devtools.local_platform import Platform
from shared.domain import tokens
from shared.domain.identifiers import Pseudonymiser
from shared.services.links import ANSWER, CANCEL, PACKAGE, VERIFY
from shared.settings import read
from tests.conftest import ROOT
from tests.stack.probing import config, probe

FAST = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.200"}
SYSTEM_KEY = "local-development-only-system-key"
PURPOSES = {
    "verification": VERIFY,
    "cancellation": CANCEL,
    "package": PACKAGE,
    "deletion": PACKAGE,
    "answer": ANSWER,
}


@pytest.fixture(scope="module")
def tried_platform(tmp_path_factory) -> Iterator[Platform]:
    """A platform that others do not use: what is tried here fills its register and stops its erasing."""
    from devtools.provision import provision

    with Platform(ROOT, logs=tmp_path_factory.mktemp("tried"), overrides=FAST) as platform:
        asyncio.run(provision(ROOT, platform.environment))
        platform.start_host()
        yield platform


def schema_of(platform, **options):
    """Return the description as the platform gives it."""
    url = f"{platform.functions_url}/api/openapi.json"
    return schemathesis.openapi.from_url(url, config=config(**options))


@pytest.mark.platform
def test_strangers_find_no_undocumented_answer(tried_platform):
    """Whatever is sent, by the description or against it: a documented status, type, body and header."""
    probed = probe(schema_of(tried_platform, examples=15))
    assert probed.misfits == []
    tried = {label for label, _ in probed.seen}
    assert len(tried) == len(list(schema_of(tried_platform, examples=1).get_all_operations()))
    assert probed.seen["POST /requests", 202] > 20
    assert probed.seen["POST /requests", 400] > 20


class _Signed:
    """Requests that are on file, and genuine links to them, put into whatever is tried."""

    def __init__(self, platform: Platform, request_ids: list[str]) -> None:
        self._keys = Pseudonymiser(read(platform.environment).pseudonym_key_bytes)
        self._ids = cycle(request_ids)

    def __call__(self, case) -> None:
        """Put an id and, where the door takes one, its token into a request."""
        if "request_id" not in (case.path_parameters or {}):
            return
        request_id = next(self._ids)
        case.path_parameters["request_id"] = request_id
        purpose = PURPOSES.get(case.operation.path.rpartition("/")[2])
        if purpose is None:
            return
        token = tokens.issue(
            self._keys,
            purpose=purpose,
            request_id=request_id,
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )
        if case.method == "GET":
            case.query["token"] = token
        elif isinstance(case.body, dict):
            case.body = {**case.body, "token": token}


@pytest.mark.platform
def test_people_with_genuine_links_find_no_undocumented_answer(tried_platform):
    """Confirm, cancel, fetch, delete, answer: the answers of doors that really did something."""
    request_ids = asyncio.run(_on_file(tried_platform))
    signed = _Signed(tried_platform, request_ids)
    schema = schema_of(tried_platform, examples=8, is_real=True).include(path_regex=r"request_id")
    probed = probe(schema, signed)
    assert probed.misfits == []
    for label, status in (
        ("GET /requests/{request_id}", 200),
        ("GET /requests/{request_id}/verification", 200),
        ("POST /requests/{request_id}/verification", 200),
        ("GET /requests/{request_id}/package", 200),
        ("GET /requests/{request_id}/package", 410),
        ("POST /requests/{request_id}/package", 303),
        ("POST /requests/{request_id}/package/deletion", 200),
        ("POST /requests/{request_id}/cancellation", 200),
        ("POST /requests/{request_id}/cancellation", 409),
    ):
        assert probed.seen[label, status], (label, status, probed.seen)


async def _on_file(platform: Platform) -> list[str]:
    """Return ids of requests: two whose copy is ready, the others as they were filed."""
    from azure.storage.blob.aio import BlobServiceClient

    api = f"{platform.functions_url}/api"
    connection = read(platform.environment).storage_connection
    async with (
        httpx.AsyncClient(timeout=30.0) as client,
        BlobServiceClient.from_connection_string(connection) as service,
    ):
        stranger, mailbox = Stranger(client, api), Mailbox(service)
        ids = [
            await stranger.ask(f"real-{number}@people.example", [right], language="en")
            for number, right in enumerate(
                ("access", "access", "erasure", "access", "erasure", "portability")
            )
        ]
        for number in range(2):
            address = f"real-{number}@people.example"
            mail = await mailbox.wait(address, lambda one: "verification" in one.links, what="the mail")
            await stranger.confirm(mail.links["verification"])
            await mailbox.wait(address, lambda one: "package" in one.links, what="the answer")
    return ids


@pytest.mark.platform
async def test_the_host_answers_other_methods_and_paths_with_an_empty_404(tried_platform):
    """As the description says in its introduction."""
    api = f"{tried_platform.functions_url}/api"
    async with httpx.AsyncClient(base_url=api, timeout=30.0) as client:
        described = (await client.get("/openapi.json")).json()
        assert "404 without a body" in described["info"]["description"]
        for method, path in (
            ("DELETE", "/requests"),
            ("PUT", "/health"),
            ("GET", "/nothing"),
            ("GET", "/requests/1"),
        ):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.content) == (404, b"")


@Request.application
def _with_a_planted_bug(request):
    """Serve one door whose description leaves out what it answers to a long name."""
    if request.path == "/openapi.json":
        return Response(json.dumps(PLANTED), content_type="application/json")
    name = request.get_json(silent=True)
    if not isinstance(name, dict) or not isinstance(name.get("name"), str):
        return Response('{"code": "x"}', status=400, content_type="application/json")
    if len(name["name"]) > 5:
        return Response('{"code": "x"}', status=418, content_type="application/json")
    return Response("{}", content_type="application/json")


PLANTED = {
    "openapi": "3.1.0",
    "info": {"title": "Planted", "version": "1"},
    "paths": {
        "/names": {
            "post": {
                "operationId": "names",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": {"type": "string", "maxLength": 20}},
                            }
                        }
                    },
                },
                "responses": {
                    "200": {"description": "OK", "content": {"application/json": {}}},
                    "400": {"description": "No", "content": {"application/json": {}}},
                },
            }
        }
    },
}


def test_an_undocumented_status_is_found():
    """The probe can fail: a door that answers 418 to some names is told on."""
    schema = schemathesis.openapi.from_wsgi(
        "/openapi.json", app=_with_a_planted_bug, config=config(examples=20)
    )
    misfits = probe(schema).misfits
    assert [one for one in misfits if one.startswith("POST /names 418: Undocumented HTTP status code")]
    assert all(" 418: " in one for one in misfits)
