"""The header in which App Service puts whom it signed in: base64 of JSON with a list of claims.

Source: https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities.
"""

import base64
import json
from typing import Any

_MAX_CHARACTERS = 32 * 1024
_PROVIDER = "aad"
_MAPPED = {
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
    "http://schemas.microsoft.com/identity/claims/tenantid": "tid",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role": "roles",
}
_TIMES = frozenset({"exp", "nbf", "iat"})
_LISTS = frozenset({"roles"})


def claims_of(header: str) -> dict[str, Any]:
    """Return the claims by their short names, as a token spells them; the platform may spell either way.

    Roles become a list, times whole numbers. The caller says first whether the header can be trusted.

    A claim that is there twice with two values is None.

    Raises:
        ValueError: It is nothing the platform writes.
    """
    if len(header) > _MAX_CHARACTERS:
        raise ValueError("too long")
    try:
        content = json.loads(base64.b64decode(header, validate=True))
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(content, dict) or content.get("auth_typ") != _PROVIDER:
        raise ValueError("not of this provider")
    found: dict[str, Any] = {}
    for claim in _list(content.get("claims")):
        name, value = _pair(claim)
        if name in _LISTS:
            found.setdefault(name, []).append(value)
        elif found.setdefault(name, value) != value:
            found[name] = None
    for name in _TIMES & found.keys():
        value = found[name]
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise ValueError("no time")
        found[name] = int(value)
    return found


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("no claims")  # noqa: TRY004  the caller knows one error
    return value


def _pair(claim: object) -> tuple[str, str]:
    if not isinstance(claim, dict):
        raise ValueError("no claim")  # noqa: TRY004
    name, value = claim.get("typ"), claim.get("val")
    if not isinstance(name, str) or not isinstance(value, str):
        raise ValueError("no claim")  # noqa: TRY004
    return _MAPPED.get(name, name), value
