"""The door that takes requests in: bodies, errors, limits."""

import json

import pytest

from functions.http_requests import submit
from shared.domain.errors import Permanent, Retryable
from tests.factories import World
from tests.triggers.conftest import FORM, call, content, problem, wire

ANE = "ane@people.example"


@pytest.mark.parametrize(
    ("body", "rights"),
    [
        ({"email": ANE, "right": "access"}, ("access",)),
        ({"email": ANE, "rights": ["erasure"]}, ("erasure",)),
        ({"email": ANE, "rights": ["erasure", "access", "access"]}, ("access", "erasure")),
    ],
)
async def test_a_request_comes_as_json(world, body, rights):
    """202, where to look, and the rights with the copy first."""
    response = await call(submit, body=body)
    assert response.status_code == 202
    found = content(response)
    assert set(found) == {"request_id", "status_url"}
    assert response.headers["Location"] == found["status_url"]
    assert world.cases.request(found["request_id"]).rights == rights


@pytest.mark.parametrize(
    "form",
    [
        {"email": ANE, "right": "access"},
        {"email": ANE, "rights": ["access", "erasure"]},
        {"email": ANE, "right": "erasure", "language": "da"},
    ],
)
async def test_a_request_comes_as_a_plain_html_form(world, form):
    """Answered by a page that runs and loads nothing."""
    response = await call(submit, form=form)
    assert response.status_code == 202
    assert response.mimetype == "text/html"
    html = response.get_body().decode()
    assert "<script" not in html
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    (request_id,) = world.cases.partitions
    assert world.cases.request(request_id).language == form.get("language", "en")
    assert ANE not in html


@pytest.mark.clause("7.2")
async def test_a_form_and_json_become_the_same_kind_of_case(world):
    """But for their ids nothing tells them apart."""
    await call(submit, body={"email": ANE, "right": "access"})
    await call(submit, form={"email": ANE, "right": "access"})
    one, other = (world.cases.request(request_id) for request_id in world.cases.partitions)
    assert one.with_(request_id="") == other.with_(request_id="")


async def test_a_form_s_sender_is_sent_back_to_the_site_that_is_configured(world, monkeypatch):
    """And to no other."""
    wire(monkeypatch, world, allowed_return_url="https://clicklearn.example/thanks")
    response = await call(submit, form={"email": ANE, "right": "access"})
    assert (response.status_code, response.headers["Location"]) == (303, "https://clicklearn.example/thanks")


async def test_a_known_and_an_unknown_address_get_the_same_answer(world):
    """But for the opaque id, byte for byte."""
    seen = []
    for email in (ANE, "nobody@people.example"):
        response = await call(submit, body={"email": email, "right": "erasure"})
        request_id = content(response)["request_id"]
        headers = {name: value.replace(request_id, "id") for name, value in response.headers.items()}
        seen.append((response.status_code, response.get_body().decode().replace(request_id, "id"), headers))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("header", "language"),
    [("", "en"), ("da-DK,da;q=0.9,en;q=0.8", "da"), ("de,en;q=0.5,da;q=0.1", "en"), ("xx;;;,", "en")],
)
async def test_the_language_is_the_browser_s_unless_one_is_named(world, header, language):
    """Of the two there are."""
    found = content(await call(submit, body={"email": ANE, "right": "access"}, accept_language=header))
    assert world.cases.request(found["request_id"]).language == language


async def test_an_idempotency_key_makes_a_retry_harmless(world):
    """The same id, one request."""
    ids = {
        content(await call(submit, body={"email": ANE, "right": "access"}, idempotency_key="k"))["request_id"]
        for _ in range(2)
    }
    assert len(ids) == len(world.cases.partitions) == 1
    other = {"email": ANE, "right": "erasure"}
    problem(await call(submit, body=other, idempotency_key="k"), 409, "idempotency_key_reused")
    assert len(world.cases.partitions) == 1


JSON = "application/json"
GOOD = json.dumps({"email": ANE, "right": "access"}).encode()


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"", JSON, 400, "body_missing"),  # what a chunked body arrives as
        (b"{", JSON, 400, "body_invalid"),
        (b"[]", JSON, 400, "body_invalid"),
        (b'"x"', JSON, 400, "body_invalid"),
        (b"null", JSON, 400, "body_invalid"),
        (b"\xff\xfe{}", JSON, 400, "body_invalid"),
        (b"[" * 16_000, JSON, 400, "body_invalid"),
        (b"{" + b" " * 16_382 + b"}", JSON, 400, "email_invalid"),
        (b"{" + b" " * 16_383 + b"}", JSON, 413, "body_too_large"),
        (GOOD, "text/plain", 415, "media_type"),
        (GOOD, "", 415, "media_type"),
        (GOOD, "multipart/form-data; boundary=x", 415, "media_type"),
        (b"{}", JSON, 400, "email_invalid"),
        (b'{"email": 7, "right": "access"}', JSON, 400, "email_invalid"),
        (b'{"email": ["a@b.dk"], "right": "access"}', JSON, 400, "email_invalid"),
        (b'{"email": "not an address", "right": "access"}', JSON, 400, "email_invalid"),
        (b'{"email": "a@b.dk\\r\\nBcc: c@d.dk", "right": "access"}', JSON, 400, "email_invalid"),
        (b'{"email": "a\\ud800@b.dk", "right": "access"}', JSON, 400, "email_invalid"),
        (b'{"email": "a@b.dk"}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "right": "everything"}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "right": "telepathy"}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "right": ["access", "x"]}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "rights": []}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "rights": {"access": 1}}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "rights": [["access"]]}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "rights": 5}', JSON, 400, "right_unknown"),
        (b'{"email": "a@b.dk", "right": "access", "language": "de"}', JSON, 400, "language_unknown"),
        (b'{"email": "a@b.dk", "right": "access", "language": ["da"]}', JSON, 400, "language_unknown"),
        (b'{"email": "a@b.dk", "right": "access", "customer": "x"}', JSON, 400, "field_unknown"),
    ],
)
async def test_a_wrong_body_is_refused_with_a_stable_code(world, body, media_type, status, code):
    """Nothing is stored, nothing sent, nothing repeated."""
    response = await call(submit, body=body, content_type=media_type)
    found = problem(response, status, code)
    assert world.cases.partitions == {}
    assert world.queue.sent == []
    assert "not an address" not in json.dumps(found)
    assert "a@b.dk" not in json.dumps(found)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"email", 400),
        (b"email=a%40b.dk&right=access&" + b"&".join(b"x%d=1" % n for n in range(60)), 400),
        (b"email=&right=access", 400),
        (b"email=a%40b.dk&email=c%40d.dk&right=access", 400),
        (b"email=a%40b.dk", 400),
        (b"\xff", 400),
        (b"email=" + b"a" * 17_000, 413),
    ],
)
async def test_a_wrong_form_gets_a_page_with_the_code(world, body, status):
    """In words, without script, and without what was typed."""
    response = await call(submit, body=body, content_type=f"{FORM}; charset=utf-8", accept_language="da")
    assert (response.status_code, response.mimetype) == (status, "text/html")
    html = response.get_body().decode()
    assert 'lang="da"' in html
    assert "Kode:" in html
    assert "<script" not in html
    assert "b.dk" not in html
    assert world.cases.partitions == {}


async def test_a_key_that_is_too_long_is_refused(world):
    """At the bound it is taken."""
    body = {"email": ANE, "right": "access"}
    problem(await call(submit, body=body, idempotency_key="k" * 201), 400, "idempotency_key_too_long")
    assert (await call(submit, body=body, idempotency_key="k" * 200)).status_code == 202


async def test_too_many_requests_are_told_when_to_come_again(world):
    """429 with Retry-After, as a page for a form too."""
    for _ in range(5):
        await call(submit, body={"email": ANE, "right": "access"})
    response = await call(submit, body={"email": ANE, "right": "access"})
    problem(response, 429, "too_many_requests")
    assert response.headers["Retry-After"] == "3600"
    page = await call(submit, form={"email": ANE, "right": "access"})
    assert (page.status_code, page.headers["Retry-After"]) == (429, "3600")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7:1234", "198.51.100.7:9999", True),
        ("198.51.100.7", "198.51.100.7:9999", True),
        ("203.0.113.1, 198.51.100.7:1", "203.0.113.2, 198.51.100.7:2", True),  # only the last is Azure's word
        ("198.51.100.7", "198.51.100.8", False),
        ("[2001:db8::7]:1234", "[2001:db8::7]:9999", True),
        ("2001:db8::7", "[2001:db8::7]:9999", True),
        ("2001:db8::7", "2001:db8:1::7", False),
    ],
)
async def test_a_client_is_counted_by_its_address_without_its_port(world, one, other, same):
    """A new connection is no new client."""
    for client in (one, other):
        await call(submit, body={"email": ANE, "right": "access"}, x_forwarded_for=client)
    counted = {bucket for bucket, _ in world.rate_limits.hits if bucket.startswith("client-")}
    assert (len(counted) == 1) is same


class _Boom(Exception):
    """Something nobody expected, quoting what was stored."""


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (_Boom(f"cannot read {ANE}"), 500, "internal_error"),
        (KeyError(ANE), 500, "internal_error"),
        (Permanent("service_refused", f"query for {ANE}"), 500, "service_refused"),
        (Retryable("service_busy", f"cases.commit {ANE}"), 503, "service_busy"),
    ],
)
async def test_an_error_inside_is_answered_without_its_text(monkeypatch, caplog, error, status, code):
    """Nor is an unexpected one's text logged."""

    async def turn(name):
        if name == "cases.commit":
            raise error

    world = World(turn=turn)
    wire(monkeypatch, world)
    response = await call(submit, body={"email": ANE, "right": "access"})
    problem(response, status, code)
    assert ANE not in response.get_body().decode()
    page = await call(submit, form={"email": "bo@people.example", "right": "access"})
    assert page.status_code == status
    assert ANE not in page.get_body().decode()
    if code == "internal_error":
        assert ANE not in caplog.text
        assert type(error).__name__ in caplog.text
