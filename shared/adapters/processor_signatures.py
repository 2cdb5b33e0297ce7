"""Signatures of other OpenDSR processors, checked where we are the controller they call back.

Whose notice it is, a header says, and a header can say anything. So no certificate is fetched for a domain
that is not listed, and none from elsewhere than that domain.
"""

import base64
import binascii
import json
import ssl
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification

from shared.adapters.outbound import Outbound, Sending
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.outbound import parse_target_url
from shared.ports.clock import Clock

_MOST_BYTES = 64 * 1024
_FRESH = timedelta(hours=12)
_REFRESH_AFTER = timedelta(minutes=5)  # a forger must not make us fetch as often as they like


@dataclass(frozen=True)
class _Known:
    chain: tuple[x509.Certificate, ...]
    fetched_at: datetime


class ProcessorSignatures:
    """Checks notices of listed processors. `discovery_urls`: by domain, where each says what it can do.

    `roots`: the authorities believed; None: those that browsers believe.
    """

    def __init__(
        self,
        outbound: Outbound,
        clock: Clock,
        discovery_urls: Mapping[str, str],
        *,
        local_receiver: str = "",
        roots: Sequence[x509.Certificate] | None = None,
    ) -> None:
        self._outbound = outbound
        self._clock = clock
        self._discovery_urls = dict(discovery_urls)
        self._local_receiver = local_receiver
        self._roots = roots
        self._known: dict[str, _Known] = {}

    async def verify(self, body: bytes, *, domain: str, signature: str) -> None:
        """Return when the listed processor signed exactly these bytes.

        The certificate is kept for hours; a signature that does not fit it is checked once more with a fresh
        one, for keys change.

        Raises:
            NotAllowed: `processor_not_listed`, `certificate_untrusted` (another name, out of date, or from no
                authority) or `signature_invalid`: refuse the notice.
            Retryable, Permanent: those of `Outbound.send`, while fetching the certificate.

        Source: OpenDSR security guidelines. Revocation is not asked for.
        """
        if domain not in self._discovery_urls:
            raise NotAllowed("processor_not_listed")
        known = await self._certificate(domain, older_than=_FRESH)
        if not _fits(known.chain[0], body, signature):
            known = await self._certificate(domain, older_than=_REFRESH_AFTER)
            if not _fits(known.chain[0], body, signature):
                raise NotAllowed("signature_invalid")

    async def _certificate(self, domain: str, *, older_than: timedelta) -> _Known:
        now = self._clock.now()
        known = self._known.get(domain)
        if known is None or now - known.fetched_at > older_than:
            known = _Known(chain=await self._fetched(domain), fetched_at=now)
            self._known[domain] = known
        self._require_trusted(domain, known.chain, now)  # each time, for certificates run out
        return known

    async def _fetched(self, domain: str) -> tuple[x509.Certificate, ...]:
        try:
            found = json.loads(await self._get(self._discovery_urls[domain], domain))
            pem = await self._get(found["processor_certificate"], domain)
            return tuple(x509.load_pem_x509_certificates(pem))
        except (ValueError, KeyError, TypeError, Invalid):  # not JSON, no address, or no certificate
            raise NotAllowed("certificate_untrusted") from None

    async def _get(self, url: object, domain: str) -> bytes:
        target = parse_target_url(url, local_receiver=self._local_receiver)
        if target.host != domain:
            raise NotAllowed("certificate_untrusted")
        answer = await self._outbound.send(target, Sending(method="GET", headers={}), keep_bytes=_MOST_BYTES)
        return answer.body

    def _require_trusted(self, domain: str, chain: Sequence[x509.Certificate], now: datetime) -> None:
        if self._roots is None:
            self._roots = _believed()
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store(list(self._roots)))
            .time(now)
            .build_server_verifier(x509.DNSName(domain))
        )
        try:
            verifier.verify(chain[0], list(chain[1:]))
        except verification.VerificationError:
            raise NotAllowed("certificate_untrusted") from None


def _believed() -> list[x509.Certificate]:
    """Return the authorities that browsers believe; one that cannot be read is not believed."""
    found = []
    for der in ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True):
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)  # will be errors of their own
            try:
                found.append(x509.load_der_x509_certificate(der))
            except (ValueError, CryptographyDeprecationWarning):
                continue
    return found


def _fits(certificate: x509.Certificate, body: bytes, signature: str) -> bool:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), body, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
