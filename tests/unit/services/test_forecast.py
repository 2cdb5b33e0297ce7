"""Which cases will be late at the present pace."""

from shared.domain.rights import Right
from shared.services.overview import forecast_late
from tests.unit.services.cases_world import BUYER, file, populated
from tests.unit.services.driving import confirm


async def test_a_case_that_waits_for_its_person_takes_no_place_until_it_is_confirmed():
    """Nobody here can answer it; at no pace at all every other open case is late."""
    world = populated(connected=())
    request_id = await file(world, BUYER, Right.ERASURE, is_known=False)
    assert await forecast_late(world.context) == (0.0, ())
    await confirm(world, request_id)
    _, (late,) = await forecast_late(world.context)
    assert late.request_id == request_id
