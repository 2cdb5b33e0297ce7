"""Made-up staff: a signer of tokens with its key endpoint, and members by token for the doors."""

import json
import uuid
from base64 import b64encode
from datetime import timedelta

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.domain.errors import NotAllowed
from shared.domain.staff import StaffMember, StaffRole

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
SOMEBODY = "aaaaaaaa-0000-4000-8000-000000000001"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"


class Signer:
    """One RSA key with an id."""

    def __init__(self, key_id: str | None = None, *, bits: int = 2048):
        self.key_id = key_id or uuid.uuid4().hex
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    @property
    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def jwk(self, **changes) -> dict:
        """Return the public half as a key set holds it."""
        found = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {**found, "kid": self.key_id, "use": "sig", **changes}

    def token(self, claims: dict, **header) -> str:
        """Return the claims signed; a header of None is left out."""
        names = {"kid": self.key_id, **header}
        kept = {name: value for name, value in names.items() if value is not None}
        content = json.dumps(claims).encode()  # PyJWT's own encoder refuses some of what is to be refused
        return jwt.api_jws.encode(content, self.key, algorithm="RS256", headers=kept)


def claims(clock, **changes) -> dict:
    """Return the claims of a person's token, good for an hour; a change to None leaves one out."""
    now = clock.now()
    found = {
        "iss": ISSUER,
        "aud": CLIENT,
        "tid": TENANT,
        "oid": SOMEBODY,
        "sub": "pairwise-of-somebody",
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        "scp": "access_as_user",
        "roles": ["Operator"],
        "ver": "2.0",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def principal(found: dict, *, auth_typ: str = "aad", spelled: dict | None = None) -> str:
    """Return claims as the platform's header has them; `spelled` gives claims other names."""
    pairs = [
        {"typ": (spelled or {}).get(name, name), "val": str(one)}
        for name, value in found.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return b64encode(json.dumps({"auth_typ": auth_typ, "claims": pairs}).encode()).decode()


class KeyEndpoint:
    """Answers with the keys of some signers, counts, and fails on purpose while `fault` is set."""

    def __init__(self, *signers: Signer):
        self.signers = list(signers)
        self.fault: Exception | httpx.Response | None = None
        self.asked: list[str] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if isinstance(self.fault, Exception):
            raise self.fault
        if self.fault is not None:
            return self.fault
        return httpx.Response(200, json={"keys": [one.jwk() for one in self.signers]})


class MemoryStaffTokens:
    """Knows members by token. A token is a member's name with a dot and its roles."""

    def __init__(self):
        self.members: dict[str, StaffMember] = {}

    def add(self, name: str, *roles: StaffRole, customer_ids: tuple[str, ...] = ()) -> str:
        """Make a member and return the token."""
        token = ".".join([name, *roles])
        self.members[token] = StaffMember(
            staff_id=str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            tenant_id=TENANT,
            roles=frozenset(roles),
            customer_ids=customer_ids,
        )
        return token

    async def member(self, token: str) -> StaffMember:
        if not token:
            raise NotAllowed("staff_token_missing")
        if token not in self.members:
            raise NotAllowed("staff_token_invalid")
        return self.members[token]

    def principal(self, header: str) -> StaffMember:  # noqa: ARG002  there is no platform to trust
        raise NotAllowed("staff_token_missing")
