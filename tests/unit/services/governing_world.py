"""People whose data is due while scheduled deletion may have to rest."""

from tests.unit.services.driving import step
from tests.unit.services.systems import (
    archived,
    event,
    installation,
)


def due(world, *names):
    """Store use that is due, with an archive."""
    for name in names:
        installation(world, name, "2024-05-10")
        event(world, name, "2024-05-10")
        archived(world, name, "2024-05-10")


async def deliver_now(world) -> None:
    """Deliver what is visible now; what is delayed stays."""
    for message in [one for one in world.queue.sent if one[2] == 0]:
        world.queue.sent.remove(message)
        world.queue.sent.insert(0, message)
        await step(world)
