"""The specification's cases 1 to 8: when an answer is due, and what shows who asks."""

from datetime import date

import pytest

from shared.domain.errors import Invalid, NotAllowed
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import asking, intake
from tests.unit.services.cases_world import (
    AUTHOR,
    MEMBER,
    NOBODY,
    alarms,
    answer_token,
    done,
    file,
    letter_words,
    move_to,
    open_question,
    outcome,
    populated,
    put,
    seen,
    sweep_at,
    words,
)
from tests.unit.services.driving import deliver, letters, submit

WAITS = Right.OBJECTION  # nothing is answered before a person has decided


async def _due_alarms(world, request_id: str, *days: str) -> list[tuple[str, str]]:
    """Return what operators are told of the dates when the sweep runs at noon on these days."""
    told = []
    for day in days:
        before = len(world.operators.alarms)
        await sweep_at(world, f"{day}T12:00")
        told += [
            (day, code)
            for code, one, _ in world.operators.alarms[before:]
            if one == request_id and code != "approval_needed"
        ]
    return told


@pytest.mark.case(1)
@pytest.mark.clause("4.2")
async def test_case_01_received_on_the_last_of_august_is_due_on_the_last_of_september():
    """September has no 31st; warnings begin a week before, and the day itself is still on time."""
    world = populated("2026-08-31T10:00")
    request_id = await done(world, MEMBER, WAITS)
    request = seen(world, request_id)
    assert (request.target_on, request.due_on) == (date(2026, 9, 30), date(2026, 9, 30))
    told = await _due_alarms(world, request_id, "2026-09-22", "2026-09-23", "2026-09-30", "2026-10-01")
    assert told == [
        ("2026-09-23", "due_soon"),
        ("2026-09-30", "due_soon"),
        ("2026-10-01", "overdue"),
    ]


@pytest.mark.case(2)
@pytest.mark.clause("4.2")
async def test_case_02_received_on_the_fifth_is_due_on_the_fifth():
    """The same number, not the day before."""
    world = populated("2027-03-05T10:00")
    request_id = await done(world, MEMBER, WAITS)
    assert seen(world, request_id).due_on == date(2027, 4, 5)
    assert await _due_alarms(world, request_id, "2027-04-05", "2027-04-06") == [
        ("2027-04-05", "due_soon"),
        ("2027-04-06", "overdue"),
    ]


@pytest.mark.case(3)
@pytest.mark.clause("4.2")
async def test_case_03_a_period_that_ends_in_christmas_ends_on_the_next_working_day():
    """25 and 26 December are holidays and the 27th is a Sunday; the letter that it is looked at says so."""
    world = populated("2026-11-25T10:00")
    request_id = await done(world, MEMBER, WAITS)
    assert seen(world, request_id).due_on == date(2026, 12, 28)
    assert "28 December 2026" in letter_words(world, request_id, "letter-objection_received-0")
    assert await _due_alarms(world, request_id, "2026-12-28", "2026-12-29") == [
        ("2026-12-28", "due_soon"),
        ("2026-12-29", "overdue"),
    ]


@pytest.mark.case(4)
@pytest.mark.clause("4.2")
async def test_case_04_the_day_of_receipt_is_the_day_in_copenhagen():
    """Half past eleven at night in UTC is the first of November there."""
    world = populated("2026-10-31T23:30:00+00:00")
    request_id = await done(world, MEMBER, WAITS)
    assert seen(world, request_id).due_on == date(2026, 12, 1)
    assert (await intake.status(world.context, request_id)).received_on == date(2026, 11, 1)


@pytest.mark.case(5)
@pytest.mark.clause("4.2")
@pytest.mark.parametrize("day", ["2027-01-31", "2027-02-01"])
async def test_case_05_an_extension_counts_when_its_notice_leaves_within_the_first_month(day):
    """31 January is a Sunday, so the notice may leave on Monday; the months count from receipt."""
    world = populated("2026-12-31T10:00")
    request_id = await done(world, MEMBER, WAITS)
    assert seen(world, request_id).due_on == date(2027, 2, 1)
    move_to(world, f"{day}T23:50")
    await asking.extend(
        world.context, request_id, months=2, reason="Many systems hold your data", decided_by="op"
    )
    assert seen(world, request_id).due_on == date(2027, 2, 1), "a decision is not a notice"
    await deliver(world)
    request = seen(world, request_id)
    assert (request.target_on, request.due_on) == (date(2027, 3, 31), date(2027, 3, 31))
    letter = letter_words(world, request_id, "letter-extended-0")
    assert "31 March 2027" in letter
    assert "Many systems hold your data" in letter
    assert await _due_alarms(world, request_id, "2027-02-02", "2027-03-31", "2027-04-01") == [
        ("2027-03-31", "due_soon"),
        ("2027-04-01", "overdue"),
    ]


@pytest.mark.case(5)
@pytest.mark.clause("4.2")
@pytest.mark.parametrize(
    ("moment", "reason", "error", "code"),
    [
        ("2027-02-01T23:59", " \n", Invalid, "extension_reason_missing"),
        ("2027-02-02T00:01", "Many systems", NotAllowed, "extension_too_late"),
    ],
)
async def test_case_05_a_late_or_reasonless_extension_changes_nothing(moment, reason, error, code):
    """The first date stands, and the case is overdue after it."""
    world = populated("2026-12-31T10:00")
    request_id = await done(world, MEMBER, WAITS)
    move_to(world, moment)
    with pytest.raises(error) as refused:
        await asking.extend(world.context, request_id, months=2, reason=reason, decided_by="op")
    assert refused.value.code == code
    await deliver(world)
    assert "letter-extended-0" not in letters(world, request_id)
    assert await _due_alarms(world, request_id, "2027-02-02") == [("2027-02-02", "overdue")]
    assert seen(world, request_id).due_on == date(2027, 2, 1)


@pytest.mark.case(5)
@pytest.mark.clause("4.2")
async def test_case_05_a_notice_that_cannot_leave_in_time_is_no_extension_and_is_not_sent():
    """Decided on the last day, and the mail service is back on the next: no letter claims what is not so."""
    world = populated("2026-12-31T10:00")
    request_id = await done(world, MEMBER, WAITS)
    move_to(world, "2027-02-01T23:50")
    await asking.extend(world.context, request_id, months=2, reason="Many systems", decided_by="op")
    move_to(world, "2027-02-02T08:00")
    await deliver(world)
    assert "letter-extended-0" not in letters(world, request_id)
    assert "extension_too_late" in alarms(world, request_id)
    assert seen(world, request_id).due_on == date(2027, 2, 1)
    assert await _due_alarms(world, request_id, "2027-02-02") == [("2027-02-02", "overdue")]


@pytest.mark.case(6)
@pytest.mark.clause("4.2")
async def test_case_06_a_prompt_identity_question_pauses_the_legal_date_and_not_the_target():
    """Twelve days between question and answer; the request is not forgotten while its question is open."""
    world = populated("2026-11-02T10:00")
    request_id = await file(world, MEMBER, Right.ACCESS, channel="mail", is_known=False)
    move_to(world, "2026-11-04T10:00")
    await asking.ask(
        world.context, request_id, kind="identity", text="What is your member number?", asked_by="op"
    )
    await deliver(world)
    assert open_question(world, request_id).asked_at is not None
    for day in range(5, 16):
        await sweep_at(world, f"2026-11-{day:02d}T10:00")
    move_to(world, "2026-11-16T10:00")
    await asking.answer_by_link(world.context, request_id, answer_token(world, request_id), "4711")
    request = seen(world, request_id)
    assert (request.target_on, request.due_on) == (date(2026, 12, 2), date(2026, 12, 14))
    assert "question_answered" in alarms(world, request_id)


@pytest.mark.case(6)
@pytest.mark.clause("4.2")
async def test_case_06_a_late_identity_question_pauses_nothing():
    """Asked three weeks after receipt: the clock went on."""
    world = populated("2026-11-02T10:00")
    request_id = await done(world, MEMBER, WAITS)
    move_to(world, "2026-11-25T10:00")
    await asking.ask(world.context, request_id, kind="identity", text="What is your number?", asked_by="op")
    await deliver(world)
    move_to(world, "2026-11-30T10:00")
    await asking.answered(world.context, request_id, text="4711", noted_by="op")
    request = seen(world, request_id)
    assert (request.target_on, request.due_on) == (date(2026, 12, 2), date(2026, 12, 2))


@pytest.mark.case(7)
@pytest.mark.clause("4.2", "4.2.2")
async def test_case_07_a_signed_in_person_is_asked_for_no_further_proof():
    """The session is the proof: no link to confirm, no question, the copy at once."""
    world = populated()
    request_id = await done(world, MEMBER, Right.ACCESS)
    request = seen(world, request_id)
    assert request.state is RequestState.COMPLETED
    assert set(letters(world, request_id)) == {"letter-package_ready-0"}
    assert request.questions == ()
    assert request.verified_at == request.received_at
    assert outcome(world, request_id, Right.ACCESS).result == "answered"


@pytest.mark.case(8)
@pytest.mark.clause("4.2")
@pytest.mark.parametrize("channel", ["web", "mail"])
async def test_case_08_an_unknown_sender_learns_nothing_about_a_registered_address(channel):
    """The same words whether we know the address or not, to that address alone, and no store is read."""
    read: list[str] = []

    async def turn(name):
        read.append(name)

    world = populated(turn=turn)
    read.clear()
    told = {}
    for address in (AUTHOR.email, NOBODY):
        if channel == "web":
            request_id = await submit(world, address, Right.ACCESS)
        else:
            request_id = await file(world, address, Right.ACCESS, channel="mail", is_known=False)
        await deliver(world)
        ((letter_id, mail),) = letters(world, request_id).items()
        assert (letter_id, mail.to) == ("letter-verify-0", address)
        told[address] = [
            word for word in words(mail).split() if request_id not in word and not word.startswith("http")
        ]
        assert seen(world, request_id).state is RequestState.RECEIVED
        assert (await intake.status(world.context, request_id)).copy_available is False
    assert told[AUTHOR.email] == told[NOBODY]
    assert [name for name in read if name.startswith(("documents", "blobs"))] == []


@pytest.mark.case(8)
@pytest.mark.clause("4.7.1", "4.2")
@pytest.mark.parametrize("others", [(), (Right.ACCESS,)])
async def test_case_08_a_request_nobody_confirmed_tells_no_stranger_that_the_address_is_known(others):
    """What stops at the records of somebody we know looks as it does for somebody we do not."""
    world = populated()
    for number in range(4):  # more memberships than one person has: the case stops
        body = {"id": f"member-{number}", "email": MEMBER.email, "name": "M", "state": "active"}
        put(world, "members", {**body, "joined_at": "2020-01-01T00:00:00Z"})
    seen_by_anybody = []
    for email in (MEMBER.email, NOBODY):
        request_id = await submit(world, email, Right.MARKETING_OBJECTION, *others)
        await deliver(world)
        seen_by_anybody.append((await intake.status(world.context, request_id)).state)
    assert seen_by_anybody[0] is seen_by_anybody[1]
    assert RequestState.NEEDS_ATTENTION in {one.state for one in _requests(world)}


def _requests(world):
    return [seen(world, request_id) for request_id in world.cases.partitions]
