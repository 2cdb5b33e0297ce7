"""Queues that are written to are read, and the ones that poison are, too."""

import json
from pathlib import Path

from shared.domain.messages import QUEUES

INDEX = Path(__file__).with_name("function_index.json")


def _read() -> list[str]:
    index = json.loads(INDEX.read_text("utf-8"))
    return [one["queueName"] for one in index.values() if one["type"] == "queueTrigger"]


def test_every_queue_and_its_poison_queue_has_one_function():
    """And there is none for a queue nobody writes to."""
    assert sorted(_read()) == sorted([*QUEUES, *(f"{queue}-poison" for queue in QUEUES)])


def test_every_queue_function_reads_the_app_s_own_storage():
    """Poison queues lie beside their queues."""
    index = json.loads(INDEX.read_text("utf-8"))
    connections = {one["connection"] for one in index.values() if one["type"] == "queueTrigger"}
    assert connections == {"AzureWebJobsStorage"}


def test_queue_names_are_valid_for_storage():
    """Lower case, digits and single hyphens, 3 to 63 characters with the poison queue's ending."""
    for queue in QUEUES:
        assert 3 <= len(f"{queue}-poison") <= 63
        assert all(part.isalnum() and part.islower() for part in queue.split("-"))
