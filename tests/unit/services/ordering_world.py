"""People with two addresses, and what is left of them."""

from tests.factories import World
from tests.unit.services.driving import (
    traces,
)

SECOND = "ane.second@people.example"


def world_of_marks(**changes) -> tuple[World, dict[str, str]]:
    world = World(**changes)
    ane = world.add_person("ane")
    world.documents.put(
        "people", "/id", {"id": "person-2", "email": SECOND, "user_id": ane["user_id"], "name": "x"}
    )
    world.add_person("bo")
    return world, ane


def marks_left(world: World, marks: dict[str, str]) -> list[str]:
    return [one for one in traces(world, marks) if not one.startswith("invoices")]
