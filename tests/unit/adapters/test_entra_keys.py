"""The tenant's keys: how often they are asked for, and what holds while they cannot be had."""

import asyncio
import json

import httpx
import jwt
import pytest

from shared.adapters import entra_keys
from shared.adapters.entra_keys import COOL_DOWN_SECONDS, FRESH_SECONDS, OLDEST_SECONDS
from shared.domain.errors import Retryable
from tests.fakes.staff import SOMEBODY, Signer, claims
from tests.unit.adapters.entra_world import made, refused


async def test_keys_are_fetched_once_for_many_tokens(tokens, signer, clock, endpoint):
    """Also when they come at once."""
    token = signer.token(claims(clock))
    await asyncio.gather(*(tokens.member(token) for _ in range(20)))
    assert len(endpoint.asked) == 1


async def test_a_new_key_is_found_and_the_old_one_forgotten(tokens, signer, clock, endpoint):
    """After one look, though the keys held were fresh."""
    old = signer.token(claims(clock))
    await tokens.member(old)
    clock.advance(seconds=COOL_DOWN_SECONDS)
    new = Signer("key-2")
    endpoint.signers = [new]
    assert (await tokens.member(new.token(claims(clock)))).staff_id == SOMEBODY
    assert len(endpoint.asked) == 2
    await refused(tokens, old)
    assert len(endpoint.asked) == 2


async def test_a_new_key_has_to_wait_for_the_cool_down(tokens, signer, clock, endpoint):
    """And not longer."""
    await tokens.member(signer.token(claims(clock)))
    new = Signer("key-2")
    endpoint.signers.append(new)
    clock.advance(seconds=COOL_DOWN_SECONDS - 1)
    await refused(tokens, new.token(claims(clock)))
    clock.advance(seconds=1)
    await tokens.member(new.token(claims(clock)))
    assert len(endpoint.asked) == 2


async def test_made_up_key_ids_do_not_hammer_the_endpoint(tokens, signer, clock, endpoint):
    """One look in a cool-down, however many there are, and staff are let in all the while."""
    good = signer.token(claims(clock))
    await tokens.member(good)
    clock.advance(seconds=COOL_DOWN_SECONDS)
    made_up = [signer.token(claims(clock), kid=f"made-up-{number}") for number in range(50)]
    results = await asyncio.gather(*(tokens.member(one) for one in made_up), return_exceptions=True)
    assert {one.code for one in results} == {"staff_token_invalid"}
    assert len(endpoint.asked) == 2
    await tokens.member(good)
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("seconds", "looks"), [(FRESH_SECONDS - 1, 1), (FRESH_SECONDS, 1), (FRESH_SECONDS + 1, 2)]
)
async def test_keys_are_looked_up_again_when_they_are_not_fresh(
    tokens, signer, clock, endpoint, seconds, looks
):
    """So that a key that was withdrawn does not count for long."""
    await tokens.member(signer.token(claims(clock)))
    clock.advance(seconds=seconds)
    await tokens.member(signer.token(claims(clock)))
    assert len(endpoint.asked) == looks


FAULTS = [
    pytest.param(httpx.ConnectError("https://login.example/secret"), id="unreachable"),
    pytest.param(httpx.ReadTimeout("slow"), id="slow"),
    pytest.param(httpx.Response(500), id="500"),
    pytest.param(httpx.Response(302, headers={"Location": "https://keys.example/"}), id="a redirect"),
    pytest.param(httpx.Response(200, text="<html>a gateway</html>"), id="a page"),
    pytest.param(httpx.Response(200, json=[]), id="no key set"),
    pytest.param(httpx.Response(200, json={"keys": []}), id="an empty key set"),
    pytest.param(httpx.Response(200, json={"keys": {"kid": "key-1"}}), id="a wrong key set"),
    pytest.param(httpx.Response(200, text="[" * 100_000), id="a deep answer"),
    pytest.param(httpx.Response(200, text=" " * 600_000 + "{}"), id="a huge answer"),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_keys_nobody_is_let_in_and_nobody_refused(tokens, signer, clock, endpoint, fault):
    """It is asked again later, once in a cool-down."""
    endpoint.fault = fault
    for _ in range(3):
        with pytest.raises(Retryable) as caught:
            await tokens.member(signer.token(claims(clock)))
        assert caught.value.code == "staff_keys_unavailable"
        assert caught.value.retry_after_seconds == COOL_DOWN_SECONDS
        assert "secret" not in str(caught.value)
    assert len(endpoint.asked) == 1
    endpoint.fault = None
    clock.advance(seconds=COOL_DOWN_SECONDS)
    await tokens.member(signer.token(claims(clock)))


@pytest.mark.parametrize(
    ("seconds", "known"), [(OLDEST_SECONDS - 1, True), (OLDEST_SECONDS, True), (OLDEST_SECONDS + 1, False)]
)
async def test_held_keys_bridge_an_endpoint_that_is_down_for_a_day(
    tokens, signer, clock, endpoint, seconds, known
):
    """And no longer."""
    await tokens.member(signer.token(claims(clock)))
    endpoint.fault = httpx.ConnectError("down")
    clock.advance(seconds=seconds)
    token = signer.token(claims(clock))
    if known:
        await tokens.member(token)
        return
    with pytest.raises(Retryable, match="staff_keys_unavailable"):
        await tokens.member(token)


async def test_whether_a_key_exists_is_not_known_while_the_endpoint_is_down(tokens, signer, clock, endpoint):
    """So its token is not refused for good; with the keys held the others go on."""
    await tokens.member(signer.token(claims(clock)))
    clock.advance(seconds=COOL_DOWN_SECONDS)
    endpoint.fault = httpx.ConnectError("down")
    with pytest.raises(Retryable, match="staff_keys_unavailable"):
        await tokens.member(Signer("key-2").token(claims(clock)))
    await tokens.member(signer.token(claims(clock)))


async def test_an_endpoint_that_never_ends_is_given_up(clock, endpoint, signer, monkeypatch):
    """In a bounded time, and the next one may ask."""
    monkeypatch.setattr(entra_keys, "FETCH_SECONDS", 0.05)

    async def never(_request):
        await asyncio.Event().wait()

    endpoint.transport = httpx.MockTransport(never)
    tokens = made(clock, endpoint)
    with pytest.raises(Retryable, match="staff_keys_unavailable"):
        await tokens.member(signer.token(claims(clock)))
    await tokens.close()


async def test_keys_that_are_not_for_this_are_left_out(tokens, clock, endpoint):
    """For encryption, of another kind, too short, private, or without an id."""
    good, short = Signer("good"), Signer("short", bits=1024)
    private = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(good.key)), "kid": "private", "use": "sig"}
    keys = [
        good.jwk(kid="encryption", use="enc"),
        good.jwk(kid="other", alg="RS512"),
        good.jwk(kid=7),
        good.jwk(kid="broken", n="!"),
        good.jwk(kid="empty", n=""),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "use": "sig"},
        {"kty": "RSA", "kid": "bare"},
        short.jwk(),
        private,
        "text",
        good.jwk(),
    ]
    endpoint.fault = httpx.Response(200, json={"keys": keys})
    await tokens.member(good.token(claims(clock)))
    for key_id in ("encryption", "other", "broken", "empty", "private", "bare", "secret"):
        await refused(tokens, good.token(claims(clock), kid=key_id))
