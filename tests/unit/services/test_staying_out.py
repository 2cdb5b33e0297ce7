"""What an ended case leaves behind so that no old list brings its person back."""

import pytest

from shared.domain.controls import Consent, Controls
from shared.domain.rights import Right
from shared.services.importing import ImportRow, take_in
from tests.factories import KEYS
from tests.unit.services.cases_world import MEMBER, populated
from tests.unit.services.driving import fulfil
from tests.unit.services.joining_world import MEMBERS, is_on, signed_up

OLD = "2026-01-15T10:00:00+01:00"


def row(email: str) -> ImportRow:
    """Return a row of a list from before."""
    return ImportRow(
        email=email,
        purpose_id=MEMBERS,
        given_at=OLD,
        policy_version="1",
        wording_version="2025-3",
        wording_sha256="b" * 64,
    )


async def controls(world, email: str) -> Controls:
    """Return what stands under an address."""
    (stored,) = await world.controls.read((KEYS.subject_key("email", email),))
    return stored.controls


@pytest.mark.clause("4.4")
@pytest.mark.clause("4.7.1")
@pytest.mark.clause("4.8")
@pytest.mark.parametrize(
    ("right", "reason"),
    [
        (Right.ERASURE, "erased"),
        (Right.WITHDRAWAL, "withdrawn"),
        (Right.MARKETING_OBJECTION, "objected"),
    ],
)
async def test_an_old_list_does_not_undo_what_a_person_had_done(right, reason):
    """The end stays under a keyed pseudonym; a new sign-up is the later word."""
    world = populated()
    await take_in(world.context, [row(MEMBER.email)])
    assert await is_on(world, email=MEMBER.email)
    world.clock.advance(seconds=60)
    await fulfil(world, MEMBER.email, right)
    left = await controls(world, MEMBER.email)
    assert not await is_on(world, email=MEMBER.email)
    assert await take_in(world.context, [row(MEMBER.email)]) == {"refused_before": 1}
    assert not await is_on(world, email=MEMBER.email)
    if reason != "objected":  # an objection ends no consent by itself: it stands beside one
        assert left.suppression.reason == reason
    world.clock.advance(seconds=60)
    await signed_up(world, email=MEMBER.email)
    assert await is_on(world, email=MEMBER.email)
    assert (await controls(world, MEMBER.email)).suppression is None


async def test_who_was_never_here_is_put_on_no_list_by_asking_for_erasure():
    """There was nothing to keep away."""
    world = populated()
    await fulfil(world, "nobody@people.example", Right.ERASURE)
    assert (await controls(world, "nobody@people.example")).suppression is None


async def test_a_consent_given_after_an_erasure_was_asked_for_stays():
    """It is the later word."""
    world = populated()
    key = KEYS.subject_key("email", MEMBER.email)
    later = Consent(consent_id="c", purpose_id=MEMBERS, given_at=world.clock.now(), policy_version="1")
    world.clock.advance(seconds=-60)
    world.controls.put(Controls(subject_key=key, consents=(later,)))
    await fulfil(world, MEMBER.email, Right.ERASURE)
    world.clock.advance(seconds=120)
    assert await is_on(world, email=MEMBER.email)
