"""The doors of the policy: versions for everybody, showings for systems that have the key."""

import hashlib

import azure.functions as func
import pytest

from functions import http_policy
from tests.factories import World
from tests.policy_versions import version, versioned_map
from tests.triggers.conftest import call, content, problem, wire

SYSTEM_KEY = "a key for tests that nobody else uses"
ANE = {"kind": "user_id", "value": "user-ane"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A World with made-up versions, wired in place of the app."""
    made = World(datamap=versioned_map())
    made.add_person("ane")
    wire(monkeypatch, made, system_key_sha256=hashlib.sha256(SYSTEM_KEY.encode()).hexdigest())
    return made


def tell(body: dict | bytes, **headers: str):
    """Call the door for showings as a system would."""
    return call(http_policy.displays, body=body, **{"x_system_key": SYSTEM_KEY, **headers})


async def read(number: str, accept_language: str = "", **params: str) -> func.HttpResponse:
    """Call the door for one version."""
    request = func.HttpRequest(
        method="GET",
        url=f"http://127.0.0.1:7071/api/policy/versions/{number}",
        headers={"accept-language": accept_language},
        params=params,
        route_params={"number": number},
        body=b"",
    )
    return await http_policy.version(request)


@pytest.mark.clause("9.1", "head")
@pytest.mark.usefixtures("world")
async def test_every_version_is_listed_with_its_days_and_checksum():
    """Former, current and to come."""
    listed = content(await call(http_policy.versions, method="GET"))["versions"]
    assert [(one["number"], one["valid_from"], one["valid_to"], one["is_current"]) for one in listed] == [
        ("1", "2018-05-28", "2025-12-31", False),
        ("2", "2026-01-01", "2026-12-31", True),
        ("3", "2027-01-01", None, False),
    ]
    assert listed[0]["sha256"] == hashlib.sha256(b"Old words.\n").hexdigest()


@pytest.mark.clause("9.1")
@pytest.mark.usefixtures("world")
async def test_the_version_in_force_is_read_without_a_number():
    """In the language that is named, or in one there is."""
    found = content(await call(http_policy.current, method="GET"))
    assert (found["number"], found["is_current"], found["text"]) == ("2", True, "New words.\n")
    assert content(await call(http_policy.current, method="GET", accept_language="da"))["number"] == "2"
    problem(await call(http_policy.current, method="GET", query_language="da"), 404, "policy_version_unknown")


@pytest.mark.clause("9.1")
@pytest.mark.usefixtures("world")
async def test_a_former_version_is_read_as_it_was_published():
    """With its checksum, whatever the browser prefers."""
    found = content(await read("1", accept_language="da"))
    assert (found["text"], found["media_type"], found["is_current"]) == (
        "Old words.\n",
        "text/markdown",
        False,
    )
    assert found["sha256"] == hashlib.sha256(found["text"].encode()).hexdigest()


async def test_the_language_is_the_browser_s_unless_one_is_named(monkeypatch):
    """And one that was never published is not replaced by another."""
    danish = version("1", "Gamle ord.\n", language="da", valid_from=version_day())
    made = World(datamap=versioned_map(version("1", "Old words.\n", valid_from=version_day()), danish))
    wire(monkeypatch, made)
    assert content(await read("1", accept_language="da-DK"))["text"] == "Gamle ord.\n"
    assert content(await read("1", accept_language="da-DK", language="en"))["text"] == "Old words.\n"
    problem(await read("1", language="de"), 404, "policy_version_unknown")
    problem(await read("1", language="german"), 400, "field_invalid")


def version_day():
    """Return the first day of a version."""
    return versioned_map().policy.versions[0].valid_from


@pytest.mark.usefixtures("world")
async def test_a_version_there_is_not_is_not_found():
    """By number."""
    problem(await read("9"), 404, "policy_version_unknown")


async def test_a_text_nobody_entered_is_said_to_be_missing(monkeypatch):
    """The version is there, without a text and without a checksum; nothing is shown."""
    made = World(datamap=versioned_map(version("1", None, valid_from=version_day())))
    wire(monkeypatch, made, system_key_sha256=hashlib.sha256(SYSTEM_KEY.encode()).hexdigest())
    found = content(await read("1"))
    assert (found["text"], found["media_type"], found["sha256"]) == (None, None, None)
    problem(await tell({"identifier": ANE, "channel": "application"}), 404, "policy_text_missing")


@pytest.mark.clause("8.1")
@pytest.mark.usefixtures("world")
async def test_an_app_asks_shows_and_records():
    """Then there is nothing to show, and a second record changes nothing."""
    asked = {"identifier": ANE, "channel": "application"}
    first = content(await tell(asked))
    assert (first["must_show"]["number"], first["recorded"]) == ("2", False)
    for _ in range(2):
        assert content(await tell({**asked, "version": "2"})) == {"must_show": None, "recorded": True}
    assert content(await tell(asked)) == {"must_show": None, "recorded": False}
    assert content(await tell({**asked, "channel": "content_cloud"}))["must_show"]["number"] == "2"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"channel": "application"}, 400, "field_missing"),
        ({"identifier": ANE}, 400, "field_missing"),
        ({"identifier": ANE, "channel": "newspaper"}, 400, "field_invalid"),
        ({"identifier": "user-ane", "channel": "application"}, 400, "field_invalid"),
        ({"identifier": {**ANE, "more": 1}, "channel": "application"}, 400, "field_unknown"),
        (
            {"identifier": {"kind": "shoe", "value": "42"}, "channel": "application"},
            400,
            "identifier_unknown",
        ),
        ({"identifier": {"kind": "email", "value": "x"}, "channel": "application"}, 400, "email_invalid"),
        ({"identifier": ANE, "channel": "application", "version": "3"}, 400, "policy_version_not_in_force"),
        ({"identifier": ANE, "channel": "application", "version": "9"}, 404, "policy_version_unknown"),
        ({"identifier": ANE, "channel": "application", "language": "da"}, 404, "policy_version_unknown"),
        (b"", 400, "body_missing"),
    ],
)
async def test_a_wrong_body_is_refused_with_a_stable_code(body, status, code):
    """And never quoted."""
    found = problem(await tell(body, content_type="application/json"), status, code)
    assert "user-ane" not in str(found)


@pytest.mark.parametrize("given", ["", "another key", SYSTEM_KEY + " ", SYSTEM_KEY.upper()])
async def test_only_the_key_opens_the_door(world, given):
    """Nothing is read or written without it, not even the body."""
    response = await tell(b"not even JSON", x_system_key=given)
    problem(response, 401, "system_key_wrong")
    assert world.documents.bodies("policy_displays") == []


async def test_without_a_configured_key_the_door_is_closed(monkeypatch):
    """Also to somebody who sends none."""
    wire(monkeypatch, World(datamap=versioned_map()), system_key_sha256="")
    for given in ("", SYSTEM_KEY):
        problem(await tell({}, x_system_key=given), 501, "system_key_not_configured")
