"""Links that prove control of an address: signed, for one purpose and one request, short-lived.

A token can be made again from the key, so it is stored nowhere: not with the request, not in a queue.
Single use is a matter of the request's state, which the caller checks.
"""

import hmac
from datetime import UTC, datetime

from shared.domain.errors import NotAllowed
from shared.domain.identifiers import Pseudonymiser

_PARTS = 2
_DIGITS = 11


def issue(keys: Pseudonymiser, *, purpose: str, request_id: str, expires_at: datetime) -> str:
    """Return a token `<expiry in epoch seconds>.<signature>`; the same arguments give the same token."""
    expiry = str(int(expires_at.timestamp()))
    return f"{expiry}.{keys.sign(purpose, request_id, expiry)}"


def check(keys: Pseudonymiser, token: object, *, purpose: str, request_id: str, now: datetime) -> None:
    """Return when the token is genuine and not expired.

    Raises:
        NotAllowed: `token_invalid` for a wrong or forged one, `token_expired` for a late one. The person
            can file the request again.
    """
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != _PARTS or not parts[0].isascii() or not parts[0].isdigit() or len(parts[0]) > _DIGITS:
        raise NotAllowed("token_invalid")
    genuine = keys.sign(purpose, request_id, parts[0])
    if not hmac.compare_digest(genuine.encode(), parts[1].encode("utf-8", "replace")):
        raise NotAllowed("token_invalid")
    if now > datetime.fromtimestamp(int(parts[0]), tz=UTC):
        raise NotAllowed("token_expired")
