"""Made-up people in the real map's stores, and drivers for what people and staff do about their cases.

The records come from the sample data's own shapes, so that a test sees what a system of record would hold.
"""

import json
from datetime import UTC, datetime

from devtools.sample_data.containers import CONTAINERS
from devtools.sample_data.everything import blobs, disclosures, documents
from devtools.sample_data.person import (
    Address,
    Customer,
    Installation,
    Role,
    SamplePerson,
    Volume,
)
from shared.datamap.loader import load
from shared.datamap.models import DocumentStore
from shared.datamap.treatment import value_at
from shared.domain.cases import SubjectRequest
from shared.domain.controls import Controls
from shared.domain.identifiers import EMAIL
from shared.domain.rights import Right
from shared.domain.times import COPENHAGEN
from shared.domain.tokens import issue
from shared.domain.wishes import Question, Wishes
from shared.services import deciding
from shared.services.customers import CustomerAsk, ask_for_person
from shared.services.filing import Filing, put_on_file
from shared.services.links import ANSWER, answer_ends
from shared.services.sweeping import sweep
from tests.factories import KEYS, World
from tests.fakes.messaging import TestClock
from tests.unit.services.driving import deliver, letters

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NEWSLETTERS = "campaign_monitor"
_PARTITION_KEYS = {one.name: one.partition_key for one in CONTAINERS}
_OWN = ("disclosures", "notes", "lookups")
_VOLUME = Volume(
    usage_events=4, archive_lines=3, cloud_activity=2, log_lines=2, author_behaviour=2, author_files=1
)

BYG = Customer(customer_id="cust-0001", name="Example Byg, made up", installation_ids=("inst-byg",))
FOODS = Customer(customer_id="cust-0002", name="Example Foods, made up", installation_ids=("inst-foods",))


def made_up(key: str, number: int, **changes) -> SamplePerson:
    """Return a person no system knows yet."""
    return SamplePerson(
        **{
            "key": key,
            "role": Role.ORDINARY,
            "seed": "cases",
            "volume": _VOLUME,
            "language": "en",
            "name": f"{key.capitalize()} Madeup",
            "email": f"{key}@people.example",
            "other_email": None,
            "phone": f"+44 113 496 0{number:03d}",
            "address": Address(street=f"{number} {key} Lane", postcode="1000", city="Nowhere", country="DK"),
            "customers": (BYG,),
            **changes,
        }
    )


def _place(customer: Customer, device: str) -> Installation:
    return Installation(
        installation_id=customer.installation_ids[0], customer_id=customer.customer_id, device_id=device
    )


AUTHOR = made_up("anna", 1, author_id="author-anna")
MEMBER = made_up(
    "mads",
    2,
    user_id="user-mads",
    member_id="member-mads",
    is_linked=True,
    has_signed_up=True,
    is_in_access_log=True,
    installations=(_place(BYG, "device-mads"),),
)
EMPLOYEE = made_up(  # works at two customers, and is more than an employee
    "elin",
    3,
    customers=(BYG, FOODS),
    user_id="user-elin",
    member_id="member-elin",
    is_linked=True,
    has_signed_up=True,
    is_licence_contact=True,
    installations=(_place(BYG, "device-elin"), _place(FOODS, "device-elin-2")),
)
CONTACT = made_up("lise", 4, is_licence_contact=True)
BUYER = made_up(
    "oda", 5, member_id="member-oda", has_signed_up=True, is_in_access_log=True, carriers=("postnord",)
)
EVERYBODY = (AUTHOR, MEMBER, EMPLOYEE, CONTACT, BUYER)
ADMIN = "admin@byg.example"
NOBODY = "nobody@people.example"


def at(text: str) -> datetime:
    """Return a moment; without a zone it is Copenhagen's."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN)


def populated(start: datetime | str = START, *, people=EVERYBODY, invoice_on: str = "2026-03-10", **changes):
    """Return a world over the real map in which everybody is known to the systems that know such people."""
    clock = TestClock(at(start) if isinstance(start, str) else start)
    world = World(**{"datamap": load(), "clock": clock, "connected": (NEWSLETTERS,), **changes})
    world.processors.contracts.add(NEWSLETTERS)
    for record in documents(people):
        body = dict(record.body)
        if record.container == "orders":
            body["invoice_on"] = invoice_on
        put(world, record.container, body)
    for blob in blobs(people):
        world.blobs.put(blob.container, blob.name, blob.data)
    for record in disclosures(people, KEYS.subject_key):
        world.documents.put(record.container, "/subject_key", record.body)
    for person in people:
        if person.has_signed_up:
            world.processors.sign_up(person.member_email, name=person.name)
    return world


def put(world: World, container: str, body: dict) -> None:
    """Write a document as the product that owns it would."""
    world.documents.put(container, _PARTITION_KEYS[container], body)


def held(world: World, person: SamplePerson) -> dict[str, int]:
    """Return how many records of a person each system holds; of shared ones, the person's parts."""
    counted: dict[str, int] = {}
    for container, number in [*_documents(world, person), *_blobs(world, person)]:
        if number:
            counted[container] = counted.get(container, 0) + number
    return counted


def _documents(world, person):
    for _, store in world.datamap.stores():
        if not isinstance(store, DocumentStore) or store.database == "compliance":
            continue
        for body in world.documents.bodies(store.container):
            records = value_at(body, store.elements.path) if store.elements else [body]
            yield store.container, sum(_is_of(person, json.dumps(one)) for one in records)


def _blobs(world, person):
    copies = {(place, name): data for (place, name, _), data in world.blobs.copies.items()}
    current = {place: data for place, (_, data) in world.blobs.current.items()}
    for (container, name), data in [*current.items(), *copies.items()]:
        if container == "author-files":
            yield container, int(_is_of(person, name))
        else:
            yield container, sum(_is_of(person, line) for line in data.decode().splitlines())


def _is_of(person: SamplePerson, text: str) -> bool:
    return any(marker.lower() in text.lower() for marker in person.markers)


def everybody_else(world: World, *but: SamplePerson) -> dict[str, dict[str, int]]:
    """Return what is held of the others, to see that it is untouched."""
    return {one.key: held(world, one) for one in EVERYBODY if one not in but}


async def file(world: World, who: SamplePerson | str, *rights: Right, **changes) -> str:
    """Put a request on file and return its id; the requester is known unless said otherwise."""
    email = who if isinstance(who, str) else who.asks_as
    request_id = changes.pop("request_id", None) or f"{len(world.cases.partitions) + 1:032x}"
    filing = Filing(
        **{
            "request_id": request_id,
            "rights": rights,
            "language": "en",
            "channel": "in_app",
            "email": email,
            "received_at": world.clock.now(),
            "is_known": True,
            **changes,
        }
    )
    assert await put_on_file(world.context, filing)
    return request_id


async def done(world: World, who: SamplePerson | str, *rights: Right, **changes) -> str:
    """Put a request on file and let the queue get quiet."""
    request_id = await file(world, who, *rights, **changes)
    await deliver(world)
    return request_id


async def as_customer(world: World, customer: Customer, person: SamplePerson, right: Right, **changes) -> str:
    """File what a customer's administrator asks about one of its people, and see it through."""
    ask = CustomerAsk(
        **{
            "customer_id": customer.customer_id,
            "customer_name": customer.name,
            "right": right,
            "kind": "user_id",
            "value": person.user_id,
            "answer_to": ADMIN,
            "language": "en",
            "entered_by": "account-of-the-admin",
            **changes,
        }
    )
    request_id = await ask_for_person(world.context, ask)
    await deliver(world)
    return request_id


def seen(world: World, request_id: str) -> SubjectRequest:
    """Return the request as it stands."""
    return world.cases.request(request_id)


def outcome(world: World, request_id: str, right: Right):
    """Return what a right came to."""
    return seen(world, request_id).outcomes[right]


def controls(world: World, kind_or_email: str, value: str | None = None) -> Controls:
    """Return the controls of an address, or of another identifier."""
    kind, wanted = (EMAIL, kind_or_email) if value is None else (kind_or_email, value)
    return world.controls.stored(KEYS.subject_key(kind, wanted)).controls


def words(mail) -> str:
    """Return a mail's text on one line."""
    return " ".join(mail.text.split())


def letter_words(world: World, request_id: str, letter_id: str) -> str:
    """Return the words of one letter."""
    return words(letters(world, request_id)[letter_id])


def alarms(world: World, request_id: str | None = None) -> list[str]:
    """Return the codes operators were told, in order."""
    return [code for code, told, _ in world.operators.alarms if request_id in (None, told)]


def move_to(world: World, moment: str | datetime) -> None:
    """Set the clock."""
    world.clock.moment = at(moment) if isinstance(moment, str) else moment


async def sweep_at(world: World, moment: str) -> None:
    """Let the sweep run at a moment, and the queue after it."""
    move_to(world, moment)
    await sweep(world.context)
    await deliver(world)


def answer_token(world: World, request_id: str) -> str:
    """Return the token of the link in a question's letter."""
    return issue(
        KEYS,
        purpose=ANSWER,
        request_id=request_id,
        expires_at=answer_ends(world.context, seen(world, request_id)),
    )


def open_question(world: World, request_id: str) -> Question:
    """Return the question that waits for its answer."""
    return next(one for one in seen(world, request_id).questions if one.answered_at is None)


def wishing(**wishes) -> Wishes:
    """Return wishes."""
    return Wishes(**wishes)


async def approve(world: World, request_id: str, by: str = "officer", **changes) -> bool:
    """Approve the plan that a case shows, with a reason."""
    digest = seen(world, request_id).plan.digest
    wanted = {"plan_digest": digest, "decided_by": by, "reason": "It is right", **changes}
    return await deciding.approve(world.context, request_id, **wanted)


async def refuse(world: World, request_id: str, **changes) -> None:
    """Refuse the present right of a case, with a reason and a provision."""
    wanted = {"decided_by": "officer", "reason": "A reason", "provision": "GDPR article 12(5)", **changes}
    await deciding.refuse(world.context, request_id, **wanted)
