"""The doors against their own description, tried by schemathesis on a platform of their own."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, cycle

import httpx
import pytest
import schemathesis
from azure.storage.blob.aio import BlobServiceClient
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug import Request, Response

from devtools.demo.mailbox import Mailbox
from devtools.demo.stranger import Stranger
from devtools.local_platform import Platform
from devtools.provision import provision
from shared.domain import tokens
from shared.domain.identifiers import Pseudonymiser
from shared.services.links import ANSWER, CANCEL, PACKAGE, VERIFY
from shared.settings import read
from tests.conftest import ROOT
from tests.fakes.receiver import Authority
from tests.stack.conftest import populated
from tests.stack.probing import config, probe

FAST = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.200"}
SYSTEM_KEY = "local-development-only-system-key"
PLATFORM_KEY = "a key of a made-up platform"
PURPOSES = {
    "verification": VERIFY,
    "cancellation": CANCEL,
    "package": PACKAGE,
    "deletion": PACKAGE,
    "answer": ANSWER,
}
DECIDED = ("approve", "extend", "lift", "refuse", "release", "reread", "resume_erasing", "resume_retention")
STAFF_OF = {
    "operations_newsletter_unlist": "approver",
    "operations_customer_request": "customer-admin",
    **{f"operations_{name}": "approver" for name in DECIDED},
}
"""Who may do it; the operator all else."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A platform that is tried, and requests that were on file before."""

    platform: Platform
    request_ids: list[str]

    def schema(self, **options):
        """Return the description as the platform gives it."""
        url = f"{self.platform.functions_url}/api/openapi.json"
        return schemathesis.openapi.from_url(url, config=config(**options))


@pytest.fixture(scope="module")
def tried(tmp_path_factory) -> Iterator[Tried]:
    """A platform that others do not use: what is tried here fills its register and stops its erasing."""
    logs = tmp_path_factory.mktemp("tried")
    overrides = {**FAST, **_opendsr(tmp_path_factory.mktemp("authority"))}
    with Platform(ROOT, logs=logs, overrides=overrides, with_staff=True) as platform:
        asyncio.run(provision(ROOT, platform.environment))
        populated(platform)
        platform.start_host()
        yield Tried(platform=platform, request_ids=asyncio.run(_on_file(platform)))


def _opendsr(directory) -> dict[str, str]:
    """Return settings that open OpenDSR to a made-up platform."""
    own = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    key, certificate = Authority(directory).issued("127.0.0.1", "127.0.0.1", key=own)
    entry = {
        "key_sha256": hashlib.sha256(PLATFORM_KEY.encode()).hexdigest(),
        "callback_domains": ["platform.example"],
        "requests_per_hour": 100_000,
    }
    return {
        "OPENDSR_KEY": key.decode(),
        "OPENDSR_CERTIFICATE": certificate.decode(),
        "OPENDSR_CONTROLLERS": json.dumps({"made-up-platform": entry}),
    }


async def _on_file(platform: Platform) -> list[str]:
    """Return ids of requests: two whose copy is ready, the others as filed, one of them with a question."""
    rights = ("access", "access", "erasure", "access", "erasure", "portability")
    async with (
        httpx.AsyncClient(timeout=30.0) as client,
        BlobServiceClient.from_connection_string(read(platform.environment).storage_connection) as service,
    ):
        stranger, mailbox = Stranger(client, f"{platform.functions_url}/api"), Mailbox(service)
        people = [f"real-{number}@people.example" for number in range(len(rights))]
        ids = [
            await stranger.ask(one, [right], language="en") for one, right in zip(people, rights, strict=True)
        ]
        for one in people[:2]:
            mail = await mailbox.wait(one, lambda mail: "verification" in mail.links, what="the mail")
            await stranger.confirm(mail.links["verification"])
        for one in people[:2]:
            await mailbox.wait(one, lambda mail: "package" in mail.links, what="the answer")
        asked = await client.post(
            f"{platform.functions_url}/api/operations/cases/{ids[-1]}/questions",
            json={"kind": "clarification", "text": "Which of the two accounts do you mean?"},
            headers={"Authorization": f"Bearer {_token(platform, 'operator')}"},
        )
        assert asked.status_code == 201
    return ids


def _token(platform: Platform, who: str) -> str:
    origin = platform.issuer_url.rpartition("/")[0]
    return str(httpx.post(f"{origin}/stand-in/tokens", json={"staff": who}).json()["access_token"])


class Signed:
    """Requests that are on file and genuine links to them, put into whatever is tried."""

    def __init__(self, tried: Tried) -> None:
        self._keys = Pseudonymiser(read(tried.platform.environment).pseudonym_key_bytes)
        *ready, first, second, third, asked = tried.request_ids
        self._everyone = cycle(tried.request_ids)
        self._ids = {  # what one door does to a request is not in the way of another
            PACKAGE: cycle([*ready, first]),
            CANCEL: cycle([first, second, ready[0]]),
            VERIFY: cycle([third]),
            ANSWER: cycle([asked, third]),
        }

    def __call__(self, case) -> None:
        """Put an id and, where the door takes one, its token into a request."""
        if "request_id" not in (case.path_parameters or {}):
            return
        purpose = PURPOSES.get(case.operation.path.rpartition("/")[2])
        request_id = next(self._ids.get(purpose, self._everyone))
        case.path_parameters["request_id"] = request_id
        if purpose is None:
            return
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        token = tokens.issue(self._keys, purpose=purpose, request_id=request_id, expires_at=tomorrow)
        if case.method == "GET":
            case.query["token"] = token
        elif isinstance(case.body, dict):
            case.body = {**case.body, "token": token}


class Trusted:
    """Puts the key of a system, of a platform, or a token of staff into whatever is tried."""

    def __init__(self, tried: Tried) -> None:
        members = ("operator", "approver", "customer-admin", "nobody")
        self._tokens = {who: _token(tried.platform, who) for who in members}
        self._turns = count(1)

    def __call__(self, case) -> None:
        """Say who calls; every ninth time somebody without any role."""
        operation = case.operation.definition.raw
        who = STAFF_OF.get(operation["operationId"], "operator")
        if next(self._turns) % 9 == 0:
            who = "nobody"
        for scheme in operation.get("security", ()):
            if "staff" in scheme:
                case.headers["Authorization"] = f"Bearer {self._tokens[who]}"
            if "system" in scheme:
                case.headers["x-system-key"] = SYSTEM_KEY
            if "opendsr" in scheme:
                case.headers["x-opendsr-key"] = PLATFORM_KEY


@pytest.mark.platform
def test_strangers_find_no_undocumented_answer(tried):
    """Whatever is sent, by the description or against it: a documented status, type, body and header."""
    schema = tried.schema(examples=6).exclude(tag="Operations")
    probed = probe(schema)
    assert probed.misfits == {}
    assert {label for label, _ in probed.seen} == _labels(schema)
    assert probed.seen["POST /requests", 202] > 20
    assert probed.seen["POST /requests", 400] > 20


@pytest.mark.platform
def test_staff_systems_and_platforms_find_no_undocumented_answer(tried):
    """The same for who has a key or a token: the checks of the body are behind it."""
    schema = tried.schema(examples=4, has_credentials=True).include(_is_guarded)
    probed = probe(schema, Trusted(tried))
    assert probed.misfits == {}
    let_in = {label for label, status in probed.seen if status not in (401, 403)}
    assert let_in == _labels(schema)


@pytest.mark.platform
def test_people_with_genuine_links_find_no_undocumented_answer(tried):
    """Confirm, cancel, fetch, delete, answer, decide: the answers of doors that really did something."""
    trusted, signed = Trusted(tried), Signed(tried)

    def prepare(case) -> None:
        trusted(case)
        signed(case)

    schema = tried.schema(examples=5, is_real=True, has_credentials=True).include(path_regex="{request_id}")
    probed = probe(schema.exclude(tag="Operations"), prepare)
    by_staff = probe(schema.include(tag="Operations"), prepare)
    assert probed.misfits == {}
    assert by_staff.misfits == {}
    for label, status in (
        ("GET /requests/{request_id}", 200),
        ("GET /requests/{request_id}/verification", 200),
        ("POST /requests/{request_id}/verification", 200),
        ("POST /requests/{request_id}/package", 303),
        ("GET /requests/{request_id}/package", 410),
        ("POST /requests/{request_id}/package/deletion", 200),
        ("POST /requests/{request_id}/cancellation", 200),
        ("POST /requests/{request_id}/cancellation", 409),
    ):
        assert probed.seen[label, status], (label, status, sorted(probed.seen.items()))
    answer = "POST /requests/{request_id}/answer"
    assert probed.seen[answer, 204] or probed.seen[answer, 200]  # to JSON, or to a form
    assert by_staff.seen["POST /operations/cases/{request_id}/lookups", 200]


def _labels(schema) -> set[str]:
    return {found.ok().label for found in schema.get_all_operations()}


def _is_guarded(context) -> bool:
    return bool(context.operation.definition.raw.get("security"))


@pytest.mark.platform
async def test_the_host_answers_other_methods_and_paths_with_an_empty_404(tried):
    """As the description says in its introduction."""
    api = f"{tried.platform.functions_url}/api"
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
    assert [one for one in misfits if one.startswith("POST /names 418: Undocumented status code")]
    assert all(" 418: " in one for one in misfits)
