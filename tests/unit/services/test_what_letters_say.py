"""What a letter says of what was done: only what is so, once, and in the reader's own language."""

from datetime import date

import pytest

from shared.datamap.models import DocumentStore
from shared.domain.rights import Right
from shared.services import holding
from shared.services.telling import note_told
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    EMPLOYEE,
    done,
    held,
    letter_words,
    outcome,
    populated,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver, letters


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


@pytest.mark.clause("4.4", "5.3")
@pytest.mark.parametrize(
    ("ground", "language", "subject", "reason", "other"),
    [
        (
            *("law", "en", "Nothing could be erased now"),
            *("a duty in law to keep it. Provision: GDPR article 17(3)(b).", "legal claim"),
        ),
        (
            *("legal_claim", "en", "Nothing could be erased now"),
            *("a legal claim that it is needed for. Provision: GDPR article 17(3)(e).", "duty in law"),
        ),
        (
            *("law", "da", "Intet kunne slettes nu"),
            *("vi har pligt efter loven til at gemme det. Bestemmelse: databeskyttelses", "retligt krav"),
        ),
        (
            *("legal_claim", "da", "Intet kunne slettes nu"),
            *("det er nødvendigt for et retligt krav. Bestemmelse: databeskyttelses", "pligt efter loven"),
        ),
    ],
)
async def test_an_erasure_that_a_hold_stops_wholly_is_not_said_to_be_carried_out(
    ground, language, subject, reason, other
):
    """Subject and text say that nothing went, each line why, and no line counts what is not there."""
    world = populated()
    await holding.place(
        world.context,
        holding.PlaceHold(
            identifiers={"email": (AUTHOR.email,)},
            activity_id=None,
            ground=ground,
            reason="a file at a lawyer's",
            review_on=date(2027, 5, 1),
            placed_by="officer",
        ),
    )
    before = held(world, AUTHOR)
    request_id = await done(world, AUTHOR, Right.ERASURE, language=language)
    assert held(world, AUTHOR) == before
    mail = letters(world, request_id)["letter-erased-0"]
    letter = letter_words(world, request_id, "letter-erased-0")
    assert mail.subject.startswith(subject)
    assert letter.count(subject) == 2, "in the subject and in the first sentence"
    assert reason in letter
    assert other not in letter
    assert "carried it out" not in letter
    assert "gennemført den" not in letter
    assert "(0 " not in letter
    documents = [one for _, one in world.datamap.stores() if isinstance(one, DocumentStore)]
    empty = [one.store_id for one in outcome(world, request_id, Right.ERASURE).kept if not one.records]
    absent = [one.title.in_language(language) for one in documents if one.id in empty]
    assert absent, "held at a processor alone"
    assert not [title for title in absent if title in letter]


@pytest.mark.clause("4.3")
@pytest.mark.parametrize(
    ("language", "corrected", "noted", "left"),
    [
        (
            *("en", "Orders: phone (1 record) -"),
            "Orders: a note of what is right: name WHAT COULD NOT BE CHANGED, AND WHY - ",
            "Orders: name (1 record): The books must be kept",
        ),
        (
            *("da", "Ordrer: telefon (1 post) -"),
            "Ordrer: en bemærkning om, hvad der er rigtigt: navn HVAD DER IKKE KUNNE ÆNDRES, OG HVORFOR - ",
            "Ordrer: navn (1 post): ",
        ),
    ],
)
async def test_a_correction_names_which_facts_were_changed_noted_and_left_in_each_store(
    language, corrected, noted, left
):
    """One store stands in three lists, each time with the facts it is about and never with their values."""
    world = populated()
    new = {"name": "Oda Rightname", "phone": "+44 113 496 0999"}
    request_id = await done(
        world, BUYER, Right.RECTIFICATION, language=language, wishes=wishing(corrections=new)
    )
    letter = letter_words(world, request_id, "letter-rectified-0")
    assert corrected in letter
    assert noted + left in letter
    assert not [value for value in new.values() if value in letter]


@pytest.mark.clause("4.3")
async def test_a_store_of_which_no_fact_may_be_changed_is_not_among_what_was_corrected():
    """The order keeps its name; that a note stands beside it is no correction."""
    world = populated()
    request_id = await done(
        world, BUYER, Right.RECTIFICATION, wishes=wishing(corrections={"name": "Oda Rightname"})
    )
    letter = letter_words(world, request_id, "letter-rectified-0")
    corrected = letter.partition("WHAT WAS CORRECTED")[2].partition("WHERE A NOTE")[0]
    assert "Member profile: name (1 record)" in corrected
    assert "Orders" not in corrected


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
