"""All documents, blobs and disclosures of a set of people, one after the other."""

from collections.abc import Callable, Iterator, Sequence

from devtools.sample_data.made_up import opaque
from devtools.sample_data.person import SamplePerson
from devtools.sample_data.records import FileBlob, LineBlob, Record, own_documents, own_files
from devtools.sample_data.shared_records import access_log, licences, reports, usage_archive

SubjectKey = Callable[[str, str], str]
"""From a kind of identifier and a value to the keyed pseudonym our own records use."""

_DELIVERY_FIELDS = [
    "/addressee/name",
    "/addressee/email",
    "/addressee/phone",
    "/addressee/street",
    "/addressee/postcode",
    "/addressee/city",
    "/addressee/country",
]
_REPORT_FIELDS = ["/user_id", "/display_name", "/courses_completed", "/minutes"]


def documents(everyone: Sequence[SamplePerson]) -> Iterator[Record]:
    """Yield every document of the systems of record, one person after the other, shared ones last."""
    for person in everyone:
        yield from own_documents(person)
    yield from licences(everyone)
    yield from reports(everyone)


def blobs(everyone: Sequence[SamplePerson]) -> Iterator[LineBlob | FileBlob]:
    """Yield every blob of the systems of record."""
    for person in everyone:
        yield from own_files(person)
    yield from usage_archive(everyone)
    yield from access_log(everyone)


def disclosures(everyone: Sequence[SamplePerson], subject_key: SubjectKey) -> Iterator[Record]:
    """Yield what was handed on, as our own database records it: shipments to carriers, rows to customers."""
    for person in everyone:
        for record in own_documents(person):
            if record.container != "orders":
                continue
            yield _disclosure(
                person,
                subject_key=subject_key("email", person.member_email),
                recipient=record.body["carrier"],
                purpose="delivery",
                fields=_DELIVERY_FIELDS,
                reference=record.body["order_no"],
                disclosed_at=record.body["shipped_at"],
                clause="3.1",
            )
    users = {person.key: person for person in everyone}
    for report in reports(everyone):
        for key in sorted(report.owners):
            person = users[key]
            yield _disclosure(
                person,
                subject_key=subject_key("user_id", person.user_id or ""),
                recipient="customer",
                purpose="customer_reports",
                fields=_REPORT_FIELDS,
                reference=report.body["id"],
                disclosed_at=f"{report.body['report_month']}-28T06:00:00Z",
                clause="2.2.1",
            )


def _disclosure(person: SamplePerson, **body: str | list[str]) -> Record:
    reference = body["reference"]
    return Record(
        container="disclosures",
        body={"id": f"disc-{opaque(person.seed, person.key, reference)}", **body},
        owners=frozenset({person.key}),
    )
