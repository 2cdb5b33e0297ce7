"""Every setting of the app in one frozen model, read once from the environment.

Locally the endpoints are the emulators' and carry keys; in Azure they are URIs and the managed identity is
used. A missing or wrong setting stops the app at its first request, naming every one at fault at once; in
Azure every shortcut of a local run is one.
"""

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from shared.domain.contacts import Contacts
from shared.domain.errors import Permanent
from shared.domain.limits import Limits
from shared.domain.newsletters import MailingList
from shared.domain.opendsr import ControllerId, Platform
from shared.domain.quiet_hours import quiet_hours

_KEY_BYTES = 32
_PLATFORMS = TypeAdapter(dict[ControllerId, Platform])
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_GOOGLE_ANALYTICS = "https://analyticsadmin.googleapis.com"
_GOOGLE_IDENTITY = {
    "google_audience": re.compile(r"//iam\.googleapis\.com/projects/\d+/[\w./-]+"),
    "google_service_account": re.compile(r"[a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com"),
    "google_azure_resource": re.compile(r"api://[\w./-]+"),
}
_CAMPAIGN_MONITOR = "https://api.createsend.com/api/v3.3"
_CLIENT_ID = r"^([0-9a-fA-F]{32})?$"
_GUID = r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"
_CUSTOMER_ID = r"^[\w.-]{1,100}$"
_SIGN_IN = "https://login.microsoftonline.com"
_MAIL_HOSTS = {"graph_url": "graph.microsoft.com", "graph_authority_url": "login.microsoftonline.com"}
_SHA256 = r"^([0-9a-f]{64})?$"
_PUBLISHED_KEY = hashlib.sha256(b"local-development-only-system-key").hexdigest()  # everybody can read it
_PUBLISHED_WEBHOOK_SECRET = hashlib.sha256(b"local-development-only-webhook-secret").hexdigest()
_PUBLISHED_PSEUDONYM_KEY = b"local-development-only-pseudonym-key-0001"  # whoever has it can sign any link
_LOOPBACK_URL = re.compile(r"http://127\.0\.0\.1:\d{1,5}/[\w./-]*")
_LOCAL_ONLY = (
    *("cosmos_key", "storage_connection", "transfer_local_receiver", "transfer_local_ca_file"),
    *("google_key_file", "clock_offset_seconds"),
)
_PLACES = (
    *("cosmos_endpoint", "storage_blob_uri", "storage_queue_uri", "public_url"),
    *("allowed_return_url", "authority_url"),
)
# What the examples and the stand-ins are made of, and everybody can read.
_PUBLISHED = ("local-development-only", "made-up-key-of-a-stand-in", "example contact, local run")
_MISSING = {
    "cosmos_endpoint": "https://missing.invalid/",
    "pseudonym_key": base64.b64encode(bytes(_KEY_BYTES)).decode(),
    "public_url": "https://missing.invalid/",
}
_SITE = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")
_UNRESOLVED = "@Microsoft.KeyVault("  # what the platform leaves where the vault gave nothing
_ORIGIN = re.compile(r"https://(\[[0-9a-f:]+\]|[a-z0-9.-]+):\d{1,5}|")


class Settings(BaseModel):
    """The app's settings. Names in the environment are the fields' names in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    deployment: Literal["local", "azure"] = "azure"
    cosmos_endpoint: str = Field(min_length=1)
    cosmos_key: str = ""  # emulators only; empty: managed identity
    cosmos_systems_database: str = "clicklearn"
    cosmos_compliance_database: str = "compliance"
    storage_connection: str = ""  # emulators only; empty: the two URIs below and managed identity
    storage_blob_uri: str = ""
    storage_queue_uri: str = ""
    managed_identity_client_id: str = ""
    # How long what is erased can be restored, in days, as deployed; letters name it.
    cosmos_backup_days: int = Field(default=30, ge=7, le=30)
    blob_soft_delete_days: int = Field(default=7, ge=1, le=365)
    applicationinsights_connection_string: str = ""  # where telemetry goes; empty: nowhere
    pseudonym_key: str = Field(min_length=1)  # base64 of 32 bytes or more; from Key Vault in Azure
    public_url: str = Field(min_length=1)
    system_key_sha256: str = Field(
        default="", pattern=_SHA256
    )  # of the key our other systems send; empty: none
    allowed_return_url: str = ""  # where a plain HTML form's sender is sent back to; empty: a page of our own
    allowed_origins: tuple[str, ...] = ()  # by commas: sites whose pages send the newsletter forms
    controller_name: str = ""
    controller_address: str = ""
    controller_email: str = ""
    authority_name: str = ""
    authority_address: str = ""
    authority_email: str = ""
    authority_url: str = ""
    contacts_verified_on: date | None = None
    graph_mailbox: str = ""  # letters are sent from it; empty: to the container `outbox`, in a local run only
    graph_tenant_id: str = ""  # with a certificate only
    graph_client_id: str = ""  # of the app with the certificate, or of another managed identity
    graph_certificate_path: str = ""  # PEM with key and certificate, or PFX; empty: managed identity
    graph_url: str = "https://graph.microsoft.com/v1.0"
    graph_authority_url: str = "https://login.microsoftonline.com"
    campaign_monitor_url: str = _CAMPAIGN_MONITOR
    campaign_monitor_client_id: str = Field(default="", pattern=_CLIENT_ID)  # empty: not connected
    campaign_monitor_api_key: str = Field(default="", repr=False)  # from Key Vault in Azure
    campaign_monitor_lists: tuple[MailingList, ...] = ()  # JSON: the lists we know and what each is for
    # SHA-256 of the secrets its webhooks' URLs end with, by commas: the present one, and one that comes or
    # goes
    campaign_monitor_webhook_secrets_sha256: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    google_analytics_property_id: str = Field(default="", pattern=r"^\d{0,20}$")  # empty: not connected
    google_analytics_url: str = _GOOGLE_ANALYTICS
    google_audience: str = ""  # of the identity pool's provider: //iam.googleapis.com/projects/…
    google_service_account: str = ""  # its address; it has rights on the property, and we act as it
    google_azure_resource: str = ""  # what our identity asks a token for, that the pool believes: api://…
    google_key_file: str = ""  # local runs: a service account's key instead of the four above
    staff_tenant_id: str = Field(default="", pattern=_GUID)  # whose accounts are staff; empty: nobody is
    staff_client_id: str = Field(default="", pattern=_GUID)  # of the app registration of this API
    staff_issuer_url: str = ""  # empty: the tenant's; anything else in a local run only
    staff_keys_url: str = ""  # as the issuer
    # A JSON object from an account's object id to the customers whose installations it administers.
    staff_customers: dict[str, tuple[Annotated[str, Field(pattern=_CUSTOMER_ID)], ...]] = {}
    trust_easyauth: bool = False  # whether the header of App Service's own sign-in counts, where that is on
    website_auth_enabled: bool = False  # set by App Service, by nobody else
    transfer_local_receiver: str = ""  # local runs: the one origin not public that a copy may be sent to
    transfer_local_ca_file: str = ""  # local runs: whose certificates are believed there
    opendsr_key: str = Field(default="", repr=False)  # PEM, PEM in Base64 or a path; empty: no OpenDSR
    opendsr_certificate: str = ""  # of that key, for the host of PUBLIC_URL, with its issuers; same forms
    opendsr_controllers: str = Field(default="", repr=False)  # JSON: controller id to its entry
    clock_offset_seconds: int = 0  # local runs: how far the app's clock is ahead, to see what time does
    # How long logs and sent letters stay, in days, as workspace and mailbox are set; 0: nobody said.
    log_days: int = Field(default=0, ge=0, le=3_660)
    sent_mail_days: int = Field(default=0, ge=0, le=3_660)
    package_days: int = Field(default=14, ge=1, le=30)
    verification_days: int = Field(default=7, ge=1, le=30)
    erasure_grace_seconds: int = Field(default=0, ge=0, le=7 * 86_400)
    requests_per_address_hour: int = Field(default=5, ge=1)
    requests_per_client_hour: int = Field(default=30, ge=1)
    erasures_per_hour: int = Field(default=200, ge=1)  # one more throws the switch that stops them all
    hold_review_days: int = Field(default=366, ge=1, le=3_660)  # the review of a hold lies no further ahead
    mass_records: int = Field(default=10_000, ge=1)  # an erasure of more needs two approvers
    membership_warning_days: int = Field(default=0, ge=0, le=365)  # before it ends by time; 0: nobody is told

    # Of each container of the database, for scheduled deletion by all workers together; 0: no budget.
    retention_units_per_second: int = Field(default=0, ge=0, le=1_000_000)
    retention_requests_per_second: int = Field(default=0, ge=0, le=100_000)
    retention_quiet_hours: str = ""  # in Copenhagen, such as 07:00-18:00, in which it rests; empty: none

    @field_validator("retention_quiet_hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        quiet_hours(value)
        return value

    @field_validator("pseudonym_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        try:
            key = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("must be base64") from None
        if len(key) < _KEY_BYTES:
            raise ValueError("must be 32 bytes or more")
        return value

    @field_validator("transfer_local_receiver")
    @classmethod
    def _origin(cls, value: str) -> str:
        if _ORIGIN.fullmatch(value) is None:
            raise ValueError("must be an origin such as https://127.0.0.1:9443")
        return value

    @field_validator("opendsr_controllers")
    @classmethod
    def _known_platforms(cls, value: str) -> str:
        _PLATFORMS.validate_json(value or "{}")
        return value

    @field_validator("contacts_verified_on", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("campaign_monitor_lists", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        return (json.loads(value) if value else ()) if isinstance(value, str) else value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = tuple(one.strip().rstrip("/") for one in value.split(",") if one.strip())
        if any(_SITE.fullmatch(one) is None for one in found):
            raise ValueError("must be origins such as https://www.example.org")
        return found

    @field_validator("campaign_monitor_webhook_secrets_sha256", mode="before")
    @classmethod
    def _hashes(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(one.strip() for one in value.split(",") if one.strip())

    @field_validator("staff_tenant_id", "staff_client_id", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value  # tokens write them so

    @field_validator("staff_customers", mode="before")
    @classmethod
    def _customers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = json.loads(value) if value else {}
        return {key.lower(): ids for key, ids in found.items()} if isinstance(found, dict) else found

    @field_validator("website_auth_enabled", mode="before")
    @classmethod
    def _as_the_platform_reads_it(cls, value: object) -> object:
        return value.strip().lower() == "true" if isinstance(value, str) else value

    @property
    def staff_issuer(self) -> str:
        """Who signs tokens of staff, exactly as a token names it."""
        return self.staff_issuer_url or f"{_SIGN_IN}/{self.staff_tenant_id}/v2.0"

    @property
    def staff_keys(self) -> str:
        """Where the keys of that issuer are."""
        return self.staff_keys_url or f"{_SIGN_IN}/{self.staff_tenant_id}/discovery/v2.0/keys"

    @property
    def pseudonym_key_bytes(self) -> bytes:
        """The key of all pseudonyms and signatures."""
        return base64.b64decode(self.pseudonym_key)

    @property
    def public_host(self) -> str:
        """The host that people and platforms reach us at."""
        return urlsplit(self.public_url).hostname or ""

    def opendsr_platforms(self) -> dict[str, Platform]:
        """Return who may file requests by OpenDSR, by controller id."""
        return _PLATFORMS.validate_json(self.opendsr_controllers or "{}")

    def restorable_days(self) -> dict[str, int]:
        """Return for how many days each store's own copies keep what was erased."""
        return {"cosmos": self.cosmos_backup_days, "blobs": self.blob_soft_delete_days}

    def days(self) -> dict[str, int]:
        """Return the settings that are a number of days, by their names in the environment."""
        return {name.upper(): value for name, value in self if name.endswith("_days")}

    def limits(self) -> Limits:
        """Return the bounds of work, with those an operator may set."""
        return Limits(
            package_days=self.package_days,
            verification_days=self.verification_days,
            grace_seconds=self.erasure_grace_seconds,
            requests_per_address_hour=self.requests_per_address_hour,
            requests_per_client_hour=self.requests_per_client_hour,
            erasures_per_hour=self.erasures_per_hour,
            hold_review_days=self.hold_review_days,
            mass_records=self.mass_records,
            membership_warning_days=self.membership_warning_days,
            retention_units_per_second=self.retention_units_per_second,
            retention_requests_per_second=self.retention_requests_per_second,
            retention_quiet_hours=quiet_hours(self.retention_quiet_hours),
        )

    def contacts(self) -> Contacts:
        """Return whom a person can turn to, complete or not."""
        return Contacts(
            controller_name=self.controller_name,
            controller_address=self.controller_address,
            controller_email=self.controller_email,
            authority_name=self.authority_name,
            authority_address=self.authority_address,
            authority_email=self.authority_email,
            authority_url=self.authority_url,
            verified_on=self.contacts_verified_on,
        )


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises:
        Permanent: `settings_invalid`, naming every missing or wrong setting but no value.
    """
    source = os.environ if environment is None else environment
    values = {name: source[name.upper()] for name in Settings.model_fields if name.upper() in source}
    wrong = {name.upper() for name in values if values[name].startswith(_UNRESOLVED)}
    broken: set[str] = set()
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        broken = {str(item["loc"][0]) for item in error.errors()}
    if broken:  # the rest is looked at all the same, so that nobody mends one after the other
        sound = {name: value for name, value in values.items() if name not in broken}
        settings = Settings.model_validate(
            sound | {name: _MISSING[name] for name in broken & _MISSING.keys()}
        )
    wrong.update(name.upper() for name in broken)
    wrong.update(_unfit(settings))
    if wrong:
        raise Permanent("settings_invalid", ", ".join(sorted(wrong)))
    return settings


def _unfit(settings: Settings) -> list[str]:
    """Return settings that do not fit: those of local runs in Azure, no storage, a key sent elsewhere."""
    wrong = []
    if not settings.storage_connection:
        wrong += [
            name.upper() for name in ("storage_blob_uri", "storage_queue_uri") if not getattr(settings, name)
        ]
    if settings.campaign_monitor_client_id and not settings.campaign_monitor_api_key:
        wrong.append("CAMPAIGN_MONITOR_API_KEY")
    # Its URLs carry addresses and its calls the key: nobody but the vendor or this machine gets them.
    here = settings.deployment == "local" and _LOOPBACK_URL.fullmatch(settings.campaign_monitor_url)
    if settings.campaign_monitor_url != _CAMPAIGN_MONITOR and not here:
        wrong.append("CAMPAIGN_MONITOR_URL")
    if bool(settings.opendsr_key) != bool(settings.opendsr_certificate):
        wrong.append("OPENDSR_CERTIFICATE" if settings.opendsr_key else "OPENDSR_KEY")
    if settings.deployment == "azure":
        wrong += [name.upper() for name in _LOCAL_ONLY if getattr(settings, name)]
        wrong += ["SYSTEM_KEY_SHA256"] if settings.system_key_sha256 == _PUBLISHED_KEY else []
        published = _PUBLISHED_WEBHOOK_SECRET in settings.campaign_monitor_webhook_secrets_sha256
        wrong += ["CAMPAIGN_MONITOR_WEBHOOK_SECRETS_SHA256"] if published else []
        wrong += ["PSEUDONYM_KEY"] if settings.pseudonym_key_bytes == _PUBLISHED_PSEUDONYM_KEY else []
        wrong += _shortcuts(settings)
    return wrong + _unfit_analytics(settings) + _unfit_mail(settings) + _unfit_staff(settings)


def _shortcuts(settings: Settings) -> list[str]:
    """Return settings that lead to a machine without a name or in the clear, or hold what is published."""
    texts = {name: value for name, value in settings if isinstance(value, str) and value}
    places = [name for name in _PLACES if name in texts and not _is_remote(texts[name])]
    places += [] if all(map(_is_remote, settings.allowed_origins)) else ["allowed_origins"]
    published = [name for name, text in texts.items() if any(one in text for one in _PUBLISHED)]
    return [name.upper() for name in (*places, *published)]


def _is_remote(url: str) -> bool:
    """Whether a URL leads over TLS to a machine with a name, which is not this one."""
    found = urlsplit(url)
    host = found.hostname or ""
    is_number = ":" in host or host.replace(".", "").isdigit()
    return found.scheme == "https" and "." in host and not is_number and not host.endswith(".localhost")


def _unfit_analytics(settings: Settings) -> list[str]:
    """Return settings of the web analytics that do not fit: a property needs an identity that acts there."""
    local = settings.deployment == "local"
    here = local and _LOOPBACK_URL.fullmatch(settings.google_analytics_url)
    wrong = [] if here or settings.google_analytics_url == _GOOGLE_ANALYTICS else ["GOOGLE_ANALYTICS_URL"]
    is_needed = bool(settings.google_analytics_property_id) and not (local and settings.google_key_file)
    for name, form in _GOOGLE_IDENTITY.items():
        value = getattr(settings, name)
        if (is_needed or value) and form.fullmatch(value) is None:
            wrong.append(name.upper())
    return wrong


def _unfit_mail(settings: Settings) -> list[str]:
    """Return settings of the mail that do not fit: in Azure there is a mailbox, and the vendor's hosts only.

    Letters and the token that sends them go there.
    """
    in_azure = settings.deployment == "azure"
    wrong = ["GRAPH_MAILBOX"] if in_azure and not settings.graph_mailbox else []
    for name, host in _MAIL_HOSTS.items():
        found = urlsplit(getattr(settings, name))
        stands_in = not in_azure and found.hostname in _LOOPBACK
        known = found.hostname if not in_azure else found.netloc.lower() in (host, f"{host}:443")
        if not known or (found.scheme != "https" and not stands_in):
            wrong.append(name.upper())
    if settings.graph_certificate_path:
        needed = ("graph_client_id", "graph_tenant_id")
        wrong += [name.upper() for name in needed if not getattr(settings, name)]
    return wrong


def _unfit_staff(settings: Settings) -> list[str]:
    """Return settings of the sign-in that do not fit: in Azure nobody but Microsoft says who is staff."""
    in_azure = settings.deployment == "azure"
    names = ("staff_tenant_id", "staff_client_id")
    some_set = any(getattr(settings, name) for name in names)
    wrong = [name.upper() for name in names if not getattr(settings, name) and (in_azure or some_set)]
    microsoft = settings.model_copy(update={"staff_issuer_url": "", "staff_keys_url": ""})
    for name, expected in (
        ("staff_issuer_url", microsoft.staff_issuer),
        ("staff_keys_url", microsoft.staff_keys),
    ):
        given = getattr(settings, name)
        here = not in_azure and _LOOPBACK_URL.fullmatch(given)
        if given not in ("", expected) and not here:
            wrong.append(name.upper())
    if bool(settings.staff_issuer_url) != bool(settings.staff_keys_url):
        wrong.append("STAFF_KEYS_URL")  # the keys of one issuer prove nothing about another
    if settings.trust_easyauth and not in_azure:
        wrong.append("TRUST_EASYAUTH")  # nobody here keeps a caller from writing the header
    return wrong
