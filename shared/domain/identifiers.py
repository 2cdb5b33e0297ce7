"""Values that find a person: how they are written, compared and turned into keyed pseudonyms."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping

from shared.domain.errors import Invalid

Identifiers = Mapping[str, tuple[str, ...]]
"""Kind of identifier to the values known of one person, each value once, in the order found."""

EMAIL = "email"
SUBJECT_KEY = "subject_key"
MAX_EMAIL_CHARACTERS = 254
_ENCODED_WORD = "=?"  # mail programs decode what follows it in a header, whatever comes out
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@(?:[^\s@<>\"(),:;\[\]\\.]+\.)+[^\s@<>\"(),:;\[\]\\.]{2,}")


def parse_email(text: object) -> str:
    """Return an address as typed, trimmed and in Unicode NFC; its letters keep their case.

    Raises:
        Invalid: `email_invalid`: not one plain address; ask the person to correct it.
    """
    if not isinstance(text, str):
        raise Invalid("email_invalid", "an e-mail address is needed", field="email")
    address = unicodedata.normalize("NFC", text.strip())
    # Mail programs may fold look-alikes such as a full-width comma, so the folded form has to be one too.
    if len(address) > MAX_EMAIL_CHARACTERS or not all(
        _is_plain(form) for form in (address, unicodedata.normalize("NFKC", address))
    ):
        raise Invalid("email_invalid", "that is not one plain e-mail address", field="email")
    return address


def _is_plain(address: str) -> bool:
    return (
        _EMAIL.fullmatch(address) is not None
        and _ENCODED_WORD not in address
        and not any(unicodedata.category(character)[0] == "C" for character in address)
    )


def normalise(kind: str, value: str) -> str:
    """Return the form in which values of one kind are compared: e-mail trimmed, in NFC and without case.

    Every other kind is compared as it is, as the stores compare it: a value with a space at its end is
    another value there, with records of its own.
    """
    return unicodedata.normalize("NFC", value.strip()).lower() if kind == EMAIL else value


def merged(known: Identifiers, found: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return `known` plus the values not yet in it, compared as their kind demands."""
    result = {kind: list(values) for kind, values in known.items()}
    seen = {(kind, normalise(kind, value)) for kind, values in known.items() for value in values}
    for kind, value in found:
        key = (kind, normalise(kind, value))
        if value and key not in seen:
            seen.add(key)
            result.setdefault(kind, []).append(value)
    return {kind: tuple(values) for kind, values in result.items()}


class Pseudonymiser:
    """Turns an identifier into a keyed pseudonym that only the holder of the key can compare.

    A pseudonym is still personal data: it is listed in the data map, and stays in our own database and in
    the proofs of the evidence container. Source: GDPR article 4(5); the key lives in Key Vault.
    """

    def __init__(self, key: bytes, *, version: int = 1) -> None:
        if len(key) < hashlib.sha256().digest_size:
            raise Invalid("pseudonym_key_short", "the pseudonym key needs 32 bytes or more")
        self._key = key
        self._version = version

    def subject_key(self, kind: str, value: str) -> str:
        """Return the pseudonym of one identifier, `k1-` and 64 hex digits."""
        text = f"{kind}\n{normalise(kind, value)}".encode()
        return f"k{self._version}-{hmac.new(self._key, text, hashlib.sha256).hexdigest()}"

    def sign(self, purpose: str, *parts: str) -> str:
        """Return a signature over texts, 64 hex digits, separate for each purpose."""
        text = "\n".join((f"sign:{purpose}", *parts)).encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
