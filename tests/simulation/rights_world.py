"""The World of the simulation: the small map with what every right needs, and people who signed up."""

from datetime import datetime

from shared.datamap.models import (
    Activity,
    DataMap,
    DocumentStore,
    LegalBasis,
    LineStore,
    Match,
    Portability,
    Purpose,
    Retention,
)
from shared.domain.rights import Right
from shared.domain.times import utc_text
from tests.factories import KEYS, World, key, rule, small_map, text

WORK, NEWSLETTER, MAILER = "work", "newsletter", "mailer"
CARRIER = "carrier"
SERVE, LETTERS = "serve", "letters"
OWN = frozenset({"disclosures", "correction_notes"})
DATABASE_STORES = ("people", "events", "invoices", "teams", "signups")


def signups() -> DocumentStore:
    """Return sign-ups that end with a withdrawal or an objection to marketing, unless they came later."""
    return DocumentStore(
        id="signups",
        title=text("Sign-ups"),
        kind="documents",
        container="signups",
        partition_key="/id",
        ends_with=(Right.WITHDRAWAL, Right.MARKETING_OBJECTION),
        consented_at_path="/consented_at",
        matches=(Match(identifier="email", path="/email"),),
        fields=(key("/id"), rule("/email"), rule("/consented_at", type="datetime")),
    )


def notes() -> DocumentStore:
    """Return our own notes of what a person says is wrong."""
    return DocumentStore(
        id="correction_notes",
        title=text("Notes"),
        kind="documents",
        database="compliance",
        container="notes",
        partition_key="/subject_key",
        matches=(Match(identifier="subject_key", path="/subject_key"),),
        fields=(
            key("/id"),
            key("/subject_key"),
            *(rule(path) for path in ("/request_id", "/stores", "/statement", "/corrections", "/by")),
            rule("/noted_at", type="datetime"),
        ),
    )


def rights_map() -> DataMap:
    """Return the small map with facts, portable fields, a newsletter by consent, and correction notes."""
    small = small_map()
    work = small.activity(WORK)
    stores = tuple(_with_facts(store) for store in work.stores)
    newsletter = Activity(
        id=NEWSLETTER,
        title=text("Newsletter"),
        clauses=("2.1",),
        subject_types=("member",),
        purposes=(
            Purpose(id=LETTERS, title=text("letters"), clause="2.1", marketing=True, needs_consent=True),
        ),
        legal_basis=LegalBasis(stated=("a",), supported=("a",)),
        source=text("the person"),
        recipients=("host", MAILER),
        retention=Retention(rule="not_stated", criteria=text("until it is withdrawn")),
        portability=Portability(applies=False, why=text("a test")),
        stores=(signups(),),
    )
    return small.model_copy(
        update={
            "policy": small.policy.model_copy(update={"facts": {"name": text("name")}}),
            "recipients": (
                *small.recipients,
                small.recipients[0].model_copy(update={"id": MAILER}),
                small.recipients[0].model_copy(
                    update={"id": CARRIER, "kind": "controller", "contact": "data@carrier.example"}
                ),
            ),
            "activities": (
                work.model_copy(
                    update={
                        "recipients": ("host", CARRIER),
                        "stores": (*stores, notes()),
                        "portability": Portability(applies=True, why=text("a test")),
                    }
                ),
                newsletter,
            ),
        }
    )


def _with_facts(store):
    """Return a store whose names are the fact `name`, and where people's own words are portable."""
    if isinstance(store, LineStore) or not store.fields:
        return store
    fields = tuple(
        one.model_copy(
            update={
                "fact": "name" if one.path == "/name" else None,
                "portable": store.id in ("people", "events") and one.path in ("/name", "/what"),
            }
        )
        for one in store.fields
    )
    return store.model_copy(update={"fields": fields})


class RightsWorld(World):
    """A World over that map."""

    signed_up = 0

    def __init__(self, **changes):
        super().__init__(**{"datamap": rights_map(), "connected": (MAILER,), **changes})
        self.processors.contracts.add(MAILER)

    def add_person(self, name: str, *, events: int = 3) -> dict[str, str]:
        """Put a person into every store; the person signed up some time ago."""
        marks = super().add_person(name, events=events)
        self.sign_up(name)
        self.documents.put(
            "disclosures",
            "/subject_key",
            {
                "id": f"given-{len(self.documents.bodies('disclosures'))}",
                "subject_key": KEYS.subject_key("email", marks["email"]),
                "recipient": CARRIER,
                "purpose": SERVE,
                "fields": ["/name"],
                "reference": "order-1",
                "disclosed_at": utc_text(self.clock.now()),
                "clause": "2.1",
            },
        )
        return marks

    def sign_up(self, name: str, *, at: datetime | None = None) -> bool:
        """Write a sign-up, as a product would, and tell whether there was none; `at` None: of now."""
        email = f"{name}@people.example"
        self.processors.sign_up(email)
        known = [body["id"] for body in self.documents.bodies("signups") if body["email"] == email]
        self.signed_up += not known
        self.documents.put(
            "signups",
            "/id",
            {
                "id": known[0] if known else f"s-{name}-{self.signed_up}",
                "email": email,
                "consented_at": (at or self.clock.now()).isoformat(),
            },
        )
        return not known


def names_of(world: World, name: str) -> dict[str, str]:
    """Return the name in each correctable record of a person, by the record's place."""
    found = {}
    for body in world.documents.bodies("people"):
        if body["id"] == f"person-{name}":
            found["people"] = body["name"]
    for team in world.documents.bodies("teams"):
        for one in team["people"]:
            if one["email"] == f"{name}@people.example":
                found["teams"] = one["name"]
    return found
