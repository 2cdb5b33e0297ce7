"""What the systems of record hold about one person: documents and files that are theirs alone."""

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from devtools.sample_data.containers import AUTHOR_FILES
from devtools.sample_data.made_up import ip_address, moment, opaque, text
from devtools.sample_data.person import AS_OF, Role, SamplePerson

FEATURES = ("record", "replay", "publish", "translate", "assist", "search")
COURSES = ("Invoicing basics", "Warehouse start", "Travel expenses", "Month end", "New colleagues")
TOPICS = ("licensing", "publishing", "translation", "recording", "branding")
WORDING_VERSION = "newsletter-3"
_WORDING_HASH = hashlib.sha256(b"Yes, send me the newsletter. (made up)").hexdigest()
_OLD_INVOICE_YEAR = 2018


@dataclass(frozen=True, kw_only=True)
class Record:
    """A Cosmos document and the keys of the people it is about."""

    container: str
    body: dict[str, Any]
    owners: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class LineBlob:
    """A shared NDJSON blob: each line with the key of the person it is about."""

    container: str
    name: str
    lines: tuple[tuple[str, dict[str, Any]], ...] = field(repr=False)

    @property
    def data(self) -> bytes:
        """The blob's content: one JSON object per line, UTF-8, a line feed after each."""
        return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for _, line in self.lines)


@dataclass(frozen=True, kw_only=True)
class FileBlob:
    """A blob that is one person's."""

    container: str
    name: str
    data: bytes = field(repr=False)
    owner: str


def own_documents(person: SamplePerson) -> Iterator[Record]:
    """Yield the documents that are this person's alone."""
    bodies = (
        ("usage_events", _usage_events(person)),
        ("installations", _installations(person)),
        ("cloud_activity", _cloud_activity(person)),
        ("authors", _author(person)),
        ("author_behaviour", _author_behaviour(person)),
        ("members", _member(person)),
        ("usage_links", _usage_link(person)),
        ("newsletter_signups", _newsletter_signup(person)),
        ("orders", _orders(person)),
    )
    for container, made in bodies:
        for body in made:
            yield Record(container=container, body=body, owners=frozenset({person.key}))


def own_files(person: SamplePerson) -> Iterator[FileBlob]:
    """Yield the files an author uploaded."""
    if person.author_id is None:
        return
    for number in range(person.volume.author_files):
        yield FileBlob(
            container=AUTHOR_FILES,
            name=f"{person.author_id}/recording-{number + 1}.txt",
            data=f"Made-up recording {number + 1} by {person.name} <{person.email}>\n".encode() * 20,
            owner=person.key,
        )


def _usage_events(person: SamplePerson) -> Iterator[dict[str, Any]]:
    if not person.installations:
        return
    dice = person.chance("usage_events")
    for number in range(person.volume.usage_events):
        place = person.installations[number % len(person.installations)]
        kind = dice.choice(("start", "stop", "feature", "feature"))
        yield {
            "id": f"evt-{opaque(person.seed, person.key, 'event', number)}",
            "user_id": person.user_id,
            "installation_id": place.installation_id,
            "device_id": place.device_id,
            "customer_id": place.customer_id,
            "kind": kind,
            **({"feature": dice.choice(FEATURES)} if kind == "feature" else {}),
            "browser": dice.choice(("Firefox 132", "Edge 130", "Chrome 130", "Safari 18")),
            "ip": ip_address(dice),
            "network_location": dice.choice(("office", "home", "vpn")),
            "at": moment(dice),
        }


def _installations(person: SamplePerson) -> Iterator[dict[str, Any]]:
    dice = person.chance("installations seen")
    for place in person.installations:
        yield {
            "id": f"{person.user_id}-{place.installation_id}",
            "user_id": person.user_id,
            "installation_id": place.installation_id,
            "customer_id": place.customer_id,
            "device_id": place.device_id,
            "first_seen_at": text(AS_OF - timedelta(days=dice.randrange(300, 900))),
            "last_used_at": moment(dice, within_days=60),
        }


def _cloud_activity(person: SamplePerson) -> Iterator[dict[str, Any]]:
    if person.user_id is None:
        return
    dice = person.chance("cloud_activity")
    for customer in person.customers:
        for number in range(person.volume.cloud_activity):
            yield {
                "id": f"act-{opaque(person.seed, person.key, customer.customer_id, number)}",
                "customer_id": customer.customer_id,
                "user_id": person.user_id,
                "course": dice.choice(COURSES),
                "action": dice.choice(("opened", "read", "completed")),
                "seconds_read": dice.randrange(5, 1800),
                "ip": ip_address(dice),
                "location": dice.choice(("Aarhus", "Berlin", "Leeds", "Gdynia")),
                "at": moment(dice),
            }


def _author(person: SamplePerson) -> Iterator[dict[str, Any]]:
    if person.author_id is None:
        return
    yield {
        "id": person.author_id,
        "email": person.email,
        "name": person.name,
        **({"user_id": person.user_id} if person.user_id is not None else {}),
        "company": person.customers[0].name,
        "registered_at": moment(person.chance("author"), within_days=1500),
    }


def _author_behaviour(person: SamplePerson) -> Iterator[dict[str, Any]]:
    if person.author_id is None:
        return
    dice = person.chance("author_behaviour")
    for number in range(person.volume.author_behaviour):
        topic = dice.choice(TOPICS)
        yield {
            "id": f"beh-{opaque(person.seed, person.key, 'behaviour', number)}",
            "author_id": person.author_id,
            "topic": topic,
            "page": f"/help/{topic}/{dice.randrange(1, 40)}",
            "at": moment(dice),
        }


def _member(person: SamplePerson) -> Iterator[dict[str, Any]]:
    if person.member_id is None:
        return
    dice = person.chance("member")
    yield {
        "id": person.member_id,
        "email": person.member_email,
        "name": person.name,
        "address": asdict(person.address),
        "phone": person.phone,
        "newsletter": person.has_signed_up,
        "joined_at": moment(dice, within_days=1500),
        "last_login_at": moment(dice, within_days=400),
        **_membership(dice),
    }


def _membership(dice: random.Random) -> dict[str, Any]:
    """Return the state of a membership with the moments that led to it."""
    state = dice.choice((*("active",) * 14, "reactivated", *("suspended",) * 4, "revoked"))
    if state == "reactivated":
        suspended_at, reactivated_at = sorted(moment(dice, within_days=400) for _ in range(2))
        return {"suspended_at": suspended_at, "reactivated_at": reactivated_at, "state": "active"}
    if state == "active":
        return {"state": state}
    return {f"{state}_at": moment(dice, within_days=300), "state": state}


def _usage_link(person: SamplePerson) -> Iterator[dict[str, Any]]:
    if person.is_linked:
        yield {
            "id": f"link-{opaque(person.seed, person.key, 'link')}",
            "member_id": person.member_id,
            "user_id": person.user_id,
            "linked_at": moment(person.chance("link"), within_days=400),
        }


def _newsletter_signup(person: SamplePerson) -> Iterator[dict[str, Any]]:
    if not person.has_signed_up:
        return
    dice = person.chance("newsletter")
    yield {
        "id": f"news-{opaque(person.seed, person.key, 'newsletter')}",
        "email": person.member_email,
        "name": person.name,
        "list_id": opaque(person.seed, "list", person.language) * 2,  # the processor's have 32 digits
        "purpose": "author_newsletter" if person.member_id is None else "member_newsletter",
        "state": "subscribed",
        "consented_at": moment(dice, within_days=900),
        "wording_version": WORDING_VERSION,
        "wording_hash": _WORDING_HASH,
        "source": dice.choice(("member profile", "web form", "in the application")),
    }


def _orders(person: SamplePerson) -> Iterator[dict[str, Any]]:
    dice = person.chance("orders")
    for number, carrier in enumerate(person.carriers):
        # November is left out, so that no invoice is later than the moment the data describes.
        year = _OLD_INVOICE_YEAR if person.role is Role.OLD_INVOICE else dice.choice((2025, 2026))
        day = f"{year}-{dice.randrange(1, 11):02d}-{dice.randrange(1, 28):02d}"
        reference = opaque(person.seed, person.key, "order", number)
        yield {
            "id": f"ord-{reference}",
            "customer_id": person.customers[0].customer_id,
            "order_no": f"O-{reference[:10]}",
            "invoice_no": f"I-{reference[6:]}",
            "invoice_on": day,
            "amount": dice.randrange(5_000, 900_000) / 100,
            "currency": dice.choice(("DKK", "EUR", "GBP")),
            "addressee": {
                "name": person.name,
                "email": person.member_email,
                "phone": person.phone,
                **asdict(person.address),
            },
            "carrier": carrier,
            "tracking_no": f"T{opaque(reference, 'tracking')}",
            "shipped_at": f"{day}T15:{dice.randrange(60):02d}:00Z",
        }
