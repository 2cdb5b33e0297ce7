"""Changes of one partition travel in batches the service takes."""

import json

import pytest
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from shared.adapters.cosmos_documents import CosmosDocuments
from shared.domain.errors import Permanent
from shared.ports.documents import Change, Changed, StoredDocument
from tests.factories import small_map

MAP = small_map()
EVENTS = MAP.store("events")[1]
SERVICE_LIMIT_BYTES = 2 * 1024 * 1024


class Container:
    """Takes batches, and refuses one whose documents `refuses` says are too large."""

    def __init__(self, refuses=lambda _: False, *, by_operation=False):
        self.refuses = refuses
        self.by_operation = by_operation
        self.taken = []

    def container(self, *_):
        return self

    async def execute_item_batch(self, operations, **_):
        names = [operation[1][0] for operation in operations]
        if self.refuses(names):
            if self.by_operation:
                raise CosmosBatchOperationError(error_index=0, headers={}, status_code=413, message="x")
            raise CosmosHttpResponseError(status_code=413, message="x")
        self.taken.append(operations)


def changes(count, replacement=None):
    """Return changes of one partition; `replacement` None erases."""
    return [
        Change(
            document=StoredDocument(partition="u1", document_id=f"e{number}", etag='"1"', body={}),
            replacement=replacement and {"id": f"e{number}", **replacement},
        )
        for number in range(count)
    ]


async def test_batches_are_cut_before_the_service_refuses_them():
    """Sixty documents of 55 KB are over three megabytes."""
    container = Container()
    done = await CosmosDocuments(container, MAP).change(EVENTS, changes(60, {"what": "x" * 55_000}))
    assert done == (Changed.DONE,) * 60
    sizes = [len(json.dumps(batch)) for batch in container.taken]
    assert len(sizes) == 4
    assert max(sizes) < SERVICE_LIMIT_BYTES / 2


async def test_letters_count_as_many_bytes_as_they_travel_in():
    """The client library may send a letter as six bytes."""
    container = Container()
    await CosmosDocuments(container, MAP).change(EVENTS, changes(40, {"what": "ø" * 20_000}))
    assert max(len(json.dumps(batch)) for batch in container.taken) < SERVICE_LIMIT_BYTES


@pytest.mark.parametrize("by_operation", [False, True])
async def test_a_batch_refused_as_too_large_is_halved(by_operation):
    """The service's own count decides, whatever ours said."""
    container = Container(lambda names: len(names) > 3, by_operation=by_operation)
    done = await CosmosDocuments(container, MAP).change(EVENTS, changes(20))
    assert done == (Changed.DONE,) * 20
    assert sorted(operation[1][0] for batch in container.taken for operation in batch) == sorted(
        f"e{number}" for number in range(20)
    )


@pytest.mark.parametrize("by_operation", [False, True])
async def test_a_document_refused_alone_is_told_and_holds_up_no_other(by_operation):
    """No repetition makes it smaller."""
    container = Container(lambda names: "e2" in names, by_operation=by_operation)
    with pytest.raises(Permanent) as caught:
        await CosmosDocuments(container, MAP).change(EVENTS, changes(9))
    assert (caught.value.code, caught.value.detail) == ("service_refused", "documents.change 413")
    assert len([operation for batch in container.taken for operation in batch]) == 8
