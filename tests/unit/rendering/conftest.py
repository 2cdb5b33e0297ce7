"""A small data map and report facts for the rendering tests. All people and companies are made up."""

from datetime import UTC, date, datetime
from functools import partial

import pytest

from shared.datamap.models import (
    Activity,
    Backup,
    Clause,
    DataMap,
    DocumentStore,
    FieldRule,
    FileStore,
    Identifier,
    LegalBasis,
    LineStore,
    Match,
    Policy,
    PolicyVersion,
    Portability,
    Purpose,
    Recipient,
    Retention,
    RetentionRule,
    Text,
    Transfer,
)
from shared.domain.contacts import Contacts
from shared.rendering.archive import block
from shared.rendering.records import record_entries
from shared.rendering.report import AccessReport, Disclosure, HeldFact, StoreFinding
from tests.unit.rendering.letter_samples import letter_facts


def text(en, da=None):
    return Text(en=en, da=da or f"da:{en}")


def field(path, kind="string", **changes):
    facts = {
        "path": path,
        "type": kind,
        "title": text(f"Title of {path}"),
        "category": "contact",
        "source": "subject",
    }
    return FieldRule(**(facts | changes))


@pytest.fixture(scope="session")
def member_store():
    return DocumentStore(
        id="members",
        title=text("Member profiles", "Medlemsprofiler"),
        container="members",
        kind="documents",
        partition_key="/id",
        matches=(Match(identifier="email", path="/email"),),
        fields=(
            field("/id", category="key", source="system", required=True),
            field("/email", required=True, identifier="email"),
            field("/name", title=text("Name", "Navn")),
            field("/address/street", required=True),
            field("/address/city"),
            field("/joined", "datetime"),
            field("/born", "date"),
            field("/logins", "integer", source="observed"),
            field("/tags", "array"),
            field("/sponsor", about="other", required=True),
        ),
    )


@pytest.fixture(scope="session")
def datamap(member_store):
    members = Activity(
        id="members",
        title=text("Community membership", "Medlemskab"),
        clauses=("2.4", "2.4.1", "2.4.2"),
        subject_types=("member",),
        purposes=(
            Purpose(id="membership", title=text("Run the membership", "Drive medlemskabet"), clause="2.4.1"),
            Purpose(id="newsletter", title=text("Send the newsletter", "Sende nyhedsbrevet"), clause="2.4.1"),
        ),
        legal_basis=LegalBasis(
            stated=("b", "f"),
            supported=("b", "f", "a"),
            interest=text("Knowing our members", "At kende vores medlemmer"),
        ),
        source=text("You gave it at sign-up", "Du gav dem ved tilmelding"),
        recipients=("mail_co", "cloud_co"),
        retention=Retention(rule="R4a", criteria=text("While you log in", "Mens du logger ind")),
        portability=Portability(applies=True, why=text("It rests on a contract", "Det hviler på en aftale")),
        profiling=text("Usage is linked to the profile", "Brug kobles til profilen"),
        stores=(
            member_store,
            FileStore(
                id="member_files", title=text("Files"), container="files", kind="files", prefix="{member_id}/"
            ),
        ),
    )
    cloud = Activity(
        id="cloud",
        title=text("Content cloud", "Indholdssky"),
        clauses=("2.2",),
        role_contested=True,
        subject_types=("cloud_user",),
        purposes=(Purpose(id="statistics", title=text("Show statistics", "Vise statistik"), clause="2.2.1"),),
        legal_basis=LegalBasis(stated=("c", "f"), supported=("f",)),
        source=text("Observed when you use the cloud", "Observeres når du bruger skyen"),
        recipients=("a_customer",),
        retention=Retention(rule="not_stated", criteria=text("The contract's end", "Aftalens ophør")),
        portability=Portability(
            applies=False, why=text("It rests on an interest", "Det hviler på en interesse")
        ),
        stores=(
            LineStore(
                id="cloud_log",
                title=text("Course activity", "Kursusaktivitet"),
                container="logs",
                kind="lines",
                matches=(Match(identifier="email", path="/user"),),
                fields=(
                    field("/user", source="observed"),
                    field("/ip", source="observed", category="network"),
                ),
            ),
        ),
    )
    return DataMap(
        policy=Policy(
            versions=(
                PolicyVersion(
                    number="1", language="en", valid_from=date(2018, 5, 28), valid_to=date(2021, 9, 1)
                ),
                PolicyVersion(number="3", language="en", valid_from=date(2022, 4, 1)),
            ),
            clauses=(Clause(number="4.2", demands="access", met_by=("right:access",)),),
            retention_rules=(
                RetentionRule(
                    id="R4a",
                    clause="5.4",
                    title=text("Three years after the last login", "Tre år efter seneste login"),
                    trigger="last_login",
                    period="P3Y",
                    reset_by=text("a new login", "et nyt login"),
                    erased_with_it=text("profile and choices", "profil og valg"),
                ),
            ),
            backups=(
                Backup(platform=text("Database copies", "Databasekopier"), horizon_days=30, source="x"),
            ),
            excused=(),
            categories={
                "contact": text("Contact details", "Kontaktoplysninger"),
                "network": text("Network data", "Netværksdata"),
                "key": text("Keys", "Nøgler"),
            },
            identifiers=(Identifier(id="email", title=text("E-mail"), at_most=3),),
        ),
        activities=(members, cloud),
        recipients=(
            Recipient(
                id="mail_co",
                name="Example Mail Ltd",
                kind="processor",
                clause="3.2",
                what_for=text("Sends the newsletter", "Sender nyhedsbrevet"),
                data=text("address and name", "adresse og navn"),
                contract_ref="DPA-7",
                transfers=(
                    Transfer(
                        country="US",
                        importer="Example Mail Inc",
                        mechanism="Privacy Shield",
                        valid_from=date(2018, 5, 28),
                        valid_to=date(2020, 7, 15),
                    ),
                    Transfer(
                        country="US",
                        importer="Example Mail Inc",
                        mechanism="Data Privacy Framework",
                        valid_from=date(2023, 7, 10),
                        evidence="list checked",
                    ),
                ),
            ),
            Recipient(
                id="cloud_co",
                name="Example Hosting A/S",
                kind="processor",
                clause="3.2",
                what_for=text("Hosts the data", "Hoster data"),
                data=text("all of it", "det hele"),
            ),
            Recipient(
                id="a_customer",
                name="Example Customer ApS",
                kind="customer",
                clause="2.2.1",
                what_for=text("Receives statistics", "Modtager statistik"),
                data=text("course results", "kursusresultater"),
            ),
        ),
        digest="d" * 64,
    )


@pytest.fixture(scope="session")
def contacts():
    return Contacts(
        controller_name="Example Learning A/S",
        controller_address="Prøvevej 1, 9999 Eksempelby",
        controller_email="privacy@example.invalid",
        authority_name="The Example Authority",
        authority_address="Tilsynsgade 2, 9998 Eksempelby",
        authority_email="authority@example.invalid",
        authority_url="https://authority.example.invalid/",
        verified_on=date(2026, 11, 1),
    )


@pytest.fixture(scope="session")
def prepared_at():
    return datetime(2026, 11, 23, 9, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def make_report(contacts, prepared_at):
    """Return a function that builds the report of a person with data everywhere; keywords change it."""

    def make(**changes):
        facts = {
            "request_id": "req-0001",
            "language": "en",
            "received_at": datetime(2026, 11, 20, 22, 30, tzinfo=UTC),
            "prepared_at": prepared_at,
            "contacts": contacts,
            "findings": (
                StoreFinding(
                    store_id="members", records=3, files=0, pages=2, redactions=(("other people's data", 2),)
                ),
                StoreFinding(store_id="member_files", records=1, files=1, pages=0, redactions=()),
                StoreFinding(store_id="cloud_log", records=0, files=0, pages=0, redactions=()),
            ),
            "disclosures": (
                Disclosure(
                    recipient_id="mail_co",
                    disclosed_at=datetime(2026, 2, 3, 12, 0, tzinfo=UTC),
                    fields=("e-mail", "name"),
                    purpose="mailing of February",
                    reference="M-77",
                ),
                Disclosure(
                    recipient_id="Made-up Carrier",
                    disclosed_at=datetime(2026, 3, 4, 12, 0, tzinfo=UTC),
                    fields=("address",),
                    purpose="delivery",
                    reference=None,
                ),
            ),
            "holds": (
                HeldFact(activity_id="members", reason="a dispute over a fee", review_on=date(2027, 1, 15)),
            ),
            "restrictions": ("objection",),
            "suppressions": (("objection to marketing", date(2025, 5, 6)),),
            "policy_versions_shown": ("3",),
            "package_expires_at": datetime(2026, 12, 7, 9, 15, 30, tzinfo=UTC),
        }
        return AccessReport(**(facts | changes))

    return make


@pytest.fixture(scope="session")
def members_of_archive(datamap, prepared_at):
    activity, store = datamap.store("members")
    pages = [
        record_entries(activity, store, [{"id": "1"}], page_number=number, language="en") for number in (1, 2)
    ]
    entries = [*pages[0], *pages[1], ("files/member_files/000001-cv.pdf", b"x")]
    return block(entries, written_at=prepared_at).members


@pytest.fixture
def make_facts(contacts):
    return partial(letter_facts, contacts=contacts)
