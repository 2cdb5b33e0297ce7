"""The ledger and the gate say the same, in whatever order events come and wherever a worker dies."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import ConsentEvent, EventKind, Evidence, applied, present_state
from shared.domain.controls import EVERY_PURPOSE, Controls
from shared.services import consent_ledger as ledger
from tests.factories import KEYS, World

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = KEYS.subject_key("email", "mette@people.example")
PURPOSES = ("author_newsletter", "member_newsletter")


def event(kind: EventKind, minute: int, purpose_id: str = "member_newsletter", **changes) -> ConsentEvent:
    """Return an event of a minute after nine."""
    at = NOW + timedelta(minutes=minute)
    return ConsentEvent(
        **{
            "event_id": f"{kind}-{purpose_id or 'all'}-{minute}",
            "subject_key": KEY,
            "purpose_id": purpose_id,
            "kind": kind,
            "at": at,
            "noted_at": NOW + timedelta(hours=2),
            "channel": "form",
            "evidence": Evidence(policy_version="1"),
            **changes,
        }
    )


def in_force(controls: Controls, purpose_id: str) -> bool:
    return consent_in_force(controls, purpose_id, now=NOW + timedelta(hours=3)) is not None


@st.composite
def events(draw):
    """Up to six events of two purposes, at distinct minutes."""
    minutes = draw(st.lists(st.integers(0, 60), min_size=1, max_size=6, unique=True))
    kinds = [EventKind.GIVEN, EventKind.WITHDRAWN, EventKind.ASKED, EventKind.EXCEPTED, EventKind.UNREACHABLE]
    found = []
    for minute in minutes:
        kind = draw(st.sampled_from(kinds))
        purposes = (*PURPOSES, EVERY_PURPOSE) if kind is EventKind.WITHDRAWN else PURPOSES
        found.append(event(kind, minute, draw(st.sampled_from(purposes))))
    return found


@given(events(), st.integers(0, 6), st.randoms(use_true_random=False))
@settings(max_examples=500, deadline=None)
def test_the_gate_says_what_the_events_say_in_any_order(found, repeated, random):
    """Late, early and some of them twice: the controls come out as the slow way round has it."""
    shuffled = [*found, *found[:repeated]]
    random.shuffle(shuffled)
    controls = Controls(subject_key=KEY)
    for one in shuffled:
        controls = applied(controls, one)
    for purpose_id in PURPOSES:
        assert in_force(controls, purpose_id) == present_state(found, purpose_id).in_force


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_later_word_counts_whenever_it_came(order):
    """Given, withdrawn and given again stands, also when the withdrawal is the last to be told."""
    told = [event(EventKind.GIVEN, 1), event(EventKind.WITHDRAWN, 2), event(EventKind.GIVEN, 3)]
    controls = Controls(subject_key=KEY)
    for place in order:
        controls = applied(controls, told[place])
    assert in_force(controls, "member_newsletter")
    assert present_state(told, "member_newsletter").since == NOW + timedelta(minutes=3)


def test_leaving_one_newsletter_keeps_the_other():
    """An end of one purpose is none of another."""
    controls = Controls(subject_key=KEY)
    for one in (
        event(EventKind.GIVEN, 1, "author_newsletter"),
        event(EventKind.GIVEN, 1),
        event(EventKind.WITHDRAWN, 2),
    ):
        controls = applied(controls, one)
    assert in_force(controls, "author_newsletter")
    assert not in_force(controls, "member_newsletter")


def test_a_consent_from_before_the_end_of_its_purpose_comes_too_late():
    """It is told after the withdrawal and was given before it."""
    controls = applied(Controls(subject_key=KEY), event(EventKind.WITHDRAWN, 5))
    assert not in_force(applied(controls, event(EventKind.GIVEN, 4)), "member_newsletter")
    assert not in_force(applied(controls, event(EventKind.GIVEN, 5)), "member_newsletter")
    assert in_force(applied(controls, event(EventKind.GIVEN, 6)), "member_newsletter")


class Dies(Exception):
    """A worker is killed."""


@pytest.mark.parametrize("kind", [EventKind.GIVEN, EventKind.WITHDRAWN])
@pytest.mark.parametrize("place", ["consent_ledger.append", "controls.write", "controls.write!"])
async def test_whoever_dies_half_way_leaves_the_gate_closed_and_repeats_it(kind, place):
    """Wherever it stops, nothing may be sent that should not, and doing it again completes it."""
    killed = []

    async def turn(name):
        if name == place and armed and not killed:
            killed.append(name)
            raise Dies

    armed = False
    world = World(turn=turn)
    if kind is EventKind.WITHDRAWN:
        await ledger.note(world.context, event(EventKind.GIVEN, 1))
    armed = True
    with pytest.raises(Dies):
        await ledger.note(world.context, event(kind, 2))
    (stored,) = await world.controls.read((KEY,))
    written = {one.kind for one in await world.consent_ledger.of_person((KEY,))}
    if kind is EventKind.GIVEN:
        assert not in_force(stored.controls, "member_newsletter") or kind in written
    else:
        assert kind not in written or not in_force(stored.controls, "member_newsletter")
    controls = await ledger.note(world.context, event(kind, 2))
    assert in_force(controls, "member_newsletter") == (kind is EventKind.GIVEN)
    assert kind in {one.kind for one in await world.consent_ledger.of_person((KEY,))}


@given(
    events(),
    st.lists(st.integers(0, 70), max_size=4),
    st.sampled_from(
        ["", "controls.write", "controls.write!", "consent_ledger.append", "consent_ledger.append!"]
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=300, deadline=None)
async def test_the_gate_says_what_the_ledger_says_whatever_is_found_meanwhile(found, looks, place, random):
    """Somebody is found to have left at some minutes; events come in any order, and each may be half done."""
    fails = []

    async def turn(name):
        if name == place and random.random() < 0.3 and not fails:
            fails.append(name)
            raise Dies

    world = World(turn=turn)
    tasks = [*found, *looks]
    random.shuffle(tasks)
    for task in tasks:
        fails.clear()
        try:
            await _do(world, task)
        except Dies:
            await _do(world, task)
    (stored,) = await world.controls.read((KEY,))
    said = await world.consent_ledger.of_person((KEY,))
    for purpose_id in PURPOSES:
        assert in_force(stored.controls, purpose_id) == present_state(said, purpose_id).in_force


async def _do(world: World, task: ConsentEvent | int) -> None:
    if isinstance(task, ConsentEvent):
        await ledger.note(world.context, task)
    else:
        at = NOW + timedelta(minutes=task, seconds=30)
        await ledger.note_left(world.context, KEY, "member_newsletter", at=at, channel="processor")


async def test_what_is_found_again_is_no_second_end():
    """Nothing was given since; after a new consent it is one."""
    world = World()
    await ledger.note(world.context, event(EventKind.GIVEN, 1))
    for minute in (5, 3, 9):
        await _do(world, minute)
    said = await world.consent_ledger.of_person((KEY,))
    assert [one.at for one in said if one.ends] == [NOW + timedelta(minutes=5, seconds=30)]
    await ledger.note(world.context, event(EventKind.GIVEN, 10))
    await _do(world, 9)
    (stored,) = await world.controls.read((KEY,))
    assert in_force(stored.controls, "member_newsletter")
    await _do(world, 11)
    said = await world.consent_ledger.of_person((KEY,))
    assert [one.kind for one in sorted(said, key=lambda one: one.at)] == [*["given", "withdrawn"] * 2]


async def test_what_is_found_never_hides_what_a_person_said():
    """She left at our form after a look had found it; a consent from between, told late, is ended by her."""
    world = World()
    await ledger.note(world.context, event(EventKind.GIVEN, 1))
    await _do(world, 2)
    await ledger.note(world.context, event(EventKind.WITHDRAWN, 6))
    await ledger.note(world.context, event(EventKind.GIVEN, 4))
    (stored,) = await world.controls.read((KEY,))
    assert not in_force(stored.controls, "member_newsletter")
    said = await world.consent_ledger.of_person((KEY,))
    assert not present_state(said, "member_newsletter").in_force


async def test_an_address_on_the_list_stays_there_until_its_person_signs_up_anew():
    """It can be compared with and nothing else; the first entry keeps its day."""
    world = World()
    assert not await ledger.is_suppressed(world.context, "mette@people.example")
    await ledger.suppress(world.context, (KEY,), reason="erased", at=NOW)
    await ledger.suppress(world.context, (KEY,), reason="withdrawn", at=NOW + timedelta(days=1))
    assert await ledger.is_suppressed(world.context, " METTE@people.example ")
    (stored,) = await world.controls.read((KEY,))
    assert stored.controls.suppression.since == NOW
    await ledger.note(world.context, event(EventKind.GIVEN, 1))
    assert not await ledger.is_suppressed(world.context, "mette@people.example")


async def test_a_late_entry_does_not_suppress_somebody_who_signed_up_since():
    """The opt-in is the later word."""
    world = World()
    await ledger.note(world.context, event(EventKind.GIVEN, 1))
    await ledger.suppress(world.context, (KEY,), reason="withdrawn", at=NOW)
    assert not await ledger.is_suppressed(world.context, "mette@people.example")


async def test_evidence_goes_up_to_the_end_it_belongs_to():
    """What was given after it, and what is about another purpose, stays."""
    world = World()
    for one in (
        event(EventKind.GIVEN, 1),
        event(EventKind.GIVEN, 1, "author_newsletter"),
        event(EventKind.WITHDRAWN, 2),
        event(EventKind.GIVEN, 3),
    ):
        await ledger.note(world.context, one)
    end = NOW + timedelta(minutes=2)
    gone = await ledger.forget_evidence(world.context, KEY, up_to=end, purpose_id="member_newsletter")
    assert gone == 2
    assert not await ledger.forget_evidence(world.context, KEY, up_to=end, purpose_id="member_newsletter")
    left = {one.event_id for one in await world.consent_ledger.of_person((KEY,))}
    assert left == {"given-author_newsletter-1", "given-member_newsletter-3"}
    (stored,) = await world.controls.read((KEY,))
    assert {end.at for end in stored.controls.withdrawals} == {end}
