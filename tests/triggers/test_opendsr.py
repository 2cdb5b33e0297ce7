"""The doors of OpenDSR: who may file, what is answered, and that every word of it is signed."""

import base64
import json
from dataclasses import replace

import azure.functions as func
import pytest

from functions import http_opendsr as doors
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from tests.factories import World
from tests.fakes.opendsr import (
    CALLBACK,
    DOMAIN,
    KEYS_OF,
    OTHER,
    PLATFORM,
    TRUSTED,
    MemorySigner,
    filed,
    processor,
)
from tests.triggers.conftest import content, problem, wire
from tests.unit.services.driving import confirm, deliver, handle, letters

UNKNOWN = "a7551968-d5d6-44b2-9831-815ac9017798"
ANE = "ane@people.example"
EVERY = [doors.discovery, doors.certificate, doors.submit, doors.status, doors.cancel]


@pytest.fixture
def world(monkeypatch):
    """A World in which platforms may file requests."""
    made = World()
    made.add_person("ane")
    made.context = replace(made.context, opendsr=processor())
    wire(monkeypatch, made)
    return made


def call(door, body=None, *, of=PLATFORM, own_id=None, media_type="application/json", key=None):
    """Return the coroutine of a door called by a platform."""
    raw = json.dumps(body).encode() if isinstance(body, dict) else body or b""
    request = func.HttpRequest(
        method="POST",
        url="http://127.0.0.1:7071/api/opendsr/v2/requests",
        headers={"content-type": media_type, "x-opendsr-key": KEYS_OF[of] if key is None else key},
        route_params={"subject_request_id": own_id} if own_id else {},
        body=raw,
    )
    return door(request)


def signed(response, *, version="OpenDSR"):
    """Check the two headers over exactly these bytes, and return the content."""
    assert response.headers[f"X-{version}-Processor-Domain"] == DOMAIN
    assert response.headers[f"X-{version}-Signature"] == MemorySigner().sign(response.get_body())
    return content(response)


def refused(response, status, reason):
    """Check the error object, and return its message."""
    assert response.status_code == status, response.get_body()
    assert response.mimetype == "application/json"
    error = content(response)["error"]
    assert error["code"] == status
    assert error["message"]
    (one,) = error["errors"]
    assert (one["domain"], one["reason"]) == (DOMAIN, reason)
    assert "people.example" not in response.get_body().decode()
    return one["message"]


def only_request(world):
    """Return the one request there is."""
    (request_id,) = world.cases.partitions
    return world.cases.request(request_id)


@pytest.mark.parametrize("door", EVERY)
async def test_without_a_key_of_our_own_nothing_is_offered(world, monkeypatch, door):
    """Whoever asks for whatever."""
    world.context = replace(world.context, opendsr=None)
    wire(monkeypatch, world)
    problem(await call(door, filed(), own_id=UNKNOWN), 501, "opendsr_not_configured")
    assert world.cases.partitions == {}


async def test_discovery_tells_what_can_be_asked_for(world):
    """To anybody: it is how the certificate is found."""
    response = await call(doors.discovery, key="")
    assert content(response) == {
        "api_version": "2.0",
        "supported_identities": [{"identity_type": "email", "identity_format": "raw"}],
        "supported_subject_request_types": ["access", "erasure", "portability"],
        "processor_certificate": "http://127.0.0.1:7071/api/opendsr/v2/certificate",
    }


async def test_the_certificate_is_there_for_anybody(world):
    """And may be kept for a while."""
    response = await call(doors.certificate, key="")
    assert response.get_body() == MemorySigner.certificate_pem
    assert response.mimetype == "application/x-pem-file"
    assert "max-age" in response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("kind", "right"),
    [("access", Right.ACCESS), ("erasure", Right.ERASURE), ("portability", Right.PORTABILITY)],
)
async def test_a_request_is_put_on_file_and_answered_with_what_was_received(world, kind, right):
    """The clock runs from the day the person asked the platform."""
    body = json.dumps(filed(subject_request_type=kind)).encode()
    response = await call(doors.submit, body)
    assert response.status_code == 201
    found = signed(response)
    request = only_request(world)
    assert found == {
        "controller_id": PLATFORM,
        "subject_request_id": json.loads(body)["subject_request_id"],
        "api_version": "2.0",
        "received_time": "2026-03-02T09:00:00Z",
        "expected_completion_time": "2026-02-02T22:59:59Z",
        "encoded_request": base64.b64encode(body).decode(),
    }
    assert request.rights == (right,)
    assert request.channel == "opendsr"
    assert request.received_at.isoformat() == "2026-01-02T09:00:00+00:00"
    assert request.filed_at == world.clock.now()
    assert request.opendsr.status_callback_urls == (CALLBACK,)


async def test_who_has_proven_nothing_waits_for_the_person(world):
    """The mail that everybody gets."""
    await call(doors.submit, filed())
    await deliver(world)
    request = only_request(world)
    assert request.state is RequestState.RECEIVED
    assert list(letters(world, request.request_id)) == ["letter-verify-0"]
    await confirm(world, request.request_id)
    await deliver(world)
    assert only_request(world).state is RequestState.COMPLETED_WITH_RETENTION


async def test_who_has_proven_the_person_s_identity_does_not(world):
    """As its entry says, and nothing in the request."""
    await call(doors.submit, filed(), of=TRUSTED)
    assert only_request(world).state is RequestState.VERIFIED
    assert only_request(world).verified_at == world.clock.now()


async def test_a_known_and_an_unknown_address_get_the_same_answer(world):
    """But for the ids and what was sent."""
    answers = []
    for email in (ANE, "nobody@people.example"):
        identity = {"identity_type": "email", "identity_value": email}
        found = signed(await call(doors.submit, filed(subject_identities=[identity])))
        answers.append({name: found[name] for name in found if name not in CHANGING})
    assert answers[0] == answers[1]


CHANGING = {"subject_request_id", "encoded_request"}


async def test_the_first_version_is_answered_by_its_own_names(world):
    """It knows no regulation."""
    body = filed(api_version="1.0")
    del body["regulation"]
    assert signed(await call(doors.submit, body), version="OpenGDPR")["api_version"] == "1.0"
    found = await call(doors.status, own_id=body["subject_request_id"])
    assert signed(found, version="OpenGDPR")["request_status"] == "pending"


@pytest.mark.parametrize("key", ["", "wrong", KEYS_OF[PLATFORM] + " ", KEYS_OF[PLATFORM].upper()])
@pytest.mark.parametrize("door", [doors.submit, doors.status, doors.cancel])
async def test_a_key_that_is_nobody_s_opens_nothing(world, door, key):
    """Before anything is read."""
    refused(await call(door, b"{", key=key, own_id=UNKNOWN), 401, "key_invalid")
    assert world.cases.partitions == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"api_version": "3.0"}, "api_version_invalid"),
        ({"regulation": "ccpa"}, "regulation_invalid"),
        ({"subject_request_type": "rectification"}, "subject_request_type_invalid"),
        ({"submitted_time": "2026-03-02T09:05:01Z"}, "submitted_time_invalid"),
        ({"submitted_time": "2018-05-20T09:00:00Z"}, "received_impossible"),
        ({"subject_identities": [{"identity_type": "email"}]}, "subject_identities_invalid"),
        (
            {"subject_identities": [{"identity_type": "android_id", "identity_value": ANE}]},
            "identity_unsupported",
        ),
        (
            {"subject_identities": [{"identity_type": "email", "identity_value": f"{ANE}\nBcc: x@y.dk"}]},
            "email_invalid",
        ),
        ({"status_callback_urls": ["http://hooks.platform.example/"]}, "callback_url_scheme"),
        ({"status_callback_urls": ["https://10.0.0.1/"]}, "callback_url_address"),
        ({"status_callback_urls": ["https://localhost/"]}, "callback_url_host"),
        ({"status_callback_urls": ["https://elsewhere.example/"]}, "callback_not_listed"),
        ({"status_callback_urls": ["https://x.hooks.platform.example/"]}, "callback_not_listed"),
        ({"status_callback_urls": [CALLBACK, "https://elsewhere.example/"]}, "callback_not_listed"),
    ],
)
async def test_a_wrong_request_is_refused_with_the_error_object(world, changes, reason):
    """Nothing is stored, nothing sent, nothing repeated."""
    message = refused(await call(doors.submit, filed(**changes)), 400, reason)
    assert "elsewhere" not in message
    if reason == "identity_unsupported":
        assert "email (raw)" in message
    assert world.cases.partitions == {}
    assert world.queue.sent == []


@pytest.mark.parametrize(
    ("body", "media_type", "status", "reason"),
    [
        (b"", "application/json", 400, "body_missing"),
        (b"{", "application/json", 400, "body_invalid"),
        (b"[]", "application/json", 400, "body_invalid"),
        (b"{" + b" " * 16_382 + b"}", "application/json", 400, "subject_request_id_invalid"),
        (b"{" + b" " * 16_383 + b"}", "application/json", 413, "body_too_large"),
        (b"{}", "text/plain", 415, "media_type"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "media_type"),
    ],
)
async def test_a_wrong_body_is_refused_with_the_error_object(world, body, media_type, status, reason):
    """Whatever it was meant to be."""
    refused(await call(doors.submit, body, media_type=media_type), status, reason)


@pytest.mark.parametrize("minutes", [4, 5])
async def test_a_platform_s_clock_may_be_a_little_ahead(world, minutes):
    """The request is as old as we say, then."""
    assert (
        await call(doors.submit, filed(submitted_time=f"2026-03-02T09:0{minutes}:00Z"))
    ).status_code == 201
    assert only_request(world).received_at == world.clock.now()


async def test_an_id_is_used_once_by_each_platform(world):
    """The first request stands; another platform's is another."""
    body = filed()
    assert (await call(doors.submit, body)).status_code == 201
    before = json.dumps(list(world.cases.partitions))
    refused(await call(doors.submit, body), 409, "subject_request_id_used")
    refused(
        await call(doors.submit, {**body, "subject_request_type": "access"}), 409, "subject_request_id_used"
    )
    assert json.dumps(list(world.cases.partitions)) == before
    assert (await call(doors.submit, body, of=OTHER)).status_code == 201


async def test_a_platform_sees_its_own_requests_only(world):
    """Another's do not exist for it, nor does an id that is none."""
    body = filed()
    await call(doors.submit, body)
    own_id = body["subject_request_id"]
    for door in (doors.status, doors.cancel):
        refused(await call(door, of=OTHER, own_id=own_id), 404, "request_unknown")
        for other in (UNKNOWN, own_id.upper(), only_request(world).request_id, "x\ny"):
            refused(await call(door, own_id=other), 404, "request_unknown")
    assert only_request(world).state is RequestState.RECEIVED


async def test_the_status_follows_the_case_to_its_end(world):
    """Of what had to stay, and why, it says nothing: that is for the person's letter."""
    body = filed()
    own_id = body["subject_request_id"]
    await call(doors.submit, body, of=TRUSTED)
    seen = []
    while True:
        found = signed(await call(doors.status, of=TRUSTED, own_id=own_id))
        if found["request_status"] not in seen:
            seen.append(found["request_status"])
        if not world.queue.sent:
            break
        queue, message, _ = world.queue.sent.pop(0)
        await handle(world, queue, message)
    assert seen == ["pending", "in_progress", "completed"]
    assert found == {
        "controller_id": TRUSTED,
        "subject_request_id": own_id,
        "api_version": "2.0",
        "expected_completion_time": "2026-02-02T22:59:59Z",
        "request_status": "completed",
    }


async def test_a_request_is_cancelled_while_it_is_pending(world):
    """A second call answers the same."""
    body = filed()
    own_id = body["subject_request_id"]
    await call(doors.submit, body)
    for _ in range(2):
        response = await call(doors.cancel, own_id=own_id)
        assert response.status_code == 202
        assert signed(response) == {
            "controller_id": PLATFORM,
            "subject_request_id": own_id,
            "api_version": "2.0",
            "received_time": "2026-03-02T09:00:00Z",
        }
    assert only_request(world).state is RequestState.CANCELLED
    assert signed(await call(doors.status, own_id=own_id))["request_status"] == "cancelled"


async def test_a_request_is_not_cancelled_once_work_has_begun(world):
    """Nor when it is over."""
    body = filed()
    own_id = body["subject_request_id"]
    await call(doors.submit, body, of=TRUSTED)
    await deliver(world, until="request-task")
    refused(await call(doors.cancel, of=TRUSTED, own_id=own_id), 409, "not_pending")
    await deliver(world)
    refused(await call(doors.cancel, of=TRUSTED, own_id=own_id), 409, "not_pending")
    assert only_request(world).state is RequestState.COMPLETED_WITH_RETENTION


async def test_an_address_gets_no_more_mails_by_platforms_than_by_the_form(world):
    """Whoever's key was stolen."""
    for _ in range(world.limits.requests_per_address_hour):
        assert (await call(doors.submit, filed())).status_code == 201
    response = await call(doors.submit, filed(), of=OTHER)
    refused(response, 429, "too_many_requests")
    assert response.headers["Retry-After"] == "3600"


async def test_a_platform_files_no_more_than_its_entry_says(world, monkeypatch):
    """One below, at and above it."""
    world.context = replace(world.context, opendsr=processor(requests_per_hour=2))
    wire(monkeypatch, world)
    statuses = []
    for number in range(3):
        identity = {"identity_type": "email", "identity_value": f"p{number}@people.example"}
        statuses.append((await call(doors.submit, filed(subject_identities=[identity]))).status_code)
    assert statuses == [201, 201, 429]


async def test_letters_are_in_the_language_our_extension_names(world):
    """The protocol has no field for it."""
    await call(doors.submit, filed(extensions={DOMAIN: {"language": "da"}}))
    assert only_request(world).language == "da"


async def test_what_the_person_sent_stands_in_no_log(world, caplog):
    """Nor does the key."""
    caplog.set_level("DEBUG")
    await call(doors.submit, filed())
    await call(doors.submit, filed(subject_identities=[{"identity_type": "x", "identity_value": ANE}]))
    assert ANE not in caplog.text
    assert KEYS_OF[PLATFORM] not in caplog.text
