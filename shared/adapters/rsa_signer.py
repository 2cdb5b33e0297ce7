"""The key of our own certificate, with which OpenDSR bodies are signed."""

import base64
import binascii
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.domain.errors import Permanent

_KEY_BITS = 2_048
_PEM = "-----BEGIN"


class RsaSigner:
    """Signs with an RSA key. Both texts are PEM, PEM in Base64 (as Key Vault hands it out), or a path.

    Raises:
        Permanent: `settings_invalid`, naming the setting: no RSA key of 2048 bits or more, no certificate for
            it, a certificate that does not name our host, or one that nobody else issued where that counts.

    Source: OpenDSR security guidelines; FIPS 186-4. The padding is not named there: see docs/limits.md.
    """

    def __init__(self, key: str, certificate: str, *, domain: str, allow_self_signed: bool = False) -> None:
        try:
            loaded = serialization.load_pem_private_key(_pem(key), password=None)
        except (ValueError, TypeError, OSError):
            raise _wrong("OPENDSR_KEY") from None
        if not isinstance(loaded, rsa.RSAPrivateKey) or loaded.key_size < _KEY_BITS:
            raise _wrong("OPENDSR_KEY")
        try:
            self.certificate_pem = _pem(certificate)
            leaf = x509.load_pem_x509_certificates(self.certificate_pem)[0]
        except (ValueError, OSError):
            raise _wrong("OPENDSR_CERTIFICATE") from None
        fits = leaf.public_key() == loaded.public_key() and domain in _names(leaf)
        if not fits or (leaf.issuer == leaf.subject and not allow_self_signed):
            raise _wrong("OPENDSR_CERTIFICATE")
        self.domain = domain
        self._key = loaded

    def sign(self, body: bytes) -> str:
        return base64.b64encode(self._key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()


def _pem(text: str) -> bytes:
    if text.startswith(_PEM):
        return text.encode()
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    return decoded if decoded.startswith(_PEM.encode()) else Path(text).read_bytes()


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = found.get_values_for_type(x509.IPAddress)
    return {
        *found.get_values_for_type(x509.DNSName),
        *(str(one) for one in addresses if isinstance(one, ipaddress.IPv4Address | ipaddress.IPv6Address)),
    }


def _wrong(name: str) -> Permanent:
    return Permanent("settings_invalid", name)
