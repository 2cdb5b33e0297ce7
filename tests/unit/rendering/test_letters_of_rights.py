"""The letters of the rights: each names what its right demands, in both languages and both forms."""

import re

import pytest

from shared.domain.rights import Right
from shared.rendering.letters import (
    DecisionFact,
    LetterKind,
    QuestionFact,
    ToldRecipient,
    render_letter,
)
from shared.rendering.words import words
from tests.unit.rendering.letter_samples import OPEN, SETTLED, Page, plain

K = LetterKind


LANGUAGES = ["en", "da"]


ERASED_PARTS = ("Member profiles: 1", "Course activity: 1200", "Orders (2", "bookkeeping documents stay")


SWITCHED_OFF = "Club cards: Birthday greetings, Invitations"


EVERY_TOLD = tuple(one.name for one in SETTLED + OPEN)


NAMED = {
    K.RESTRICTED: {
        "both": ("Membership and logins", *EVERY_TOLD),
        "en": (
            "its accuracy is contested (GDPR article 18(1)(a))",
            "article 18(2)",
            "Before it ends we write",
        ),
        "da": ("rigtigheden er bestridt (", "artikel 18, stk. 2", "Før det ophører, skriver vi"),
    },
    K.RESTRICTION_LIFTING: {
        "both": ("The invoice is still unpaid. ", "Membership and logins"),
        "en": ("ends on 11 January 2027", "article 18(3)", "carried out at once", "complain or go to court"),
        "da": (
            "ophører den 11. januar 2027",
            "artikel 18, stk. 3",
            "gennemføres så straks",
            "klage eller gå",
        ),
    },
    K.OBJECTION_RECEIVED: {
        "both": ("Measuring how the product is used", *EVERY_TOLD),
        "en": (
            "articles 18(1)(d) and 21(1)",
            "One of our staff decides",
            "on 23 December 2026 at the latest",
        ),
        "da": (
            "stk. 1, litra d, og artikel 21, stk. 1",
            "En medarbejder træffer",
            "senest 23. december 2026",
        ),
    },
    K.OBJECTION_UPHELD: {
        "both": (
            "Measuring how the product is used",
            "The invoice is still unpaid",
            *ERASED_PARTS,
            *EVERY_TOLD,
        ),
        "en": ("article 21(1)", "article 17(1)(c)", "Database copies: 30 days"),
        "da": ("Du får medhold", "artikel 17, stk. 1, litra c", "Databasekopier: 30 dage"),
    },
    K.REFUSED: {
        "both": ("Invoices", "The invoice is still unpaid", "an installation id", "The Example Authority"),
        "en": (
            "Provision: GDPR article 17(3)(b).",
            "A member of our staff decided",
            "courts (GDPR article 79)",
        ),
        "da": ("artikel 17, stk. 3, litra b.", "En medarbejder har afgjort", "artikel 79"),
    },
    K.WITHDRAWN: {
        "both": ("Measuring how the product is used", *ERASED_PARTS, SWITCHED_OFF, *EVERY_TOLD),
        "en": ("article 7(3)", "no longer send you", "your membership goes on", "stays lawful"),
        "da": ("artikel 7, stk. 3", "sender dig ikke længere", "fortsætter dit medlemskab", "stadig lovligt"),
    },
    K.MARKETING_STOPPED: {
        "both": (*ERASED_PARTS, SWITCHED_OFF, *EVERY_TOLD),
        "en": (
            "mail that was already waiting is not sent",
            "Profiling",
            "Audiences",
            "You can have it removed",
        ),
        "da": ("allerede stod i kø, sendes ikke", "Profilering", "Målgrupper", "Du kan få den fjernet"),
    },
    K.PORTABILITY_READY: {
        "both": ("/package?token=", "Membership and logins", "Usage statistics: they rest on a legitimate"),
        "en": ("until 7 December 2026", "JSON", "CSV", "ask us for access", "Nothing is erased", "20(3)"),
        "da": ("indtil 7. december 2026", "JSON", "CSV", "Bed os om indsigt", "Intet slettes", "20, stk. 3"),
    },
    K.TRANSFERRED: {
        "both": ("import.other.example", "Membership and logins", "Usage statistics: they rest"),
        "en": ("on 1 December 2026, 12:30 (Danish time)", "Nothing is erased", "ask us for access"),
        "da": ("den 1. december 2026 kl. 12.30 (dansk tid)", "Intet slettes", "Bed os om indsigt"),
    },
    K.RECTIFIED: {
        "both": (
            "Address book: name, phone (3",
            "Old invoices: name (1",
            "they must not be altered",
            *EVERY_TOLD,
        ),
        "en": (
            "Usage log: a note of what was stated",
            "Old invoices: a note of what is right: name",
            "They are not rewritten",
            "Provision: Danish Bookkeeping Act.",
            "until 31 December 2030",
        ),
        "da": (
            "Usage log: en bemærkning om det, der er oplyst",
            "Old invoices: en bemærkning om, hvad der er rigtigt: name",
            "De skrives ikke om",
            "Bestemmelse: bogføringsloven.",
            "indtil 31. december 2030",
        ),
    },
    K.COMPLAINT: {
        "both": ("The Example Authority", "Tilsynsgade 2", "https://authority.example.invalid/"),
        "en": ("article 77", "courts (GDPR article 79)", "delays nothing"),
        "da": ("artikel 77", "domstolene", "forsinker intet"),
    },
    K.EXTENDED: {
        "both": ("Your data lies in eleven systems.",),
        "en": ("due on 21 December 2026", "on 23 December 2026 at the latest", "GDPR article 12(3)"),
        "da": ("senest 21. december 2026", "senest 23. december 2026", "artikel 12, stk. 3"),
    },
    K.QUESTION: {
        "both": ("Which account do you mean?", "/answer?token="),
        "en": ("The time limit stands still", "only what the question needs", "stored and not used"),
        "da": ("Fristen står stille", "kun det, spørgsmålet kræver", "opbevares og bruges ikke"),
    },
    K.CUSTOMER_PACKAGE_READY: {
        "both": (
            "/package?token=",
            "Example Customer ApS",
            "Membership and logins",
            "Usage statistics: they",
        ),
        "en": ("your installation only", "newsletter, consents, complaints", "The person sees it"),
        "da": ("kun jeres installation", "nyhedsbrev, samtykker, klager", "Personen ser det"),
    },
    K.CUSTOMER_DONE: {
        "both": (
            "Example Customer ApS",
            *ERASED_PARTS,
            "Address book: name, phone (3",
            "Usage log",
            "Old invoices",
        ),
        "en": (
            "erasure of the personal data about a person",
            "your installation only",
            "the person can see it",
        ),
        "da": (
            "sletning af personoplysningerne om en person",
            "kun jeres installation",
            "personen kan se det",
        ),
    },
    K.SUBJECT_TOLD: {
        "both": ("Example Customer ApS", *ERASED_PARTS, *EVERY_TOLD),
        "en": ("erasure of your personal data", "is untouched", "Your own rights are yours"),
        "da": ("sletning af dine personoplysninger", "er urørt", "Du har dine egne rettigheder"),
    },
    K.SUBJECT_ASKED: {
        "both": ("Example Customer ApS", "Display name"),
        "en": ("ask you first", "Your own value stands", "Write to us which value is right"),
        "da": ("spørger dig først", "står ved magt", "Skriv til os, hvad der er rigtigt"),
    },
    K.RECIPIENTS_DONE: {
        "both": tuple(one.name for one in SETTLED),
        "en": ("Example Mail Ltd: has confirmed", "nothing is open any more"),
        "da": ("Example Mail Ltd: har bekræftet", "intet længere åbent"),
    },
}


def _forms(facts):
    letter = render_letter(facts)
    return plain(letter), Page(letter.html[letter.html.index("<main>") :]).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NAMED)
def test_each_letter_names_what_it_must(make_facts, kind, language):
    """In its text and in its page."""
    for form in _forms(make_facts(kind=kind, language=language)):
        for shown in (*NAMED[kind]["both"], *NAMED[kind][language]):
            assert shown in form


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_nothing_is_left_unfilled(make_facts, kind, language):
    """No brace of a template, no empty value and no gap before a full stop."""
    for form in _forms(make_facts(kind=kind, language=language)):
        assert not re.search(r"[{}]|None|Undefined|\(\)| [.,]|\.\.|: \.", form)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in LetterKind if kind is not K.RECIPIENTS_DONE])
def test_letters_stand_with_the_least_they_need(make_facts, kind, language):
    """What is not given leaves no empty heading and no list without items."""
    least = {
        **dict.fromkeys(("erased", "kept", "backups", "recipients", "told", "covered", "not_covered"), ()),
        "unnamed": (),
        "switched_off": (),
        "noted": (),
        "uncorrected": (),
        "objected": (),
        "suppressed": False,
        "identification_hint": "",
    }
    letter = render_letter(make_facts(kind=kind, language=language, **least))
    assert not re.search(r"<ul>\s*</ul>|<p>\s*</p>|<h2>[^<]*</h2>\s*(<h2>|<div|</main>)", letter.html)
    for name in EVERY_TOLD:
        assert name not in letter.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_right_and_every_ground_has_words(language):
    """For the person and for a customer."""
    w = vars(words(language))
    for right in Right:
        assert w[f"asks_{right}"]
        assert w[f"asks_customer_{right}"]
    for ground in ("accuracy", "unlawful", "claims", "objection", "unclear"):
        assert w[f"ground_{ground}"]


@pytest.mark.clause("4.4")
@pytest.mark.parametrize("kind", [K.ERASED, K.OBJECTION_UPHELD, K.WITHDRAWN, K.MARKETING_STOPPED])
def test_what_is_open_at_a_recipient_is_never_called_done(make_facts, kind):
    """A processor that does not answer: the letter says so and promises to write again."""
    letter = plain(render_letter(make_facts(kind=kind, told=OPEN)))
    assert "Example Audience Ltd: has not been told or has not confirmed yet." in letter
    assert "Example Hosting A/S: has not finished yet" in letter
    assert "do not take it as done there" in letter
    assert "has confirmed" not in letter
    assert "write to you again" not in plain(render_letter(make_facts(kind=kind, told=SETTLED)))


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("told", "Firm: has been told."),
        ("done", "Firm: has confirmed that it did what we asked."),
        ("not_held", "Firm: has nothing about you."),
        ("pending", "Firm: has not been told or has not confirmed yet."),
        ("staff", "Firm: has not finished yet; one of our staff has to complete it there."),
        ("impossible", "Firm: could not be told: it is gone."),
    ],
)
def test_each_state_of_a_recipient_has_its_own_words(make_facts, state, shown):
    """And why is told only where telling it is impossible."""
    told = (ToldRecipient(name="Firm", state=state, why="it is gone."),)
    letter = plain(render_letter(make_facts(told=told)))
    assert shown in letter
    assert ("it is gone" in letter) == (state == "impossible")


def test_a_recipient_that_is_told_is_not_named_as_unknown_too(make_facts):
    """One name, one sentence about it."""
    told = (ToldRecipient(name="Firm", state="told"),)
    letter = plain(render_letter(make_facts(told=told, recipients=("Firm", "Other"), unnamed=())))
    assert letter.count("Firm") == 1
    assert "these recipients too: Other." in letter


def test_erased_there_is_not_said_of_systems_that_are_not_ours(make_facts):
    """The subject and the first sentence speak of our own systems."""
    letter = render_letter(make_facts(kept=()))
    assert letter.subject == "Erased from our systems: answer to your request"
    assert "looked again at all our own systems" in plain(letter)


@pytest.mark.parametrize("state", ["pending", "staff"])
def test_recipients_are_not_called_done_while_one_is_open(make_facts, state):
    """The later letter waits for the last of them."""
    told = (*SETTLED, ToldRecipient(name="Firm", state=state))
    with pytest.raises(ValueError, match="still open"):
        render_letter(make_facts(kind=K.RECIPIENTS_DONE, told=told))


BLANK_DECISION = DecisionFact(reason=" \n", provision="GDPR article 17(3)(b)")


@pytest.mark.parametrize(
    ("kind", "missing", "why"),
    [
        (K.RESTRICTED, {"grounds": ()}, "grounds"),
        (K.RESTRICTED, {"grounds": ("boredom",)}, "boredom"),
        (K.RESTRICTION_LIFTING, {"lift_on": None}, "lift_on"),
        (K.RESTRICTION_LIFTING, {"decision": None}, "decision"),
        (K.REFUSED, {"decision": None}, "decision"),
        (K.REFUSED, {"decision": BLANK_DECISION}, "decision"),
        (K.REFUSED, {"decision": DecisionFact(reason="x", provision=" ")}, "provision"),
        (K.TRANSFERRED, {"transfer_host": ""}, "transfer_host"),
        (K.TRANSFERRED, {"transferred_at": None}, "transferred_at"),
        (K.RECTIFIED, {"corrected": (), "noted": (), "uncorrected": ()}, "corrected"),
        (K.EXTENDED, {"extension_reason": " "}, "extension_reason"),
        (K.EXTENDED, {"former_due_on": None}, "former_due_on"),
        (K.QUESTION, {"question": None}, "question"),
        (K.QUESTION, {"question": QuestionFact(text="", kind="identity", pauses=True)}, "question"),
        (K.CUSTOMER_PACKAGE_READY, {"customer": ""}, "customer"),
        (K.CUSTOMER_DONE, {"customer_right": None}, "customer_right"),
        (K.SUBJECT_TOLD, {"customer": " "}, "customer"),
        (K.SUBJECT_TOLD, {"customer_right": Right.PORTABILITY}, "portability"),
        (K.SUBJECT_ASKED, {"contested": ()}, "contested"),
        (K.RECIPIENTS_DONE, {"told": ()}, "told"),
    ],
)
def test_a_letter_without_what_it_is_about_is_refused(make_facts, kind, missing, why):
    """A blank reason is no reason."""
    with pytest.raises(ValueError, match=why):
        render_letter(make_facts(kind=kind, **missing))


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_found_is_an_answer_to_every_right(make_facts, right, language):
    """It says which right it answers, and for access and erasure that there is no data at all."""
    letter = render_letter(
        make_facts(kind=K.NOTHING_HELD, rights=(right,), language=language, kept=(), suppressed=False)
    )
    text = plain(letter)
    assert getattr(words(language), f"asks_{right}") in text
    none = "no personal data about you" if language == "en" else "ikke fundet personoplysninger om dig"
    only = "that this request concerns" if language == "en" else "som denne anmodning drejer sig om"
    assert none in text
    assert (only in text) == (right not in (Right.ACCESS, Right.ERASURE))
    assert not re.search("eras|slet", letter.subject, re.IGNORECASE)
