"""OpenDSR's words: what a platform may ask, and what our states are called there."""

import hashlib
import json
from datetime import UTC, date, datetime

import pytest

from shared.domain import opendsr as wire
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.opendsr import DsrStatus, Platform
from shared.domain.opendsr_states import extensions_of, is_owed, status_of
from shared.domain.request_states import FINAL, RequestState
from shared.domain.rights import Right
from tests.fakes.opendsr import filed

EMAIL = {"identity_type": "email", "identity_value": "ane@people.example", "identity_format": "raw"}


def subject_request(state):
    """Return a request in a state."""
    return SubjectRequest(
        request_id="0" * 32,
        rights=(Right.ERASURE,),
        state=state,
        language="en",
        received_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        due_on=date(2026, 4, 2),
        email=None,
        subject_keys=(),
        wake_at=None,
    )


def _parsed(**changes):
    return wire.parse_request(json.dumps(filed(**changes)).encode())


@pytest.mark.parametrize(
    ("asked", "right"),
    [("access", Right.ACCESS), ("erasure", Right.ERASURE), ("portability", Right.PORTABILITY)],
)
def test_each_kind_of_request_is_a_right(asked, right):
    """Three of them there are."""
    assert _parsed(subject_request_type=asked).right is right


def test_what_a_request_may_leave_out_has_a_meaning():
    """As the example of the specification leaves out the regulation."""
    content = filed()
    for name in ("regulation", "api_version", "status_callback_urls"):
        del content[name]
    read = wire.parse_request(json.dumps(content).encode())
    assert (read.regulation, read.api_version, read.status_callback_urls) == ("gdpr", "2.0", ())


def test_a_request_of_the_first_version_is_read():
    """It knows no regulation."""
    content = filed(api_version="1.0", something_new={"x": 1})
    del content["regulation"]
    assert wire.parse_request(json.dumps(content).encode()).api_version == "1.0"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"api_version": "3.0"}, "api_version_invalid"),
        ({"api_version": 2}, "api_version_invalid"),
        ({"regulation": "ccpa"}, "regulation_invalid"),
        ({"subject_request_id": "A7551968-D5D6-44B2-9831-815AC9017798"}, "subject_request_id_invalid"),
        ({"subject_request_id": "a7551968-d5d6-14b2-9831-815ac9017798"}, "subject_request_id_invalid"),
        ({"subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798\n"}, "subject_request_id_invalid"),
        ({"subject_request_id": None}, "subject_request_id_invalid"),
        ({"subject_request_type": "rectification"}, "subject_request_type_invalid"),
        ({"submitted_time": "2026-01-02"}, "submitted_time_invalid"),
        ({"submitted_time": "2026-01-02T09:00:00"}, "submitted_time_invalid"),
        ({"submitted_time": "2026-13-02T09:00:00Z"}, "submitted_time_invalid"),
        ({"submitted_time": 1767344400}, "submitted_time_invalid"),
        ({"submitted_time": "1767344400"}, "submitted_time_invalid"),
        ({"subject_identities": []}, "subject_identities_invalid"),
        ({"subject_identities": {"email": ["ane@people.example"]}}, "subject_identities_invalid"),
        ({"subject_identities": [{"identity_type": "email"}]}, "subject_identities_invalid"),
        ({"subject_identities": [EMAIL] * 21}, "subject_identities_invalid"),
        ({"status_callback_urls": ["https://a.example"] * 6}, "status_callback_urls_invalid"),
        ({"status_callback_urls": "https://a.example"}, "status_callback_urls_invalid"),
        ({"extensions": []}, "extensions_invalid"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_not_repeated(changes, code):
    """So that the platform can correct it."""
    with pytest.raises(Invalid) as caught:
        _parsed(**changes)
    assert caught.value.code == code
    assert f"{caught.value.field}_invalid" == code
    assert "people.example" not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 9_000])
def test_what_is_no_object_is_refused_as_a_whole(body):
    """Whatever it is."""
    with pytest.raises(Invalid) as caught:
        wire.parse_request(body)
    assert caught.value.code == "body_invalid"


@pytest.mark.parametrize(
    "name", ["subject_request_id", "subject_request_type", "submitted_time", "subject_identities"]
)
def test_a_field_that_is_missing_is_named(name):
    """The four without which there is no request."""
    content = filed()
    del content[name]
    with pytest.raises(Invalid) as caught:
        wire.parse_request(json.dumps(content).encode())
    assert caught.value.code == f"{name}_invalid"


@pytest.mark.parametrize("count", [1, 20])
def test_the_same_address_may_be_said_more_than_once(count):
    """Up to the bound."""
    assert wire.email_of(_parsed(subject_identities=[EMAIL] * count)) == "ane@people.example"


@pytest.mark.parametrize(
    ("identities", "code"),
    [
        ([{**EMAIL, "identity_format": "sha256"}], "identity_unsupported"),
        ([{**EMAIL, "identity_type": "controller_customer_id"}], "identity_unsupported"),
        ([EMAIL, {**EMAIL, "identity_type": "ios_vendor_id"}], "identity_unsupported"),
        ([EMAIL, {**EMAIL, "identity_value": "bo@people.example"}], "identity_not_single"),
        ([{**EMAIL, "identity_value": "not an address"}], "email_invalid"),
        ([{**EMAIL, "identity_value": "a@b.dk\r\nBcc: c@d.dk"}], "email_invalid"),
    ],
)
def test_only_one_address_as_it_is_written_can_start_a_case(identities, code):
    """What else is sent is not left aside in silence: the platform would take it for done."""
    with pytest.raises(Invalid) as caught:
        wire.email_of(_parsed(subject_identities=identities))
    assert caught.value.code == code
    assert "people.example" not in str(caught.value)
    if code == "identity_unsupported":
        assert "email (raw)" in caught.value.detail


@pytest.mark.parametrize(
    ("extensions", "language"),
    [
        ({}, "en"),
        ({"us.example": {"language": "da"}}, "da"),
        ({"us.example": {"language": "de"}}, "en"),
        ({"us.example": "da"}, "en"),
        ({"them.example": {"language": "da"}}, "en"),
    ],
)
def test_letters_are_in_the_language_that_our_extension_names(extensions, language):
    """And nobody else's extension is read."""
    assert wire.language_of(_parsed(extensions=extensions), "us.example") == language


def test_a_key_belongs_to_one_platform():
    """Whichever place in the list it has."""
    platforms = {
        name: Platform(key_sha256=hashlib.sha256(f"key-{name}".encode()).hexdigest())
        for name in ("one", "two", "three")
    }
    for name in platforms:
        assert wire.authenticated(platforms, f"key-{name}") == name
    for key in ("", "key-four", "key-one ", "\ud800", platforms["one"].key_sha256):
        with pytest.raises(NotAllowed) as caught:
            wire.authenticated(platforms, key)
        assert caught.value.code == "key_invalid"
    with pytest.raises(NotAllowed):
        wire.authenticated({}, "")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (RequestState.RECEIVED, DsrStatus.PENDING),
        (RequestState.VERIFIED, DsrStatus.PENDING),
        (RequestState.AWAITING_APPROVAL, DsrStatus.PENDING),
        (RequestState.PLANNED, DsrStatus.PENDING),
        (RequestState.NEEDS_ATTENTION, DsrStatus.PENDING),
        (RequestState.IN_PROGRESS, DsrStatus.IN_PROGRESS),
        (RequestState.ANSWERING, DsrStatus.IN_PROGRESS),
        (RequestState.STANDING, DsrStatus.COMPLETED),
        (RequestState.COMPLETED, DsrStatus.COMPLETED),
        (RequestState.COMPLETED_WITH_RETENTION, DsrStatus.COMPLETED),
        (RequestState.REJECTED, DsrStatus.CANCELLED),
        (RequestState.CANCELLED, DsrStatus.CANCELLED),
        (RequestState.EXPIRED, DsrStatus.CANCELLED),
        (RequestState.JOINED, DsrStatus.IN_PROGRESS),
    ],
)
def test_each_of_our_states_has_a_name_there(state, status):
    """And work that has begun is never pending again."""
    request = subject_request(state=state)
    assert status_of(request) is status
    begun = status_of(request.with_(begun_at=request.received_at))
    assert begun is (DsrStatus.IN_PROGRESS if status is DsrStatus.PENDING else status)


def test_every_final_state_is_an_end_there_too():
    """But for the one that lives on in another case."""
    ends = {status_of(subject_request(state=state)) for state in FINAL - {RequestState.JOINED}}
    assert ends == {DsrStatus.COMPLETED, DsrStatus.CANCELLED}


def test_a_refusal_is_told_apart_from_a_cancellation_by_our_extension():
    """The four states have no word for it."""
    reasons = {state: extensions_of(subject_request(state=state), "us.example") for state in RequestState}
    assert {state: found for state, found in reasons.items() if found} == {
        RequestState.REJECTED: {"us.example": {"reason": "refused"}},
        RequestState.EXPIRED: {"us.example": {"reason": "not_confirmed"}},
    }


def test_a_platform_is_owed_what_it_was_not_told():
    """One that left no address is owed nothing."""
    by = wire.FiledBy(
        subject_request_id="x",
        controller_id="p",
        status_callback_urls=("https://hooks.platform.example/",),
        api_version="2.0",
    )
    pending = subject_request(state=RequestState.RECEIVED)
    ended = subject_request(state=RequestState.COMPLETED)
    assert not is_owed(ended)
    assert not is_owed(pending.with_(opendsr=by))
    assert is_owed(ended.with_(opendsr=by))
    assert not is_owed(ended.with_(opendsr=by.model_copy(update={"last_status_sent": DsrStatus.COMPLETED})))
    assert not is_owed(ended.with_(opendsr=by.model_copy(update={"status_callback_urls": ()})))
    assert "hooks" not in repr(by)
