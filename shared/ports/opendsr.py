"""What it takes to be an OpenDSR processor: a certified key, a way to call back, and known platforms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.domain.opendsr import Platform
from shared.domain.outbound import TargetUrl


class Signer(Protocol):
    """Signs bodies with the key of our certificate."""

    @property
    def domain(self) -> str:
        """The host we serve from, which the certificate names."""
        ...

    @property
    def certificate_pem(self) -> bytes:
        """The certificate, and its issuers' after it."""
        ...

    def sign(self, body: bytes) -> str:
        """Return the signature over exactly these bytes, in Base64. Source: PKCS #1 v1.5 with SHA-256."""
        ...


class Callbacks(Protocol):
    """Posts signed notices to platforms."""

    def parse(self, url: object) -> TargetUrl:
        """Return an address that may be called back.

        Raises:
            Invalid: `transfer_url_…`: not an https address of a public host.
        """
        ...

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Post one notice; a 2xx answer is its receipt. A second call posts it again.

        Raises:
            NotAllowed: `callback_refused_address`: the name leads to an address that is not public.
            Retryable: `callback_unreachable`: later.
            Permanent: `callback_refused`, `callback_certificate` or `callback_too_slow`: an operator has to
                ask the platform.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class OpenDsr:
    """An OpenDSR processor. `platforms`: who may file requests, by controller id."""

    signer: Signer
    callbacks: Callbacks
    platforms: Mapping[str, Platform] = field(repr=False)
