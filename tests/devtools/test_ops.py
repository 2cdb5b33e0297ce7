"""Signing in with msal at an issuer of our own, and the commands that call the operations API."""

import asyncio

import httpx
import pytest
import requests

from devtools.failures import CannotStartError
from devtools.free_ports import free_port
from devtools.ops.connection import Connection, NotSignedInError, local_connection
from devtools.ops.signing_in import access_token, sign_in, sign_out
from devtools.stand_ins import issuer as issuer_module
from devtools.stand_ins.issuer import Issuer
from devtools.stand_ins.issuer_staff import STAFF, TENANT_ID, settings_for
from shared import settings as app_settings
from shared.adapters.entra_tokens import EntraTokens
from shared.adapters.system_clock import SystemClock
from shared.domain.errors import NotAllowed, Permanent
from tests.architecture.test_settings_documented import AZURE, EXAMPLE


async def _signed_in(connection, store, staff="operator"):
    await asyncio.to_thread(sign_in, connection, store, staff=staff)
    return await asyncio.to_thread(access_token, connection, store)


@pytest.mark.parametrize("name", list(STAFF))
async def test_made_up_staff_sign_in_and_the_app_knows_them(connection, tokens, tmp_path, name):
    """The device flow of msal, the app's checks, nothing replaced."""
    member = await tokens.member(await _signed_in(connection, tmp_path, name))
    assert member.staff_id == STAFF[name].staff_id
    assert member.tenant_id == TENANT_ID
    assert member.roles == set(STAFF[name].roles)
    assert bool(member.customer_ids) == (name == "customer-admin")


async def test_what_is_kept_is_for_its_owner_only(connection, tmp_path):
    """Also when it was there before, readable by all."""
    store = tmp_path / "ops"
    store.mkdir()
    (store / "tokens.json").write_text("{}")
    (store / "tokens.json").chmod(0o644)
    await _signed_in(connection, store)
    assert {path.name: path.stat().st_mode & 0o777 for path in store.iterdir()} == {
        "tokens.json": 0o600,
        "connection.json": 0o600,
    }
    assert Connection.read(store) == connection


async def test_the_code_can_be_typed_in_later_in_a_browser(connection, issuer, tokens, tmp_path, capsys):
    """The command waits, as it does for Entra."""
    waiting = asyncio.create_task(asyncio.to_thread(sign_in, connection, tmp_path))
    said = ""
    while "user_code=" not in said:
        await asyncio.sleep(0.02)
        said += capsys.readouterr().err
    where = said.split()[1]
    page = await asyncio.to_thread(requests.get, where, timeout=5)
    code = where.partition("user_code=")[2]
    assert code in page.text
    form = {"user_code": code.lower(), "staff": "auditor"}
    await asyncio.to_thread(requests.post, where, data=form, timeout=5)
    await asyncio.wait_for(waiting, 10)
    member = await tokens.member(await asyncio.to_thread(access_token, connection, tmp_path))
    assert member.roles == {"Auditor"}


async def test_a_token_that_ends_is_renewed_without_asking(connection, issuer, tokens, tmp_path, monkeypatch):
    """By the refresh token, which works once."""
    monkeypatch.setattr(issuer_module, "_TOKEN_SECONDS", 60)  # msal renews what ends within five minutes
    await asyncio.to_thread(sign_in, connection, tmp_path, staff="operator")
    monkeypatch.setattr(issuer_module, "_TOKEN_SECONDS", 3600)
    before = set(issuer._refreshing)
    first = await asyncio.to_thread(access_token, connection, tmp_path)
    after = set(issuer._refreshing)
    assert len(before) == len(after) == 1
    assert before != after
    assert await asyncio.to_thread(access_token, connection, tmp_path) == first
    assert set(issuer._refreshing) == after  # kept, not renewed again
    assert (await tokens.member(first)).roles == {"Operator"}


async def test_a_sign_in_that_cannot_be_renewed_asks_for_a_new_one(connection, issuer, tmp_path, monkeypatch):
    """As after the issuer was started anew."""
    monkeypatch.setattr(issuer_module, "_TOKEN_SECONDS", 60)
    await asyncio.to_thread(sign_in, connection, tmp_path, staff="operator")
    issuer._refreshing.clear()
    with pytest.raises(NotSignedInError, match="Sign in again"):
        await asyncio.to_thread(access_token, connection, tmp_path)


async def test_signing_out_forgets_the_tokens(connection, tmp_path):
    """Twice is once."""
    await _signed_in(connection, tmp_path)
    sign_out(tmp_path)
    sign_out(tmp_path)
    with pytest.raises(NotSignedInError, match="Sign in first"):
        access_token(connection, tmp_path)


async def test_somebody_unknown_cannot_sign_in(connection, tmp_path):
    """Whom there is, is said."""
    with pytest.raises(CannotStartError, match="second-approver"):
        await asyncio.to_thread(sign_in, connection, tmp_path, staff="somebody")


def test_an_issuer_that_does_not_run_is_one_sentence(tmp_path):
    """With what to do about it."""
    with pytest.raises(CannotStartError, match="devtools run"):
        sign_in(local_connection(issuer_port=free_port()), tmp_path)


@pytest.mark.parametrize("changes", [{"scp": None}, {"idtyp": "app"}])
async def test_app_tokens_and_id_tokens_of_the_issuer_are_refused(issuer, tokens, changes):
    """As Entra's would be."""
    with pytest.raises(NotAllowed, match="staff_token_invalid"):
        await tokens.member(issuer.token("operator", **changes))


async def test_a_key_is_replaced_on_request(issuer, tokens):
    """What the old one signed counts until the app looks for the new one."""
    old = issuer.token("operator")
    await tokens.member(old)
    origin = issuer.url.removesuffix(f"/{TENANT_ID}")
    await asyncio.to_thread(requests.post, f"{origin}/stand-in/rotation", timeout=5)
    fresh = EntraTokens(app_settings.read({**EXAMPLE, **settings_for(issuer.url)}), SystemClock())
    with pytest.raises(NotAllowed, match="staff_token_invalid"):
        await fresh.member(old)
    await fresh.member(issuer.token("operator"))
    await fresh.close()


async def test_a_token_is_given_without_the_ceremony(issuer, tokens):
    """For programs that test the API."""
    where = f"{issuer.url.removesuffix(f'/{TENANT_ID}')}/stand-in/tokens"
    answer = await asyncio.to_thread(requests.post, where, json={"staff": "approver"}, timeout=5)
    assert (await tokens.member(answer.json()["access_token"])).roles == {"Approver"}
    answer = await asyncio.to_thread(requests.post, where, json={"staff": "somebody"}, timeout=5)
    assert answer.status_code == 400


async def test_a_token_of_a_later_day_is_for_an_app_whose_clock_is_ahead(issuer):
    """Neither takes the other's for good."""
    where = f"{issuer.url.removesuffix(f'/{TENANT_ID}')}/stand-in/tokens"
    tokens = []
    for ahead in (0, 86_400):
        body = {"staff": "operator", "ahead_seconds": ahead}
        answer = await asyncio.to_thread(requests.post, where, json=body, timeout=5)
        tokens.append(answer.json()["access_token"])
    for offset, good, bad in ((0, tokens[0], tokens[1]), (86_400, tokens[1], tokens[0])):
        settings = app_settings.read({**EXAMPLE, **settings_for(issuer.url)})
        checks = EntraTokens(settings, SystemClock(offset_seconds=offset))
        try:
            assert (await checks.member(good)).roles == {"Operator"}
            with pytest.raises(NotAllowed):
                await checks.member(bad)
        finally:
            await checks.close()


def test_a_deployed_app_accepts_no_such_issuer():
    """Its settings stop it before it serves anything."""
    url = f"http://127.0.0.1:8083/{TENANT_ID}"
    with pytest.raises(Permanent) as caught:
        app_settings.read({**AZURE, **settings_for(url)})
    assert caught.value.detail == "STAFF_ISSUER_URL, STAFF_KEYS_URL"


async def test_tokens_of_such_an_issuer_are_worth_nothing_to_a_deployed_app(issuer, tokens):
    """Not even one that claims to be Microsoft's, of the very tenant and audience."""
    ids = {name: settings_for(issuer.url)[name] for name in ("STAFF_TENANT_ID", "STAFF_CLIENT_ID")}
    settings = app_settings.read({**AZURE, **ids})
    async with Issuer() as real:  # stands for Microsoft: other keys under the addresses a deployed app asks
        deployed = EntraTokens(settings, SystemClock(), transport=_to(real))
        with pytest.raises(NotAllowed, match="staff_token_invalid"):
            await deployed.member(issuer.token("operator"))
        with pytest.raises(NotAllowed, match="staff_token_invalid"):
            await deployed.member(issuer.token("operator", iss=settings.staff_issuer))
        assert await deployed.member(real.token("operator", iss=settings.staff_issuer))
        await deployed.close()


def _to(real):
    """Return a transport that leads Microsoft's address to a stand-in."""

    class Led(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            assert request.url.host == "login.microsoftonline.com"
            port = int(real.url.split(":")[2].partition("/")[0])
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
            return await super().handle_async_request(request)

    return Led()
