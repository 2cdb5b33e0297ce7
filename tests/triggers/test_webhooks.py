"""The door the newsletter processor tells us at."""

import hashlib
import json
import logging

import pytest

from functions.http_webhooks import MOST_BYTES, campaign_monitor_webhook
from shared.domain.errors import Retryable
from shared.domain.messages import NEWSLETTER_WEBHOOK_QUEUE
from tests.factories import World
from tests.triggers.conftest import content, problem, webhook, wire

SECRET = "one-secret-that-only-tests-send"
NEXT = "the-secret-that-comes-after-it-x"


@pytest.fixture
def world(monkeypatch) -> World:
    """Two secrets are valid, as while one replaces the other."""
    made = World()
    hashes = tuple(hashlib.sha256(one.encode()).hexdigest() for one in (SECRET, NEXT))
    wire(monkeypatch, made, campaign_monitor_webhook_secrets_sha256=hashes)
    return made


def body(events: int = 1) -> bytes:
    found = [{"Type": "Subscribe", "EmailAddress": f"p{n}@people.example"} for n in range(events)]
    return json.dumps({"ListID": "a" * 32, "Events": found}).encode()


@pytest.mark.parametrize("secret", [SECRET, NEXT])
async def test_a_body_is_kept_and_word_of_it_sent(world, secret):
    """The message names the body's hash alone."""
    response = await campaign_monitor_webhook(webhook(secret, body(1_000)))
    assert response.status_code == 202
    assert content(response) == {"taken": True}
    ((queue, text, _),) = world.queue.sent
    assert queue == NEWSLETTER_WEBHOOK_QUEUE
    assert json.loads(text) == {"v": 1, "body_id": hashlib.sha256(body(1_000)).hexdigest()}
    assert [data for data, _ in world.webhooks.bodies.values()] == [body(1_000)]


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "ø" * 20])
async def test_a_wrong_secret_is_told_nothing(world, secret, caplog):
    """Neither kept nor logged."""
    caplog.set_level(logging.DEBUG)
    response = await campaign_monitor_webhook(webhook(secret, body()))
    problem(response, 404, "webhook_unknown")
    assert world.webhooks.bodies == {}
    assert not secret or secret not in caplog.text + response.get_body().decode()


async def test_who_guesses_is_slowed_down_and_told_of_once(world):
    """At the last one that is allowed and at the first that is not; another caller has its own count."""
    most = world.limits.wrong_secrets_per_client_hour
    wrong = "a-secret-that-nobody-has-made-up"
    for caller in ("192.0.2.1", "192.0.2.2"):
        for _ in range(most):
            problem(await guess(wrong, caller), 404, "webhook_unknown")
        for _ in range(3):
            refused = await guess(wrong, caller)
            problem(refused, 429, "too_many_requests")
            assert refused.headers["Retry-After"] == "3600"
    assert [code for code, _, _ in world.operators.alarms] == ["webhook_secret_guessed"]
    assert "192.0.2." not in str(world.operators.alarms) + str(world.rate_limits.__dict__)


async def test_a_right_secret_is_never_refused_for_wrong_ones(world):
    """Even from the same address: what the processor tells is taken."""
    for _ in range(world.limits.wrong_secrets_per_client_hour + 1):
        await guess("a-secret-that-nobody-has-made-up", "192.0.2.1")
    for _ in range(world.limits.wrong_secrets_per_client_hour + 1):
        assert (await guess(SECRET, "192.0.2.1")).status_code == 202
    assert (await guess("a-secret-that-nobody-has-made-up", "192.0.2.1")).status_code == 429
    world.clock.advance(seconds=3600)
    assert (await guess("a-secret-that-nobody-has-made-up", "192.0.2.1")).status_code == 404


async def guess(secret: str, caller: str):
    """Return the answer to a caller that brings a secret."""
    return await campaign_monitor_webhook(webhook(secret, body(), x_forwarded_for=f"{caller}:4711"))


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"", 400, "body_missing"), (b"x" * (MOST_BYTES + 1), 413, "body_too_large")],
)
async def test_a_body_that_cannot_be_kept_is_refused(world, data, status, code):
    """With a stable code."""
    response = await campaign_monitor_webhook(webhook(SECRET, data))
    problem(response, status, code)
    assert world.webhooks.bodies == {}


@pytest.mark.parametrize("data", [b"x" * MOST_BYTES, b"<xml/>", b"\xff\xfe\x00", b"{"])
async def test_whatever_came_is_kept_and_taken(world, data):
    """What it says is found out later: a refusal would make the processor give up on us."""
    response = await campaign_monitor_webhook(webhook(SECRET, data))
    assert response.status_code == 202
    assert len(world.webhooks.bodies) == 1


async def test_the_same_body_is_kept_once(world):
    """And word is sent of each time."""
    for _ in range(3):
        await campaign_monitor_webhook(webhook(SECRET, body()))
    assert len(world.webhooks.bodies) == 1
    assert len(world.queue.sent) == 3


async def test_what_could_not_be_kept_is_sent_again(world, monkeypatch):
    """The processor hears of it; its secret is in no answer and no log."""

    async def busy(*_):
        raise Retryable("service_busy")

    monkeypatch.setattr(world.webhooks, "keep", busy)
    response = await campaign_monitor_webhook(webhook(SECRET, body()))
    assert response.status_code == 503
    assert SECRET not in response.get_body().decode()
    assert world.queue.sent == []


async def test_without_secrets_nobody_is_let_in(monkeypatch):
    """As in an installation without the newsletter."""
    wire(monkeypatch, World(), campaign_monitor_webhook_secrets_sha256=())
    response = await campaign_monitor_webhook(webhook(SECRET, body()))
    assert response.status_code == 404
