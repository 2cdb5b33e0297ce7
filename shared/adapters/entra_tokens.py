"""Access tokens of staff, checked here and not by whoever stands in front.

Source: https://learn.microsoft.com/entra/identity-platform/access-tokens and
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

import logging
from collections.abc import Mapping
from typing import Any

import httpx
import jwt

from shared.adapters.entra_keys import EntraKeys
from shared.adapters.platform_sign_in import claims_of
from shared.domain.errors import NotAllowed
from shared.domain.staff import StaffMember, StaffRole
from shared.ports.clock import Clock
from shared.settings import Settings

LEEWAY_SECONDS = 60
MAX_TOKEN_CHARACTERS = 16 * 1024

_ALGORITHM = "RS256"
_CLAIMS = ("exp", "iss", "aud", "tid", "oid")
# PyJWT reads the machine's clock for times; ours is passed in, so times are checked here.
_OPTIONS: Any = {
    "require": list(_CLAIMS),
    "strict_aud": True,
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat"), False),
}
_UNREADABLE = (jwt.PyJWTError, ValueError, RecursionError)
_ROLES = frozenset(StaffRole)
_LOG = logging.getLogger("shared.staff_tokens")


class EntraTokens:
    """Staff of the one tenant in the settings. `transport` stands in for the network in tests."""

    def __init__(
        self, settings: Settings, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._keys = EntraKeys(
            settings.staff_keys,
            clock,
            through_proxy=settings.deployment == "azure",
            transport=transport,
        )

    async def member(self, token: str) -> StaffMember:
        if not self._settings.staff_client_id:
            raise NotAllowed("staff_not_configured", "no tenant is set")
        if not token:
            raise NotAllowed("staff_token_missing", "sign in and send the token")
        try:
            key = await self._keys.key(_key_id(token))
            if key is None:
                raise _Refused("no such key")  # noqa: TRY301  one place says why
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._settings.staff_client_id,
                issuer=self._settings.staff_issuer,
                options=_OPTIONS,
            )
            self._check_times(claims)
            _check_is_person(claims)
            return self._member(claims)
        except (*_UNREADABLE, _Refused) as error:
            raise _invalid(error) from None

    def principal(self, header: str) -> StaffMember:
        settings = self._settings
        # Where the platform's sign-in is off nobody strips the header, so whoever calls may have written it.
        if not (settings.trust_easyauth and settings.website_auth_enabled and settings.staff_client_id):
            raise NotAllowed("staff_token_missing", "sign in and send the token")
        try:
            claims = claims_of(header)
            if claims.get("aud") != settings.staff_client_id:
                raise _Refused("audience")  # noqa: TRY301
            if claims.get("idtyp", "user") != "user":  # the platform signs apps in too, and these have roles
                raise _Refused("no person's")  # noqa: TRY301
            self._check_times(claims)
            return self._member(claims)
        except (*_UNREADABLE, _Refused) as error:
            raise _invalid(error) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._keys.close()

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now().timestamp()
        if _seconds(claims.get("exp")) + LEEWAY_SECONDS <= now:
            raise NotAllowed("staff_token_expired", "sign in again")
        for name in ("nbf", "iat"):
            if name in claims and _seconds(claims[name]) - LEEWAY_SECONDS > now:
                raise _Refused(f"{name} is to come")

    def _member(self, claims: Mapping[str, Any]) -> StaffMember:
        staff_id, tenant_id = claims.get("oid"), claims.get("tid")
        if tenant_id != self._settings.staff_tenant_id:
            raise _Refused("another tenant")
        if not isinstance(staff_id, str) or not staff_id:
            raise _Refused("nobody")
        roles = claims.get("roles", [])
        if not isinstance(roles, list):
            raise _Refused("roles are no list")
        return StaffMember(
            staff_id=staff_id,
            tenant_id=tenant_id,
            roles=frozenset(StaffRole(role) for role in roles if isinstance(role, str) and role in _ROLES),
            customer_ids=self._settings.staff_customers.get(staff_id, ()),
        )


class _Refused(Exception):
    """A token that does not fit; its text is ours."""


def _key_id(token: str) -> str:
    """Return the id of the key a token names. Only a token of the right kind may make us look for keys."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise _Refused("too long")
    head = jwt.get_unverified_header(token)
    if head.get("alg") != _ALGORITHM:
        raise _Refused("algorithm")
    key_id = head.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise _Refused("no key named")
    return key_id


def _check_is_person(claims: Mapping[str, Any]) -> None:
    """Refuse a token of an app, and one that only says who signed in: neither carries a scope."""
    scopes = claims.get("scp")
    if claims.get("idtyp", "user") != "user" or not isinstance(scopes, str) or not scopes.strip():
        raise _Refused("no person's")


def _seconds(value: object) -> int:
    # Whole numbers only: compared with "not a number" everything would be in time.
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Refused("time")
    return value


def _invalid(error: Exception) -> NotAllowed:
    reason = str(error) if isinstance(error, _Refused) else type(error).__name__
    _LOG.warning("staff token refused: %s", reason)  # a kind of error, never what the token says
    return NotAllowed("staff_token_invalid", "the token is not accepted")
