"""A made-up world before and after a perfect erasure, in memory, for tests that then spoil it."""

import copy
import dataclasses
import json
from collections.abc import Sequence

from devtools.demo.bystanders import Others
from devtools.demo.holdings import Holdings, Place, StoredBlob
from devtools.demo.owners import SHARED_DOCUMENTS, Owners, is_of, place_of
from devtools.sample_data import LineBlob, Role, SamplePerson, Volume, blobs, by_role, documents, people

EVERYONE = people(30, volume=Volume(usage_events=3, archive_lines=3, cloud_activity=2, log_lines=3))
OWNERS = Owners.of(EVERYONE)
ERASED = [by_role(EVERYONE, role) for role in (Role.EVERYTHING, Role.CONSULTANT, Role.LOG_ONLY)]
OTHERS = Others(erased=ERASED, request_ids={"r1"}, subject_keys={"k1-mine"})
_INVOICE = ("id", "customer_id", "order_no", "invoice_no", "invoice_on", "amount", "currency")


def before() -> Holdings:
    """Return all that is stored of everybody, with a copy of a bystander's data waiting to be fetched."""
    holdings = Holdings()
    for record in documents(EVERYONE):
        holdings.documents[place_of(record.container, record.body)] = {
            **copy.deepcopy(record.body),
            "_etag": "1",
            "_ts": 1,
        }
    for made in blobs(EVERYONE):
        put(holdings, made.container, made.name, made.data)
    put(holdings, "packages", "r9.zip", b"somebody else's copy")
    for request_id, key in (("r1", "k1-mine"), ("r9", "k1-other")):
        place = Place(
            database="compliance", container="requests", partition=f'"{request_id}"', document_id="request"
        )
        body = {"id": "request", "request_id": request_id, "subject_keys": [key], "state": "completed"}
        holdings.documents[place] = body
    return holdings


def after() -> Holdings:
    """Return what a perfect erasure leaves."""
    holdings = before()
    keys = {person.key for person in ERASED}
    for place, owned_by in OWNERS.documents.items():
        body = holdings.documents[place]
        elements = SHARED_DOCUMENTS.get(place.container)
        if elements is not None and owned_by & keys:
            holdings.documents[place] = {
                **body,
                elements: [one for one in body[elements] if not is_of(one, ERASED)],
                "_etag": "2",
            }
        elif owned_by & keys and place.container == "orders":
            address = {
                name: value for name, value in body["addressee"].items() if name not in ("email", "phone")
            }
            holdings.documents[place] = {**{name: body[name] for name in _INVOICE}, "addressee": address}
        elif owned_by & keys:
            del holdings.documents[place]
    for made in blobs(EVERYONE):
        if isinstance(made, LineBlob) and any(owner in keys for owner, _ in made.lines):
            left = tuple((owner, line) for owner, line in made.lines if owner not in keys)
            put(holdings, made.container, made.name, dataclasses.replace(made, lines=left).data, etag="2")
        elif not isinstance(made, LineBlob) and made.owner in keys:
            del holdings.blobs[made.container, made.name, ""]
    return holdings


def put(holdings: Holdings, container: str, name: str, data: bytes | None, *, etag: str = "1") -> None:
    """Store a blob; None for blocks without one."""
    holdings.blobs[container, name, ""] = StoredBlob(
        container=container, name=name, snapshot="", etag=etag, content_type="", metadata={}, data=data
    )


def kept_places(holdings: Holdings, person: SamplePerson) -> list[Place]:
    """Return where a person's orders are."""
    return [
        place
        for place, owned_by in OWNERS.documents.items()
        if place.container == "orders" and person.key in owned_by and place in holdings.documents
    ]


def places_in(container: str, person: SamplePerson, *, mine: bool) -> Sequence[Place]:
    """Return the documents of a container that are, or are not, a person's."""
    return [
        place
        for place, owned_by in OWNERS.documents.items()
        if place.container == container and (person.key in owned_by) == mine
    ]


def text_of(body: object) -> bytes:
    """Return something as JSON bytes."""
    return json.dumps(body).encode()
