"""Blanks that systems leave around an address hide nothing of a person, and alone they are nobody's."""

import json
from datetime import timedelta

import pytest

from shared.domain.rights import Right
from shared.services.holding import PlaceHold, place
from tests.unit.services.driving import fulfil, opened
from tests.unit.services.systems import ids, link, member, world_on

LOG = ("cloud-access-log", "2024/01.ndjson")
BLANKS = ["", " ", "  "]


def two_profiles(world, name: str, second_address: str) -> None:
    """Let one user have two memberships."""
    for number, address in ((1, f"{name}@people.example"), (2, second_address)):
        member(world, name, "2026-01-01", number=number, email=address)
        link(world, name, number=number)


def logged(world, *addresses: str) -> None:
    """Let people be in one log."""
    lines = [
        {"at": "2024-01-01T10:00:00Z", "email": one, "ip": "192.0.2.1", "path": "/x", "status": 200}
        for one in addresses
    ]
    world.blobs.put(*LOG, b"".join(json.dumps(line).encode() + b"\n" for line in lines))


@pytest.mark.parametrize("blank", BLANKS)
async def test_lines_are_found_by_an_address_that_a_record_has_with_blanks(blank):
    """The one asks by another address, so that this one is known from the record alone."""
    world = world_on("2026-03-02")
    two_profiles(world, "ane", "ane.private@people.example")
    world.documents.bodies("members")[0]["email"] += blank
    logged(world, "ane@people.example", "bo@people.example")
    copy = opened(world, await fulfil(world, "ane.private@people.example", Right.ACCESS))
    assert any(name.startswith("data/cloud_access_log/") for name in copy)
    await fulfil(world, "ane.private@people.example", Right.ERASURE)
    assert [json.loads(line)["email"] for line in world.blobs.current[LOG][1].splitlines()] == [
        "bo@people.example"
    ]


@pytest.mark.parametrize("blank", BLANKS)
async def test_people_whose_records_have_blanks_for_an_address_are_not_one(blank):
    """What is held of the one keeps nothing of the other."""
    world = world_on("2026-03-02")
    for name in ("ane", "bo"):
        two_profiles(world, name, blank)
    hold = PlaceHold(
        identifiers={"email": ("ane@people.example",)},
        activity_id=None,
        ground="legal_claim",
        reason="a dispute about a fee",
        review_on=world.clock.now().date() + timedelta(days=30),
        placed_by="staff-1",
    )
    await place(world.context, hold)
    asked = [await fulfil(world, f"{name}@people.example", Right.ERASURE) for name in ("ane", "bo")]
    keys = [set(world.cases.request(one).subject_keys) for one in asked]
    assert keys[0].isdisjoint(keys[1])
    assert ids(world, "members") == ["member-ane-1", "member-ane-2"]
