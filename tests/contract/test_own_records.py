"""What every store of our own rows about a person must do."""

import uuid

import pytest

pytestmark = pytest.mark.platform

ROWS = {
    "disclosures": (
        "disclosures",
        {
            "id": "customer-1",
            "recipient": "customer",
            "purpose": "request of the customer for its installation",
            "fields": ["/email"],
            "reference": "c-1",
            "disclosed_at": "2026-03-02T09:00:00.000000Z",
            "clause": "4.2.1",
        },
    ),
    "lookups": (
        "lookups",
        {
            "id": "look-1",
            "request_id": "a" * 32,
            "purpose": "to decide",
            "role": "Operator",
            "looked_at": "2026-03-02T09:00:00.000000Z",
        },
    ),
    "notes": (
        "correction_notes",
        {
            "id": "note-1",
            "request_id": "a" * 32,
            "stores": ["orders"],
            "statement": "Æ is no E",
            "corrections": {"name": "Ærø"},
            "by": "subject",
            "noted_at": "2026-03-02T09:00:00.000000Z",
        },
    ),
}


def key() -> str:
    """Return a pseudonym nobody else has."""
    return f"k1-{uuid.uuid4().hex}"


@pytest.mark.parametrize("container", list(ROWS))
async def test_a_row_is_read_through_the_map_as_it_was_written(own_records, container):
    """Each container is the one its store of the map names."""
    store_id, row = ROWS[container]
    mine = key()
    await own_records.port.put(container, {**row, "subject_key": mine})
    assert await own_records.rows(store_id, mine) == [{**row, "subject_key": mine}]
    others = [other for other, _ in ROWS.values() if other != store_id]
    assert [await own_records.rows(other, mine) for other in others] == [[], []]


@pytest.mark.parametrize("container", list(ROWS))
async def test_the_same_row_again_replaces_it(own_records, container):
    """A message that is delivered twice leaves one row, with what was written last."""
    store_id, row = ROWS[container]
    mine = key()
    for again in ({**row}, {**row}, {**row, "request_id": "b" * 32}):
        await own_records.port.put(container, {**again, "subject_key": mine})
    rows = await own_records.rows(store_id, mine)
    assert len(rows) == 1
    assert rows[0]["id"] == row["id"]
    if container != "disclosures":
        assert rows[0]["request_id"] == "b" * 32


async def test_a_row_that_is_added_again_stays_as_it_was(own_records):
    """Whoever comes second learns what stands."""
    store_id, row = ROWS["disclosures"]
    first = {**row, "subject_key": key()}
    other = {**first, "recipient": "dhl"}
    assert await own_records.port.add("disclosures", first) == first
    stands = await own_records.port.add("disclosures", other)
    assert {name: stands[name] for name in first} == first
    assert await own_records.rows(store_id, first["subject_key"]) == [first]
    beside = {**other, "subject_key": key()}
    assert await own_records.port.add("disclosures", beside) == beside


async def test_a_row_with_another_id_stands_beside_it(own_records):
    """Nothing of the ledger is overwritten by the next disclosure."""
    _, row = ROWS["disclosures"]
    mine = key()
    for name in ("customer-1", "customer-2"):
        await own_records.port.put("disclosures", {**row, "id": name, "subject_key": mine})
    assert sorted(one["id"] for one in await own_records.rows("disclosures", mine)) == [
        "customer-1",
        "customer-2",
    ]


async def test_the_same_id_under_two_pseudonyms_is_two_rows(own_records):
    """One row for each address of a person, and none for anybody else."""
    _, row = ROWS["notes"]
    first, second = key(), key()
    for mine in (first, second):
        await own_records.port.put("notes", {**row, "subject_key": mine})
    for mine in (first, second):
        assert [one["subject_key"] for one in await own_records.rows("correction_notes", mine)] == [mine]
    assert await own_records.rows("correction_notes", key()) == []


async def test_what_the_caller_changes_later_is_not_written(own_records):
    """The row is taken as it was when it was handed over."""
    _, row = ROWS["notes"]
    handed = {**row, "subject_key": key()}
    await own_records.port.put("notes", handed)
    handed["statement"] = "changed"
    rows = await own_records.rows("correction_notes", handed["subject_key"])
    assert rows[0]["statement"] == row["statement"]
