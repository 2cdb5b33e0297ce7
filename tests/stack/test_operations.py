"""Staff at the running stack: the command line signs in at the issuer and works on a case over HTTP."""

import asyncio
import json

import httpx
import pytest

from devtools import ops
from devtools.ops.connection import local_connection
from devtools.ops.signing_in import sign_in
from devtools.stand_ins.issuer_staff import TENANT_ID
from tests.fakes.staff import principal

pytestmark = pytest.mark.platform


@pytest.fixture
def connection(running_platform):
    """The way to the platform's API and its issuer."""
    ports = [
        int(url.split(":")[2].partition("/")[0])
        for url in (running_platform.functions_url, running_platform.issuer_url)
    ]
    return local_connection(functions_port=ports[0], issuer_port=ports[1])


@pytest.fixture
def staff(connection, tmp_path, monkeypatch, capsys):
    """Run commands as a made-up member of staff and return the exit code and what was said."""

    async def run(who, *arguments):
        monkeypatch.setattr(ops, "STORE", tmp_path / who)
        if not (tmp_path / who).exists():
            await asyncio.to_thread(sign_in, connection, tmp_path / who, staff=who)
        code = await asyncio.to_thread(ops.main, [*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out or said.err)

    return run


async def test_staff_enter_a_case_find_it_and_look_at_it(staff, everyone):
    """A token of msal, the host's HTTP, the app's own checks."""
    entry = ("--email", everyone[3].email, "--channel", "post", "--received-at", "2026-01-05T09:00:00Z")
    code, entered = await staff(
        "operator", "enter", "--rights", "objection", *entry, "--identity", "question"
    )
    assert code == 0, entered
    request_id = entered["request_id"]
    code, page = await staff("auditor", "list")
    assert code == 0
    assert request_id in [one["request_id"] for one in page["cases"]]
    code, case = await staff("auditor", "view", request_id, "--purpose", "an audit")
    assert code == 0
    assert case["request"]["request_id"] == request_id
    named = ("--email", everyone[3].email, "--purpose", "a call of the person")
    code, found = await staff("auditor", "find", *named)
    assert code == 0, found
    assert request_id in [one["request_id"] for one in found["requests"]]


async def test_a_role_that_is_missing_is_code_1(staff):
    """Also through the host."""
    code, refused = await staff("operator", "resume-erasing", "--reason", "all is well")
    assert (code, refused["code"], refused["status"]) == (1, "role_missing", 403)
    code, refused = await staff("nobody", "list")
    assert (code, refused["code"]) == (1, "role_missing")


async def test_nobody_comes_in_without_a_token(api, running_platform):
    """Nor with the header that App Service would write, nor with a token whose signature was cut off."""
    origin = running_platform.issuer_url.removesuffix(f"/{TENANT_ID}")
    async with httpx.AsyncClient() as client:
        given = await client.post(f"{origin}/stand-in/tokens", json={"staff": "operator"})
        token = given.json()["access_token"]
        url = f"{api}/operations/cases"
        forged = principal({"oid": "a", "tid": TENANT_ID, "roles": ["Operator"]})
        for headers in (
            {},
            {"X-MS-CLIENT-PRINCIPAL": forged},
            {"Authorization": f"Bearer {token.rpartition('.')[0]}."},
            {"Authorization": f"Basic {token}"},
        ):
            answer = await client.get(url, headers=headers)
            assert answer.status_code == 401, headers
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.headers["Content-Type"] == "application/problem+json"
        good = await client.get(url, headers={"Authorization": f"Bearer {token}"})
        assert good.status_code == 200
