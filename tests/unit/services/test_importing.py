"""Old lists bring nobody back, and nobody in who did not consent."""

import dataclasses

import pytest

from shared.domain.consent_ledger import EventKind
from shared.domain.controls import Objection
from shared.domain.errors import Invalid
from shared.services import consent_ledger, consents, enforcing, leaving, marking
from shared.services.importing import ImportRow, take_in
from tests.factories import KEYS
from tests.fakes.newsletters import NEWS
from tests.unit.services.joining_world import AUTHORS, MEMBERS, METTE, events, is_on, made_world, signed_up
from tests.unit.services.newsletter_world import deliver

OLD = "2026-01-15T10:00:00+01:00"


def row(**changes) -> ImportRow:
    """Return a row that shows its consent."""
    return ImportRow(
        **{
            "email": METTE,
            "purpose_id": MEMBERS,
            "given_at": OLD,
            "policy_version": "1",
            "wording_version": "2025-3",
            "wording_sha256": "b" * 64,
            **changes,
        }
    )


async def test_a_row_with_its_consent_is_added_once():
    """However often it is sent, and twice in one list."""
    world = made_world()
    assert await take_in(world.context, [row()]) == {"added": 1}
    assert await take_in(world.context, [row(), row()]) == {"already": 2}
    assert await is_on(world)
    (event,) = await events(world)
    assert (event.kind, event.channel) == (EventKind.GIVEN, "import")
    assert len(world.documents.bodies("newsletter_signups")) == 1
    assert len(world.newsletter_changes.all()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"given_at": ""},
        {"given_at": "2026-01-15"},
        {"given_at": "2026-01-15T10:00:00"},
        {"given_at": "15/01/2026 10:00"},
        {"given_at": "2999-01-15T10:00:00Z"},
        {"given_at": "2001-01-15T10:00:00Z"},
        {"policy_version": ""},
        {"policy_version": "999"},
        {"wording_version": ""},
        {"wording_sha256": ""},
    ],
)
async def test_a_row_that_shows_no_consent_adds_nobody(change):
    """A day, a time without a zone or one that lies ahead shows none."""
    world = made_world()
    assert await take_in(world.context, [row(**change)]) == {"without_evidence": 1}
    assert not await is_on(world)
    assert await events(world) == []


@pytest.mark.parametrize(
    "change", [{"email": "none"}, {"email": "a b@people.example"}, {"purpose_id": "membership"}]
)
async def test_a_row_that_is_wrong_holds_up_no_other(change):
    """It is counted."""
    world = made_world()
    assert await take_in(world.context, [row(**change), row()]) == {"invalid": 1, "added": 1}


async def withdraw(world):
    """She leaves."""
    await leaving.leave(world.context, METTE, [MEMBERS], at=world.clock.now(), channel="form")


async def object_to(world):
    """She objects to marketing."""
    key = KEYS.subject_key("email", METTE)
    mark = Objection(objection_id="o", kind="marketing", placed_at=world.clock.now())
    await marking.change(
        world.context, [key], lambda one: one.model_copy(update={"objections": (*one.objections, mark)})
    )


async def erased(world):
    """She is erased; only what may be compared with stays."""
    key = KEYS.subject_key("email", METTE)
    await consent_ledger.suppress(world.context, [key], reason="erased", at=world.clock.now())


@pytest.mark.clause("4.7.1")
@pytest.mark.clause("4.8")
@pytest.mark.clause("5.2")
@pytest.mark.parametrize("end", [withdraw, object_to])
async def test_an_old_list_brings_nobody_back(end):
    """Who said no since stays out, also under another spelling; who signs up anew is in."""
    world = made_world()
    await take_in(world.context, [row()])
    await end(world)
    for email in (METTE, METTE.upper()):
        assert await take_in(world.context, [row(email=email)]) == {"refused_before": 1}
    assert not await is_on(world)
    world.clock.advance(seconds=60)
    await signed_up(world)
    assert await is_on(world)
    assert not (await world.controls.read((KEYS.subject_key("email", METTE),)))[0].controls.suppression


async def test_an_erased_address_is_compared_with_and_stays_out():
    """Nothing but a keyed pseudonym, a day and a reason is left of it."""
    world = made_world()
    await erased(world)
    assert await take_in(world.context, [row()]) == {"refused_before": 1}
    assert METTE not in str(world.documents.rows)
    (stored,) = await world.controls.read((KEYS.subject_key("email", METTE),))
    assert stored.controls.suppression.reason == "erased"
    await consent_ledger.unsuppress(world.context, METTE)
    assert await take_in(world.context, [row()]) == {"added": 1}


async def gate(world, operation="mail", purpose_id=AUTHORS):
    """Ask the gate."""
    found = await enforcing.decide_processing(world.context, {"email": (METTE,)}, purpose_id, operation)
    return found.code


def sale(world, **changes) -> consents.Sale:
    """Return a purchase that allows mail."""
    return consents.Sale(
        **{
            "email": METTE,
            "purpose_id": AUTHORS,
            "sold_at": world.clock.now(),
            "reference": "order-1",
            "refusal_offered": True,
            "similar": True,
            **changes,
        }
    )


@pytest.mark.clause("2.3.1")
async def test_a_purchase_opens_the_gate_for_mail_and_for_nothing_else():
    """Not for a profile, not for audiences, not for another purpose."""
    world = made_world()
    assert await gate(world) == "no_consent"
    for _ in range(2):
        assert await consents.record_exception(world.context, sale(world))
    assert await gate(world) in ("allowed", "basis_not_stated")
    assert await gate(world, "store") in ("allowed", "basis_not_stated")
    assert await gate(world, "profile") == "no_consent"
    assert await gate(world, "retarget") == "no_consent"
    assert await gate(world, purpose_id=MEMBERS) == "no_consent"
    (event,) = await events(world)
    assert (event.kind, event.evidence.sale_reference) == (EventKind.EXCEPTED, "order-1")
    assert event.evidence.refusal_offered is True


@pytest.mark.clause("4.7.1")
@pytest.mark.parametrize("end", [withdraw, object_to])
@pytest.mark.parametrize("sold_later", [False, True])
async def test_a_purchase_never_overtakes_a_no(end, sold_later):
    """However new the purchase; a consent does."""
    world = made_world()
    if not sold_later:
        await consents.record_exception(world.context, sale(world, purpose_id=MEMBERS))
        world.clock.advance(seconds=60)
    await end(world)
    world.clock.advance(seconds=60)
    assert not await consents.record_exception(world.context, sale(world, purpose_id=MEMBERS))
    assert await gate(world, purpose_id=MEMBERS) in ("no_consent", "marketing_objection")
    await signed_up(world)
    assert await gate(world, purpose_id=MEMBERS) in ("allowed", "basis_not_stated")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"refusal_offered": False}, "exception_unproven"),
        ({"similar": False}, "exception_unproven"),
        ({"reference": "  "}, "exception_unproven"),
        ({"purpose_id": "membership"}, "purpose_without_consent"),
        ({"purpose_id": "nothing"}, "purpose_unknown"),
        ({"email": "none"}, "email_invalid"),
    ],
)
async def test_a_purchase_that_proves_nothing_is_refused(change, code):
    """And the gate stays closed."""
    world = made_world()
    with pytest.raises(Invalid, match=code):
        await consents.record_exception(world.context, dataclasses.replace(sale(world), **change))
    assert await gate(world) == "no_consent"


@pytest.mark.parametrize("place", ["controls.write!", "documents.create!", "newsletter_changes.write!"])
async def test_an_import_that_died_half_way_is_finished_by_the_next_though_the_consent_is_known(place):
    """The row counts as known already, and its address is asked for all the same."""
    armed = True

    async def turn(name):
        nonlocal armed
        if armed and name == place:
            armed = False
            raise Dies

    world = made_world(turn=turn)
    with pytest.raises(Dies):
        await take_in(world.context, [row()])
    assert await take_in(world.context, [row()]) == {"already": 1}
    await deliver(world)
    assert world.newsletters.state(NEWS, METTE) == "Active"
    assert len(world.documents.bodies("newsletter_signups")) == 1


class Dies(Exception):
    """A worker is killed."""


async def test_rows_of_one_address_do_not_get_in_each_others_way():
    """However many there are, and however it is written."""
    world = made_world()
    rows = [row(email=METTE.upper() if number % 2 else METTE) for number in range(40)]
    assert await take_in(world.context, rows) == {"added": 1, "already": 39}
    assert len(world.documents.bodies("newsletter_signups")) == 1


async def test_an_old_list_brings_nobody_back_who_left_at_the_processor_unheard():
    """No webhook told of it yet: the row is no new consent, and leaving there is the later word."""
    world = made_world()
    assert await take_in(world.context, [row()]) == {"added": 1}
    await deliver(world)
    world.newsletters.put(NEWS, METTE, "Unsubscribed")
    await take_in(world.context, [row()])
    await deliver(world)
    assert world.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert world.newsletters.resubscribed == []
    assert not await is_on(world)


async def test_a_new_sign_up_brings_back_who_left_at_the_processor():
    """Its person said so just now."""
    world = made_world()
    world.newsletters.put(NEWS, METTE, "Unsubscribed")
    world.clock.advance(seconds=10 * 60)
    await signed_up(world)
    await deliver(world)
    assert world.newsletters.state(NEWS, METTE) == "Active"
    assert await is_on(world)
