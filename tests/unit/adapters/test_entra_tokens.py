"""Tokens of staff: what is refused, by which code, and how often the keys are asked for."""

import base64
import hashlib
import hmac
import json
import logging
from datetime import timedelta

import jwt
import pytest

from shared.adapters.entra_tokens import LEEWAY_SECONDS, MAX_TOKEN_CHARACTERS
from shared.domain.errors import NotAllowed
from shared.domain.staff import StaffRole
from tests.fakes.staff import CLIENT, ISSUER, SOMEBODY, TENANT, Signer, claims, principal
from tests.unit.adapters.entra_world import made, refused

KEYS_URL = f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"


OTHER = "99999999-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def stranger():
    """A key that is nobody's, under the id of the tenant's."""
    return Signer("key-1")


async def test_a_person_of_the_tenant_is_let_in(tokens, signer, clock, endpoint):
    """By its id and its roles; those that are not ours do not count."""
    token = signer.token(claims(clock, roles=["Approver", "Operator", "Owner", 7, None]))
    member = await tokens.member(token)
    assert (member.staff_id, member.tenant_id) == (SOMEBODY, TENANT)
    assert member.roles == {StaffRole.APPROVER, StaffRole.OPERATOR}
    assert member.customer_ids == ()
    assert endpoint.asked == [KEYS_URL]


async def test_the_keys_come_from_the_settings_and_never_from_the_token(tokens, stranger, clock, endpoint):
    """Whatever address or key it brings along."""
    own = {"jku": "https://keys.example/keys", "jwk": stranger.jwk(), "x5u": "https://keys.example/x"}
    await refused(tokens, stranger.token(claims(clock), **own))
    assert endpoint.asked == [KEYS_URL]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0"}, id="another tenant's issuer"
        ),
        pytest.param({"iss": f"https://sts.windows.net/{TENANT}/"}, id="an issuer of version 1"),
        pytest.param({"iss": ISSUER + "/"}, id="an issuer with a slash more"),
        pytest.param({"iss": [ISSUER]}, id="a list of issuers"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": OTHER}, id="another audience"),
        pytest.param({"aud": f"api://{CLIENT}"}, id="the audience of version 1"),
        pytest.param({"aud": [CLIENT, OTHER]}, id="two audiences"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"tid": OTHER}, id="another tenant"),
        pytest.param({"tid": None}, id="no tenant"),
        pytest.param({"oid": None}, id="nobody"),
        pytest.param({"oid": ""}, id="an empty id"),
        pytest.param({"oid": 7}, id="a number for an id"),
        pytest.param({"exp": None}, id="no end"),
        pytest.param({"exp": float("nan")}, id="an end that is no number"),
        pytest.param({"exp": float("inf")}, id="an end that is no time"),
        pytest.param({"exp": True}, id="an end that is true"),
        pytest.param({"roles": "Operator"}, id="roles that are a text"),
        pytest.param({"roles": {"Operator": 1}}, id="roles that are an object"),
        pytest.param({"scp": None}, id="an app, or a token that only says who signed in"),
        pytest.param({"scp": "  "}, id="no scope"),
        pytest.param({"scp": None, "idtyp": "app", "azpacr": "1"}, id="an app that says so"),
        pytest.param({"idtyp": "app"}, id="an app with a scope"),
    ],
)
async def test_a_token_that_does_not_fit_is_refused(tokens, signer, clock, changes):
    """Though its signature is good."""
    await refused(tokens, signer.token(claims(clock, **changes)))


async def test_who_has_no_roles_is_known_and_may_do_nothing(tokens, signer, clock):
    """Known, so that the answer is 403 and not 401."""
    for roles in (None, [], ["Owner"], ["operator"]):
        member = await tokens.member(signer.token(claims(clock, roles=roles)))
        assert member.roles == frozenset()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (LEEWAY_SECONDS - 1, None),
        (LEEWAY_SECONDS, "staff_token_expired"),
        (LEEWAY_SECONDS + 1, "staff_token_expired"),
    ],
)
async def test_an_expired_token_is_refused(tokens, signer, clock, seconds, code):
    """A little after its end, because clocks differ."""
    token = signer.token(claims(clock))
    clock.advance(hours=1, seconds=seconds)
    if code is None:
        await tokens.member(token)
        return
    await refused(tokens, token, code)


@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_a_token_of_the_future_is_refused(tokens, signer, clock, name):
    """But for clocks that differ a little."""
    soon = int((clock.now() + timedelta(seconds=LEEWAY_SECONDS)).timestamp())
    await tokens.member(signer.token(claims(clock, **{name: soon})))
    await tokens.member(signer.token(claims(clock, **{name: None})))
    await refused(tokens, signer.token(claims(clock, **{name: soon + 1})))
    await refused(tokens, signer.token(claims(clock, **{name: "soon"})))


def _part(content: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


async def test_a_token_without_a_signature_is_refused(tokens, clock, endpoint):
    """In every spelling of none, and without asking for keys."""
    for algorithm in ("none", "None", "NONE", ""):
        unsigned = f"{_part({'alg': algorithm, 'kid': 'key-1', 'typ': 'JWT'})}.{_part(claims(clock))}."
        await refused(tokens, unsigned)
    assert endpoint.asked == []


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(tokens, signer, clock, endpoint):
    """HS256 with what everybody can read."""
    for secret in (signer.public_pem, signer.public_pem.strip(), json.dumps(signer.jwk()).encode()):
        head = _part({"alg": "HS256", "kid": "key-1", "typ": "JWT"})
        signed = f"{head}.{_part(claims(clock))}"
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        await refused(tokens, f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")
    assert endpoint.asked == []


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
async def test_no_other_algorithm_is_taken(tokens, signer, clock, algorithm):
    """Though the key is right."""
    token = jwt.encode(claims(clock), signer.key, algorithm=algorithm, headers={"kid": "key-1"})
    await refused(tokens, token)


async def test_another_key_under_a_known_id_is_refused(tokens, stranger, clock):
    """The id is no proof."""
    await refused(tokens, stranger.token(claims(clock)))


async def test_a_changed_token_is_refused(tokens, signer, clock):
    """One role more, the old signature."""
    head, _, signature = signer.token(claims(clock)).split(".")
    more = _part(claims(clock, roles=["Operator", "Approver"]))
    await refused(tokens, f"{head}.{more}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        "é.é.é",
        "\ud800.x.x",
        ". .",
        _part({"alg": "RS256"}) + ".e30.e30",
        _part({"alg": "RS256", "kid": 7}) + ".e30.e30",
        _part({"alg": "RS256", "kid": ""}) + ".e30.e30",
        _part({"alg": ["RS256"], "kid": "key-1"}) + ".e30.e30",
        base64.urlsafe_b64encode(b"[" * 11_000).decode().rstrip("=") + ".e30.e30",
        base64.urlsafe_b64encode(b"[1]").decode().rstrip("=") + ".e30.e30",
        "x" * (MAX_TOKEN_CHARACTERS + 1),
    ],
)
async def test_what_is_no_token_is_refused(tokens, endpoint, token):
    """Without asking for keys, and as a refusal, not a fault."""
    await refused(tokens, token)
    assert endpoint.asked == []


async def test_a_signed_token_that_is_no_object_is_refused(tokens, signer):
    """Signed by the right key, and nothing in it."""
    token = jwt.api_jws.encode(b"[1, 2]", signer.key, algorithm="RS256", headers={"kid": "key-1"})
    await refused(tokens, token)


async def test_a_missing_token_is_told_as_that(tokens, endpoint):
    """So that the answer says how to sign in."""
    await refused(tokens, "", "staff_token_missing")
    assert endpoint.asked == []


async def test_nobody_is_staff_where_no_tenant_is_set(clock, endpoint, signer):
    """With the best of tokens."""
    tokens = made(clock, endpoint, staff_tenant_id="", staff_client_id="")
    for iss in (ISSUER, "https://login.microsoftonline.com//v2.0"):
        await refused(tokens, signer.token(claims(clock, iss=iss, tid="", aud="")), "staff_not_configured")
    assert endpoint.asked == []


async def test_a_refusal_says_and_logs_nothing_of_the_token(tokens, signer, clock, caplog):
    """Neither who it was nor its text."""
    token = signer.token(claims(clock, tid=OTHER, name="Ane Andersen"))
    with caplog.at_level(logging.DEBUG):
        found = await refused(tokens, token)
    told = caplog.text + str(found)
    assert "another tenant" in caplog.text
    assert all(part not in told for part in (token[:40], SOMEBODY, OTHER, "Ane"))


async def test_customers_of_an_administrator_come_from_the_settings(clock, endpoint, signer):
    """Not from the token."""
    tokens = made(clock, endpoint, staff_customers={SOMEBODY: ("acme",), OTHER: ("other",)})
    member = await tokens.member(signer.token(claims(clock, roles=["CustomerAdmin"], customer_ids=["other"])))
    assert member.customer_ids == ("acme",)


TRUSTED = {"deployment": "azure", "trust_easyauth": True, "website_auth_enabled": True}


LONG = {
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
    "roles": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
}


@pytest.mark.parametrize("spelled", [{}, LONG, {"oid": LONG["oid"], "tid": LONG["tid"]}])
def test_the_platform_s_word_is_taken_where_it_is_trusted(clock, endpoint, spelled):
    """In both spellings, with every role."""
    tokens = made(clock, endpoint, **TRUSTED)
    header = principal(claims(clock, roles=["Operator", "Auditor", "Owner"]), spelled=spelled)
    member = tokens.principal(header)
    assert (member.staff_id, member.tenant_id) == (SOMEBODY, TENANT)
    assert member.roles == {StaffRole.OPERATOR, StaffRole.AUDITOR}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"deployment": "azure"},
        {"deployment": "azure", "trust_easyauth": True},
        {"deployment": "azure", "website_auth_enabled": True},
        {**TRUSTED, "staff_tenant_id": "", "staff_client_id": ""},
    ],
)
def test_a_forged_header_is_nothing_where_the_platform_does_not_write_it(clock, endpoint, settings):
    """As if it had not been sent."""
    with pytest.raises(NotAllowed) as caught:
        made(clock, endpoint, **settings).principal(principal(claims(clock, roles=["Approver"])))
    assert caught.value.code == "staff_token_missing"


@pytest.mark.parametrize(
    "changes",
    [
        {"tid": OTHER},
        {"tid": None},
        {"oid": None},
        {"oid": ""},
        {"oid": [SOMEBODY, OTHER]},
        {"aud": OTHER},
        {"aud": None},
        {"exp": None},
        {"exp": "soon"},
        {"idtyp": "app"},
        {"exp": "-1"},
        {"exp": "٣"},
    ],
)
def test_the_platform_s_word_about_somebody_else_is_refused(clock, endpoint, changes):
    """Of another tenant, another app, or nobody."""
    with pytest.raises(NotAllowed) as caught:
        made(clock, endpoint, **TRUSTED).principal(principal(claims(clock, **changes)))
    assert caught.value.code == "staff_token_invalid"


def test_a_sign_in_that_ended_is_refused(clock, endpoint):
    """Though the platform's own cookie lives on."""
    header = principal(claims(clock))
    clock.advance(hours=2)
    with pytest.raises(NotAllowed) as caught:
        made(clock, endpoint, **TRUSTED).principal(header)
    assert caught.value.code == "staff_token_expired"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "x",
        "é",
        _encoded("no json"),
        _encoded("[]"),
        _encoded("{}"),
        _encoded('{"auth_typ": "aad"}'),
        _encoded('{"auth_typ": "aad", "claims": {"oid": "a"}}'),
        _encoded('{"auth_typ": "aad", "claims": ["oid"]}'),
        _encoded('{"auth_typ": "aad", "claims": [{"typ": "oid"}]}'),
        _encoded('{"auth_typ": "aad", "claims": [{"typ": "oid", "val": 1}]}'),
        _encoded("[" * 20_000),
        _encoded(" " * 40_000),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(clock, endpoint, header):
    """As a refusal, not a fault."""
    with pytest.raises(NotAllowed) as caught:
        made(clock, endpoint, **TRUSTED).principal(header)
    assert caught.value.code == "staff_token_invalid"


def test_another_provider_s_sign_in_is_refused(clock, endpoint):
    """Whatever its claims are called."""
    with pytest.raises(NotAllowed) as caught:
        made(clock, endpoint, **TRUSTED).principal(principal(claims(clock), auth_typ="github"))
    assert caught.value.code == "staff_token_invalid"
