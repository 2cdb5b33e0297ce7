"""What every governor must do: workers share a budget, whatever they do at the same time."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from devtools.cosmos_emulator import EMULATOR_KEY, CosmosEmulator
from shared.adapters.cosmos import CosmosDatabases, create_compliance_database
from shared.adapters.cosmos_governor import CosmosGovernor
from shared.adapters.cosmos_walks import CosmosWalks
from shared.adapters.credentials import Credentials
from shared.adapters.paid_requests import charging
from shared.adapters.storage import Storage
from shared.domain.budgets import SLICE_SECONDS, Amount, Tally
from shared.domain.errors import Conflict, Retryable
from shared.domain.limits import Limits
from shared.ports.governor import StoredTally
from shared.services.governing import Rest, governed, held
from tests.contract.conftest import local_settings
from tests.factories import World
from tests.fakes.governor import MemoryGovernor

pytestmark = pytest.mark.platform
EVENTS = "db.events"
UNITS, REQUESTS = 400, 100  # a second
WHOLE = UNITS * SLICE_SECONDS


def worker(governors, world: World):
    """Return the context of one more worker."""
    return replace(world.context, governor=governors())


@pytest.fixture
def world():
    """Whose clock all workers go by."""
    limits = Limits(retention_units_per_second=UNITS, retention_requests_per_second=REQUESTS)
    return World(limits=limits)


async def work(context, each: float = 90.0) -> Amount:
    """Ask and spend until refused, and return what was spent in the governor's sight."""
    spent = Amount()
    while await held(context) is None:
        context.governor.purses.spend(EVENTS, each)
        spent = spent.plus(Amount(request_units=each, requests=1))
        await asyncio.sleep(0)
    return spent


async def test_a_tally_is_as_it_was_saved(governors):
    """And an unknown one is empty; of two writers one gives way."""
    governor = governors()
    stored = await governor.read(EVENTS)
    assert stored == StoredTally(tally=Tally(container=EVENTS), etag=None)
    tally = Tally(container=EVENTS, slice=7, request_units=1.5, requests=2, level=0.5, level_slice=6)
    await governor.write(replace(stored, tally=tally))
    with pytest.raises(Conflict):
        await governors().write(replace(stored, tally=tally))
    again = await governor.read(EVENTS)
    assert again.tally == tally
    await governor.write(again)
    with pytest.raises(Conflict):
        await governor.write(again)


async def test_workers_at_once_never_spend_more_than_the_budget_of_each_slice(governors, world):
    """Five of them, for several slices; what one spends beyond its chunk is paid by the next slice."""
    workers = [worker(governors, world) for _ in range(5)]
    overall = 0.0
    for number in range(1, 5):
        spent = await asyncio.gather(*(work(context) for context in workers))
        overall += sum(one.request_units for one in spent)
        assert overall <= number * WHOLE + len(workers) * 90  # each is one request ahead of what it has drawn
        for context in workers:
            assert (await held(context)).why is Rest.BUDGET
        world.clock.advance(seconds=SLICE_SECONDS)
    assert overall >= 2 * WHOLE  # and it is used


async def test_what_is_drawn_of_a_slice_is_never_more_than_its_budget(governors, world):
    """Counted in the chunks that were given out, while workers ask at the same moment."""
    workers = [worker(governors, world) for _ in range(6)]

    async def drawn(context) -> list[Amount]:
        chunks = []
        while True:
            context.governor.purses.spend(EVENTS, 0.0)
            owed = context.governor.purses.by_container[EVENTS].left.owed
            if await held(context) is not None:
                return chunks
            chunks.append(context.governor.purses.by_container[EVENTS].left)
            context.governor.purses.by_container[EVENTS].left = Amount()
            assert owed.request_units == 0

    found = await asyncio.gather(*(drawn(context) for context in workers))
    chunks = [chunk for one in found for chunk in one]
    assert len(chunks) >= 2
    assert sum(chunk.request_units for chunk in chunks) <= WHOLE
    assert sum(chunk.requests for chunk in chunks) <= REQUESTS * SLICE_SECONDS


async def test_a_worker_that_dies_holding_a_chunk_takes_it_along(governors, world):
    """What it did not spend is lost until the next slice, and nobody spends it twice."""
    dead, alive = worker(governors, world), worker(governors, world)
    dead.governor.purses.spend(EVENTS, 0.0)
    assert await held(dead) is None
    chunk = dead.governor.purses.by_container[EVENTS].left.request_units
    assert chunk == WHOLE / 4
    spent = await work(alive)
    assert WHOLE - chunk <= spent.request_units < WHOLE - chunk + 2 * 90
    world.clock.advance(seconds=SLICE_SECONDS)
    assert await held(alive) is None


async def test_messages_of_one_worker_at_once_note_a_debt_once(governors, world):
    """And each goes on or comes again; none draws what another has drawn."""
    context = worker(governors, world)
    context.governor.purses.spend(EVENTS, 700.0)
    found = await asyncio.gather(*(held(context) for _ in range(8)))
    purse = context.governor.purses.by_container[EVENTS]
    stored = await context.governor.read(EVENTS)
    assert found.count(None) >= 1
    assert purse.left.request_units > 0
    assert stored.tally.request_units == 700 + purse.left.request_units
    assert stored.tally.request_units <= WHOLE
    assert stored.tally.requests == 1 + purse.left.requests


async def test_a_debt_that_could_not_be_noted_is_owed_still(governors, world):
    """Whether the store does not answer, or others keep writing."""
    context = worker(governors, world)
    context.governor.purses.spend(EVENTS, 700.0, is_throttled=True)
    write, calls = context.governor.write, []

    async def refusing(stored):
        calls.append(stored)
        raise Conflict("changed_meanwhile", "governor.write")

    context.governor.write = refusing
    assert (await held(context)).why is Rest.BUDGET
    assert len(calls) == 5
    purse = context.governor.purses.by_container[EVENTS]
    assert purse.left.owed.request_units == 700
    assert purse.is_throttled

    async def unreachable(stored):
        raise Retryable("service_busy", "governor.write 503")

    context.governor.write = unreachable
    world.clock.advance(seconds=SLICE_SECONDS)
    with pytest.raises(Retryable):
        await held(context)
    assert (purse.left.owed.request_units, purse.is_throttled) == (700, True)
    context.governor.write = write
    await held(context)
    assert (await governors().read(EVENTS)).tally.level == 0.5


async def test_a_throttled_worker_slows_all_of_them_down(governors, world):
    """In this slice nobody draws more, in the next half the budget is there, and then step by step all."""
    one, other = worker(governors, world), worker(governors, world)
    one.governor.purses.spend(EVENTS, 0.0)
    other.governor.purses.spend(EVENTS, 0.0)
    assert await held(one) is None
    one.governor.purses.spend(EVENTS, 5.0, is_throttled=True)
    assert (await held(one)).why is Rest.BUDGET
    assert (await held(other)).why is Rest.BUDGET
    world.clock.advance(seconds=SLICE_SECONDS)
    spent = await asyncio.gather(work(one), work(other))
    assert WHOLE * 0.5 <= sum(one.request_units for one in spent) <= WHOLE * 0.55 + 2 * 90
    world.clock.advance(seconds=20 * SLICE_SECONDS)
    spent = await work(one)
    assert WHOLE * 0.9 <= spent.request_units <= WHOLE + 90


async def test_what_is_owed_at_the_end_of_a_message_is_noted_for_whoever_comes_next(governors, world):
    """A worker that dies after it forgives nobody anything."""
    one, other = worker(governors, world), worker(governors, world)
    async with governed(one):
        one.governor.purses.spend(EVENTS, 3.0 * WHOLE)
    other.governor.purses.spend(EVENTS, 0.0)
    found = await held(other)
    assert found.why is Rest.BUDGET
    assert (found.until - world.clock.now()).total_seconds() == 3 * SLICE_SECONDS


@pytest.fixture
async def throttling():
    """A database that can be told to throttle, and the client of one worker."""
    async with CosmosEmulator() as emulator:
        await create_compliance_database(emulator.endpoint, EMULATOR_KEY, "compliance")
        settings = local_settings(cosmos_endpoint=emulator.endpoint, cosmos_key=EMULATOR_KEY)
        databases = CosmosDatabases(settings, Credentials(settings))
        yield emulator, databases
        await databases.close()


async def test_the_worker_pays_for_what_it_asks_of_each_container_and_for_nothing_else(throttling):
    """By the charge that the database names; the tallies themselves are nobody's work."""
    _, databases = throttling
    governor, walks = CosmosGovernor(databases), CosmosWalks(databases)
    with governor.governed():
        await walks.read("one")
        await walks.read("two")
        await governor.read(EVENTS)
    await walks.read("three")  # not governed: of somebody who asked
    assert list(governor.purses.by_container) == ["compliance.walks"]
    owed = governor.purses.by_container["compliance.walks"].left.owed
    assert owed.requests == 2
    assert owed.request_units > 0


async def test_a_throttled_answer_is_seen_though_the_client_tries_again_by_itself(throttling, world):
    """Of governed work only; then all workers have half the budget."""
    emulator, databases = throttling
    governor, walks = CosmosGovernor(databases), CosmosWalks(databases)
    context = replace(world.context, governor=governor)
    with governor.governed():
        await walks.read("one")
    assert await held(context) is None
    rule = {"operation": "read", "status": 429, "sub_status": 3200, "retry_after_ms": 1, "times": 2}
    emulator.faults.add(rule)
    await walks.read("one")  # what somebody asked for changes nothing
    assert await held(context) is None
    emulator.faults.add(rule)
    async with governed(context):
        await walks.read("one")
    assert (await held(context)).why is Rest.BUDGET
    stored = await governor.read("compliance.walks")
    assert stored.tally.level == 0.5


async def test_requests_to_blobs_are_paid_by_container_too(storage, container_name):
    """They have no request units; those of nobody's work are not counted."""
    governor = MemoryGovernor()
    container = storage.container(container_name)
    await container.create_container()
    with charging(governor.purses.spend):
        await container.upload_blob("a.ndjson", b"1")
        await (await container.get_blob_client("a.ndjson").download_blob()).readall()
    await container.upload_blob("b.ndjson", b"2")
    name = f"blobs.{container_name}"
    assert list(governor.purses.by_container) == [name]
    owed = governor.purses.by_container[name].left.owed
    assert (owed.request_units, owed.requests) == (0, 2)


@pytest.mark.parametrize(("status", "is_throttled"), [(200, False), (404, False), (500, False), (503, True)])
@pytest.mark.parametrize(
    ("connection", "path"),
    [("UseDevelopmentStorage=true", "/devstoreaccount1/usage-archive/A/e.ndjson"), ("", "/usage-archive/A")],
)
def test_a_busy_storage_account_is_seen(status, is_throttled, connection, path):
    """On the emulator and in Azure, whose paths differ."""
    places = {"storage_blob_uri": "https://a.blob.example/", "storage_queue_uri": "https://a.queue.example/"}
    settings = local_settings(storage_connection=connection, **({} if connection else places))
    governor = MemoryGovernor()
    response = SimpleNamespace(
        http_request=SimpleNamespace(url=f"https://a.blob.example{path}?comp=block"),
        http_response=SimpleNamespace(status_code=status),
    )
    with charging(governor.purses.spend):
        Storage(settings, Credentials(settings))._note_request(response)
    assert governor.purses.by_container["blobs.usage-archive"].is_throttled is is_throttled
