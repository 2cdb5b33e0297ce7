"""Resource ids (`_rid`): 4 bytes for a database, 8 for a container, 16 for an item."""

import base64
import binascii
import struct
from typing import Final

_DATABASE: Final = struct.Struct(">I")
_ITEM: Final = struct.Struct(">Q")
_CONTAINER_BIT: Final = 0x80000000
DATABASE_BYTES: Final = 4
CONTAINER_BYTES: Final = 8
ITEM_BYTES: Final = 16


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode().replace("/", "-")


def decode(rid: str) -> bytes | None:
    """Return the bytes of a resource id, or None when the text is none."""
    try:
        raw = base64.b64decode(rid.replace("-", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) in {DATABASE_BYTES, CONTAINER_BYTES, ITEM_BYTES} else None


def database_rid(number: int) -> str:
    """Return the id of the n-th database of a store."""
    return _encode(_DATABASE.pack(number))


def container_rid(database_number: int, number: int) -> str:
    """Return the id of the n-th container of a store; a recreated container gets a new number."""
    return _encode(_DATABASE.pack(database_number) + _DATABASE.pack(_CONTAINER_BIT | number))


def container_prefix(rid: str) -> bytes:
    """Return the bytes that the ids of a container's items start with."""
    raw = decode(rid)
    if raw is None:
        raise ValueError(f"{rid!r} is no resource id")
    return raw


def item_rid(prefix: bytes, sequence: int) -> str:
    """Return the id of an item from its container's prefix and its number."""
    return _encode(prefix + _ITEM.pack(sequence))


def item_sequence(rid: str) -> int | None:
    """Return an item's number from its id, or None when the text is no item id."""
    raw = decode(rid)
    if raw is None or len(raw) != ITEM_BYTES:
        return None
    (number,) = _ITEM.unpack(raw[CONTAINER_BYTES:])
    return int(number)
