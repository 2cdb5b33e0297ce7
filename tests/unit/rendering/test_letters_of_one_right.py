"""What a letter says of its own right alone: refusals, questions, customers, times, transfers."""

import re
from dataclasses import replace
from datetime import date

import pytest

from shared.domain.rights import Right
from shared.rendering.letters import (
    DecisionFact,
    LetterKind,
    QuestionFact,
    render_letter,
)
from shared.rendering.words import words
from tests.unit.rendering.letter_samples import CUSTOMER_KINDS, SETTLED, Page, letter_facts, plain

K = LetterKind


LANGUAGES = ["en", "da"]


def test_a_letter_of_one_right_names_that_one_and_that_the_others_get_their_own(make_facts):
    """Several rights in one message: one outcome for each."""
    letter = plain(
        render_letter(
            make_facts(kind=K.NOTHING_HELD, rights=(Right.ACCESS, Right.WITHDRAWAL), right=Right.WITHDRAWAL)
        )
    )
    assert "23 November 2026: withdrawal of your consent. We looked" in letter
    assert "Each gets its own letter" in letter


@pytest.mark.clause("4.6")
def test_a_refused_portability_offers_the_copy_of_access(make_facts):
    """With the reason for each part that rests on another basis."""
    decision = DecisionFact(reason="Nothing rests on consent or contract", provision="GDPR article 20(1)(a)")
    facts = make_facts(kind=K.REFUSED, rights=(Right.PORTABILITY,), decision=decision)
    letter = render_letter(facts)
    assert "Usage statistics: they rest on a legitimate interest." in plain(letter)
    assert "You can have a copy of all your personal data all the same" in plain(letter)
    assert "a part of" not in letter.subject
    erasure = plain(render_letter(replace(facts, rights=(Right.ERASURE,))))
    assert "copy of all your personal data" not in erasure


def test_the_refusal_of_a_part_says_so_in_its_subject(make_facts):
    """And names the part."""
    letter = render_letter(make_facts(kind=K.REFUSED))
    assert letter.subject == "We cannot do a part of what you asked: answer to your request"
    assert "- Invoices" in letter.text


def test_a_question_that_does_not_pause_leaves_the_time_limit(make_facts):
    """Without a link it says where to write."""
    question = QuestionFact(text="Who are you?", kind="identity", pauses=False)
    letter = plain(render_letter(make_facts(kind=K.QUESTION, question=question, links={}, grounds=())))
    assert "The time limit does not wait: you have our answer on 23 December 2026 at the latest." in letter
    assert "Write to privacy@example.invalid" in letter
    assert "give the number req-0001" in letter
    assert "GDPR article 12(6)" in letter
    assert "Send no copy of a passport" in letter
    assert "stored and not used" not in letter


def test_an_unclear_message_is_not_called_a_request_for_restriction(make_facts):
    """It is ours to protect; no ground of article 18(1) is claimed."""
    letter = plain(render_letter(make_facts(kind=K.RESTRICTED, grounds=("unclear",), covered=())))
    assert "can be read in more than one way" in letter
    assert "everything we hold about you" in letter
    assert "18(1)" not in letter


@pytest.mark.clause("4.7.1")
@pytest.mark.parametrize("kind", [K.MARKETING_STOPPED, K.WITHDRAWN, K.NOTHING_HELD])
def test_the_list_of_addresses_is_explained_where_there_is_an_entry(make_facts, kind):
    """What is kept, why, and that it can go; nothing about it where there is none."""
    listed = plain(render_letter(make_facts(kind=kind)))
    for shown in ("a code computed from the address", "still is personal data", "You can have it removed"):
        assert shown in listed
    assert "removed" not in plain(render_letter(make_facts(kind=kind, suppressed=False)))


@pytest.mark.parametrize(
    "kind",
    [
        *(*CUSTOMER_KINDS, K.REFUSED, K.NOTHING_HELD, K.ACKNOWLEDGE, K.EXTENDED, K.QUESTION, K.CANCELLED),
        *(K.DELAYED_BY_REVIEW, K.RESTRICTION_LIFTING, K.RECIPIENTS_DONE),
    ],
)
def test_a_customer_is_not_addressed_as_the_person(make_facts, kind):
    """Its letters speak of its installation; the remedies are the person's."""
    letter = plain(render_letter(make_facts(kind=kind, customer="Example Customer ApS", told=SETTLED)))
    assert "about a person at your installation" in letter
    assert "The person concerned can complain at any time to The Example Authority" in letter
    assert not re.search(r"your (personal )?data|about you\b|data of yours", letter)


@pytest.mark.parametrize(
    "kind",
    [
        *(K.PACKAGE_READY, K.ERASED, K.RESTRICTED, K.OBJECTION_RECEIVED, K.OBJECTION_UPHELD, K.WITHDRAWN),
        *(K.MARKETING_STOPPED, K.PORTABILITY_READY, K.TRANSFERRED, K.RECTIFIED, K.COMPLAINT),
    ],
)
def test_a_letter_to_the_person_goes_to_no_customer(make_facts, kind):
    """A customer gets its own letters."""
    with pytest.raises(ValueError, match="customer_done"):
        render_letter(make_facts(kind=kind, customer="Example Customer ApS"))


def test_a_customer_is_refused_a_right_it_does_not_have(make_facts):
    """Portability is the person's; the refusal is a letter like any other."""
    facts = make_facts(kind=K.REFUSED, customer="A customer", customer_right=Right.PORTABILITY)
    assert "can use them with us at any time" in plain(render_letter(facts))


@pytest.mark.parametrize(
    ("right", "shown"),
    [
        (Right.ACCESS, "Example Customer ApS received the data about you"),
        (Right.RESTRICTION, "it is stored and not used"),
        (Right.MARKETING_OBJECTION, "no longer goes to you at this installation"),
        (Right.ERASURE, "Nothing had to be changed."),
    ],
)
def test_the_person_is_told_what_a_customer_asked_for(make_facts, right, shown):
    """Also when there was nothing to do."""
    nothing = {"erased": (), "corrected": (), "noted": (), "uncorrected": ()}
    letter = plain(render_letter(make_facts(kind=K.SUBJECT_TOLD, customer_right=right, **nothing)))
    assert shown in letter


def test_copies_of_disaster_recovery_are_named_only_where_something_was_erased(make_facts):
    """They hold what was erased, and nothing was."""
    assert "BACKUPS" in render_letter(make_facts(kind=K.WITHDRAWN)).text
    assert "BACKUPS" not in render_letter(make_facts(kind=K.WITHDRAWN, erased=())).text


def test_an_extension_gives_both_days(make_facts):
    """The one that was and the one that is."""
    facts = make_facts(kind=K.EXTENDED, former_due_on=date(2027, 1, 31), due_on=date(2027, 3, 31))
    letter = plain(render_letter(facts))
    assert "due on 31 January 2027; you now have it on 31 March 2027 at the latest" in letter


@pytest.mark.parametrize(("language", "zone"), [("en", "(Danish time)"), ("da", "(dansk tid)")])
@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_that_names_a_time_names_its_zone_once(make_facts, kind, language, zone):
    """The reader need not live in Denmark; a letter of days alone names none."""
    letter = plain(render_letter(make_facts(kind=kind, language=language)))
    times = re.findall(r"\d{4}, \d\d:\d\d|kl\. \d\d\.\d\d", letter)
    assert len(times) == letter.count(zone) <= 1


@pytest.mark.parametrize(
    ("language", "start"),
    [("en", "these recipients too: recipients our"), ("da", "disse modtagere: modtagere, som")],
)
def test_recipients_without_a_name_are_told_of_in_words(make_facts, language, start):
    """Alone they read as a sentence too, and nobody is called by the want of a name."""
    letter = plain(render_letter(make_facts(recipients=(), language=language)))
    assert start in letter
    assert words(language).name_not_stated not in letter
    with pytest.raises(ValueError, match="no name"):
        render_letter(make_facts(recipients=("not_stated",), language=language))


NOT_TRANSFERRED = {
    "transfer_refused_address": ("not one on the public internet", "ikke på det offentlige internet"),
    "transfer_url_host": ("not one on the public internet", "ikke på det offentlige internet"),
    "transfer_refused": ("the receiver did not take it", "modtageren tog ikke imod dem"),
    "transfer_certificate": ("prove that the address is its own", "bevise, at adressen er dens egen"),
    "transfer_too_slow": ("so slowly that we had to stop", "så langsomt imod dem, at vi måtte standse"),
    "transfer_unreachable": ("the receiver did not answer", "modtageren svarede ikke"),
    "transfer_source_changed": ("a technical reason on our side", "en teknisk grund hos os"),
    "transfer_failed": ("a technical reason on our side", "en teknisk grund hos os"),
}


@pytest.mark.parametrize("code", sorted(NOT_TRANSFERRED))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copy_that_could_not_be_handed_over_directly_says_so_and_why(make_facts, language, code):
    """In plain words, without the code, in both forms."""
    facts = make_facts(kind=K.PORTABILITY_READY, language=language, transfer_problem=code)
    letter = render_letter(facts)
    article = "(GDPR article 20(2))" if language == "en" else "artikel 20, stk. 2)"
    for shown in (plain(letter), Page(letter.html).text):
        assert article in shown
        assert NOT_TRANSFERRED[code][LANGUAGES.index(language)] in shown
        assert "transfer_" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copy_that_nobody_wanted_handed_over_speaks_of_no_transfer(make_facts, language):
    """There is nothing to explain."""
    letter = plain(render_letter(make_facts(kind=K.PORTABILITY_READY, language=language)))
    assert "article 20(2)" not in letter
    assert "stk. 2)" not in letter


@pytest.mark.parametrize(
    ("language", "right", "end"),
    [
        (
            "en",
            Right.OBJECTION,
            "looked into your objection (GDPR article 18(1)(d)) ends with this letter (GDPR article 18(3)).",
        ),
        (
            "da",
            Right.OBJECTION,
            "stk. 1, litra d), ophører med dette brev (databeskyttelsesforordningens artikel 18, stk. 3).",
        ),
        ("en", Right.RESTRICTION, "The restriction that held while we looked into it ends with this letter"),
        ("da", Right.RESTRICTION, "Den begrænsning, der gjaldt, mens vi så på det, ophører med dette brev"),
    ],
)
def test_a_refusal_tells_that_the_restriction_of_the_meantime_ends(make_facts, language, right, end):
    """Before it ends; where there was none, the letter ends none. Source: GDPR article 18(3)."""
    facts = make_facts(kind=K.REFUSED, language=language, rights=(right,), right=right, ends_restriction=True)
    letter = render_letter(facts)
    assert end in plain(letter)
    assert end in Page(letter.html).text
    assert end not in plain(render_letter(replace(facts, ends_restriction=False)))


@pytest.mark.clause("4.4", "3.2")
@pytest.mark.parametrize("kind", [LetterKind.ERASED, LetterKind.RECIPIENTS_DONE])
@pytest.mark.parametrize(
    ("language", "accepted", "unidentified"),
    [
        (
            "en",
            "has accepted our instruction and carries it out by itself, by 2 January 2027",
            "cannot be told of you: we hold nothing by which it could find you.",
        ),
        (
            "da",
            "har taget imod vores instruks og udfører den selv senest 2. januar 2027",
            "kan ikke få besked om dig: vi har intet, den kunne finde dig ved.",
        ),
    ],
)
def test_what_was_only_accepted_is_not_called_done(contacts, kind, language, accepted, unidentified):
    """Nor is a recipient that nothing of ours leads to said to have nothing."""
    letter = render_letter(letter_facts(kind=kind, language=language, contacts=contacts))
    for body in (plain(letter), letter.html):
        assert f"Example Visits Ltd: {accepted}" in body
        assert f"Example Counting Ltd: {unidentified}" in body
