"""After a restore: what had been erased since the copy was made goes again, and nothing that came later."""

import copy
import json
from datetime import datetime

import pytest

from shared.domain.errors import CannotTell
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services.holding import release
from shared.services.replaying import replay
from tests.unit.services.driving import deliver, fulfil, hold
from tests.unit.services.systems import (
    archived,
    cases,
    contacts,
    event,
    ids,
    installation,
    licence,
    lines,
    link,
    member,
    on,
    put,
    run_day,
    world_on,
)

pytestmark = pytest.mark.clause("4.4", "6.1")


class Copy:
    """A backup of the systems of record: everything in them at one moment."""

    def __init__(self, world):
        self.taken_at = world.clock.now()
        self._rows = copy.deepcopy(world.documents.rows)
        self._blobs = copy.deepcopy(world.blobs.current)

    def restore(self, world):
        """Put the systems of record back to that moment; our own database and the proofs stay."""
        own = {store.container for _, store in world.datamap.stores() if _is_own(store)}
        kept = {name: rows for name, rows in world.documents.rows.items() if name in own}
        world.documents.rows = {**copy.deepcopy(self._rows), **kept}
        world.blobs.current = copy.deepcopy(self._blobs)


def _is_own(store):
    return getattr(store, "database", "") == "compliance"


def add(world, name):
    """Store a person in several systems."""
    member(world, name, "2026-01-01")
    link(world, name)
    installation(world, name, "2026-01-01")
    event(world, name, "2026-01-01")
    archived(world, name, "2026-01-01")
    put(world, "newsletter_signups", signup(name))


def signup(name, number=1, consented="2025-01-01"):
    """Return a sign-up to the newsletter."""
    return {
        "id": f"s-{name}-{number}",
        "email": f"{name}@people.example",
        "state": "subscribed",
        "consented_at": on(consented),
    }


async def replay_all(world, backup):
    """Replay until it is done, and see every case through."""
    for _ in range(50):
        walk = await replay(world.context, restored_from=backup.taken_at)
        await deliver(world)
        if walk.is_done:
            return walk.filed
    raise AssertionError("the replay never ends")


def of(world, name):
    """Return the ids of every document that names a person, and of the lines."""
    found = [
        name_of
        for store_id in ("members", "usage_links", "installations", "usage_events", "newsletter_signups")
        for name_of in ids(world, store_id)
        if f"-{name}-" in f"{name_of}-"
    ]
    return found + [f"line of {one}" for one in lines(world) if one == f"user-{name}"]


@pytest.mark.case(24)
async def test_case_24_what_was_erased_after_the_copy_is_erased_again_after_its_restore():
    """Before the stores are opened; another person's data stays."""
    world = world_on("2026-03-01")
    add(world, "ane")
    add(world, "bo")
    backup = Copy(world)
    world.clock.advance(days=1)
    await fulfil(world, "ane@people.example", Right.ERASURE)
    assert of(world, "ane") == []
    world.clock.advance(days=1)
    backup.restore(world)
    assert of(world, "ane") != []
    others = of(world, "bo")
    mails = len(world.notifier.mails)

    assert await replay_all(world, backup) >= 1

    assert of(world, "ane") == []
    assert of(world, "bo") == others
    assert len(world.notifier.mails) == mails
    assert all(one.is_final for one in cases(world))
    assert "ane" not in json.dumps([one for name, one in world.evidence.records.items()])


async def test_an_erasure_of_before_the_copy_is_not_replayed():
    """The copy shows it already; who registered again since lives."""
    world = world_on("2026-03-01")
    add(world, "ane")
    await fulfil(world, "ane@people.example", Right.ERASURE)
    world.clock.advance(days=1)
    member(world, "ane", "2026-03-02", number=2, joined_at=on("2026-03-02"))
    backup = Copy(world)
    world.clock.advance(days=1)
    backup.restore(world)
    assert await replay_all(world, backup) == 0
    assert of(world, "ane") == ["member-ane-2"]


async def test_who_came_back_after_the_erasure_keeps_what_is_new():
    """Old records go, and stores that tell no age are left to an operator."""
    world = world_on("2026-03-01")
    add(world, "ane")
    licence(world, "7", "2027-01-01", "ane")
    backup = Copy(world)
    world.clock.advance(days=1)
    await fulfil(world, "ane@people.example", Right.ERASURE)
    world.clock.advance(days=2)
    backup.restore(world)
    member(world, "ane", "2026-03-04", number=2, joined_at=on("2026-03-04"))
    put(world, "newsletter_signups", signup("ane", 2, "2026-03-04"))

    await replay_all(world, backup)

    assert of(world, "ane") == ["member-ane-2", "s-ane-2"]
    assert contacts(world, "7") == ["ane"]
    left = [details for code, _, details in world.operators.alarms if code == "replay_stores_left"]
    assert left
    assert all("licences" in details and "author_files" in details for details in left)


async def test_a_second_replay_of_the_same_copy_files_nothing():
    """Also when the first was interrupted: the cases are on file."""
    world = world_on("2026-03-01")
    add(world, "ane")
    backup = Copy(world)
    world.clock.advance(days=1)
    await fulfil(world, "ane@people.example", Right.ERASURE)
    backup.restore(world)
    await replay(world.context, restored_from=backup.taken_at)
    before = len(cases(world))
    world.walks.rows.clear()
    await replay(world.context, restored_from=backup.taken_at)
    assert len(cases(world)) == before
    await deliver(world)
    assert of(world, "ane") == []


async def test_a_withdrawal_is_replayed_as_one_and_ends_no_membership():
    """It took the sign-up and nothing else; the processor was never restored."""
    world = world_on("2026-03-01", connected=("campaign_monitor",))
    add(world, "ane")
    backup = Copy(world)
    world.clock.advance(days=1)
    await fulfil(world, "ane@people.example", Right.WITHDRAWAL)
    told = list(world.processors.told)
    world.clock.advance(days=1)
    backup.restore(world)
    await replay_all(world, backup)
    assert ids(world, "newsletter_signups") == []
    assert ids(world, "members") == ["member-ane-1"]
    assert world.processors.told == told


async def test_what_a_retention_rule_took_falls_due_again():
    """Also for a single licence of a person with several."""
    world = world_on("2026-03-02")
    licence(world, "7", "2021-03-01", "ane")
    licence(world, "8", "2027-03-01", "ane")
    backup = Copy(world)
    assert await run_day(world) == 1
    backup.restore(world)
    assert contacts(world, "7") == ["ane"]
    await replay_all(world, backup)
    assert contacts(world, "7") == []
    assert contacts(world, "8") == ["ane"]


async def test_a_hold_placed_since_keeps_restored_data_too():
    """Asked at the moment of destruction, as always."""
    world = world_on("2026-03-01")
    add(world, "ane")
    backup = Copy(world)
    world.clock.advance(days=1)
    await fulfil(world, "ane@people.example", Right.ERASURE)
    hold(world, "ane@people.example")
    backup.restore(world)
    await replay_all(world, backup)
    assert of(world, "ane") != []
    assert cases(world)[-1].state is RequestState.COMPLETED_WITH_RETENTION


async def test_proofs_that_are_unreadable_stop_the_replay():
    """Nobody could tell what was erased."""
    world = world_on("2026-03-01")
    add(world, "ane")
    backup = Copy(world)
    await fulfil(world, "ane@people.example", Right.ERASURE)
    for proof in world.evidence.records.values():
        del proof["subject_keys"]
    with pytest.raises(CannotTell, match="proof_unreadable"):
        await replay(world.context, restored_from=backup.taken_at)


async def test_an_erasure_of_what_was_before_is_replayed_for_what_was_before():
    """Erased in March, again in May after a restore; who joined in April stays in June's restore too."""
    world = world_on("2026-01-10")
    add(world, "ane")
    backup = Copy(world)
    world.clock.moment = datetime.fromisoformat("2026-03-01T08:00:00+00:00")
    await fulfil(world, "ane@people.example", Right.ERASURE)
    backup.restore(world)
    member(world, "ane", "2026-04-01", number=2, joined_at=on("2026-04-01"))
    world.clock.moment = datetime.fromisoformat("2026-05-01T08:00:00+00:00")
    await replay_all(world, backup)
    assert ids(world, "members") == ["member-ane-2"]

    backup = Copy(world)
    backup.taken_at = datetime.fromisoformat("2026-04-15T08:00:00+00:00")
    world.clock.moment = datetime.fromisoformat("2026-06-01T08:00:00+00:00")
    backup.restore(world)
    await replay_all(world, backup)
    assert ids(world, "members") == ["member-ane-2"]


async def test_a_hold_that_deferred_an_erasure_changes_nothing_for_who_came_back():
    """The proof names the moment up to which the erasure counts, and the replay keeps to it."""
    world = world_on("2026-01-10")
    add(world, "ane")
    hold(world, "ane@people.example")
    await fulfil(world, "ane@people.example", Right.ERASURE)
    world.clock.moment = datetime.fromisoformat("2026-03-01T08:00:00+00:00")
    member(world, "ane", "2026-03-01", number=2, joined_at=on("2026-02-20"))
    backup = Copy(world)
    await release(world.context, "h-1", released_by="officer")
    await deliver(world)
    assert ids(world, "members") == ["member-ane-2"]
    backup.restore(world)
    world.clock.moment = datetime.fromisoformat("2026-03-02T08:00:00+00:00")
    await replay_all(world, backup)
    assert ids(world, "members") == ["member-ane-2"]
