"""Everything a use case may need, gathered once and handed to each."""

from dataclasses import dataclass

from shared.datamap.models import DataMap
from shared.domain.contacts import Contacts
from shared.domain.identifiers import SUBJECT_KEY, Identifiers, Pseudonymiser
from shared.domain.limits import Limits
from shared.ports.activity import ActivityClocks
from shared.ports.blobs import Blobs
from shared.ports.cases import Cases
from shared.ports.clock import Clock
from shared.ports.consent_ledger import ConsentLedger
from shared.ports.controls import ControlsStore
from shared.ports.displays import Displays
from shared.ports.documents import Documents
from shared.ports.evidence import Evidence
from shared.ports.governor import Governor
from shared.ports.membership_warnings import MembershipWarnings
from shared.ports.meter import Meter
from shared.ports.newsletter_changes import NewsletterChanges
from shared.ports.newsletter_leavings import NewsletterLeavings
from shared.ports.newsletters import Newsletters
from shared.ports.notifier import Notifier
from shared.ports.opendsr import OpenDsr
from shared.ports.operators import Operators
from shared.ports.own_records import OwnRecords
from shared.ports.packages import Packages
from shared.ports.pending_sign_ups import PendingSignUps
from shared.ports.processors import Processors
from shared.ports.quarantine import Quarantine
from shared.ports.queue import Queue
from shared.ports.rate_limits import RateLimits
from shared.ports.reconciliations import Reconciliations
from shared.ports.retention_runs import RetentionRuns
from shared.ports.transfers import Transfers
from shared.ports.walks import Walks
from shared.ports.webhooks import Webhooks


@dataclass(frozen=True, kw_only=True)
class Context:
    """The ports and the rules. Tests hand in other ports, production hands in Azure."""

    clock: Clock
    cases: Cases
    controls: ControlsStore
    rate_limits: RateLimits
    queue: Queue
    documents: Documents
    blobs: Blobs
    packages: Packages
    evidence: Evidence
    quarantine: Quarantine
    own_records: OwnRecords
    displays: Displays
    activity: ActivityClocks
    membership_warnings: MembershipWarnings
    consent_ledger: ConsentLedger
    pending_sign_ups: PendingSignUps
    newsletters: Newsletters
    newsletter_changes: NewsletterChanges
    newsletter_leavings: NewsletterLeavings
    webhooks: Webhooks
    reconciliations: Reconciliations
    processors: Processors
    transfers: Transfers
    walks: Walks
    retention_runs: RetentionRuns
    meter: Meter
    governor: Governor
    notifier: Notifier
    operators: Operators
    datamap: DataMap
    keys: Pseudonymiser
    limits: Limits
    contacts: Contacts
    webhook_secrets_sha256: tuple[
        str, ...
    ] = ()  # of the newsletter processor's URLs; empty: its door is shut
    opendsr: OpenDsr | None = None  # None: not configured; platforms file nothing
    public_url: str  # where people reach the doors, such as https://privacy.example.org/api

    def subject_keys(self, identifiers: Identifiers) -> tuple[str, ...]:
        """Return the pseudonym of every identifier that is one person's alone, sorted."""
        return tuple(
            sorted(
                self.keys.subject_key(kind, value)
                for kind, values in identifiers.items()
                if kind != SUBJECT_KEY and not self.datamap.identifier(kind).shared
                for value in values
            )
        )
