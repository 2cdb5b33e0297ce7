"""Continuation tokens of queries and feeds: opaque text that holds everything needed to go on."""

import base64
import binascii
import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from .errors import bad_request

_DIGEST_BYTES: Final = 9
_LARGEST_NUMBER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Position:
    """Where a query goes on.

    Attributes:
        sequence: number of the item to go on with.
        skip: how many rows of that item were already given (joins give several).
        keys: sort keys of the last row given, in hexadecimal; None for unsorted queries.
        offset: rows still to be left out.
        remaining: rows still to be given, None for any number.
    """

    sequence: int = 0
    skip: int = 0
    keys: tuple[str, ...] | None = None
    offset: int = 0
    remaining: int | None = None


def digest(*parts: bytes) -> str:
    """Return a short fingerprint of a query and its scope."""
    return base64.b64encode(hashlib.blake2b(b"\0".join(parts), digest_size=_DIGEST_BYTES).digest()).decode()


def write(position: Position, fingerprint: str) -> str:
    """Write a token that only the same query over the same scope can use."""
    return base64.urlsafe_b64encode(orjson.dumps({"query": fingerprint, **asdict(position)})).decode()


def read(token: str, fingerprint: str) -> Position:
    """Read a token.

    Raises:
        ServiceError: 400 when the token is damaged or belongs to another query.
    """
    try:
        fields: Any = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        owner = fields.pop("query")
        position = Position(**{**fields, "keys": None if fields["keys"] is None else tuple(fields["keys"])})
        numbers = (position.sequence, position.skip, position.offset, position.remaining or 0)
        is_sound = all(type(number) is int and 0 <= number < _LARGEST_NUMBER for number in numbers)
        for key in position.keys or ():
            bytes.fromhex(key)
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        raise bad_request("Invalid Continuation Token") from None
    if not is_sound or owner != fingerprint:
        raise bad_request("Invalid Continuation Token")
    return position
