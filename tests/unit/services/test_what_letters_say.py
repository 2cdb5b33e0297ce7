"""What a letter says of what was done: only what is so, once, and in the reader's own language."""

import pytest

from shared.domain.rights import Right
from tests.unit.services.cases_world import (
    EMPLOYEE,
    done,
    letter_words,
    populated,
)


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
