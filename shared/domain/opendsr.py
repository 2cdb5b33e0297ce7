"""OpenDSR 2.0: how customer-data platforms file requests with us and learn what came of them.

The bodies on the wire, and the rules for what we take. OpenDSR 1.0, then called OpenGDPR, differs in the
names of two headers and knows no `regulation`; its requests are taken too, and answered under those names.

What the specification leaves open or contradicts itself in is settled here: a missing `regulation` is the
GDPR, as in its own example; `processor_signature` is left out of bodies, which it cannot sign itself, and
stands in the header. Source: https://github.com/opengdpr/OpenDSR, specification.md.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from shared.domain.errors import Invalid, NotAllowed
from shared.domain.identifiers import parse_email
from shared.domain.rights import Right

MAX_CALLBACKS = 5
MAX_IDENTITIES = 20
UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
HEADERS = {
    "1.0": ("X-OpenGDPR-Processor-Domain", "X-OpenGDPR-Signature"),
    "2.0": ("X-OpenDSR-Processor-Domain", "X-OpenDSR-Signature"),
}
"""By version: the header with the processor's domain, and the one with the signature over the body."""

RIGHT_OF = {"access": Right.ACCESS, "erasure": Right.ERASURE, "portability": Right.PORTABILITY}
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)

Version = Literal["1.0", "2.0"]
ControllerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.:-]{1,253}$")]


class DsrStatus(StrEnum):
    """The only states that OpenDSR knows; there is none for a refusal."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class _Wire(BaseModel):
    """What peers send may hold more than we know; what we send holds no more than this."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def body(self) -> bytes:
        """Return the exact bytes to send and to sign."""
        return self.model_dump_json(exclude_none=True).encode()


def _written(value: object) -> object:
    """Let only written times pass: a bare number would be read as seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    raise ValueError("must be a time such as 2026-11-23T09:15:00Z")


Time = Annotated[AwareDatetime, BeforeValidator(_written)]


class Identity(_Wire):
    """One way in which a platform knows the person. Personal data."""

    identity_type: str = Field(max_length=64)
    identity_value: str = Field(max_length=1_024, repr=False)
    identity_format: str = Field(default="raw", max_length=16)


class SupportedIdentity(_Wire):
    """A kind of identity by which a case can be started."""

    identity_type: str
    identity_format: str


SUPPORTED_IDENTITIES = (SupportedIdentity(identity_type="email", identity_format="raw"),)
"""A hash finds nobody here, and only an address can be asked whether it was its owner who asked."""


class DsrRequest(_Wire):
    """A request as a platform files it. `extensions` are read below our own domain only."""

    api_version: Version = "2.0"
    regulation: Literal["gdpr"] = "gdpr"
    subject_request_id: str = Field(pattern=UUID_PATTERN)
    subject_request_type: Literal["access", "erasure", "portability"]
    submitted_time: Time
    subject_identities: tuple[Identity, ...] = Field(min_length=1, max_length=MAX_IDENTITIES)
    status_callback_urls: tuple[str, ...] = Field(default=(), max_length=MAX_CALLBACKS)
    extensions: dict[str, Any] = {}

    @property
    def right(self) -> Right:
        """The right asked for."""
        return RIGHT_OF[self.subject_request_type]


class DsrDiscovery(_Wire):
    """What this processor can do."""

    api_version: Version = "2.0"
    supported_identities: tuple[SupportedIdentity, ...] = SUPPORTED_IDENTITIES
    supported_subject_request_types: tuple[str, ...] = tuple(RIGHT_OF)
    processor_certificate: str


class _Told(_Wire):
    controller_id: str
    subject_request_id: str
    api_version: Version | None = None


class DsrAccepted(_Told):
    """The answer to a new request. `encoded_request`: the request's bytes in Base64, not stored by us."""

    received_time: datetime
    expected_completion_time: datetime
    encoded_request: str = Field(repr=False)


class DsrState(_Told):
    """Where a request stands. `extensions`: by our domain, what the four states cannot say."""

    expected_completion_time: datetime
    request_status: DsrStatus
    extensions: dict[str, dict[str, str]] | None = None


class DsrCallback(DsrState):
    """The same, posted to the address in it when the state changed."""

    status_callback_url: str


class DsrCancelled(_Told):
    """The answer to a cancellation."""

    received_time: datetime


class DsrErrorDetail(_Wire):
    """One thing that is wrong, free of personal data."""

    domain: str
    reason: str
    message: str


class DsrErrorObject(_Wire):
    """`code` is the HTTP status."""

    code: int
    message: str
    errors: tuple[DsrErrorDetail, ...]


class DsrError(_Wire):
    """How a request is refused."""

    error: DsrErrorObject


class Platform(BaseModel):
    """A platform that may file requests, by its controller id in the settings.

    `key_sha256`: of its API key, 64 hex digits. `callback_domains`: the hosts that may be told of a state.
    `identity_verified`: the platform has proven who asks, under a contract that says so; else we do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    callback_domains: tuple[Domain, ...] = ()
    identity_verified: bool = False
    requests_per_hour: int = Field(default=200, ge=1)


class FiledBy(BaseModel):
    """How a case came by OpenDSR, and what its platform was told last.

    `tries` counts the times in a row that it could not be told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject_request_id: str
    controller_id: str
    status_callback_urls: tuple[str, ...] = Field(default=(), repr=False)
    api_version: Version
    last_status_sent: DsrStatus = DsrStatus.PENDING
    tries: int = 0


def parse_request(body: bytes) -> DsrRequest:
    """Read a request's JSON.

    Raises:
        Invalid: `<field>_invalid` of the first field at fault, or `body_invalid`: no JSON object; correct it.
    """
    try:
        return DsrRequest.model_validate_json(body)
    except ValidationError as error:
        place = error.errors(include_input=False, include_context=False)[0]["loc"]
        name = str(place[0]) if place and place[0] in DsrRequest.model_fields else "body"
        raise Invalid(f"{name}_invalid", _EXPECTED.get(name, "missing or not valid"), field=name) from None


def email_of(body: DsrRequest) -> str:
    """Return the one address that a request is about.

    Raises:
        Invalid: `identity_unsupported` for any other kind or format, `identity_not_single` for two addresses,
            or `email_invalid`.
    """
    known = {(one.identity_type, one.identity_format) for one in SUPPORTED_IDENTITIES}
    for one in body.subject_identities:
        if (one.identity_type, one.identity_format) not in known:
            raise Invalid("identity_unsupported", f"supported: {_supported()}", field="subject_identities")
    addresses = {parse_email(one.identity_value) for one in body.subject_identities}
    if len(addresses) > 1:
        raise Invalid("identity_not_single", "one address a request", field="subject_identities")
    return addresses.pop()


def language_of(body: DsrRequest, domain: str) -> Literal["en", "da"]:
    """Return the language of the letters: the one in our extension, else English."""
    own = body.extensions.get(domain)
    return "da" if isinstance(own, dict) and own.get("language") == "da" else "en"


def authenticated(platforms: Mapping[str, Platform], key: str) -> str:
    """Return the controller id that an API key belongs to, in the same time for every key.

    Raises:
        NotAllowed: `key_invalid`.
    """
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    found = ""
    for controller_id, platform in platforms.items():  # all of them, so that the time tells nothing
        if hmac.compare_digest(digest, platform.key_sha256):
            found = controller_id
    if not found:
        raise NotAllowed("key_invalid")
    return found


def whole_seconds(moment: datetime) -> datetime:
    """Return a moment as it is written in a body: UTC, without fractions of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _supported() -> str:
    return ", ".join(f"{one.identity_type} ({one.identity_format})" for one in SUPPORTED_IDENTITIES)


_EXPECTED = {
    "api_version": "1.0 or 2.0",
    "regulation": "gdpr",
    "subject_request_id": "a UUID of version 4 in lower case",
    "subject_request_type": f"one of {', '.join(RIGHT_OF)}",
    "submitted_time": "a time of RFC 3339",
    "subject_identities": f"1 to {MAX_IDENTITIES}; supported: {_supported()}",
    "status_callback_urls": f"at most {MAX_CALLBACKS} https addresses",
    "body": "a JSON object",
}
