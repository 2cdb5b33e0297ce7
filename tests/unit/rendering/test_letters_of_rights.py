"""The letters of the rights: each names what its right demands, in both languages and both forms."""

import re
from dataclasses import replace
from datetime import date
from functools import partial

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
from tests.unit.rendering.letter_samples import CUSTOMER_KINDS, OPEN, SETTLED, Page, letter_facts, plain

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


@pytest.fixture
def make_facts(contacts):
    return partial(letter_facts, contacts=contacts)


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
