"""Everything the sample data stores is in the map, and the map describes nothing that is not stored."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import pytest

from devtools.sample_data import LineBlob, SamplePerson, blobs, disclosures, documents
from shared.datamap.models import DataMap, DocumentStore, FieldRule
from shared.datamap.treatment import MISSING, unmapped_paths, value_at
from tests.unit.sample_data.conftest import WRITTEN_BY_THE_APP

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "datetime": str,
    "date": str,
    "object": dict,
    "array": list,
}


def stored(everyone: Sequence[SamplePerson]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every document and line with its container."""
    for record in documents(everyone):
        yield record.container, record.body
    for record in disclosures(everyone, lambda kind, value: f"{kind} {value}"):
        yield record.container, record.body
    for blob in blobs(everyone):
        if isinstance(blob, LineBlob):
            for _, line in blob.lines:
                yield blob.container, line


def own_fields(
    datamap: DataMap, container: str, record: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], tuple[FieldRule, ...]]]:
    """Yield what the store's fields describe: the record itself, or its elements."""
    (store,) = [store for _, store in datamap.stores() if store.container == container]
    if isinstance(store, DocumentStore) and store.elements is not None:
        elements = value_at(record, store.elements.path)
        assert isinstance(elements, list)
        described = {"/id", store.partition_key, store.elements.path, *store.elements.surroundings}
        assert {f"/{name}" for name in record} <= described, container
        for element in elements:
            yield element, store.fields
    else:
        yield record, store.fields


def test_every_stored_field_is_mapped(datamap: DataMap, everyone: Sequence[SamplePerson]) -> None:
    unmapped = {
        (container, path)
        for container, record in stored(everyone)
        for own, fields in own_fields(datamap, container, record)
        for path in unmapped_paths(own, fields)
    }

    assert unmapped == set()


def test_field_that_is_not_mapped_would_be_noticed(
    datamap: DataMap, everyone: Sequence[SamplePerson]
) -> None:
    container, record = next(stored(everyone))
    ((own, fields),) = own_fields(datamap, container, {**record, "shoe_size": 44})

    assert unmapped_paths(own, fields) == ["/shoe_size"]


def test_every_mapped_field_is_stored_somewhere(datamap: DataMap, everyone: Sequence[SamplePerson]) -> None:
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for container, record in stored(everyone):
        for own, fields in own_fields(datamap, container, record):
            seen[container].update(field.path for field in fields if value_at(own, field.path) is not MISSING)

    for _, store in datamap.stores():
        if store.id not in WRITTEN_BY_THE_APP:
            assert {field.path for field in store.fields} == seen[store.container], store.id


def test_sample_systems_write_into_every_store_but_those_of_the_app(
    datamap: DataMap, everyone: Sequence[SamplePerson]
) -> None:
    written = {container for container, _ in stored(everyone)} | {one.container for one in blobs(everyone)}

    untouched = {store.id for _, store in datamap.stores() if store.container not in written}
    assert untouched == WRITTEN_BY_THE_APP


def test_values_have_the_types_and_presence_the_map_says(
    datamap: DataMap, everyone: Sequence[SamplePerson]
) -> None:
    for container, record in stored(everyone):
        for own, fields in own_fields(datamap, container, record):
            for field in fields:
                value = value_at(own, field.path)
                if value is MISSING:
                    assert not field.required, (container, field.path)
                    continue
                assert isinstance(value, TYPES[field.type]), (container, field.path)
                if field.type == "datetime":
                    assert datetime.fromisoformat(value).tzinfo is not None, (container, field.path)
                if field.type == "date":
                    date.fromisoformat(value)


@pytest.mark.clause("2.2.1", "3.1")
def test_disclosures_name_recipients_and_fields_the_map_knows(
    datamap: DataMap, everyone: Sequence[SamplePerson]
) -> None:
    recipients = {recipient.id: recipient.clause for recipient in datamap.recipients}
    purposes = {
        purpose.id: {field.path for store in activity.stores for field in store.fields}
        for activity in datamap.activities
        for purpose in activity.purposes
    }
    named = set()
    for record in disclosures(everyone, lambda kind, value: f"{kind} {value}"):
        named.add(record.body["recipient"])
        assert recipients[record.body["recipient"]] == record.body["clause"]
        assert set(record.body["fields"]) <= purposes[record.body["purpose"]]

    assert named == {"postnord", "dhl", "ups", "gls", "customer"}
