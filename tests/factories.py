"""Valid objects with one thing changed: a small data map, made-up people in it, and a context of fakes."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date

from shared.datamap.models import (
    Activity,
    Backup,
    Clause,
    DataMap,
    DocumentStore,
    Elements,
    FieldRule,
    FileStore,
    Identifier,
    Keep,
    KeepUntil,
    LegalBasis,
    LineStore,
    Match,
    Policy,
    PolicyVersion,
    Portability,
    Purpose,
    Recipient,
    Retention,
    Text,
)
from shared.domain.contacts import Contacts
from shared.domain.identifiers import Pseudonymiser
from shared.domain.limits import Limits
from shared.services.context import Context
from tests.fakes.activity import MemoryActivityClocks
from tests.fakes.blobs import MemoryBlobs, MemoryPackages
from tests.fakes.cases import MemoryCases
from tests.fakes.consent_ledger import MemoryConsentLedger
from tests.fakes.controls import MemoryControls, MemoryRateLimits
from tests.fakes.displays import MemoryDisplays
from tests.fakes.documents import MemoryDocuments
from tests.fakes.governor import MemoryGovernor
from tests.fakes.membership_warnings import MemoryMembershipWarnings
from tests.fakes.messaging import (
    MemoryEvidence,
    MemoryNotifier,
    MemoryOperators,
    MemoryQuarantine,
    MemoryQueue,
    TestClock,
)
from tests.fakes.newsletter_changes import MemoryNewsletterChanges
from tests.fakes.newsletter_leavings import MemoryNewsletterLeavings
from tests.fakes.newsletters import MemoryNewsletters
from tests.fakes.own_records import MemoryOwnRecords
from tests.fakes.pending_sign_ups import MemoryPendingSignUps
from tests.fakes.processors import MemoryProcessors
from tests.fakes.reconciliations import MemoryReconciliations
from tests.fakes.retention_runs import MemoryMeter, MemoryRetentionRuns
from tests.fakes.transfers import MemoryTransfers
from tests.fakes.turns import Turn, no_turn
from tests.fakes.walks import MemoryWalks
from tests.fakes.webhooks import MemoryWebhooks

WEBHOOK_SECRET = "a-secret-for-tests-that-nobody-else-uses"
WEBHOOK_SECRET_SHA256 = hashlib.sha256(WEBHOOK_SECRET.encode()).hexdigest()
KEYS = Pseudonymiser(b"a key for tests that nobody else uses!")


def text(words: str) -> Text:
    """Return the same words in both languages."""
    return Text(en=words, da=words)


def rule(path: str, **changes) -> FieldRule:
    """Return a field that is the person's and goes with an erasure."""
    return FieldRule(
        **{
            "path": path,
            "type": "string",
            "title": text(path.strip("/")),
            "category": "contact",
            "source": "subject",
            **changes,
        }
    )


def key(path: str, **changes) -> FieldRule:
    """Return a technical field that shares its record's fate."""
    return rule(path, about="system", source="system", on_erasure="follow", **changes)


def kept(path: str, until_path: str = "/invoice_on", **changes) -> FieldRule:
    """Return a field kept for five years from the end of the year."""
    until = KeepUntil(path=until_path, period="P5Y", counted_from="end_of_calendar_year")
    duty = Keep(reason=text("bookkeeping"), provision="Bookkeeping Act", until=until)
    return rule(path, on_erasure="keep", keep=duty, **changes)


def people_store() -> DocumentStore:
    """Return the store that links addresses, people and users."""
    return DocumentStore(
        id="people",
        title=text("People"),
        kind="documents",
        container="people",
        partition_key="/id",
        locator=True,
        matches=(
            Match(identifier="email", path="/email"),
            Match(identifier="person_id", path="/id"),
            Match(identifier="user_id", path="/user_id"),
        ),
        fields=(
            key("/id", identifier="person_id"),
            rule("/email", identifier="email"),
            rule("/user_id", identifier="user_id"),
            rule("/name"),
        ),
    )


def small_stores() -> tuple:
    """Return one store of each kind."""
    by_user = (Match(identifier="user_id", path="/user_id"),)
    by_email = (Match(identifier="email", path="/email"),)
    return (
        people_store(),
        DocumentStore(
            id="events",
            title=text("Events"),
            kind="documents",
            container="events",
            partition_key="/user_id",
            matches=by_user,
            fields=(key("/id"), rule("/user_id"), rule("/what")),
        ),
        DocumentStore(
            id="invoices",
            title=text("Invoices"),
            kind="documents",
            container="invoices",
            partition_key="/customer_id",
            matches=by_email,
            fields=(
                key("/id"),
                key("/customer_id"),
                rule("/email"),
                rule("/phone"),
                kept("/name"),
                kept("/invoice_on", type="date", about="organisation"),
            ),
        ),
        DocumentStore(
            id="teams",
            title=text("Teams"),
            kind="documents",
            container="teams",
            partition_key="/id",
            elements=Elements(path="/people", matches=by_email, surroundings=("/title",)),
            fields=(rule("/email"), rule("/name")),
        ),
        LineStore(
            id="log",
            title=text("Log"),
            kind="lines",
            container="log",
            matches=by_user,
            fields=(rule("/user_id"), rule("/what")),
        ),
        DocumentStore(
            id="disclosures",
            title=text("Disclosures"),
            kind="documents",
            database="compliance",
            container="disclosures",
            partition_key="/subject_key",
            matches=(Match(identifier="subject_key", path="/subject_key"),),
            fields=(
                key("/id"),
                rule(
                    "/subject_key",
                    on_erasure="keep",
                    keep=Keep(reason=text("evidence"), provision="article 5(2)"),
                ),
            ),
        ),
        FileStore(id="files", title=text("Files"), kind="files", container="files", prefix="{person_id}/"),
    )


def small_map(stores: tuple | None = None) -> DataMap:
    """Return a map of one activity with the given stores."""
    activity = Activity(
        id="work",
        title=text("Work"),
        clauses=("2.1",),
        subject_types=("member",),
        purposes=(Purpose(id="serve", title=text("serve"), clause="2.1"),),
        legal_basis=LegalBasis(stated=("f",), supported=("f",), interest=text("an interest")),
        source=text("the person"),
        recipients=("host",),
        retention=Retention(rule="not_stated", criteria=text("as long as needed")),
        portability=Portability(applies=False, why=text("letter f")),
        stores=small_stores() if stores is None else stores,
    )
    identifiers = (
        Identifier(id="email", title=text("e-mail"), comparison="case_insensitive", at_most=3),
        Identifier(id="person_id", title=text("person"), at_most=2),
        Identifier(id="user_id", title=text("user"), at_most=2),
        Identifier(id="subject_key", title=text("pseudonym"), at_most=20),
    )
    policy = Policy(
        versions=(PolicyVersion(number="1", language="en", valid_from=date(2018, 5, 28)),),
        clauses=(Clause(number="2.1", demands="work", met_by=("activity:work",)),),
        retention_rules=(),
        backups=(Backup(platform=text("database"), horizon_days=7, source="test"),),
        excused=(),
        categories={"contact": text("contact data")},
        identifiers=identifiers,
    )
    host = Recipient(
        id="host", name="A host", kind="processor", clause="3.2", what_for=text("hosting"), data=text("all")
    )
    return DataMap(policy=policy, activities=(activity,), recipients=(host,), digest="0" * 64)


def contacts(**changes) -> Contacts:
    """Return complete contacts, made up."""
    return Contacts(
        **{
            "controller_name": "Test Controller",
            "controller_address": "Test Street 1",
            "controller_email": "privacy@controller.example",
            "authority_name": "Test Authority",
            "authority_address": "Authority Street 1",
            "authority_email": "authority@authority.example",
            "authority_url": "https://authority.example",
            "verified_on": date(2026, 1, 1),
            **changes,
        }
    )


@dataclass
class World:
    """A context of fakes, and the fakes themselves to look into."""

    turn: Turn = no_turn
    datamap: DataMap = field(default_factory=small_map)
    limits: Limits = field(default_factory=Limits)
    clock: TestClock = field(default_factory=TestClock)
    connected: tuple[str, ...] = ()  # processors that are told by machine

    def __post_init__(self):
        self.cases = MemoryCases(self.turn)
        self.controls = MemoryControls(self.turn)
        self.rate_limits = MemoryRateLimits(self.clock, self.turn)
        self.queue = MemoryQueue(self.turn)
        self.governor = MemoryGovernor(self.turn)
        self.documents = MemoryDocuments(self.datamap, self.turn)
        self.blobs = MemoryBlobs(self.turn)
        self.packages = MemoryPackages(self.turn)
        self.evidence = MemoryEvidence(self.turn)
        self.quarantine = MemoryQuarantine(self.turn)
        self.own_records = MemoryOwnRecords(self.documents, self.turn)
        self.displays = MemoryDisplays(self.documents, self.turn)
        self.activity = MemoryActivityClocks(self.documents, self.turn)
        self.membership_warnings = MemoryMembershipWarnings(self.documents, self.turn)
        self.consent_ledger = MemoryConsentLedger(self.documents, self.turn)
        self.newsletters = MemoryNewsletters(self.turn, self.clock)
        self.newsletter_changes = MemoryNewsletterChanges(self.documents, self.turn)
        self.newsletter_leavings = MemoryNewsletterLeavings(self.documents, self.turn)
        self.webhooks = MemoryWebhooks(self.clock, self.turn)
        self.pending_sign_ups = MemoryPendingSignUps(self.documents, self.turn)
        self.reconciliations = MemoryReconciliations(self.turn)
        self.processors = MemoryProcessors(self.turn, connected=self.connected)
        self.transfers = MemoryTransfers(self.clock, self.turn)
        self.walks = MemoryWalks(self.turn)
        self.retention_runs = MemoryRetentionRuns(self.documents, self.turn)
        self.notifier = MemoryNotifier(self.turn, self.clock)
        self.operators = MemoryOperators()
        self.context = Context(
            clock=self.clock,
            cases=self.cases,
            controls=self.controls,
            rate_limits=self.rate_limits,
            queue=self.queue,
            documents=self.documents,
            blobs=self.blobs,
            packages=self.packages,
            evidence=self.evidence,
            quarantine=self.quarantine,
            own_records=self.own_records,
            displays=self.displays,
            activity=self.activity,
            membership_warnings=self.membership_warnings,
            consent_ledger=self.consent_ledger,
            pending_sign_ups=self.pending_sign_ups,
            newsletters=self.newsletters,
            newsletter_changes=self.newsletter_changes,
            newsletter_leavings=self.newsletter_leavings,
            webhooks=self.webhooks,
            reconciliations=self.reconciliations,
            webhook_secrets_sha256=(WEBHOOK_SECRET_SHA256,),
            processors=self.processors,
            transfers=self.transfers,
            walks=self.walks,
            retention_runs=self.retention_runs,
            meter=MemoryMeter(),
            governor=self.governor,
            notifier=self.notifier,
            operators=self.operators,
            datamap=self.datamap,
            keys=KEYS,
            limits=self.limits,
            contacts=contacts(),
            public_url="http://127.0.0.1:7071/api",
        )

    def add_person(self, name: str, *, events: int = 3) -> dict[str, str]:
        """Put a made-up person into every store of the small map and return the values that mark them."""
        marks = {
            "email": f"{name}@people.example",
            "person_id": f"person-{name}",
            "user_id": f"user-{name}",
            "phone": f"+45 00 {name}",
            "name": f"Name of {name}",
        }
        documents = self.documents
        documents.put(
            "people",
            "/id",
            {
                "id": marks["person_id"],
                "email": marks["email"].upper(),
                "user_id": marks["user_id"],
                "name": marks["name"],
            },
        )
        for number in range(events):
            documents.put(
                "events",
                "/user_id",
                {"id": f"e-{name}-{number}", "user_id": marks["user_id"], "what": f"did {number}"},
            )
        documents.put(
            "invoices",
            "/customer_id",
            {
                "id": f"i-{name}",
                "customer_id": "c-1",
                "email": marks["email"],
                "phone": marks["phone"],
                "name": marks["name"],
                "invoice_on": "2024-03-10",
            },
        )
        team = next((body for body in documents.bodies("teams")), {"id": "t-1", "title": "All", "people": []})
        team["people"] = [*team["people"], {"email": marks["email"], "name": marks["name"]}]
        documents.put("teams", "/id", team)
        lines = [{"user_id": marks["user_id"], "what": f"line {number}"} for number in range(2)]
        new = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        old = self.blobs.current.get(("log", "2026/01.ndjson"), (0, b""))[1]
        self.blobs.put("log", "2026/01.ndjson", old + new)
        self.blobs.put("files", f"{marks['person_id']}/cv.txt", f"by {marks['name']}".encode())
        return marks
