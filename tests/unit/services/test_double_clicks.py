"""A button pressed twice at once, or against a worker that writes at the same moment."""

import pytest

from shared.domain.errors import Conflict
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import downloads, intake
from shared.services.links import CANCEL, PACKAGE, VERIFY
from tests.factories import World
from tests.unit.services.driving import ask, deliver, fulfil, step, submit, token

ANE = "ane@people.example"


class _Meanwhile:
    """Does something else just before the next save of a case, as often as asked."""

    def __init__(self):
        self.deeds: list = []

    async def __call__(self, name: str) -> None:
        if name == "cases.commit" and self.deeds:
            await self.deeds.pop(0)()


def _world(**changes) -> tuple[World, _Meanwhile]:
    meanwhile = _Meanwhile()
    world = World(turn=meanwhile, **changes)
    world.add_person("ane")
    return world, meanwhile


async def test_a_confirmation_pressed_twice_at_once_works_once():
    """Neither press sees an error."""
    world, meanwhile = _world()
    request_id = await submit(world, ANE, Right.ACCESS)
    await deliver(world)
    key = token(world, request_id, VERIFY)
    other = []

    async def twin():
        other.append(await intake.verify(world.context, request_id, key))

    meanwhile.deeds.append(twin)
    assert await intake.verify(world.context, request_id, key) is RequestState.VERIFIED
    assert other == [RequestState.VERIFIED]
    assert world.cases.what_happened(request_id).count("verified") == 1


async def test_a_cancellation_against_a_worker_that_saves_is_tried_again():
    """The worker's page is done, the request is cancelled."""
    world, meanwhile = _world(limits=Limits(page_documents=1, page_keys=1, message_documents=1))
    request_id = await ask(world, ANE, Right.ACCESS)
    await deliver(world, only="request-plan")

    async def worker():
        await step(world)

    meanwhile.deeds.append(worker)
    key = token(world, request_id, CANCEL)
    assert await intake.cancel(world.context, request_id, key) is RequestState.CANCELLED
    await deliver(world)
    assert world.packages.contents == world.packages.staged == {}


async def test_a_copy_fetched_twice_at_once_is_fetched_twice():
    """A double click is no error."""
    world, meanwhile = _world()
    request_id = await fulfil(world, ANE, Right.ACCESS)
    key = token(world, request_id, PACKAGE)
    urls = []

    async def twin():
        urls.append(await downloads.download_url(world.context, request_id, key))

    meanwhile.deeds.append(twin)
    urls.append(await downloads.download_url(world.context, request_id, key))
    assert len(urls) == 2
    assert world.cases.what_happened(request_id).count("copy_fetched") == 1


async def test_who_loses_every_time_is_told():
    """After a few attempts, and nothing is half done."""
    world, _ = _world()
    request_id = await submit(world, ANE, Right.ACCESS)
    await deliver(world)
    calls = []

    async def lost(request_id, writes, deletes=()):
        calls.append(request_id)
        raise Conflict("changed_meanwhile", "cases.commit")

    world.cases.commit = lost
    with pytest.raises(Conflict):
        await intake.verify(world.context, request_id, token(world, request_id, VERIFY))
    assert len(calls) == 4
    assert world.cases.request(request_id).state is RequestState.RECEIVED
