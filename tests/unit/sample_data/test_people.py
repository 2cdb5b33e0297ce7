"""Made-up people are the same for the same seed, nobody real, and nobody twice."""

import ipaddress
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from devtools.sample_data import (
    LineBlob,
    Role,
    SamplePerson,
    Volume,
    blobs,
    by_role,
    disclosures,
    documents,
    people,
)

DOCUMENTATION_NETWORKS = [
    ipaddress.ip_network(block)
    for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def everything(everyone: Sequence[SamplePerson]) -> str:
    """Return all there is as one text."""
    return json.dumps(
        [
            [(record.container, record.body) for record in documents(everyone)],
            [(blob.container, blob.name, blob.data.decode()) for blob in blobs(everyone)],
            [record.body for record in disclosures(everyone, lambda kind, value: f"{kind} {value}")],
        ]
    )


def values(value: Any, name: str) -> Iterator[str]:
    """Yield every value stored under a name, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from values(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner, name)


def all_records(everyone: Sequence[SamplePerson]) -> list[dict[str, Any]]:
    lines = [line for blob in blobs(everyone) if isinstance(blob, LineBlob) for _, line in blob.lines]
    return [*(record.body for record in documents(everyone)), *lines]


def test_same_seed_makes_the_same_people_and_data() -> None:
    assert people(30, seed="one") == people(30, seed="one")
    assert everything(people(30, seed="one")) == everything(people(30, seed="one"))


def test_other_seed_makes_other_people() -> None:
    ours = {marker for person in people(30, seed="one") for marker in person.markers if "-" in marker}
    theirs = {marker for person in people(30, seed="two") for marker in person.markers if "-" in marker}

    assert not ours & theirs


def test_two_hundred_people_are_made_unless_told(everyone: Sequence[SamplePerson]) -> None:
    assert len(everyone) == 200
    assert len({person.key for person in everyone}) == 200


@pytest.mark.parametrize("count", [8, 16_001])
def test_fewer_than_the_odd_ones_or_more_than_the_numbers_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="between 9 and 16000 people"):
        people(count)


def test_one_of_each_odd_kind_is_there_however_few_are_made() -> None:
    roles = Counter(person.role for person in people(9))

    assert roles == {role: 1 for role in Role if role is not Role.ORDINARY}


def test_no_two_people_share_a_marker(everyone: Sequence[SamplePerson]) -> None:
    """A marker inside another one would make a search for what is left find the wrong person."""
    markers = [(person.key, marker.lower()) for person in everyone for marker in person.markers]

    for (one, short), (other, long) in itertools.permutations(markers, 2):
        if one != other:
            assert short not in long


def test_marker_stands_in_nobody_elses_data(everyone: Sequence[SamplePerson]) -> None:
    person = by_role(everyone, Role.EVERYTHING)
    others = [one for one in everyone if one.key != person.key]

    text = everything(others)

    assert [marker for marker in person.markers if json.dumps(marker)[1:-1] in text] == []


def test_installations_are_shared_and_that_is_all(everyone: Sequence[SamplePerson]) -> None:
    people_on = Counter(place.installation_id for person in everyone for place in person.installations)
    for kind in ("user_id", "author_id", "member_id"):
        ids = [getattr(person, kind) for person in everyone if getattr(person, kind) is not None]
        assert len(ids) == len(set(ids))

    assert max(people_on.values()) > 5


def test_addresses_belong_to_nobody(everyone: Sequence[SamplePerson]) -> None:
    emails = {email for record in all_records(everyone) for email in values(record, "email")}

    assert emails
    assert [email for email in emails if not re.search(r"@example\.(org|com|net)$", email.lower())] == []


def test_numbers_are_reserved_for_fiction_or_documentation(everyone: Sequence[SamplePerson]) -> None:
    records = all_records(everyone)
    phones = {phone for record in records for phone in values(record, "phone")}
    ips = {ipaddress.ip_address(ip) for record in records for ip in values(record, "ip")}

    free = r"^\+44 (\d{3} 49[68] 0\d{3}|20 7946 0\d{3}|28 9649 6\d{3}|29 2018 0\d{3}|7700 900\d{3})$"
    assert [phone for phone in phones if not re.match(free, phone)] == []
    assert [ip for ip in ips if not any(ip in network for network in DOCUMENTATION_NETWORKS)] == []


def test_times_are_utc_and_before_the_moment_described(everyone: Sequence[SamplePerson]) -> None:
    for name in (
        "at",
        "joined_at",
        "last_login_at",
        "shipped_at",
        "linked_at",
        "consented_at",
        "last_used_at",
    ):
        times = [time for record in all_records(everyone) for time in values(record, name)]
        assert times, name
        assert all(re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", time) for time in times), name
        assert max(times) < "2026-11-01T12:00:00Z", name


def test_volume_decides_how_much_one_person_has() -> None:
    everyone = people(9, volume=Volume(usage_events=100, author_files=0, log_lines=3))
    person = by_role(everyone, Role.EVERYTHING)

    kinds = Counter(record.container for record in documents(everyone) if person.key in record.owners)
    assert kinds["usage_events"] == 100
    assert not any(blob.container == "author-files" for blob in blobs(everyone))


def test_ids_of_documents_are_unique_in_their_container(everyone: Sequence[SamplePerson]) -> None:
    ids = Counter((record.container, record.body["id"]) for record in documents(everyone))
    ids.update(
        (record.container, record.body["id"])
        for record in disclosures(everyone, lambda kind, value: f"{kind} {value}")
    )

    assert [key for key, count in ids.items() if count > 1] == []
