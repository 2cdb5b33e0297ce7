"""The doors behind the links of a mail, and the status."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.http_downloads import package_delete, package_fetch, package_page
from functions.http_health import show
from functions.http_requests import (
    answer_page,
    cancellation,
    cancellation_page,
    status,
    submit,
    verification,
    verification_page,
)
from shared import bootstrap
from shared.domain.errors import Permanent
from shared.domain.request_states import RequestState
from shared.domain.retention_runs import Run, Step
from shared.domain.rights import Right
from shared.domain.tokens import issue
from shared.ports.retention_runs import StoredRun
from shared.services.links import ANSWER, CANCEL, PACKAGE, VERIFY
from shared.settings import Settings
from tests.factories import KEYS, contacts
from tests.triggers.conftest import STORAGE, call, content, problem, wire
from tests.unit.services.driving import deliver, fulfil, letters, marked, token

ANE = "ane@people.example"
UNKNOWN = "0" * 32


async def _submitted(world, right="access") -> str:
    request_id = content(await call(submit, body={"email": ANE, "right": right}))["request_id"]
    await deliver(world)
    return request_id


def _page(response, *, code=200):
    assert (response.status_code, response.mimetype) == (code, "text/html")
    html = response.get_body().decode()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in html
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    return html


async def test_the_link_of_the_mail_leads_to_a_page_whose_button_confirms(world):
    """As a browser would: open, press, done."""
    request_id = await _submitted(world)
    (link,) = re.findall(
        r"http://\S+/verification\?token=\S+", letters(world, request_id)["letter-verify-0"].text
    )
    key = link.partition("token=")[2]
    html = _page(await call(verification_page, method="GET", request_id=request_id, query_token=key))
    assert 'method="post" action="verification"' in html
    (hidden,) = re.findall(r'name="token" value="([^"]+)"', html)
    shown = _page(await call(verification, form={"token": hidden}, request_id=request_id))
    assert "confirmed" in shown
    assert world.cases.request(request_id).state is RequestState.VERIFIED


@pytest.mark.parametrize("door", [verification_page, cancellation_page])
async def test_opening_a_link_does_nothing(world, door):
    """Mail scanners open every link."""
    request_id = await _submitted(world)
    before = dict(world.cases.partitions[request_id])
    purpose = VERIFY if door is verification_page else CANCEL
    key = token(world, request_id, purpose)
    _page(await call(door, method="GET", request_id=request_id, query_token=key))
    assert world.cases.partitions[request_id] == before
    assert world.queue.sent == []


async def test_a_page_escapes_what_stands_in_its_link(world):
    """A token is shown in a form field, never as markup."""
    request_id = await _submitted(world)
    hostile = '"><script>alert(1)</script>'
    for door in (verification_page, cancellation_page):
        response = await call(
            door, method="GET", request_id=request_id, query_token=hostile, accept="text/html"
        )
        assert "<script>" not in _page(response, code=403)


@pytest.mark.parametrize("door", [verification_page, cancellation_page, answer_page])
@pytest.mark.parametrize("key", [None, "", "x", "1.x", "of another purpose"])
async def test_a_link_without_a_genuine_token_shows_no_button(world, door, key):
    """It says that the link is not valid, with the same words for a request there is and one there is not."""
    request_id = await _submitted(world)
    if key == "of another purpose":
        key = token(world, request_id, VERIFY if door is cancellation_page else CANCEL)
    given = {} if key is None else {"query_token": key}
    shown = [
        _page(await call(door, method="GET", request_id=one, accept="text/html", **given), code=403)
        for one in (request_id, UNKNOWN)
    ]
    assert shown[0] == shown[1]
    assert "not complete or not ours" in shown[0]
    assert "<form" not in shown[0]


@pytest.mark.parametrize(("door", "purpose"), [(verification_page, VERIFY), (cancellation_page, CANCEL)])
async def test_a_link_that_is_too_old_shows_no_button(world, door, purpose):
    """One second after its end; at its end the button is still there."""
    request_id = await _submitted(world)
    now = world.clock.now()
    for ends, code in ((now, 200), (now - timedelta(seconds=1), 403)):
        key = issue(KEYS, purpose=purpose, request_id=request_id, expires_at=ends)
        response = await call(door, method="GET", request_id=request_id, query_token=key, accept="text/html")
        assert ("<form" in _page(response, code=code)) == (code == 200)


async def test_a_genuine_link_to_answer_shows_the_field(world):
    """Whether the question is still open, its button tells."""
    request_id = await _submitted(world)
    key = issue(KEYS, purpose=ANSWER, request_id=request_id, expires_at=world.clock.now())
    html = _page(await call(answer_page, method="GET", request_id=request_id, query_token=key))
    assert 'action="answer"' in html


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"right": "access"}, "We begin now."),
        ({"right": "objection"}, "A person decides about it, and we answer by 7 April 2026."),
        ({"message": "please ..."}, "A person decides about it, and we answer by 7 April 2026."),
    ],
)
async def test_the_pages_after_filing_and_confirming_name_the_number_and_the_day(world, asked, words):
    """And say that a person decides, where one does, also when the button is pressed a second time."""
    filed = _page(await call(submit, form={"email": ANE, **asked}), code=202)
    (request_id,) = world.cases.partitions
    assert f"Request number: {request_id}." in filed
    assert "If you confirm the request, you have our answer on 7 April 2026 at the latest." in filed
    await deliver(world)
    key = token(world, request_id, VERIFY)
    for _ in range(2):
        shown = _page(await call(verification, form={"token": key}, request_id=request_id))
        assert words in shown
        assert "7 April 2026" in shown
        assert f"Request number: {request_id}." in shown
        assert ("We begin now" in shown) == (words == "We begin now.")
    cancelled = _page(
        await call(cancellation, form={"token": token(world, request_id, CANCEL)}, request_id=request_id)
    )
    assert f"Request number: {request_id}." in cancelled
    assert "7 April" not in cancelled


async def test_a_request_is_confirmed_by_json_too_and_twice_is_once(world):
    """The second tells where it stands."""
    request_id = await _submitted(world)
    key = token(world, request_id, VERIFY)
    for _ in range(2):
        response = await call(verification, body={"token": key}, request_id=request_id)
        assert content(response) == {"request_id": request_id, "state": "verified"}


@pytest.mark.parametrize("door", [verification, cancellation, package_fetch, package_delete])
@pytest.mark.parametrize("key", [None, 7, "", "x", "1.x", "9" * 5_000, "1.\ud800", ["1.x"]])
async def test_a_forged_token_is_refused_at_every_door(world, door, key):
    """With the same words for a request there is and one there is not."""
    request_id = await _submitted(world)
    seen = [
        problem(await call(door, body={"token": key}, request_id=one), 403, "token_invalid")
        for one in (request_id, UNKNOWN)
    ]
    assert seen[0] == seen[1]
    assert world.cases.request(request_id).state is RequestState.RECEIVED


async def test_an_expired_token_says_so(world):
    """The person can ask again."""
    request_id = await _submitted(world)
    key = token(world, request_id, VERIFY)
    world.clock.advance(days=7, seconds=1)
    problem(await call(verification, body={"token": key}, request_id=request_id), 403, "token_expired")
    html = _page(await call(verification, form={"token": key}, request_id=request_id), code=403)
    assert "too old" in html


async def test_a_token_of_another_door_is_refused(world):
    """The link to confirm cannot cancel."""
    request_id = await _submitted(world)
    key = token(world, request_id, VERIFY)
    problem(await call(cancellation, body={"token": key}, request_id=request_id), 403, "token_invalid")


async def test_a_joined_request_says_that_the_first_is_open(world):
    """On the page of its button."""
    for shown in ("confirmed", "already"):
        request_id = await _submitted(world)
        key = token(world, request_id, VERIFY)
        world.queue.sent.clear()
        assert shown in _page(await call(verification, form={"token": key}, request_id=request_id))
        world.queue.sent.clear()


async def test_a_request_is_cancelled_by_its_button_or_by_json(world):
    """Twice is once."""
    request_id = await _submitted(world)
    key = token(world, request_id, CANCEL)
    html = _page(await call(cancellation_page, method="GET", request_id=request_id, query_token=key))
    assert 'action="cancellation"' in html
    assert "cancelled" in _page(await call(cancellation, form={"token": key}, request_id=request_id))
    response = await call(cancellation, body={"token": key}, request_id=request_id)
    assert content(response)["state"] == "cancelled"


async def test_the_pages_say_that_cancelling_ends_what_was_joined(world):
    """Before the button is pressed, after it, and when two requests are joined."""
    first = await _submitted(world)
    await call(verification, form={"token": token(world, first, VERIFY)}, request_id=first)
    world.queue.sent.clear()
    second = await _submitted(world)
    joined = await call(verification, form={"token": token(world, second, VERIFY)}, request_id=second)
    assert "Cancelling it cancels both" in _page(joined)
    key = token(world, second, CANCEL)
    shown = _page(await call(cancellation_page, method="GET", request_id=second, query_token=key))
    assert "joined this one, it is cancelled too" in shown
    done = _page(await call(cancellation, form={"token": key}, request_id=second))
    assert "nor for one that joined it" in done
    assert world.cases.request(first).state is RequestState.CANCELLED


async def test_a_request_that_joined_a_wider_one_names_the_link_that_cancels(world):
    """409, and a page that says where to look."""
    first = content(await call(submit, body={"email": ANE, "rights": ["access", "erasure"]}))["request_id"]
    await call(verification, form={"token": token(world, first, VERIFY)}, request_id=first)
    world.queue.sent.clear()
    second = content(await call(submit, body={"email": ANE, "right": "access"}))["request_id"]
    await call(verification, form={"token": token(world, second, VERIFY)}, request_id=second)
    key = token(world, second, CANCEL)
    problem(await call(cancellation, body={"token": key}, request_id=second), 409, "joined_to_wider")
    html = _page(await call(cancellation, form={"token": key}, request_id=second), code=409)
    assert "by the link in its mail" in html


async def test_it_can_be_too_late_to_cancel(world):
    """409 once it ended."""
    request_id = await fulfil(world, ANE, Right.ERASURE)
    key = token(world, request_id, CANCEL)
    problem(await call(cancellation, body={"token": key}, request_id=request_id), 409, "too_late")


async def test_the_status_tells_states_and_dates_only(world):
    """No address, no identifiers, no counts."""
    request_id = await fulfil(world, ANE, Right.ACCESS)
    response = await call(status, method="GET", request_id=request_id)
    assert content(response) == {
        "request_id": request_id,
        "state": "completed",
        "rights": ["access"],
        "in_words": False,
        "received_on": "2026-03-02",
        "due_on": "2026-04-07",
        "copy_available": True,
    }


async def test_words_that_name_no_right_are_shown_as_the_right_of_nobody(world):
    """Neither the status nor the page behind the link says that a restriction was asked for."""
    filed = await call(submit, body={"email": ANE, "message": "please look at my account"})
    request_id = content(filed)["request_id"]
    shown = content(await call(status, method="GET", request_id=request_id))
    assert (shown["rights"], shown["in_words"]) == ([], True)
    key = token(world, request_id, VERIFY)
    given = {"method": "GET", "request_id": request_id, "query_token": key}
    assert "It is about what you wrote to us." in _page(await call(verification_page, **given))
    danish = _page(await call(verification_page, **given, accept_language="da"))
    assert "Det drejer sig om det, du skrev til os." in danish


@pytest.mark.parametrize("door", [status, verification_page])
@pytest.mark.parametrize("request_id", [UNKNOWN, "z" * 32, "../../../../../../../../../etc/pass"])
async def test_an_unknown_id_is_not_found(world, door, request_id):
    """Whatever it looks like; a page asks for a link of ours first."""
    genuine = issue(KEYS, purpose=VERIFY, request_id=request_id, expires_at=world.clock.now())
    given = {"method": "GET", "request_id": request_id, "query_token": genuine}
    problem(await call(door, **given), 404, "request_unknown")
    html = _page(await call(door, **given, accept="text/html"), code=404)
    assert "no such request" in html


# the copy


async def test_a_copy_is_fetched_from_its_page(world):
    """The page names its size and its day; the button leads to the storage's short-lived link."""
    request_id = await fulfil(world, ANE, Right.ACCESS)
    key = token(world, request_id, PACKAGE)
    response = await call(package_page, method="GET", request_id=request_id, query_token=key)
    html = _page(response)
    assert 'action="package"' in html
    assert 'action="package/deletion"' in html
    assert f"form-action 'self' {STORAGE}" in response.headers["Content-Security-Policy"]
    assert world.cases.request(request_id).package.downloaded_at is None
    fetched = await call(package_fetch, form={"token": key}, request_id=request_id)
    assert fetched.status_code == 303
    assert fetched.headers["Location"].startswith("memory://packages/")
    assert fetched.headers["Cache-Control"] == "no-store"
    assert not marked(fetched.headers["Location"], [ANE, "ane"])


async def test_a_deleted_copy_is_gone(world):
    """410 at every door, as a page where a browser asks."""
    request_id = await fulfil(world, ANE, Right.ACCESS)
    key = token(world, request_id, PACKAGE)
    assert "deleted" in _page(await call(package_delete, form={"token": key}, request_id=request_id))
    for door in (package_fetch, package_delete):
        problem(await call(door, body={"token": key}, request_id=request_id), 410, "package_gone")
        _page(await call(door, form={"token": key}, request_id=request_id), code=410)
    problem(
        await call(package_page, method="GET", request_id=request_id, query_token=key), 410, "package_gone"
    )


async def test_a_copy_is_deleted_by_json_too(world):
    """And the status says so."""
    request_id = await fulfil(world, ANE, Right.ACCESS)
    key = token(world, request_id, PACKAGE)
    response = await call(package_delete, body={"token": key}, request_id=request_id)
    assert content(response) == {"request_id": request_id, "copy_available": False}
    assert world.packages.contents == {}


@pytest.mark.parametrize("body", [b"", b"{", b"token"])
@pytest.mark.parametrize("door", [verification, cancellation, package_fetch, package_delete])
async def test_a_button_pressed_without_a_body_is_refused(world, door, body):
    """By code, not by a failure."""
    request_id = await _submitted(world)
    response = await call(door, body=body, content_type="application/json", request_id=request_id)
    assert response.status_code == 400
    assert content(response)["code"] in ("body_missing", "body_invalid")


# health


async def test_health_is_good_when_all_is_there(world):
    """And names the map it runs on."""
    response = await call(show, method="GET")
    assert content(response) == {
        "status": "ok",
        "datamap": "0" * 12,
        "retention": "running",
        "retention_overdue_since": None,
        "retention_waiting": 0,
    }


async def test_health_names_the_contacts_that_are_missing(world, monkeypatch):
    """No answer could be sent; at other doors the names stay inside."""
    gaps = contacts(authority_email="", controller_name="")
    world.context = replace(world.context, contacts=gaps)
    wire(monkeypatch, world)
    found = problem(await call(show, method="GET"), 503, "contacts_incomplete")
    assert found["detail"] == "authority_email, controller_name"
    assert gaps.controller_email not in str(found)


async def test_health_names_the_settings_that_are_wrong(monkeypatch):
    """By name, never by value; other doors do not."""
    monkeypatch.setattr(bootstrap, "_app", None)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("PSEUDONYM_KEY", "not-a-key")
    found = problem(await call(show, method="GET", accept="text/html"), 503, "settings_invalid")
    named = found["detail"].split(", ")
    assert named == [
        *("COSMOS_ENDPOINT", "GRAPH_MAILBOX", "PSEUDONYM_KEY", "PUBLIC_URL"),
        *("STAFF_CLIENT_ID", "STAFF_TENANT_ID", "STORAGE_BLOB_URI", "STORAGE_QUEUE_URI"),
    ]
    assert "not-a-key" not in str(found)
    elsewhere = problem(await call(status, method="GET", request_id=UNKNOWN), 500, "settings_invalid")
    assert "detail" not in elsewhere


@pytest.mark.parametrize(("days", "status"), [(None, 200), (0, 200), (1, 200), (2, 503), (9, 503)])
async def test_health_is_red_when_scheduled_deletion_does_not_run(world, days, status):
    """Two days without a run that ended; one that never began is not late."""
    if days is not None:
        day = world.clock.now().date() - timedelta(days=days)
        run = Run(day=day, started_at=world.clock.now(), step=Step.DONE)
        await world.retention_runs.write(StoredRun(run=run, etag=None))
    response = await call(show, method="GET")
    assert response.status_code == status
    if status != 200:
        assert problem(response, 503, "retention_late")["detail"] == day.isoformat()


async def test_health_keeps_the_details_of_other_errors_inside(monkeypatch):
    """They may quote what a service said."""

    def broken():
        raise Permanent("service_refused", "a vendor's words")

    monkeypatch.setattr(bootstrap, "app", broken)
    found = problem(await call(show, method="GET"), 500, "service_refused")
    assert "detail" not in found
