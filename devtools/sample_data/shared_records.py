"""What several people share: licences with contacts, reports with rows, NDJSON blobs with lines."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from devtools.sample_data.containers import CLOUD_ACCESS_LOG, USAGE_ARCHIVE
from devtools.sample_data.made_up import ip_address, moment, opaque, text
from devtools.sample_data.person import AS_OF, Customer, SamplePerson
from devtools.sample_data.records import FEATURES, LineBlob, Record

REPORT_MONTHS = ("2026-09", "2026-10")
_PRODUCTS = ("Attain", "Assist")
_LOG_DAYS = 10
_ROLES = ("it_manager", "finance", "training")


def licences(everyone: Sequence[SamplePerson]) -> Iterator[Record]:
    """Yield two licences per customer, each with all of its contacts."""
    for customer, staff in _staff(everyone):
        contacts = [person for person in staff if person.is_licence_contact]
        for number, product in enumerate(_PRODUCTS):
            yield Record(
                container="licences",
                body={
                    "id": f"lic-{customer.customer_id}-{number}",
                    "customer_id": customer.customer_id,
                    "customer_name": customer.name,
                    "licence_no": f"L-{customer.customer_id[-4:]}-{number}",
                    "product": product,
                    "maintenance_ends_on": f"{2026 + number}-12-31",
                    "contacts": [_contact(person) for person in contacts],
                },
                owners=frozenset(person.key for person in contacts),
            )


def reports(everyone: Sequence[SamplePerson]) -> Iterator[Record]:
    """Yield one report per customer and month, with a row for each of its users."""
    for customer, staff in _staff(everyone):
        users = [person for person in staff if person.user_id is not None]
        for month in REPORT_MONTHS:
            yield Record(
                container="customer_reports",
                body={
                    "id": f"report-{customer.customer_id}-{month}",
                    "customer_id": customer.customer_id,
                    "report_month": month,
                    "title": f"Learning in {month} (made up)",
                    "rows": [_row(person, month) for person in users],
                },
                owners=frozenset(person.key for person in users),
            )


def usage_archive(everyone: Sequence[SamplePerson]) -> Iterator[LineBlob]:
    """Yield one blob per installation and month, with the lines of everybody on that installation."""
    lines: defaultdict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for person in everyone:
        dice = person.chance("archive")
        for place in person.installations:
            for number in range(person.volume.archive_lines):
                kind = dice.choice(("start", "stop", "feature"))
                at = moment(dice, within_days=90, earlier_than_days=1)  # full months only
                line = {
                    "event_id": opaque(person.seed, person.key, place.installation_id, "line", number),
                    "user_id": person.user_id,
                    "installation_id": place.installation_id,
                    "kind": kind,
                    **({"feature": dice.choice(FEATURES)} if kind == "feature" else {}),
                    "ip": ip_address(dice),
                    "at": at,
                }
                lines[f"{place.installation_id}/{at[:7]}.ndjson"].append((person.key, line))
    yield from _in_order(USAGE_ARCHIVE, lines)


def access_log(everyone: Sequence[SamplePerson]) -> Iterator[LineBlob]:
    """Yield one blob per day, with the lines of everybody who came; the log keeps the case as typed."""
    lines: defaultdict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for person in everyone:
        dice = person.chance("access log")
        for _ in range(person.volume.log_lines if person.is_in_access_log else 0):
            at = AS_OF - timedelta(days=dice.randrange(_LOG_DAYS), seconds=dice.randrange(40_000))
            typed = dice.choice((person.email, person.email, person.email.capitalize()))
            line = {
                "at": text(at),
                "email": typed,
                "ip": ip_address(dice),
                "path": f"/courses/{dice.randrange(1, 60)}",
                "status": dice.choice((200, 200, 200, 304, 404)),
            }
            lines[f"{at:%Y/%m/%d}.ndjson"].append((person.key, line))
    yield from _in_order(CLOUD_ACCESS_LOG, lines)


def _in_order(
    container: str, lines: defaultdict[str, list[tuple[str, dict[str, Any]]]]
) -> Iterator[LineBlob]:
    for name in sorted(lines):
        in_time = sorted(lines[name], key=lambda line: (line[1]["at"], line[0]))
        yield LineBlob(container=container, name=name, lines=tuple(in_time))


def _staff(everyone: Sequence[SamplePerson]) -> Iterator[tuple[Customer, list[SamplePerson]]]:
    customers: dict[str, Customer] = {}
    staff: defaultdict[str, list[SamplePerson]] = defaultdict(list)
    for person in everyone:
        for customer in person.customers:
            customers[customer.customer_id] = customer
            staff[customer.customer_id].append(person)
    for customer_id in sorted(customers):
        yield customers[customer_id], staff[customer_id]


def _contact(person: SamplePerson) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "phone": person.phone,
        "role": person.chance("contact").choice(_ROLES),
    }


def _row(person: SamplePerson, month: str) -> dict[str, Any]:
    dice = person.chance(f"report {month}")
    return {
        "user_id": person.user_id,
        "display_name": person.name,
        "courses_completed": dice.randrange(6),
        "minutes": dice.randrange(240),
    }
