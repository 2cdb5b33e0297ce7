"""The newsletter doors: forms of people, clicks of mail programs, lists of our other systems."""

import hashlib
import json
import re

import pytest

from functions.http_newsletter import (
    choices_page,
    choose,
    confirmation,
    confirmation_page,
    leave,
    leave_address,
    leave_page,
    leave_preflight,
    subscribe,
    subscribe_preflight,
)
from functions.http_newsletter_systems import links, record_exception, take_in
from shared.datamap.loader import load
from shared.services import choosing
from tests.factories import World
from tests.triggers.conftest import call, content, problem, wire
from tests.unit.services import joining_world as joining
from tests.unit.services.joining_world import AUTHORS, MEMBERS, METTE, is_on

KEY = "a key that only tests send"
SITE = "https://www.clicklearn.example"
UNKNOWN = "nobody@people.example"


@pytest.fixture
def world(monkeypatch) -> World:
    """The shipped policy, one site that may send forms, and a key of our systems."""
    made = World(datamap=load())
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    wire(monkeypatch, made, system_key_sha256=digest, allowed_origins=(SITE,))
    return made


def sign_up(**changes) -> dict:
    """Return the fields of a form."""
    return {
        "email": METTE,
        "purposes": [MEMBERS],
        "consent": True,
        "box_before": "empty",
        "policy_version": "1",
        "wording_version": "2026-1",
        "wording_sha256": "a" * 64,
        **changes,
    }


async def the_links(world, purpose_id=MEMBERS) -> list[tuple[str, str]]:
    """Return ids and tokens of the links to leave and to choose."""
    found = await choosing.links_for(world.context, METTE, purpose_id)
    return [
        (url.rpartition("/")[2].partition("?")[0], url.partition("token=")[2])
        for url in (found.unsubscribe, found.preferences)
    ]


@pytest.mark.clause("2.4.2")
async def test_a_sign_up_by_json_is_confirmed_by_the_button_only(world):
    """The page behind the link acts on nothing; the button acts once."""
    response = await call(subscribe, body=sign_up())
    assert (response.status_code, content(response)) == (202, {"state": "confirmation_sent"})
    await joining.send_mails(world)
    ((sign_up_id, token),) = joining.links(world)
    shown = await call(confirmation_page, method="GET", sign_up_id=sign_up_id, query_token=token)
    assert shown.status_code == 200
    assert "Newsletter for members" in shown.get_body().decode()
    assert not await is_on(world)
    for _ in range(2):
        pressed = await call(confirmation, form={"token": token}, sign_up_id=sign_up_id)
        assert pressed.status_code == 200
        assert "You are signed up" in pressed.get_body().decode()
    assert await is_on(world)


async def test_a_form_of_a_browser_gets_a_page_in_its_language(world):
    """With every box that was ticked."""
    fields = sign_up(consent="on", purposes=[MEMBERS, AUTHORS], email="mette@people.example")
    response = await call(subscribe, form=fields, accept_language="da")
    assert response.status_code == 202
    assert "Der mangler ét skridt" in response.get_body().decode()
    (stored,) = world.pending_sign_ups.all()
    assert (stored.sign_up.purpose_ids, stored.sign_up.language) == ((MEMBERS, AUTHORS), "da")


async def test_known_and_unknown_addresses_are_answered_alike(world):
    """Byte for byte, when signing up and when leaving, and with as many reads and writes."""
    await joining.signed_up(world)
    for handler, body in ((subscribe, sign_up()), (leave_address, {})):
        answers, steps = [], []
        for email in (METTE, UNKNOWN):
            seen = []

            async def turn(name, seen=seen):
                seen.append(name)

            world.pending_sign_ups.turn = world.queue.turn = turn
            response = await call(handler, body={**body, "email": email})
            answers.append((response.status_code, response.get_body(), dict(response.headers)))
            steps.append(seen)
        assert answers[0] == answers[1]
        assert handler is leave_address or steps[0] == steps[1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"consent": False}, "consent_missing"),
        ({"consent": ""}, "consent_missing"),
        ({"consent": None}, "consent_missing"),
        ({"box_before": "ticked"}, "consent_missing"),
        ({"purposes": []}, "purpose_unknown"),
        ({"purposes": "nothing"}, "purpose_unknown"),
        ({"policy_version": "999"}, "policy_version_unknown"),
        ({"wording_sha256": "short"}, "field_invalid"),
        ({"email": "none"}, "email_invalid"),
        ({"email": ["a@people.example"]}, "email_invalid"),
        ({"name": "n" * 201}, "text_too_long"),
        ({"language": "fr"}, "language_unknown"),
        ({"surprise": 1}, "field_unknown"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_kept(world, change, code):
    """By a stable code; a box that was ticked beforehand is no consent."""
    problem(await call(subscribe, body=sign_up(**change)), 400, code)
    assert world.pending_sign_ups.all() == []


@pytest.mark.parametrize("name", ["consent", "box_before"])
async def test_a_box_that_is_not_sent_was_not_ticked(world, name):
    """As browsers send it."""
    body = sign_up()
    del body[name]
    problem(await call(subscribe, body=body), 400, "consent_missing")


@pytest.mark.parametrize(
    ("raw", "media_type", "status", "code"),
    [
        (json.dumps(sign_up(name="Søren")).encode("latin-1", "replace"), "application/json", 202, ""),
        ('{"email": "sør@people.example"}'.encode("latin-1"), "application/json", 400, "body_invalid"),
        (json.dumps(sign_up()).encode("utf-16"), "application/json", 400, "body_invalid"),
        (b"<x/>", "application/xml", 415, "media_type"),
        (b"[]", "application/json", 400, "body_invalid"),
        (b"x" * 17_000, "application/json", 413, "body_too_large"),
    ],
)
async def test_bodies_that_are_no_form(world, raw, media_type, status, code):
    """Another charset, another format, too much."""
    response = await call(subscribe, body=raw, content_type=media_type)
    assert response.status_code == status
    assert not code or content(response)["code"] == code


@pytest.mark.clause("4.8")
@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
async def test_one_click_of_a_mail_program_is_enough(world, raw, media_type):
    """RFC 8058: one POST without cookies, answered without a redirect, again and again."""
    await joining.signed_up(world)
    world.clock.advance(seconds=1)
    (sign_up_id, token), _ = await the_links(world)
    for _ in range(2):
        response = await call(
            leave, body=raw, content_type=media_type, sign_up_id=sign_up_id, query_token=token
        )
        assert response.status_code == 200
        assert "Set-Cookie" not in response.headers
        assert "Location" not in response.headers
    assert not await is_on(world)


async def test_neither_opening_the_link_nor_an_empty_post_ends_anything(world):
    """Mail scanners open every link."""
    await joining.signed_up(world)
    world.clock.advance(seconds=1)
    (sign_up_id, token), _ = await the_links(world)
    shown = await call(leave_page, method="GET", sign_up_id=sign_up_id, query_token=token)
    assert shown.status_code == 200
    assert re.search(rf'action="{sign_up_id}"', shown.get_body().decode())
    problem(await call(leave, sign_up_id=sign_up_id, query_token=token), 400, "body_missing")
    problem(await call(leave, body={}, sign_up_id=sign_up_id, query_token=token), 403, "token_invalid")
    assert await is_on(world)
    pressed = await call(leave, form={"token": token}, sign_up_id=sign_up_id)
    assert "You are unsubscribed" in pressed.get_body().decode()
    assert not await is_on(world)


@pytest.mark.parametrize("token", ["", "x", "1.2", f"9999999999.{'0' * 64}"])
async def test_no_link_of_ours_shows_or_does_nothing(world, token):
    """Whoever guesses learns nothing."""
    await joining.signed_up(world)
    (sign_up_id, _), _ = await the_links(world)
    for handler in (confirmation_page, leave_page, choices_page):
        found = await call(handler, method="GET", sign_up_id=sign_up_id, query_token=token)
        problem(found, 403, "token_invalid")
    for handler in (confirmation, leave, choose):
        problem(await call(handler, body={"token": token}, sign_up_id=sign_up_id), 403, "token_invalid")
    assert await is_on(world)


@pytest.mark.clause("4.8")
async def test_preferences_show_what_is_on_and_take_what_is_ticked(world):
    """No tick at all ends everything."""
    await joining.signed_up(world)
    world.clock.advance(seconds=1)
    _, (sign_up_id, token) = await the_links(world)
    shown = (await call(choices_page, method="GET", sign_up_id=sign_up_id, query_token=token)).get_body()
    assert re.findall(r'value="(\w+)" checked', shown.decode()) == [MEMBERS]
    body = {"token": token, "purposes": [AUTHORS]}
    found = content(await call(choose, body=body, sign_up_id=sign_up_id))
    assert [one["purpose"] for one in found["choices"] if one["is_on"]] == [AUTHORS]
    world.clock.advance(seconds=1)
    assert (await call(choose, form={"token": token}, sign_up_id=sign_up_id)).status_code == 200
    assert not await is_on(world, AUTHORS)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (SITE, SITE),
        ("https://evil.example", None),
        (f"{SITE}.evil.example", None),
        ("null", None),
        ("", None),
    ],
)
async def test_pages_of_listed_sites_alone_may_read_the_answers(world, origin, allowed):
    """Before a form is sent, after it, and when it is refused."""
    asked = [
        await call(one, method="OPTIONS", origin=origin) for one in (subscribe_preflight, leave_preflight)
    ]
    sent = [
        await call(subscribe, body=sign_up(), origin=origin),
        await call(subscribe, body={}, origin=origin),
        await call(leave_address, body={"email": METTE}, origin=origin),
    ]
    for response in (*asked, *sent):
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
        assert response.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in response.headers
    for response in asked:
        assert response.status_code == 204
        assert response.headers.get("Access-Control-Allow-Methods") == ("POST" if allowed else None)


def row(number: int = 0, **changes) -> dict:
    """Return a row of an old list."""
    return {
        "email": f"old-{number}@people.example",
        "purpose": MEMBERS,
        "given_at": "2026-01-15T10:00:00+01:00",
        "policy_version": "1",
        "wording_version": "2025-3",
        "wording_sha256": "b" * 64,
        **changes,
    }


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, 200), (1_000, 200), (1_001, 400)])
async def test_a_list_has_one_to_a_thousand_rows(world, count, status):
    """Counts come back, and nobody is named."""
    body = {"rows": [row(number, **({} if number < 10 else {"given_at": ""})) for number in range(count)]}
    response = await call(take_in, body=body, x_system_key=KEY)
    assert response.status_code == status
    if status == 200:
        found = content(response)
        assert (found["added"], found["without_evidence"]) == (min(count, 10), max(count - 10, 0))
        assert b"@" not in response.get_body()


async def test_systems_bring_their_key(world):
    """Whatever they want."""
    for handler in (take_in, links, record_exception):
        problem(await call(handler, body={}), 401, "system_key_wrong")


async def test_a_mailing_system_gets_the_headers_of_its_mail(world):
    """And learns whom it is not to mail."""
    body = {"email": METTE, "purpose": MEMBERS}
    problem(await call(links, body=body, x_system_key=KEY), 404, "sign_up_unknown")
    await joining.signed_up(world)
    found = content(await call(links, body=body, x_system_key=KEY))
    assert found["list_unsubscribe"] == f"<{found['unsubscribe_url']}>"
    assert found["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({}, 200, ""),
        ({"refusal_offered": False}, 400, "exception_unproven"),
        ({"refusal_offered": "yes"}, 400, "field_invalid"),
        ({"sold_at": "2026-01-15T10:00:00"}, 400, "field_invalid"),
        ({"sold_at": "2026-01-15"}, 400, "field_invalid"),
        ({"sold_at": "2999-01-15T10:00:00Z"}, 400, "given_at_invalid"),
    ],
)
async def test_a_purchase_is_noted_with_its_proof_alone(world, change, status, code):
    """By strict values: a word is no yes."""
    body = {
        "email": METTE,
        "purpose": AUTHORS,
        "sold_at": "2026-01-15T10:00:00Z",
        "reference": "order-1",
        "refusal_offered": True,
        "similar": True,
        **change,
    }
    response = await call(record_exception, body=body, x_system_key=KEY)
    assert response.status_code == status
    assert content(response).get("code", "") == code
    assert await is_on(world, AUTHORS) is (status == 200)
