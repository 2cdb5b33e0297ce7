"""Letters about words that name no right, and letters to somebody who acts for the person."""

from dataclasses import replace

import pytest

from shared.domain.rights import Right
from shared.rendering.letters import DecisionFact, LetterKind, render_letter
from shared.rendering.words import words
from tests.unit.rendering.letter_samples import CUSTOMER_KINDS, Page, plain

K = LetterKind
LANGUAGES = ["en", "da"]
WORDS_KINDS = (
    *(K.VERIFY, K.ACKNOWLEDGE, K.JOINED, K.NOTHING_HELD, K.CANCELLED, K.DELAYED_BY_REVIEW, K.RESTRICTED),
    *(K.REFUSED, K.EXTENDED, K.QUESTION),
)


@pytest.mark.parametrize(
    ("language", "phrase", "unasked"),
    [
        ("en", "what you wrote to us", ("restriction of", "cannot do what you asked", "your request")),
        ("da", "det, du skrev til os", ("begrænsning af", "ikke gøre, hvad du bad om", "din anmodning")),
    ],
)
@pytest.mark.parametrize("kind", WORDS_KINDS)
def test_words_that_name_no_right_are_called_what_the_person_wrote(
    make_facts, kind, language, phrase, unasked
):
    """Nobody asked for the restriction that protects until a person has read them."""
    decision = DecisionFact(reason="A reason", provision="GDPR article 12(4)")
    facts = {"rights": (Right.RESTRICTION,), "grounds": ("unclear",), "covered": (), "decision": decision}
    letter = render_letter(make_facts(kind=kind, language=language, in_words=True, **facts))
    asks = words(language).asks_restriction
    for part in (letter.subject, letter.text, letter.html):
        assert asks not in part
        assert unasked[0] not in part.lower()
        assert unasked[1] not in part
    assert unasked[2] not in letter.subject
    assert phrase in plain(letter)
    assert phrase in Page(letter.html).text
    wrote = {"en": ("you wrote to",), "da": ("du skrev til", "du har skrevet til")}[language]
    assert letter.subject.lower().count(wrote[0]) or wrote[-1] in letter.subject


def test_words_beside_a_named_right_are_named_beside_it(make_facts):
    """The right keeps its own name; a letter that answers it keeps its own subject."""
    letter = render_letter(
        make_facts(
            kind=K.WITHDRAWN,
            rights=(Right.WITHDRAWAL, Right.RESTRICTION),
            right=Right.WITHDRAWAL,
            in_words=True,
        )
    )
    assert letter.subject == "Your consent is withdrawn"
    assert "withdrawal of your consent; what you wrote to us" in plain(letter)


@pytest.mark.parametrize(
    ("language", "meant", "nobody"),
    [
        (
            "en",
            'You wrote for client@people.example. Where this letter says "you" or "your",',
            "You wrote for the person you represent.",
        ),
        (
            "da",
            'Du skrev for client@people.example. Hvor der i dette brev står "du", "dig" eller "din",',
            "Du skrev for den person, du repræsenterer.",
        ),
    ],
)
@pytest.mark.parametrize(
    "kind", [kind for kind in K if kind not in (*CUSTOMER_KINDS, K.SUBJECT_TOLD, K.SUBJECT_ASKED)]
)
def test_every_letter_to_a_representative_says_first_whom_it_means(make_facts, kind, language, meant, nobody):
    """With the address as the representative gave it, or with none; before anything is said of "you"."""
    facts = make_facts(kind=kind, language=language, for_representative=True, about="client@people.example")
    letter = render_letter(facts)
    assert plain(letter).removeprefix(letter.subject).strip().startswith(meant)
    assert meant in Page(letter.html).text
    assert Page(letter.html).text.index(meant) < Page(letter.html).text.index("req-0001")
    unnamed = render_letter(replace(facts, about=""))
    assert nobody in plain(unnamed)
    assert nobody in Page(unnamed.html).text
    assert "represent" not in plain(render_letter(replace(facts, for_representative=False)))


@pytest.mark.parametrize("right", [right for right in Right if right is not Right.COMPLAINT])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_representative_asked_for_is_not_called_its_own(make_facts, language, right):
    """It is the person's whom it represents."""
    letter = render_letter(
        make_facts(kind=K.DELAYED_BY_REVIEW, language=language, rights=(right,), for_representative=True)
    )
    own, persons = f"asks_{right}", f"asks_represented_{right}"
    assert vars(words(language))[persons] in plain(letter)
    assert vars(words(language))[own] not in plain(letter)
