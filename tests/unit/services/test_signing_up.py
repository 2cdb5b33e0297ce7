"""Newsletter sign-ups: nothing before the button, once however often, and nothing left of the others."""

import itertools

import pytest

from shared.domain.consent_ledger import EventKind
from shared.domain.errors import Invalid, NotAllowed, Permanent, Retryable
from shared.ports.notifier import NOT_ACCEPTED, OUTCOME_UNKNOWN
from shared.services import choosing, leaving, sign_up_mail, signing_up
from tests.unit.services.joining_world import (
    AUTHORS,
    MEMBERS,
    METTE,
    events,
    form,
    is_on,
    links,
    made_world,
    send_mails,
    signed_up,
)


class Dies(Exception):
    """A worker is killed."""


@pytest.mark.clause("2.4.2")
async def test_nothing_counts_before_the_button_is_pressed():
    """Neither the form nor the mail nor looking at the page."""
    world = made_world()
    await signing_up.ask(world.context, form())
    await send_mails(world)
    (link,) = links(world)
    assert await signing_up.pending(world.context, *link) == (MEMBERS,)
    assert not await is_on(world)
    assert await events(world) == []
    assert world.documents.bodies("newsletter_signups") == []


@pytest.mark.clause("2.3.1")
@pytest.mark.clause("2.4.1")
async def test_a_confirmed_sign_up_has_its_evidence_its_record_and_its_change_there():
    """And the address and name are forgotten where they waited."""
    world = made_world()
    asked_at = world.clock.now()
    await signing_up.ask(world.context, form(name="  Mette \t Eksempel ", purpose_ids=(MEMBERS, AUTHORS)))
    await send_mails(world)
    world.clock.advance(seconds=60)
    await signing_up.confirm(world.context, *links(world)[0])
    assert await is_on(world)
    assert await is_on(world, AUTHORS)
    told = {one.purpose_id: one for one in await events(world)}
    assert told.keys() == {MEMBERS, AUTHORS}
    for one in told.values():
        assert one.kind is EventKind.GIVEN
        assert one.evidence.box_before == "empty"
        assert (one.evidence.policy_version, one.evidence.wording_version) == ("1", "2026-1")
        assert one.evidence.wording_sha256 == "a" * 64
        assert (one.evidence.asked_at, one.evidence.confirmed_at) == (asked_at, world.clock.now())
    records = world.documents.bodies("newsletter_signups")
    assert {one["purpose"] for one in records} == {MEMBERS, AUTHORS}
    assert {(one["email"], one["name"], one["state"]) for one in records} == {
        (METTE, "Mette Eksempel", "subscribed")
    }
    assert len(world.newsletter_changes.all()) == 2
    (left,) = world.pending_sign_ups.all()
    assert (left.sign_up.email, left.sign_up.name, left.sign_up.is_done) == ("", "", True)


async def test_pressing_again_changes_nothing():
    """Nor after somebody left: the first press is the older word."""
    world = made_world()
    link = await signed_up(world)
    before = await events(world)
    await signing_up.confirm(world.context, *link)
    assert await events(world) == before
    world.clock.advance(seconds=1)
    await leaving.leave(world.context, METTE, [MEMBERS], at=world.clock.now(), channel="form")
    await signing_up.confirm(world.context, *link)
    assert not await is_on(world)


async def test_who_left_and_signs_up_anew_is_on_with_a_new_consent():
    """In one record, which an old mail's link still reaches."""
    world = made_world()
    await signed_up(world)
    world.clock.advance(seconds=60)
    await leaving.leave(world.context, METTE, [MEMBERS], at=world.clock.now(), channel="form")
    world.clock.advance(seconds=60)
    await signed_up(world)
    assert await is_on(world)
    (record,) = world.documents.bodies("newsletter_signups")
    assert record["state"] == "subscribed"
    assert [one.kind for one in await events(world)] == [
        EventKind.GIVEN,
        EventKind.WITHDRAWN,
        EventKind.GIVEN,
    ]


PLACES = [
    *("pending_sign_ups.write", "pending_sign_ups.write!", "consent_ledger.append", "consent_ledger.append!"),
    *("controls.write", "controls.write!", "documents.create", "documents.create!", "documents.get"),
    *("newsletter_changes.write", "newsletter_changes.write!", "queue.send", "queue.send!"),
]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("place", PLACES)
async def test_a_confirmation_that_dies_is_finished_by_the_sweep(place, nth):
    """Wherever it stops; and if nothing was saved, pressing again does it."""
    count = itertools.count(1)
    armed = []

    async def turn(name):
        if armed and name == place and next(count) == nth:
            raise Dies

    world = made_world(turn=turn)
    await signing_up.ask(world.context, form())
    await send_mails(world)
    (link,) = links(world)
    armed.append(True)
    died = False
    try:
        await signing_up.confirm(world.context, *link)
    except Dies:
        died = True
    armed.clear()
    assert died or nth > 1
    world.clock.advance(seconds=world.limits.wake_seconds + 1)
    await signing_up.sweep(world.context)
    if not await is_on(world):
        assert died
        await signing_up.confirm(world.context, *link)
    assert await is_on(world)
    assert len(await events(world)) == 1
    assert len(world.documents.bodies("newsletter_signups")) == 1
    assert len(world.newsletter_changes.all()) == 1
    assert all(one.sign_up.is_done and not one.sign_up.email for one in world.pending_sign_ups.all())


@pytest.mark.clause("4.8")
@pytest.mark.parametrize(
    "place", ["consent_ledger.append!", "controls.write!", "documents.create!", "documents.get"]
)
async def test_leaving_between_the_steps_of_a_confirmation_ends_it(place):
    """The gate is closed and no record says otherwise, wherever the two cross."""
    raced = []

    async def turn(name):
        if armed and name == place and not raced:
            raced.append(name)
            world.clock.advance(seconds=1)
            await leaving.leave(world.context, METTE, [MEMBERS], at=world.clock.now(), channel="form")

    armed = []
    world = made_world(turn=turn)
    await signing_up.ask(world.context, form())
    await send_mails(world)
    armed.append(True)
    await signing_up.confirm(world.context, *links(world)[0])
    assert raced
    assert not await is_on(world)
    assert all(one["state"] == "unsubscribed" for one in world.documents.bodies("newsletter_signups"))


@pytest.mark.parametrize(("days", "works"), [(6.99, True), (7, True), (7.01, False)])
async def test_a_link_works_for_seven_days(days, works):
    """And is too old after."""
    world = made_world()
    await signing_up.ask(world.context, form())
    await send_mails(world)
    world.clock.advance(seconds=days * 86_400)
    if works:
        await signing_up.confirm(world.context, *links(world)[0])
    else:
        with pytest.raises(NotAllowed, match="token_expired"):
            await signing_up.confirm(world.context, *links(world)[0])
    assert await is_on(world) is works


@pytest.mark.clause("5.2")
async def test_what_nobody_confirmed_leaves_nothing():
    """No address, no event, no control."""
    world = made_world()
    await signing_up.ask(world.context, form())
    await send_mails(world)
    world.clock.advance(days=8)
    await signing_up.sweep(world.context)
    assert world.pending_sign_ups.all() == []
    assert await events(world) == []
    assert world.documents.bodies("newsletter_signups") == []
    assert world.documents.bodies("controls") == []


async def test_a_known_address_gets_the_same_mail_as_an_unknown_one():
    """But for the link."""
    world = made_world()
    await signed_up(world)
    for email in (METTE, "nobody@people.example"):
        await signing_up.ask(world.context, form(email=email))
    await send_mails(world)
    _, known, unknown = world.notifier.mails.values()
    (_, one), (_, other) = links(world)[1:]
    assert known.subject == unknown.subject
    plain = [mail.text.replace(token, "") for mail, token in ((known, one), (unknown, other))]
    ids = [found for found, _ in links(world)[1:]]
    assert plain[0].replace(ids[0], "") == plain[1].replace(ids[1], "")


async def test_a_message_that_was_lost_is_sent_again_by_the_sweep():
    """And one that came twice sends one mail."""
    world = made_world()
    await signing_up.ask(world.context, form())
    world.clock.advance(seconds=world.limits.wake_seconds + 1)
    await signing_up.sweep(world.context)
    await send_mails(world)
    await send_mails(world)
    assert list(world.notifier.times_sent.values()) == [1]


@pytest.mark.parametrize("place", ["notifier.sending", "notifier.send!"])
async def test_nobody_knows_whether_it_went_out_and_it_goes_out_once(place):
    """Found among those sent: done. Not found after it had time to settle: sent."""
    world = made_world()
    world.notifier.faults = [(place, Retryable(OUTCOME_UNKNOWN))]
    await signing_up.ask(world.context, form())
    with pytest.raises(Retryable):
        await send_mails(world)
    await send_mails(world)
    world.clock.advance(seconds=world.limits.letter_settle_seconds + 1)
    await send_mails(world)
    await send_mails(world)
    assert list(world.notifier.times_sent.values()) == [1]


async def test_a_mail_that_is_not_taken_is_tried_again():
    """As long as the sign-up lasts."""
    world = made_world()
    world.notifier.faults = [("notifier.send", Retryable(NOT_ACCEPTED))] * 5
    await signing_up.ask(world.context, form())
    for _ in range(6):
        await send_mails(world)
    assert list(world.notifier.times_sent.values()) == [1]


async def test_an_address_no_mail_can_go_to_is_left_alone():
    """It is alarmed once, without the address."""
    world = made_world()
    world.notifier.faults = [("notifier.send", Permanent("address_unusable"))]
    await signing_up.ask(world.context, form())
    await send_mails(world)
    await send_mails(world)
    assert world.notifier.mails == {}
    assert METTE not in str(world.operators.alarms)


async def test_a_poisoned_mail_is_alarmed_and_the_sign_up_runs_out():
    """Nothing else can come of it."""
    world = made_world()
    await signing_up.ask(world.context, form())
    (stored,) = world.pending_sign_ups.all()
    await sign_up_mail.poisoned(world.context, stored.sign_up.sign_up_id)
    await send_mails(world)
    assert world.notifier.mails == {}
    world.clock.advance(days=8)
    await signing_up.sweep(world.context)
    assert world.pending_sign_ups.all() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "no address"}, "email_invalid"),
        ({"email": "mette@people.example\nbcc: all@people.example"}, "email_invalid"),
        ({"purpose_ids": ("membership",)}, "purpose_unknown"),
        ({"purpose_ids": ("nothing",)}, "purpose_unknown"),
        ({"policy_version": "999"}, "policy_version_unknown"),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_kept(change, code):
    """By its code."""
    world = made_world()
    with pytest.raises(Invalid, match=code):
        await signing_up.ask(world.context, form(**change))
    assert world.pending_sign_ups.all() == []


@pytest.mark.parametrize(
    "email",
    ["METTE@People.Example", "mette+news@people.example", "métte@people.example", "o'hara@people.example"],
)
async def test_an_odd_address_signs_up_and_leaves(email):
    """However it is written the second time."""
    world = made_world()
    await signed_up(world, email=email)
    assert await is_on(world, email=email)
    world.clock.advance(seconds=1)
    await choosing.unsubscribe_address(world.context, email.upper(), "192.0.2.1")
    assert not await is_on(world, email=email)
    assert [one["state"] for one in world.documents.bodies("newsletter_signups")] == ["unsubscribed"]


async def test_an_address_and_a_client_have_their_limits():
    """One below, at, and one above; leaving has buckets of its own."""
    world = made_world()
    most = world.limits.requests_per_address_hour
    for _ in range(most):
        await signing_up.ask(world.context, form())
    with pytest.raises(NotAllowed, match="too_many_requests"):
        await signing_up.ask(world.context, form(email="mette+again@people.example"))
    await choosing.unsubscribe_address(world.context, METTE, "192.0.2.1")
    left = world.limits.requests_per_client_hour - most - 1
    for number in range(left):
        await signing_up.ask(world.context, form(email=f"n{number}@people.example"))
    with pytest.raises(NotAllowed, match="too_many_requests"):
        await signing_up.ask(world.context, form(email="more@people.example"))


async def test_a_sign_up_that_cannot_be_finished_holds_up_no_other(monkeypatch):
    """The sweep tells an operator, and goes on."""
    world = made_world()
    for email in ("a@people.example", METTE):
        await signing_up.ask(world.context, form(email=email))
    await send_mails(world)
    real = signing_up.join

    async def dies(*_):
        raise Dies

    monkeypatch.setattr(signing_up, "join", dies)
    for link in links(world):
        with pytest.raises(Dies):
            await signing_up.confirm(world.context, *link)

    async def fails(context, joining):
        if joining.email != METTE:
            raise Permanent("document_unreadable")
        return await real(context, joining)

    monkeypatch.setattr(signing_up, "join", fails)
    world.clock.advance(seconds=2 * world.limits.wake_seconds)
    await signing_up.sweep(world.context)
    assert await is_on(world)
    assert ("document_unreadable", None, "newsletter_sign_up") in world.operators.alarms
