"""Each odd kind of person is odd in the way its name says."""

from collections.abc import Sequence
from typing import Any

import pytest

from devtools.sample_data import Expectations, LineBlob, Role, SamplePerson, blobs, by_role, documents


def of(everyone: Sequence[SamplePerson], role: Role) -> dict[str, list[dict[str, Any]]]:
    """Return the person's documents by container."""
    person = by_role(everyone, role)
    found: dict[str, list[dict[str, Any]]] = {}
    for record in documents(everyone):
        if person.key in record.owners:
            found.setdefault(record.container, []).append(record.body)
    return found


def test_everything_is_in_every_container_with_an_order_by_each_carrier(
    everyone: Sequence[SamplePerson], expectations: Expectations
) -> None:
    found = of(everyone, Role.EVERYTHING)

    assert {order["carrier"] for order in found["orders"]} == {"postnord", "dhl", "ups", "gls"}
    assert set(expectations.of(by_role(everyone, Role.EVERYTHING))) == {
        "usage_events",
        "installations",
        "usage_archive",
        "cloud_activity",
        "customer_reports",
        "cloud_access_log",
        "authors",
        "author_behaviour",
        "author_files",
        "members",
        "usage_links",
        "newsletter_signups",
        "licences",
        "orders",
        "disclosures",
    }


def test_telemetry_of_the_author_hangs_on_a_user_id_only(everyone: Sequence[SamplePerson]) -> None:
    person = by_role(everyone, Role.AUTHOR_BY_USER_ID)
    found = of(everyone, Role.AUTHOR_BY_USER_ID)

    assert found["authors"][0]["user_id"] == person.user_id
    assert len(found["usage_events"]) == 20
    assert "members" not in found
    assert all("email" not in event for event in found["usage_events"])


def test_consultant_works_on_installations_of_two_customers(everyone: Sequence[SamplePerson]) -> None:
    found = of(everyone, Role.CONSULTANT)

    for container in ("installations", "usage_events", "cloud_activity", "customer_reports", "licences"):
        assert len({document["customer_id"] for document in found[container]}) == 2, container
    assert len({place["installation_id"] for place in found["installations"]}) == 2


def test_one_person_is_stored_in_capitals_and_asks_in_small_letters(everyone: Sequence[SamplePerson]) -> None:
    person = by_role(everyone, Role.CAPITALS)
    found = of(everyone, Role.CAPITALS)

    assert person.asks_as == person.asks_as.lower() != person.email
    assert found["members"][0]["email"] == found["authors"][0]["email"] == person.asks_as.upper()
    assert found["orders"][0]["addressee"]["email"] == person.asks_as.upper()


def test_two_addresses_meet_in_one_user_id(everyone: Sequence[SamplePerson]) -> None:
    person = by_role(everyone, Role.TWO_ADDRESSES)
    found = of(everyone, Role.TWO_ADDRESSES)

    assert found["authors"][0]["email"] == person.emails[0]
    assert found["members"][0]["email"] == person.emails[1] != person.emails[0]
    assert found["usage_links"][0]["user_id"] == found["authors"][0]["user_id"] == person.user_id
    assert found["usage_links"][0]["member_id"] == found["members"][0]["id"]


def test_one_person_is_known_to_a_shared_log_only(
    everyone: Sequence[SamplePerson], expectations: Expectations
) -> None:
    person = by_role(everyone, Role.LOG_ONLY)

    assert of(everyone, Role.LOG_ONLY) == {}
    assert set(expectations.of(person)) == {"cloud_access_log"}
    assert expectations.of(person)["cloud_access_log"].found == 6


def test_one_person_has_no_data(everyone: Sequence[SamplePerson], expectations: Expectations) -> None:
    person = by_role(everyone, Role.NO_DATA)

    assert of(everyone, Role.NO_DATA) == {}
    assert expectations.of(person) == {}
    assert not any(person.asks_as in blob.data.decode().lower() for blob in blobs(everyone))


def test_telemetry_of_one_person_is_out_of_reach(
    everyone: Sequence[SamplePerson], expectations: Expectations
) -> None:
    person = by_role(everyone, Role.TELEMETRY_ONLY)

    assert set(of(everyone, Role.TELEMETRY_ONLY)) == {
        "usage_events",
        "installations",
        "cloud_activity",
        "customer_reports",
    }
    assert not person.is_known_by_user_id
    assert expectations.of(person) == {}


@pytest.mark.parametrize("container", ["usage-archive", "cloud-access-log"])
def test_line_blobs_hold_many_peoples_lines(everyone: Sequence[SamplePerson], container: str) -> None:
    shared = [blob for blob in blobs(everyone) if isinstance(blob, LineBlob) and blob.container == container]

    assert shared
    for blob in shared:
        assert len({owner for owner, _ in blob.lines}) > 1, blob.name
        assert blob.data.count(b"\n") == len(blob.lines)


def test_licences_have_several_contacts_and_reports_many_rows(everyone: Sequence[SamplePerson]) -> None:
    bodies: dict[str, list[dict[str, Any]]] = {"licences": [], "customer_reports": []}
    for record in documents(everyone):
        if record.container in bodies:
            bodies[record.container].append(record.body)

    assert min(len(licence["contacts"]) for licence in bodies["licences"]) >= 2
    assert min(len(report["rows"]) for report in bodies["customer_reports"]) >= 10
