"""Partition keys: reading them from headers and documents, and hashing them.

The hash (effective partition key, EPK) is kept as bytes; comparing bytes equals comparing the hexadecimal
text that the protocol uses. Equal keys have equal hashes, so the hash is the identity of a logical partition.
"""

import struct
from typing import Any, Final

import mmh3
import orjson

from .errors import bad_request
from .property_paths import parse_path
from .sql.values import UNDEFINED

_DOUBLE: Final = struct.Struct("<d")
_LONGEST_KEY_BYTES: Final = 2048
_LONGEST_KEY_BYTES_V1: Final = 101
_MOST_PATHS: Final = 3
_V1_HASHED_CHARACTERS: Final = 100
_V1_SHORT_STRING: Final = 100

KEY_MISFIT: Final = (
    "Partition key provided either doesn't correspond to definition in the collection or doesn't match "
    "partition key field values specified in the document."
)


class PartitionKeyDefinition:
    """How a container's documents are partitioned.

    Args:
        definition: the `partitionKey` object of the container.

    Raises:
        ServiceError: 400 when the object is malformed.
    """

    def __init__(self, definition: Any) -> None:
        if not isinstance(definition, dict) or not isinstance(definition.get("paths"), list):
            raise bad_request("The partition key definition must have 'paths'.")
        texts = definition["paths"]
        self.kind: str = definition.get("kind", "Hash")
        self.version = definition.get("version", 1)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise bad_request("The partition key definition needs at least one path.")
        if len(texts) > _MOST_PATHS:
            raise bad_request("Too many partition key paths.")
        if self.kind not in {"Hash", "MultiHash"} or self.version not in {1, 2}:
            raise bad_request("The partition key kind must be Hash or MultiHash, its version 1 or 2.")
        if len(texts) > 1 and self.kind == "Hash":
            raise bad_request("Several partition key paths need the kind MultiHash.")
        self.paths = [parse_path(text) for text in texts]

    def values_of(self, document: dict[str, Any]) -> list[Any]:
        """Return a document's key, one value per path; UNDEFINED where the document has none."""
        return [_scalar_at(document, path) for path in self.paths]

    def epk_of_document(self, document: dict[str, Any]) -> bytes:
        """Return the hash of a document's key.

        Raises:
            ServiceError: 400 when the key is too long.
        """
        return self.epk(self.values_of(document))

    def values_of_header(self, header: str) -> list[Any]:
        """Read a full key from the partition key header.

        Raises:
            ServiceError: 400 when the header is malformed or does not fit the definition.
        """
        try:
            values = orjson.loads(header)
        except orjson.JSONDecodeError:
            raise bad_request("The partition key header is not valid JSON.") from None
        if not isinstance(values, list):
            raise bad_request("The partition key header must be a JSON array.")
        if not values:
            return [UNDEFINED] * len(self.paths)
        if len(values) != len(self.paths):
            raise bad_request(KEY_MISFIT)
        return [_header_value(value) for value in values]

    def epk(self, values: list[Any]) -> bytes:
        """Hash a full key.

        Raises:
            ServiceError: 400 when the key is too long.
        """
        parts = [_component(value, b"\xff") for value in values]
        longest = _LONGEST_KEY_BYTES if self.version == 2 else _LONGEST_KEY_BYTES_V1  # noqa: PLR2004 - the version
        if sum(map(len, parts)) > longest + 2 * len(parts):
            raise bad_request(f"The partition key is longer than {longest} bytes.")
        if self.kind == "MultiHash":
            return b"".join(map(_hash, parts))
        if self.version == 1:
            return _epk_version_1(values)
        return _hash(b"".join(parts))

    @property
    def epk_bytes(self) -> int | None:
        """Length of every hash, or None where it varies (version 1)."""
        if self.kind == "MultiHash":
            return 16 * len(self.paths)
        return 16 if self.version == 2 else None  # noqa: PLR2004 - the version


def _scalar_at(document: Any, path: tuple[str, ...]) -> Any:
    value = document
    for name in path:
        if type(value) is not dict or name not in value:
            return UNDEFINED
        value = value[name]
    return UNDEFINED if isinstance(value, list | dict) else value


def _header_value(value: Any) -> Any:
    if value == {} and isinstance(value, dict):
        return UNDEFINED
    if isinstance(value, list | dict):
        raise bad_request("A partition key component must be a string, number, boolean, null or {}.")
    return value


def _component(value: Any, suffix: bytes) -> bytes:
    if isinstance(value, str):
        return b"\x08" + value.encode() + suffix
    if value is UNDEFINED:
        return b"\x00"
    if value is None:
        return b"\x01"
    if isinstance(value, bool):
        return b"\x03" if value else b"\x02"
    return b"\x05" + _DOUBLE.pack(float(value) + 0.0)


def _hash(raw: bytes) -> bytes:
    hashed = mmh3.hash_bytes(raw, 0, True)[::-1]
    return bytes((hashed[0] & 0x3F,)) + hashed[1:]


def _epk_version_1(values: list[Any]) -> bytes:
    truncated = [value[:_V1_HASHED_CHARACTERS] if isinstance(value, str) else value for value in values]
    hashed = mmh3.hash(b"".join(_component(value, b"\x00") for value in truncated), 0, False)
    return _encoded_v1(float(hashed)) + b"".join(_encoded_v1(value) for value in truncated)


def _encoded_v1(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"\x03" if value else b"\x02"
    if isinstance(value, int | float):
        return b"\x05" + _number_v1(float(value))
    if isinstance(value, str):
        raw = value.encode()
        shortened = raw[: _V1_SHORT_STRING + 1]
        body = bytes(byte + 1 if byte < 0xFF else byte for byte in shortened)  # noqa: PLR2004 - largest byte
        return b"\x08" + body + (b"\x00" if len(raw) <= _V1_SHORT_STRING else b"")
    return b"\x00" if value is UNDEFINED else b"\x01"


def _number_v1(value: float) -> bytes:
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    mask = 1 << 63
    payload = (bits ^ mask) if bits < mask else (~bits & (mask * 2 - 1)) + 1
    encoded = [payload >> 56]
    payload = (payload << 8) & (mask * 2 - 1)
    current, first = 0, True
    while first or payload:
        if not first:
            encoded.append(current)
        current = (payload >> 56) | 1
        payload = (payload << 7) & (mask * 2 - 1)
        first = False
    encoded.append(current & 0xFE)
    return bytes(encoded)
