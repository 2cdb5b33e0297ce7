"""The one place that wires ports to vendors. Built on first use, kept as long as the worker lives."""

import logging
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from shared import settings as app_settings
from shared.adapters.blob_evidence import BlobEvidence
from shared.adapters.blob_outbox import BlobOutbox
from shared.adapters.blob_packages import BlobPackages
from shared.adapters.blob_quarantine import BlobQuarantine
from shared.adapters.blob_store import AzureBlobs
from shared.adapters.campaign_monitor import RECIPIENT_ID as CAMPAIGN_MONITOR
from shared.adapters.campaign_monitor import CampaignMonitor
from shared.adapters.campaign_monitor_lists import CampaignMonitorLists
from shared.adapters.connected_processors import ConnectedProcessors
from shared.adapters.cosmos import CosmosDatabases
from shared.adapters.cosmos_activity import CosmosActivityClocks
from shared.adapters.cosmos_cases import CosmosCases
from shared.adapters.cosmos_consent_ledger import CosmosConsentLedger
from shared.adapters.cosmos_controls import CosmosControls
from shared.adapters.cosmos_displays import CosmosDisplays
from shared.adapters.cosmos_documents import CosmosDocuments
from shared.adapters.cosmos_governor import CosmosGovernor
from shared.adapters.cosmos_membership_warnings import CosmosMembershipWarnings
from shared.adapters.cosmos_meter import CosmosMeter
from shared.adapters.cosmos_newsletter_changes import CosmosNewsletterChanges
from shared.adapters.cosmos_newsletter_leavings import CosmosNewsletterLeavings
from shared.adapters.cosmos_own_records import CosmosOwnRecords
from shared.adapters.cosmos_pending_sign_ups import CosmosPendingSignUps
from shared.adapters.cosmos_rate_limits import CosmosRateLimits
from shared.adapters.cosmos_reconciliations import CosmosReconciliations
from shared.adapters.cosmos_retention_runs import CosmosRetentionRuns
from shared.adapters.cosmos_walks import CosmosWalks
from shared.adapters.credentials import Credentials
from shared.adapters.entra_tokens import EntraTokens
from shared.adapters.google_analytics import FIELDS, GoogleAnalytics
from shared.adapters.google_analytics import RECIPIENT_ID as GOOGLE_ANALYTICS
from shared.adapters.google_tokens import GoogleTokens
from shared.adapters.graph_mail import GraphNotifier
from shared.adapters.graph_tokens import GraphTokens
from shared.adapters.https_callbacks import HttpsCallbacks
from shared.adapters.https_transfers import HttpsTransfers
from shared.adapters.log_operators import LogOperators
from shared.adapters.masked_logs import mask_logs
from shared.adapters.no_telemetry import NoTelemetry
from shared.adapters.outbound import Outbound, Times
from shared.adapters.rsa_signer import RsaSigner
from shared.adapters.storage import Storage
from shared.adapters.storage_queue import StorageQueue
from shared.adapters.stored_webhooks import StoredWebhooks
from shared.adapters.system_clock import SystemClock
from shared.datamap import loader
from shared.datamap.models import NOT_STATED, DataMap
from shared.domain.errors import Invalid, Permanent
from shared.domain.identifiers import Pseudonymiser
from shared.domain.newsletters import Lists
from shared.ports.notifier import Notifier
from shared.ports.opendsr import OpenDsr
from shared.ports.tracing import Meter, Tracing
from shared.services.context import Context
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class App:
    """The wired app: its settings, its context and what has to be closed."""

    settings: Settings
    context: Context
    databases: CosmosDatabases
    storage: Storage
    credentials: Credentials
    notifier: Notifier
    staff_tokens: EntraTokens

    @property
    def download_origin(self) -> str:
        """Where links to copies lead, such as `https://account.blob.core.windows.net`."""
        found = urlsplit(self.storage.blob_service.url)
        return f"{found.scheme}://{found.netloc}"

    async def close(self) -> None:
        """Close every connection."""
        await self.databases.close()
        await self.storage.close()
        if isinstance(self.notifier, GraphNotifier):
            await self.notifier.close()
        await self.staff_tokens.close()
        await self.credentials.close()


class Telemetry(Tracing, Meter, Protocol):
    """What is traced and measured goes the same way."""


_app: App | None = None
_telemetry: Telemetry = NoTelemetry()  # until the worker's app is built with a place to send it to


def tracing() -> Tracing:
    """Return what work is traced with. It never fails, and traces nothing before the app is built."""
    return _telemetry


def app() -> App:
    """Return the worker's app, built from the environment the first time.

    Raises:
        Permanent: `settings_invalid`: names what is missing; set it and start again.
    """
    global _app, _telemetry  # noqa: PLW0603  one app a worker process, built when first needed
    if _app is None:
        settings = app_settings.read()
        telemetry = _collected(settings)
        _app = build(settings, telemetry)
        _telemetry = telemetry
    return _app


def build(settings: Settings, telemetry: Telemetry | None = None) -> App:
    """Wire an app; it connects to nothing yet."""
    telemetry = telemetry or NoTelemetry()
    # At INFO the SDKs log every URL, and a document's id or a blob's name can be a person's.
    for vendor in ("azure", "google", "httpx", "httpcore", "msal"):
        logging.getLogger(vendor).setLevel(logging.WARNING)
    credentials = Credentials(settings)
    databases = CosmosDatabases(settings, credentials)
    storage = Storage(settings, credentials)
    clock = SystemClock(offset_seconds=settings.clock_offset_seconds)
    notifier = _notifier(settings, storage)
    datamap = _datamap().as_deployed(settings.restorable_days())
    processors = CampaignMonitor(settings, has_contract=_has_contract(datamap, CAMPAIGN_MONITOR))
    context = Context(
        clock=clock,
        cases=CosmosCases(databases),
        controls=CosmosControls(databases),
        rate_limits=CosmosRateLimits(databases, clock),
        queue=StorageQueue(storage, clock, telemetry),
        documents=CosmosDocuments(databases, datamap),
        blobs=AzureBlobs(storage, with_versions=settings.deployment == "azure"),
        packages=BlobPackages(storage),
        own_records=CosmosOwnRecords(databases),
        displays=CosmosDisplays(databases),
        activity=CosmosActivityClocks(databases),
        membership_warnings=CosmosMembershipWarnings(databases),
        consent_ledger=CosmosConsentLedger(databases),
        pending_sign_ups=CosmosPendingSignUps(databases),
        newsletters=CampaignMonitorLists(
            processors.api,
            Lists(settings.campaign_monitor_lists if settings.campaign_monitor_client_id else ()),
            has_contract=_has_contract(datamap, CAMPAIGN_MONITOR),
        ),
        newsletter_changes=CosmosNewsletterChanges(databases),
        newsletter_leavings=CosmosNewsletterLeavings(databases),
        webhooks=StoredWebhooks(storage, databases),
        processors=ConnectedProcessors(processors, _analytics(settings, datamap)),
        webhook_secrets_sha256=settings.campaign_monitor_webhook_secrets_sha256,
        reconciliations=CosmosReconciliations(databases),
        evidence=BlobEvidence(storage, "evidence"),
        quarantine=BlobQuarantine(storage),
        transfers=_transfers(settings, clock),
        walks=CosmosWalks(databases),
        retention_runs=CosmosRetentionRuns(databases),
        meter=CosmosMeter(),
        governor=CosmosGovernor(databases),
        notifier=notifier,
        operators=LogOperators(telemetry),
        datamap=datamap,
        keys=Pseudonymiser(settings.pseudonym_key_bytes),
        limits=settings.limits(),
        contacts=settings.contacts(),
        opendsr=_opendsr(settings),
        public_url=settings.public_url.rstrip("/"),
    )
    return App(
        settings=settings,
        context=context,
        databases=databases,
        storage=storage,
        credentials=credentials,
        notifier=notifier,
        staff_tokens=EntraTokens(settings, clock),
    )


def _collected(settings: Settings) -> Telemetry:
    """Return where telemetry goes, and mask the log of a deployed app."""
    if settings.deployment == "azure":
        mask_logs()
    if not settings.applicationinsights_connection_string:
        return NoTelemetry()
    from shared.adapters import open_telemetry  # noqa: PLC0415  slow to import, unused locally

    return open_telemetry.to_azure(
        settings.applicationinsights_connection_string,
        open_telemetry.managed_identity(settings.managed_identity_client_id),
    )


def _has_contract(datamap: DataMap, recipient_id: str) -> bool:
    """Whether a contract under article 28(3) is recorded for a processor."""
    return any(one.id == recipient_id and one.contract_ref != NOT_STATED for one in datamap.recipients)


def _analytics(settings: Settings, datamap: DataMap) -> GoogleAnalytics:
    """Wire the web analytics; by which identifiers it knows people is in the map."""
    (recipient,) = [one for one in datamap.recipients if one.id == GOOGLE_ANALYTICS]
    if not FIELDS.issuperset(recipient.identifiers.values()):
        raise Permanent("datamap_invalid", "recipients.yaml: no such field of google_analytics")
    return GoogleAnalytics(
        settings,
        identifiers=recipient.identifiers,
        has_contract=_has_contract(datamap, GOOGLE_ANALYTICS),
        tokens=GoogleTokens(settings),
    )


def _datamap() -> DataMap:
    """Load the map; one that is wrong is our fault and not the caller's."""
    try:
        return loader.load()
    except Invalid as error:
        raise Permanent(error.code, error.detail) from error


def _transfers(settings: Settings, clock: SystemClock) -> HttpsTransfers:
    outbound = Outbound("transfer", local_ca_file=settings.transfer_local_ca_file)
    return HttpsTransfers(outbound, clock, local_receiver=settings.transfer_local_receiver)


def _opendsr(settings: Settings) -> OpenDsr | None:
    if not settings.opendsr_key:
        return None
    outbound = Outbound(
        "callback",
        local_ca_file=settings.transfer_local_ca_file,
        times=Times(connect_seconds=10, silence_seconds=15, overall_seconds=30),
    )
    return OpenDsr(
        signer=RsaSigner(
            settings.opendsr_key,
            settings.opendsr_certificate,
            domain=settings.public_host,
            allow_self_signed=settings.deployment == "local",
        ),
        callbacks=HttpsCallbacks(outbound, local_receiver=settings.transfer_local_receiver),
        platforms=settings.opendsr_platforms(),
    )


def _notifier(settings: Settings, storage: Storage) -> Notifier:
    if settings.graph_mailbox:
        return GraphNotifier(settings, GraphTokens(settings))
    return BlobOutbox(storage, sender=settings.controller_email)  # local runs only, as the settings see to
