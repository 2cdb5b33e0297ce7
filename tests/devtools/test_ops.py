"""Signing in with msal at an issuer of our own, and the commands that call the operations API."""

import asyncio
import json
from dataclasses import replace
from urllib.parse import parse_qs, quote

import httpx
import pytest
import requests
from aiohttp import web

from devtools import ops
from devtools.failures import CannotStartError
from devtools.free_ports import free_port
from devtools.ops import printing
from devtools.ops.connection import Connection, NotSignedInError, local_connection
from devtools.ops.operations import operations
from devtools.ops.signing_in import access_token, sign_in, sign_out
from devtools.stand_ins import issuer as issuer_module
from devtools.stand_ins.issuer import Issuer
from devtools.stand_ins.issuer_staff import STAFF, TENANT_ID, settings_for
from functions._door import DOORS
from shared import settings as app_settings
from shared.adapters.entra_tokens import EntraTokens
from shared.adapters.system_clock import SystemClock
from shared.domain.errors import NotAllowed, Permanent
from tests.architecture.test_settings_documented import AZURE, EXAMPLE

COMMANDS = operations()


@pytest.fixture
async def issuer():
    """One on a free port."""
    async with Issuer() as found:
        yield found


@pytest.fixture
def connection(issuer):
    """The way to it; nothing listens where the API would be."""
    port = int(issuer.url.split(":")[2].partition("/")[0])
    return local_connection(functions_port=free_port(), issuer_port=port)


@pytest.fixture
async def tokens(issuer):
    """The app's own checker, told of the issuer as a local run tells it."""
    found = EntraTokens(app_settings.read({**EXAMPLE, **settings_for(issuer.url)}), SystemClock())
    yield found
    await found.close()


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


# The commands


class Api:
    """An operations API that checks tokens, keeps what it is asked and answers as it is told."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.asked = []
        self.status, self.body = 200, {"ok": True}

    async def answer(self, request):
        try:
            await self.tokens.member(request.headers["Authorization"].removeprefix("Bearer "))
        except NotAllowed as error:
            return web.json_response({"code": error.code, "title": "No."}, status=401)
        content = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.raw_path, content))
        if self.body is None:
            return web.Response(status=self.status)
        return web.json_response(self.body, status=self.status)


@pytest.fixture
async def api(tokens, connection, tmp_path, monkeypatch):
    """It, where the signed-in operator's commands go."""
    monkeypatch.setattr(ops, "STORE", tmp_path)
    await asyncio.to_thread(sign_in, connection, tmp_path, staff="operator")
    found = Api(tokens)
    runner = web.ServerRunner(web.Server(found.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(connection.url.split(":")[2].partition("/")[0])).start()
    yield found
    await runner.cleanup()


async def run(*arguments):
    """Run one command as the command line does."""
    return await asyncio.to_thread(ops.main, arguments)


def _values(operation):
    """Return words for every argument of a command, the path it leads to, and what is to be sent."""
    words, sent, path = [], {}, operation.path
    for one in operation.arguments:
        text = one.choices[0] if one.choices else f"a {one.name}/ü?"
        if one.in_path:
            words.append(text)
            path = path.replace(f"{{{one.name}}}", quote(text, safe=""))
            continue
        word, value = {
            "text": (text, text),
            "number": ("2", 2),
            "yes_or_no": ("no", False),
            "list": (text, [text]),
            "pairs": ("name=a=b", {"name": "a=b"}),
        }[one.kind]
        words += [f"--{one.name.replace('_', '-')}", word]
        sent[one.name] = value
    return words, path, sent


async def test_every_command_is_one_call(api):
    """With everything it was given, in the path, the query or the body."""
    for name, operation in COMMANDS.items():
        words, path, sent = _values(operation)
        assert await run(name, *words) == 0, name
        method, raw, content = api.asked.pop()
        found, _, query = raw.partition("?")
        assert (method, found) == (operation.method, f"/api/{path}")
        if method == "GET":
            given = {key: value for key, (value,) in parse_qs(query).items()}
            assert given == {key: str(value) for key, value in sent.items()}, name
            assert content is None
        else:
            assert query == ""
            assert content == sent, name
        assert api.asked == []


async def test_what_is_not_given_is_not_sent(api):
    """The API knows its own defaults."""
    for name, operation in COMMANDS.items():
        needed = tuple(one for one in operation.arguments if one.is_required)
        words, _, sent = _values(replace(operation, arguments=needed))
        assert await run(name, *words) == 0, name
        method, raw, content = api.asked.pop()
        assert "?" not in raw
        assert method == "GET" or content == sent, name


def test_every_door_for_staff_is_a_command():
    """Made from the doors, so the usual ones are there under the usual names."""
    doors = [
        one for one in DOORS.values() if one.guard == "staff" and not isinstance(one.answers.get(200), str)
    ]
    assert len(COMMANDS) == len(doors)
    usual = {
        "list",
        "view",
        "approve",
        "refuse",
        "extend",
        "ask",
        "hold",
        "holds",
        "release",
        "retry",
        "enter",
    }
    assert usual | {"lift", "forecast", "pause-case", "pause-erasing", "resume-erasing"} <= set(COMMANDS)
    enter = {one.name: one for one in COMMANDS["enter"].arguments}
    assert enter["rights"].kind == "list"
    assert "erasure" in enter["rights"].choices
    assert enter["channel"].choices == ("post", "phone", "mail", "in_app")
    (method,) = (one for one in COMMANDS["identity"].arguments if one.name == "method")
    assert enter["identity"].choices == method.choices != ()
    assert (enter["corrections"].kind, enter["corrections"].is_required) == ("pairs", False)
    assert {one.name: one.kind for one in COMMANDS["extend"].arguments}["months"] == "number"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("hold", ["email", "user_id", "newsletter", "own_records", "2026-11-23"]),
        ("enter", ["newsletter", "targeted_marketing", "phone", "registered_contact", "09:15:00Z"]),
        ("list", ["erasing_paused", "too_many_email", "awaiting_approval", "1 to 200"]),
        ("extend", ["1 to 2"]),
        ("notice", ["campaign_monitor"]),
        ("customer-request", ["your account acts for"]),
    ],
)
def test_help_says_what_an_argument_may_be(command, words, capsys):
    """From the model or the data map; what is shared by several people is no kind of a hold."""
    with pytest.raises(SystemExit) as caught:
        ops.main([command, "--help"])
    assert caught.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert [one for one in words if one not in shown] == []
    assert "installation_id" not in shown or command == "list"


@pytest.mark.parametrize(
    "arguments",
    [
        ["enter", "--rights", "forgetting"],
        ["letter", "r-1", "letter-1", "--was-sent", "perhaps"],
        ["extend", "r-1", "--months", "two", "--reason", "x"],
        ["enter", "--corrections", "name"],
        ["refuse", "r-1", "--reason", "x"],
        ["no-such-command"],
        [],
    ],
)
def test_wrong_use_is_code_2_and_calls_nothing(arguments):
    """As argparse says it."""
    with pytest.raises(SystemExit) as caught:
        ops.main(arguments)
    assert caught.value.code == 2


async def test_a_list_is_a_table_and_json_on_demand(api, capsys):
    """Nothing in it is markup or an order to the terminal."""
    api.body = {"cases": [{"request_id": "r-1", "state": "[red]odd", "note": "\x1b[31mred", "late": True}]}
    assert await run("list") == 0
    table = capsys.readouterr().out
    assert "\x1b" not in table
    assert all(part in table for part in ("request id", "r-1", "[red]odd", "yes"))
    assert await run("list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == api.body


@pytest.mark.parametrize("columns", ["60", "80", "120", "200"])
async def test_an_id_is_never_cut_or_broken(api, capsys, monkeypatch, columns):
    """However narrow the terminal: other columns are broken or left out, or each row stands by itself."""
    monkeypatch.setattr(printing, "_WIDTH_WITHOUT_TERMINAL", int(columns))
    case_id, letter_id = "a1b2" * 8, "letter-restriction_lifting-100"
    wide = {
        "received_at": "2026-11-23T09:15:00.000000Z",
        "state": "awaiting_approval",
        "rights": ["access", "erasure", "marketing_objection"],
        "attention": None,
        "closed_at": None,
        "target_on": "2026-12-01",
        "due_on": "2026-12-23",
    }
    api.body = {"cases": [{"request_id": case_id, **wide}], "cursor": None}
    assert await run("list") == 0
    shown = capsys.readouterr().out
    assert case_id in shown
    assert "2026-12-23" in shown
    assert "…" not in shown
    many = {f"word_{number}": "some words that may be broken" for number in range(12)}
    api.body = {"letters": [{"id": letter_id, "request_id": case_id, **wide, **many}]}
    assert await run("view", case_id, "--purpose", "x") == 0
    shown = capsys.readouterr().out
    assert case_id in shown
    assert letter_id in shown
    assert "…" not in shown


async def test_an_answer_without_words_is_done(api, capsys):
    """As 204 is."""
    api.status, api.body = 204, None
    assert await run("retry", "r-1") == 0
    assert "Done" in capsys.readouterr().out


async def test_a_refusal_is_code_1_and_says_why(api, capsys):
    """By code, title and detail."""
    api.status, api.body = 403, {"code": "role_missing", "title": "Not allowed.", "detail": "needs Approver"}
    assert await run("approve", "r-1", "--plan-digest", "d", "--reason", "seen") == 1
    assert capsys.readouterr().err == "403 role_missing: Not allowed. needs Approver\n"
    assert await run("approve", "r-1", "--plan-digest", "d", "--reason", "seen", "--json") == 1
    assert json.loads(capsys.readouterr().err)["code"] == "role_missing"


async def test_a_token_that_is_not_taken_any_more_is_code_3(api, issuer, capsys):
    """Signing in again helps."""
    issuer.rotate()
    assert await run("list") == 3
    assert "staff_token_invalid" in capsys.readouterr().err


def test_who_has_not_signed_in_is_told_to(tmp_path, monkeypatch, capsys):
    """By code 3, before anything is called."""
    monkeypatch.setattr(ops, "STORE", tmp_path)
    assert ops.main(["list"]) == 3
    assert "sign-in" in capsys.readouterr().err


async def test_an_api_that_does_not_answer_is_one_sentence(connection, tmp_path, monkeypatch):
    """And its address."""
    monkeypatch.setattr(ops, "STORE", tmp_path)
    await asyncio.to_thread(sign_in, connection, tmp_path, staff="operator")
    with pytest.raises(CannotStartError, match=connection.url):
        await run("list")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "https://privacy.example/api"],
        ["--url", "http://privacy.example/api", "--tenant", "t", "--client", "c"],
        ["--url", "https://privacy.example/api", "--tenant", "t", "--client", "c", "--as", "operator"],
    ],
)
def test_a_sign_in_that_cannot_be_meant_begins_nothing(arguments, monkeypatch):
    """Half a connection, one in the clear, or made-up staff of a real tenant."""

    def begin(*_, **__):
        raise AssertionError("must not begin")

    monkeypatch.setattr(ops, "sign_in", begin)
    with pytest.raises(CannotStartError):
        ops.main(["sign-in", *arguments])


def test_a_real_tenant_is_microsoft_s(monkeypatch, tmp_path):
    """Over https, with msal's own checks of the authority."""
    asked = []
    monkeypatch.setattr(
        ops, "sign_in", lambda connection, _store, *, staff: asked.append((connection, staff))
    )
    url = ["--url", "https://privacy.example/api/", "--tenant", TENANT_ID, "--client", "c"]
    assert ops.main(["sign-in", *url]) == 0
    [(connection, staff)] = asked
    assert connection.authority == f"https://login.microsoftonline.com/{TENANT_ID}"
    assert (connection.url, staff, connection.is_local) == ("https://privacy.example/api", None, False)


def test_times_are_shown_to_the_minute_and_never_broken(capsys):
    """In UTC, as the log has them; the JSON has every digit."""
    rows = [{"request_id": "a" * 32, "received_at": "2026-11-26T03:04:05.678901Z", "notes": "word " * 60}]
    printing.print_answer({"cases": rows, "waiting": []}, as_json=False)
    shown = capsys.readouterr().out
    assert "2026-11-26 03:04 UTC" in shown
    assert "none" in shown
    printing.print_answer({"cases": rows}, as_json=True)
    assert "2026-11-26T03:04:05.678901Z" in capsys.readouterr().out
