"""Answers to other systems, over the controls of a World and the shipped map."""

import logging
from datetime import timedelta

import pytest

from shared.datamap.loader import load
from shared.datamap.processing import Operation
from shared.domain.controls import Consent, Controls, Hold, Objection, Restriction
from shared.domain.errors import CannotTell, Invalid, Retryable
from shared.services import consents, enforcing, switching
from shared.services.enforcing import decide_processing
from tests.factories import KEYS, World

ANE = "ane@people.example"
BO = "bo@people.example"
NEWS = "member_newsletter"


@pytest.fixture
def world() -> World:
    """Nobody's controls, and the policy as it ships."""
    return World(datamap=load())


def put(world, kind, value, **changes) -> None:
    """Save controls under a pseudonym."""
    world.controls.put(Controls(subject_key=KEYS.subject_key(kind, value), **changes))


def restriction(world) -> Restriction:
    return Restriction(restriction_id="r", ground="accuracy", placed_at=world.clock.now())


def agreed(world, purpose_id=NEWS) -> Consent:
    return Consent(consent_id="c", purpose_id=purpose_id, given_at=world.clock.now(), policy_version="1")


async def code(world, identifiers, purpose_id=NEWS, operation="mail") -> str:
    return (await decide_processing(world.context, identifiers, purpose_id, operation)).code


@pytest.mark.clause("4.5")
@pytest.mark.parametrize("value", [ANE, ANE.upper(), f"  {ANE} "])
async def test_a_person_is_found_however_the_address_is_written(world, value):
    """As the stores compare addresses."""
    put(world, "email", ANE, restrictions=(restriction(world),))
    assert await code(world, {"email": (value,)}, "delivery", "ship") == "restricted"


async def test_somebody_without_controls_is_judged_by_the_same_rules(world):
    """No consent for mail, nothing against a parcel."""
    assert await code(world, {"email": (ANE,)}) == "no_consent"
    assert await code(world, {"email": (ANE,)}, "delivery", "ship") == "allowed"


async def test_a_mark_under_any_identifier_denies(world):
    """The address alone would be allowed."""
    put(world, "email", ANE, consents=(agreed(world),))
    assert await code(world, {"email": (ANE,)}) == "allowed"
    assert await code(world, {"email": (ANE,), "user_id": ("u-1",)}) == "allowed"
    put(world, "user_id", "u-1", restrictions=(restriction(world),))
    assert await code(world, {"email": (ANE,), "user_id": ("u-1",)}) == "restricted"
    put(world, "user_id", "u-1", withdrawn_at=world.clock.now())
    assert await code(world, {"email": (ANE,), "user_id": ("u-1",)}) == "no_consent"


@pytest.mark.clause("4.8")
async def test_a_consent_for_one_address_is_none_for_another(world):
    """Each address that may be written to needs its own."""
    put(world, "email", ANE, consents=(agreed(world),))
    assert await code(world, {"email": (ANE, BO)}) == "no_consent"
    put(world, "email", BO, consents=(agreed(world),))
    assert await code(world, {"email": (ANE, BO)}) == "allowed"


async def test_one_read_answers_all(world):
    """Of each pseudonym once, for a whole batch."""
    reads = []

    async def turn(where):
        reads.append(where)

    world.controls.turn = turn
    context = world.context
    asked = [
        enforcing.question(context, {"email": (value,), "user_id": ("u-1",)}, "delivery", operation)
        for value in (ANE, BO)
        for operation in Operation
    ]
    put(world, "email", BO, restrictions=(restriction(world),))
    found = await enforcing.decide_all(context, asked)
    assert reads == ["controls.read"]
    expected = [
        *("recipient_unnamed" if one is Operation.RETARGET else "allowed" for one in Operation),
        *("allowed" if one is Operation.STORE else "restricted" for one in Operation),
    ]
    assert [one.code for one in found] == expected


@pytest.mark.clause("5.3")
async def test_the_kill_switch_stops_scheduled_deletion_and_nothing_else(world):
    """Until it is released."""
    await switching.throw(world.context, reason="too much at once", decided_by="staff-1")
    assert await code(world, {"email": (ANE,)}, "delivery", "erase") == "held"
    assert await code(world, {"email": (ANE,)}, "delivery", "ship") == "allowed"
    world.controls.rows.clear()
    assert await code(world, {"email": (ANE,)}, "delivery", "erase") == "allowed"


@pytest.mark.parametrize("error", [Retryable("controls_down"), CannotTell("document_unreadable")])
async def test_what_cannot_be_read_is_never_a_yes(world, error):
    """The asker does nothing and asks again."""

    async def turn(where):
        raise error

    world.controls.turn = turn
    with pytest.raises(type(error)):
        await decide_processing(world.context, {"email": (ANE,)}, "delivery", "ship")


@pytest.mark.parametrize(
    ("identifiers", "purpose_id", "operation", "expected"),
    [
        ({}, NEWS, "mail", "identifier_missing"),
        ({"email": ()}, NEWS, "mail", "identifier_missing"),
        ({"email": ("nobody",)}, NEWS, "mail", "email_invalid"),
        ({"shoe_size": ("43",)}, NEWS, "mail", "identifier_unknown"),
        ({"subject_key": ("k1-a",)}, NEWS, "mail", "identifier_unknown"),
        ({"installation_id": ("i-1",)}, NEWS, "mail", "identifier_shared"),
        ({"user_id": ("",)}, NEWS, "mail", "identifier_invalid"),
        ({"user_id": ("u" * 255,)}, NEWS, "mail", "identifier_invalid"),
        ({"user_id": ("\ud800",)}, NEWS, "mail", "identifier_invalid"),
        ({"email": (ANE,)}, "anything", "mail", "purpose_unknown"),
        ({"email": (ANE,)}, NEWS, "sell", "operation_unknown"),
    ],
)
async def test_a_question_that_means_nothing_is_refused(world, identifiers, purpose_id, operation, expected):
    """Before anything is read."""

    async def turn(where):
        pytest.fail("it was read")

    world.controls.turn = turn
    with pytest.raises(Invalid) as caught:
        await decide_processing(world.context, identifiers, purpose_id, operation)
    assert caught.value.code == expected
    assert caught.value.field in ("identifier", "email", "purpose", "operation")


async def test_the_longest_value_is_taken(world):
    """Of 254 characters."""
    assert await code(world, {"user_id": ("u" * 254,)}, "delivery", "ship") == "allowed"


async def test_asking_leaves_no_trace(world, caplog):
    """Nothing is stored, nothing logged, and a question forgets what it was asked with."""
    caplog.set_level(logging.DEBUG)
    await code(world, {"email": (ANE,)})
    assert not world.controls.rows
    assert caplog.records == []
    assert ANE not in repr(enforcing.question(world.context, {"email": (ANE,)}, NEWS, "mail"))


async def record(world, *, email=ANE, purpose_id=NEWS, version="1", given_at=None) -> bool:
    given_at = world.clock.now() if given_at is None else given_at
    return await consents.record_consent(world.context, email, purpose_id, version, given_at)


@pytest.mark.clause("2.4.2")
async def test_an_opt_in_opens_the_gate_for_its_purpose_and_address(world):
    """A second call changes nothing."""
    assert await record(world) is True
    rows = dict(world.controls.rows)
    assert await record(world, email=ANE.upper()) is True
    assert world.controls.rows == rows
    assert await code(world, {"email": (ANE,)}) == "allowed"
    assert await code(world, {"email": (ANE,)}, "author_newsletter") == "no_consent"
    assert await code(world, {"email": (BO,)}) == "no_consent"
    assert ANE not in str(world.controls.rows)


@pytest.mark.clause("4.7.1")
async def test_an_opt_in_after_an_objection_counts_and_one_before_it_does_not(world):
    """The objection goes on for all other marketing."""
    now = world.clock.now()
    objection = Objection(objection_id="o", kind="marketing", placed_at=now)
    put(world, "email", ANE, objections=(objection,))
    assert await record(world) is False
    assert await record(world, given_at=now - timedelta(days=1)) is False
    assert await code(world, {"email": (ANE,)}) == "marketing_objection"
    world.clock.advance(seconds=1)
    assert await record(world) is True
    assert await code(world, {"email": (ANE,)}) == "allowed"
    assert await code(world, {"email": (ANE,)}, "author_newsletter") == "marketing_objection"
    assert await code(world, {"email": (ANE,)}, "targeted_marketing", "profile") == "marketing_objection"


async def test_an_opt_in_opens_no_restriction_and_no_hold(world):
    """It is noted all the same."""
    hold = Hold(
        hold_id="h",
        activity_id=None,
        ground="legal_claim",
        reason="a dispute",
        placed_at=world.clock.now(),
        review_on=world.clock.now().date(),
    )
    put(world, "email", ANE, holds=(hold,))
    assert await record(world) is True
    assert await code(world, {"email": (ANE,)}) == "held"


@pytest.mark.parametrize(("seconds", "is_taken"), [(0, True), (300, True), (301, False)])
async def test_a_clock_ahead_of_ours_is_taken_as_now(world, seconds, is_taken):
    """So that a withdrawal that follows is the later word; far ahead is wrong."""
    given_at = world.clock.now() + timedelta(seconds=seconds)
    if not is_taken:
        with pytest.raises(Invalid, match="given_at_invalid"):
            await record(world, given_at=given_at)
        return
    assert await record(world, given_at=given_at) is True
    stored = world.controls.stored(KEYS.subject_key("email", ANE)).controls
    assert [one.given_at for one in stored.consents] == [world.clock.now()]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"email": "nobody"}, "email_invalid"),
        ({"purpose_id": "anything"}, "purpose_unknown"),
        ({"purpose_id": "membership"}, "purpose_without_consent"),
        ({"version": "0"}, "policy_version_unknown"),
    ],
)
async def test_an_opt_in_that_means_nothing_is_refused(world, changes, expected):
    """Nothing is noted."""
    with pytest.raises(Invalid) as caught:
        await record(world, **changes)
    assert caught.value.code == expected
    assert not world.controls.rows


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("2018-05-28T00:00:00+02:00", True),
        ("2018-05-27T23:59:59+02:00", False),
        ("0001-01-01T00:00:00+14:00", False),
        ("9999-12-31T23:59:59-14:00", False),
        ("2026-01-01T00:00:00", False),
    ],
)
async def test_an_opt_in_has_a_time_since_its_text_was_published(world, text, is_taken):
    """With a zone."""
    given_at = world.clock.now().fromisoformat(text)
    if is_taken:
        assert await record(world, given_at=given_at) is True
        return
    with pytest.raises(Invalid, match="given_at_invalid"):
        await record(world, given_at=given_at)
