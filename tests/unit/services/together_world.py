"""Members whose data falls due on one day."""

from shared.domain.identifiers import EMAIL
from tests.factories import KEYS
from tests.unit.services.systems import (
    link,
    member,
    world_on,
)

NAMES = ("ane", "bo", "kim")


DUE = "2026-03-02"


def key_of(name: str) -> str:
    """Return the pseudonym of a member's address."""
    return KEYS.subject_key(EMAIL, f"{name}@people.example")


def due_members(*names: str, **changes):
    """Return a World on the day on which these memberships fall due."""
    world = world_on(DUE, **changes)
    for name in names:
        member(world, name, "2023-03-01")
        link(world, name)
    member(world, "eva", "2026-01-01")
    link(world, "eva")
    return world
