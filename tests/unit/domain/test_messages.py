"""What travels in queues."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Permanent
from shared.domain.messages import (
    QUEUE_OF,
    QUEUES,
    ApplyNewsletterChange,
    FinishStage,
    GoOnWithRun,
    PlanRequest,
    ProcessWebhook,
    Reconcile,
    RunTasks,
    SendCallback,
    SendLetter,
    SendSignUpMail,
    decode,
)

ID = "0123456789abcdef" * 2
MESSAGES = [
    PlanRequest(request_id=ID),
    RunTasks(request_id=ID, lane=63),
    FinishStage(request_id=ID),
    SendLetter(request_id=ID, letter_id="letter-package_ready-1"),
    SendCallback(request_id=ID),
]
OTHERS = [
    ApplyNewsletterChange(subject_key="k1-" + "0" * 64, list_id="a" * 32),
    ProcessWebhook(body_id="0" * 64),
    GoOnWithRun(),
    Reconcile(run_id="2026-11-26"),
    SendSignUpMail(sign_up_id=ID),
    GoOnWithRun(),
]


@pytest.mark.parametrize("message", [*MESSAGES, *OTHERS])
def test_a_message_is_read_as_it_was_written(message):
    """By its own kind."""
    assert decode(type(message), message.model_dump_json().encode()) == message


def test_every_kind_has_a_queue_of_its_own():
    """And every queue a kind."""
    assert {type(message) for message in (*MESSAGES, *OTHERS)} == set(QUEUE_OF)
    assert sorted(QUEUE_OF.values()) == sorted(QUEUES)
    assert len(set(QUEUES)) == len(QUEUES)


def _refused(model, body):
    with pytest.raises(Permanent) as caught:
        decode(model, body)
    assert caught.value.code == "message_unreadable"
    return caught.value


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": "1"},
        {"v": None},
        {"email": "ane@people.example"},
        {"request_id": "ane@people.example"},
        {"request_id": ID.upper()},
        {"request_id": f"{ID}0"},
        {"request_id": f"{ID}\n"},
        {"request_id": 7},
    ],
)
def test_an_unknown_version_a_further_field_or_another_id_is_unreadable(message, change):
    """Newer code's messages wait in the poison queue and are not guessed at."""
    body = json.dumps({**message.model_dump(mode="json"), **change}).encode()
    error = _refused(type(message), body)
    assert "ane@" not in str(error)


@pytest.mark.parametrize("name", ["request_id"])
def test_a_message_without_its_id_is_unreadable(name):
    """Nothing is filled in."""
    _refused(PlanRequest, b'{"v":1}')


@pytest.mark.parametrize("lane", [-1, 64, "0x1", 1.5, None])
def test_a_lane_is_a_small_number(lane):
    """Other lanes do not exist."""
    _refused(RunTasks, json.dumps({"v": 1, "request_id": ID, "lane": lane}).encode())


@pytest.mark.parametrize(
    "letter_id",
    [
        "",
        "letter",
        "letter-verify",
        "letter-Verify-0",
        "letter-verify-0 ane@people.example",
        "x-letter-verify-0",
    ],
)
def test_a_letter_is_named_by_kind_and_number_only(letter_id):
    """No free text fits."""
    _refused(SendLetter, json.dumps({"v": 1, "request_id": ID, "letter_id": letter_id}).encode())


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_unreadable(body):
    """Cut, empty, other types, other encodings, nested without end."""
    _refused(PlanRequest, body)


@given(st.sampled_from([type(message) for message in MESSAGES]), st.binary())
def test_no_bytes_raise_anything_else(model, body):
    """The poison door can rely on it."""
    _refused(model, body)


@given(st.text(min_size=1))
def test_no_field_of_any_message_takes_free_text(text):
    """Ids and numbers only: nothing about a person can travel in a queue by mistake."""
    for message in MESSAGES:
        content = message.model_dump(mode="json")
        for name in content:
            body = json.dumps({**content, name: f"{text}@people.example"}).encode()
            _refused(type(message), body)


def test_fields_do_not_collide_with_the_hosts_own():
    """A message with a field `id` would lose the queue's own id."""
    taken = {"id", "dequeuecount", "expirationtime", "insertiontime", "nextvisibletime", "popreceipt"}
    names = {name.lower() for model in QUEUE_OF for name in model.model_fields}
    assert not names & taken
