"""What a letter says of what was done: only what is so, once, and in the reader's own language."""

import pytest

from shared.domain.rights import Right
from shared.services.telling import note_told
from tests.unit.services.cases_world import (
    BUYER,
    EMPLOYEE,
    done,
    letter_words,
    populated,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver


@pytest.mark.clause("4.4", "3.2")
@pytest.mark.parametrize(
    ("language", "category", "blank"),
    [
        ("en", "show marketing to people elsewhere", "name not stated"),
        ("da", "vise markedsføring til personer andre steder", "navn ikke angivet"),
    ],
)
async def test_recipients_the_policy_does_not_name_stand_in_the_letter_once_by_what_they_do(
    language, category, blank
):
    """Two of the policy's processors have a category and no name."""
    world = populated()
    request_id = await done(world, EMPLOYEE, Right.ERASURE, language=language)
    letter = letter_words(world, request_id, "letter-erased-0")
    start = "only by what they do: " if language == "en" else "kun nævner ved det, de gør: "
    assert letter.count(start) == 1
    assert category in letter.partition(start)[2].partition(".")[0]
    assert blank not in letter
    assert "not_stated" not in letter


@pytest.mark.clause("4.4", "3.1")
async def test_a_danish_letter_names_the_customer_as_recipient_in_danish():
    """Who follows the learning of its users is no company the policy names."""
    world = populated()
    request_id = await done(world, EMPLOYEE, Right.ERASURE, language="da")
    letter = letter_words(world, request_id, "letter-erased-0")
    assert "Kunden, hvis installation du bruger: har" in letter
    assert "installation you use" not in letter


@pytest.mark.clause("3.1", "4.4")
async def test_the_letter_that_all_are_told_speaks_of_the_right_it_is_about_alone():
    """What could not be told of the correction is no answer about the erasure that came after it."""
    world = populated()
    request_id = await done(
        world,
        EMPLOYEE,
        Right.RECTIFICATION,
        Right.ERASURE,
        wishes=wishing(corrections={"name": "Elin Rightname"}),
    )
    for right, state, why in (
        (Right.RECTIFICATION, "impossible", "it had closed for the summer"),
        (Right.ERASURE, "told", ""),
    ):
        await _note(world, request_id, right, state, why)
    await deliver(world)
    letter = letter_words(world, request_id, f"letter-recipients_done-{seen(world, request_id).phase}")
    assert "(erasure of your personal data)" in letter
    assert letter.count("The customer whose installation you use: has been told.") == 1
    assert "could not be told" not in letter
    assert "summer" not in letter


@pytest.mark.clause("3.1", "4.5")
async def test_the_letter_that_all_are_told_speaks_of_an_earlier_right_where_the_last_tells_nobody():
    """After a restriction and a copy it is the restriction that others were told of."""
    world = populated()
    request_id = await done(
        world, EMPLOYEE, Right.RESTRICTION, Right.ACCESS, wishes=wishing(ground="accuracy")
    )
    await _note(world, request_id, Right.RESTRICTION, "told", "")
    await deliver(world)
    letter = letter_words(world, request_id, f"letter-recipients_done-{seen(world, request_id).phase}")
    assert "(restriction of the use of your personal data)" in letter
    assert "The customer whose installation you use: has been told." in letter


@pytest.mark.clause("4.8", "5.2")
@pytest.mark.parametrize(
    ("right", "letter_id"),
    [
        (Right.WITHDRAWAL, "letter-withdrawn-0"),
        (Right.MARKETING_OBJECTION, "letter-marketing_stopped-0"),
    ],
)
@pytest.mark.parametrize(
    ("language", "erased", "off", "sign_up", "choice"),
    [
        (
            *("en", "WHAT WAS ERASED", "WHAT WAS SWITCHED OFF"),
            *("Newsletter sign-ups: 1 record", "Member profile: Newsletter wanted"),
        ),
        (
            *("da", "HVAD DER ER SLETTET", "HVAD DER ER SLÅET FRA"),
            *("Tilmeldinger til nyhedsbrev: 1 post", "Medlemsprofil: Nyhedsbrev ønskes"),
        ),
    ],
)
async def test_a_choice_that_is_switched_off_is_not_called_erased(
    right, letter_id, language, erased, off, sign_up, choice
):
    """The sign-up goes; the member's profile stays, and one choice in it is off."""
    world = populated()
    request_id = await done(world, BUYER, right, language=language)
    letter = letter_words(world, request_id, letter_id)
    before, found, after = letter.partition(off)
    assert found
    assert sign_up in before.partition(erased)[2]
    assert choice.partition(":")[0] not in before
    assert choice in after


async def _note(world, request_id, right, state, why) -> None:
    for notice in seen(world, request_id).open_notices:
        if notice.right is right:
            await note_told(
                world.context,
                request_id,
                recipient_id=notice.recipient_id,
                right=right,
                state=state,
                why=why,
                noted_by="officer",
            )
