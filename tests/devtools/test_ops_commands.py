"""The commands that call the operations API: one call each, what they show, and what they refuse."""

import asyncio
import json
from dataclasses import replace
from urllib.parse import parse_qs, quote

import pytest
from aiohttp import web

from devtools import ops
from devtools.failures import CannotStartError
from devtools.ops import printing
from devtools.ops.operations import operations
from devtools.ops.signing_in import sign_in
from devtools.stand_ins.issuer_staff import TENANT_ID
from functions._door import DOORS
from shared.domain.errors import NotAllowed

COMMANDS = operations()


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
