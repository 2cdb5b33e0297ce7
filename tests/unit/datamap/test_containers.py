"""Every container the code or the sample data uses is mapped, or excused with a reason."""

from devtools.sample_data import BLOB_CONTAINERS, CONTAINERS
from shared.adapters.cosmos import COMPLIANCE_CONTAINERS
from shared.adapters.storage import OWN_CONTAINERS
from shared.datamap.models import DataMap, DocumentStore
from shared.domain.messages import QUEUES


def used() -> set[tuple[str, str]]:
    return (
        {("cosmos", container.name) for container in CONTAINERS}
        | {("cosmos", name) for name in COMPLIANCE_CONTAINERS}
        | {("blob", name) for name in (*BLOB_CONTAINERS, *OWN_CONTAINERS)}
        | {("queue", name) for queue in QUEUES for name in (queue, f"{queue}-poison")}
    )


def mapped(datamap: DataMap) -> set[tuple[str, str]]:
    return {
        ("cosmos" if isinstance(store, DocumentStore) else "blob", store.container)
        for _, store in datamap.stores()
    }


def excused(datamap: DataMap) -> set[tuple[str, str]]:
    return {(one.kind, one.container) for one in datamap.policy.excused}


def test_every_container_in_use_is_mapped_or_excused(datamap: DataMap) -> None:
    assert used() - mapped(datamap) - excused(datamap) == set()


def test_nothing_is_mapped_or_excused_that_is_not_in_use(datamap: DataMap) -> None:
    assert (mapped(datamap) | excused(datamap)) - used() == set()


def test_partition_keys_of_the_map_are_those_of_the_containers(datamap: DataMap) -> None:
    keys = {("clicklearn", container.name): container.partition_key for container in CONTAINERS}
    keys |= {("compliance", name): key for name, (key, _) in COMPLIANCE_CONTAINERS.items()}

    for _, store in datamap.stores():
        if isinstance(store, DocumentStore):
            assert store.partition_key == keys[store.database, store.container], store.id
