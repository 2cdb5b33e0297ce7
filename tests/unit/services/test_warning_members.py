"""Members are told before a membership ends by time: once a clock, and nobody whose data stays anyway."""

import asyncio
from dataclasses import replace

import pytest

from shared.domain.errors import Permanent, Retryable
from shared.domain.limits import Limits
from shared.ports.notifier import NOT_ACCEPTED, OUTCOME_UNKNOWN
from shared.services.warning_members import warn_members
from tests.factories import contacts
from tests.unit.services.deciding_periods import versioned
from tests.unit.services.driving import hold, restrict
from tests.unit.services.systems import EMAIL_OF, member, next_day, on, world_on

pytestmark = pytest.mark.clause("5.4")
ANE = EMAIL_OF.format("ane")


def told_30_days_before(day: str = "2026-03-02", **changes):
    """Return a World in which members are told 30 days before."""
    return world_on(day, limits=Limits(membership_warning_days=30), **changes)


def mails(world):
    """Return the letters that went out."""
    return list(world.notifier.mails.values())


@pytest.mark.parametrize(
    ("login", "number"),
    [
        ("2023-03-01", 0),  # goes today
        ("2023-03-02", 1),  # goes tomorrow
        ("2023-03-31", 1),  # goes in thirty days
        ("2023-04-01", 0),  # goes in thirty-one
    ],
)
async def test_a_member_is_told_within_the_days_before(login, number):
    """One below, at and above both ends."""
    world = told_30_days_before()
    member(world, "ane", login)
    assert await warn_members(world.context) == number
    assert len(mails(world)) == number


@pytest.mark.parametrize(
    ("login", "number"),
    [
        ("2021-03-01", 0),  # gone by the five years before the shorter period holds
        ("2021-04-15", 1),  # five years are over in April, and three long since: it goes on 20 March
        ("2023-03-19", 1),
        ("2023-03-31", 1),  # three years are over in thirty days
        ("2023-04-01", 0),
    ],
)
async def test_a_member_is_told_before_a_shorter_period_begins(login, number):
    """Five years so far, three from 20 March on."""
    world = told_30_days_before()
    shorter = versioned(world.datamap, "R4a", "P5Y", "P3Y", "2026-03-20")
    world.context = replace(world.context, datamap=shorter)
    member(world, "ane", login)
    assert await warn_members(world.context) == number
    await next_day(world, "2026-03-19")
    assert bool(world.documents.bodies("members")) is (login != "2021-03-01")
    await next_day(world, "2026-03-20")
    assert bool(world.documents.bodies("members")) is (login >= "2023-03-20")


async def test_nobody_is_told_while_no_number_of_days_is_decided():
    """The controller decides whether there is such a letter."""
    world = world_on("2026-03-02")
    member(world, "ane", "2023-03-10")
    assert await warn_members(world.context) == 0


async def test_the_letter_names_the_day_and_what_keeps_the_membership():
    """In Danish and in English, without anything of the member and without marketing."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-10")
    await warn_members(world.context)
    mail = mails(world)[0]
    assert mail.to == ANE
    for form in (mail.text, mail.html):
        assert "11. marts 2026" in form
        assert "11 March 2026" in form
        assert "log in to your member profile" in " ".join(form.split())
        assert "ane" not in form.replace("plane", "").lower().split()
        assert "newsletter" not in form


async def test_it_is_sent_once_a_clock():
    """Also when the timer comes every hour; a login starts a new clock, which ends three years later."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-10")
    await asyncio.gather(*(warn_members(world.context) for _ in range(3)))
    await warn_members(world.context)
    assert len(mails(world)) == 1
    member(world, "ane", "2026-03-02")
    await warn_members(world.context)
    assert len(mails(world)) == 1
    await next_day(world, "2029-02-20")
    assert await warn_members(world.context) == 1


async def test_a_suspended_member_is_told_once_and_how_to_come_back():
    """Though a login before the suspension has a clock of its own."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-05", suspended_at=on("2023-03-10"), state="suspended")
    assert await warn_members(world.context) == 1
    member(world, "ane", "2026-03-02", suspended_at=on("2023-03-10"), state="suspended")
    assert await warn_members(world.context) == 0
    assert len(mails(world)) == 1

    other = told_30_days_before()
    member(other, "bo", "2025-01-01", suspended_at=on("2023-03-10"), state="suspended")
    assert await warn_members(other.context) == 1
    assert "A login alone is not enough" in " ".join(mails(other)[0].text.split())


async def test_nobody_is_told_whose_data_a_hold_or_a_restriction_keeps():
    """Or who revoked the membership, which ends at once."""
    world = told_30_days_before()
    for name in ("ane", "bo", "cia"):
        member(world, name, "2023-03-10")
    hold(world, ANE)
    restrict(world, EMAIL_OF.format("bo"))
    assert await warn_members(world.context) == 1
    assert [one.to for one in mails(world)] == [EMAIL_OF.format("cia")]


async def test_a_worker_that_dies_after_sending_sends_nothing_again():
    """Whoever comes later finds the mail among those that were sent."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-10")
    world.notifier.faults = [("notifier.send!", Retryable(OUTCOME_UNKNOWN))]
    await warn_members(world.context)
    world.clock.advance(seconds=3_600)
    assert await warn_members(world.context) == 1
    assert list(world.notifier.times_sent.values()) == [1]


async def test_a_letter_the_service_did_not_take_goes_later():
    """Not before it waited, and as often as it takes."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-10")
    world.notifier.faults = [("notifier.send", Retryable(NOT_ACCEPTED))] * 5
    for _ in range(6):
        await warn_members(world.context)
        world.clock.advance(seconds=3_600)
    assert list(world.notifier.times_sent.values()) == [1]


async def test_one_letter_that_cannot_be_sent_does_not_stop_the_others():
    """It is told, without the address."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-10")
    member(world, "bo", "2023-03-10")
    member(world, "cia", "2023-03-10", email="nobody")
    world.notifier.faults = [("notifier.send", Permanent("mail_refused"))]
    assert await warn_members(world.context) == 1
    assert "people.example" not in str(world.operators.alarms)


async def test_no_letter_goes_out_while_a_contact_is_missing():
    """An operator is told."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-10")
    context = replace(world.context, contacts=contacts(controller_email=""))
    assert await warn_members(context) == 0
    assert mails(world) == []
    assert "contacts_incomplete" in str(world.operators.alarms)


async def test_the_note_of_the_letter_goes_with_the_membership():
    """Nothing of it stays."""
    world = told_30_days_before()
    member(world, "ane", "2023-03-10")
    await warn_members(world.context)
    assert len(world.membership_warnings.all()) == 1
    assert await next_day(world, "2026-03-11") == 1
    assert world.membership_warnings.all() == []


@pytest.mark.parametrize("act", ["leaves", "logs in"])
async def test_who_leaves_or_logs_in_while_others_are_told_gets_no_letter(act):
    """Each record is read again before its own letter."""
    world = told_30_days_before()
    for name in ("ane", "bo"):
        member(world, name, "2023-03-10")

    async def turn(place):
        if place == "notifier.send!" and act == "leaves":
            world.documents.rows["members"].pop(('"member-bo-1"', "member-bo-1"), None)
        elif place == "notifier.send!":
            member(world, "bo", "2026-03-02")

    world.notifier.turn = turn
    assert await warn_members(world.context) == 1
    assert [one.to for one in mails(world)] == [ANE]
