"""Partition keys: the same hashes as the SDK, the same identity as the service."""

import pytest
from azure.cosmos import PartitionKey, exceptions
from azure.cosmos.partition_key import NonePartitionKeyValue, NullPartitionKeyValue, _Undefined
from hypothesis import given
from hypothesis import strategies as st

from devtools.cosmos_emulator.partition_keys import PartitionKeyDefinition
from devtools.cosmos_emulator.sql.values import UNDEFINED

VALUES = st.one_of(
    st.just(UNDEFINED), st.booleans(), st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
)  # fmt: skip


def _as_sdk(value):
    if value is UNDEFINED:
        return _Undefined()
    # The SDK hashes the sign of zero, the service and this emulator take 0 and -0 for one number.
    return 0.0 if value == 0 and isinstance(value, float) else value


@given(VALUES)
def test_a_single_key_hashes_as_in_the_sdk(value):
    ours = PartitionKeyDefinition({"paths": ["/pk"], "kind": "Hash", "version": 2}).epk([value])
    theirs = PartitionKey("/pk")._get_effective_partition_key_string([_as_sdk(value)])
    assert ours.hex().upper() == theirs


@given(st.lists(VALUES, min_size=2, max_size=2))
def test_a_hierarchical_key_hashes_as_in_the_sdk(values):
    definition = PartitionKeyDefinition({"paths": ["/a", "/b"], "kind": "MultiHash", "version": 2})
    theirs = PartitionKey(["/a", "/b"])._get_effective_partition_key_string(
        [_as_sdk(value) for value in values]
    )
    assert definition.epk(values).hex().upper() == theirs


@given(
    st.one_of(
        st.booleans(), st.text(st.characters(codec="ascii"), min_size=1, max_size=90), st.just(UNDEFINED)
    )
)
def test_a_key_of_version_one_hashes_as_in_the_sdk(value):
    ours = PartitionKeyDefinition({"paths": ["/pk"], "kind": "Hash", "version": 1}).epk([value])
    theirs = PartitionKey("/pk", version=1)._get_effective_partition_key_string([_as_sdk(value)])
    assert ours.hex().upper() == theirs.upper()


async def test_null_missing_and_text_are_different_partitions_and_equal_numbers_are_one(container):
    await container.create_item({"id": "1", "pk": None})
    await container.create_item({"id": "1"})
    await container.create_item({"id": "1", "pk": "null"})
    await container.create_item({"id": "1", "pk": 1})
    await container.create_item({"id": "1", "pk": True})
    with pytest.raises(exceptions.CosmosResourceExistsError):
        await container.create_item({"id": "1", "pk": 1.0})
    assert "pk" not in await container.read_item("1", NonePartitionKeyValue)
    assert (await container.read_item("1", NullPartitionKeyValue))["pk"] is None
    assert (await container.read_item("1", 1))["pk"] == 1
    assert (await container.read_item("1", True))["pk"] is True


async def test_nested_and_quoted_paths_are_followed(make_container):
    nested = await make_container("nested", "/a/b")
    await nested.create_item({"id": "1", "a": {"b": "x"}})
    assert (await nested.read_item("1", "x"))["id"] == "1"
    quoted = await make_container("quoted", '/"a b"')
    await quoted.create_item({"id": "1", "a b": "x"})
    assert (await quoted.read_item("1", "x"))["id"] == "1"


async def test_an_object_as_key_counts_as_missing(container):
    await container.create_item({"id": "1", "pk": {"x": 1}})
    assert (await container.read_item("1", NonePartitionKeyValue))["id"] == "1"


@pytest.mark.parametrize(
    "header", [None, "", "a", "[", "{}", '["a","b"]', '[["a"]]', '[{"a":1}]', "3", "[nan]", '["\\ud800"]']
)
async def test_a_bad_partition_key_header_is_refused(raw, container, header):
    await container.create_item({"id": "1", "pk": "a"})
    headers = {} if header is None else {"x-ms-documentdb-partitionkey": header}
    for verb, path, body in (
        ("GET", "dbs/shop/colls/things/docs/1", None),
        ("DELETE", "dbs/shop/colls/things/docs/1", None),
        ("PUT", "dbs/shop/colls/things/docs/1", {"id": "1", "pk": "a"}),
        ("POST", "dbs/shop/colls/things/docs", {"id": "2", "pk": "a"}),
    ):
        reply = await raw.send(verb, path, body, headers)
        assert (reply.status, '"BadRequest"' in reply.text) == (400, True)


async def test_a_key_above_two_kilobytes_is_refused(container):
    await container.create_item({"id": "1", "pk": "x" * 2048})
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        await container.create_item({"id": "1", "pk": "x" * 2049})
    assert caught.value.status_code == 400
