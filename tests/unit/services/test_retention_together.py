"""Several people in one case of scheduled deletion: what they share, and what one must not do to another."""

import pytest

from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from tests.unit.services.systems import (
    archived,
    cases,
    event,
    ids,
    installation,
    lines,
    run_day,
    world_on,
)
from tests.unit.services.together_world import NAMES, due_members, key_of

pytestmark = pytest.mark.clause("5.1", "5.3", "5.4")


async def test_people_of_whom_the_same_goes_are_one_case_and_one_proof():
    """Which names the pseudonyms of all, and nothing of anybody stays in the case."""
    world = due_members(*NAMES)
    assert await run_day(world) == 3
    (case,) = cases(world)
    assert (case.state, case.subject_count) == (RequestState.COMPLETED, 3)
    assert case.outcomes[Right.ERASURE].by_store == {"members": 3, "usage_links": 3}
    assert set(map(key_of, NAMES)) < set(case.subject_keys)
    assert (case.identifiers, case.subjects, case.scope.records) == ({}, (), ())
    (proof,) = world.evidence.records.values()
    assert set(map(key_of, NAMES)) < set(proof["subject_keys"])
    assert ids(world, "members") == ["member-eva-1"]
    assert ids(world, "usage_links") == ["link-eva-1"]
    run = await world.retention_runs.latest()
    assert (run.run.filed, run.run.erased, run.run.by_rule) == (
        3,
        {"members": 3, "usage_links": 3},
        {"R4a": 3},
    )


@pytest.mark.parametrize(("people", "sizes"), [(1, [1]), (4, [4]), (5, [2, 3]), (8, [4, 4]), (9, [1, 4, 4])])
async def test_a_case_takes_so_many_people_and_no_more(people, sizes):
    """The limit is four here."""
    world = due_members(*(f"p{number}" for number in range(people)), limits=Limits(case_people=4))
    await run_day(world)
    assert sorted(one.subject_count for one in cases(world)) == sorted(sizes)
    assert ids(world, "members") == ["member-eva-1"]


async def test_a_blob_that_people_share_is_rewritten_once_for_all_of_them():
    """Those of one installation come together, whatever order they are found in."""
    world = world_on("2027-03-02", limits=Limits(case_people=2))
    for name, where in (("ane", "A"), ("bo", "B"), ("kim", "A"), ("lis", "B"), ("eva", "A"), ("ida", "B")):
        used = "2026-12-24" if name in ("eva", "ida") else "2026-03-01"
        installation(world, name, used, where=where)
        event(world, name, used, where=where)
        archived(world, name, used, where=where)
    written = []

    async def turn(place):
        written.append(place)

    world.blobs.turn = turn
    await run_day(world)
    assert (lines(world, "A"), lines(world, "B")) == (["user-eva"], ["user-ida"])
    assert written.count("blobs.commit") == 2
    assert sorted(one.subject_count for one in cases(world)) == [2, 2]


@pytest.mark.parametrize(("people", "sizes"), [(6, [6]), (20, [20]), (21, [1, 20])])
async def test_people_of_one_installation_are_not_parted_without_need(people, sizes):
    """Though two cases at once would be faster: their file is rewritten once for each case."""
    world = world_on("2027-03-02")
    for number in range(people):
        installation(world, f"p{number:02d}", "2026-03-01")
        archived(world, f"p{number:02d}", "2026-03-01")
    await run_day(world)
    assert lines(world) == []
    assert sorted(one.subject_count for one in cases(world)) == sizes
