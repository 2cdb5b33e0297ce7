import re
from dataclasses import replace

import pytest

from shared.domain.errors import Permanent
from shared.domain.rights import Right
from shared.rendering.letters import KeptPart, LetterKind, render_letter
from tests.unit.rendering.letter_samples import Page, plain

ANSWERS = [kind for kind in LetterKind if kind is not LetterKind.VERIFY]
LINKED = {
    LetterKind.VERIFY: "verify",
    LetterKind.PACKAGE_READY: "package",
    LetterKind.PORTABILITY_READY: "package",
    LetterKind.CUSTOMER_PACKAGE_READY: "package",
}


@pytest.mark.clause("4.1")
@pytest.mark.parametrize("language", ["en", "da"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_names_whom_to_ask_where_to_complain_and_the_courts(
    make_facts, contacts, kind, language
):
    letter = render_letter(make_facts(kind=kind, language=language))
    remedy = "courts (GDPR article 79)" if language == "en" else "domstolene"
    for form in (plain(letter), Page(letter.html).text):
        for value in (
            *(contacts.controller_name, contacts.controller_address, contacts.controller_email),
            *(contacts.authority_name, contacts.authority_address, contacts.authority_email),
            *(contacts.authority_url, remedy, "req-0001"),
        ):
            assert value in form


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_says_what_happens_next(make_facts, kind):
    for language, heading in (
        ("en", r"WHAT (HAPPENS|YOU CAN DO) NEXT"),
        ("da", r"HVAD (DER SKER|DU KAN GØRE) NU"),
    ):
        assert re.search(heading, render_letter(make_facts(kind=kind, language=language)).text)


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("name", ["controller_address", "authority_email", "verified_on"])
def test_no_answer_leaves_while_a_contact_is_missing(make_facts, contacts, kind, name):
    empty = None if name == "verified_on" else ""
    with pytest.raises(Permanent, match=name):
        render_letter(make_facts(kind=kind, contacts=replace(contacts, **{name: empty})))


def test_address_check_needs_no_contacts(make_facts, contacts):
    bare = replace(contacts, controller_email="", authority_name="", verified_on=None)
    assert "Confirm the request" in render_letter(make_facts(kind=LetterKind.VERIFY, contacts=bare)).text


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("language", ["en", "da"])
def test_text_and_html_say_the_same(make_facts, kind, language):
    letter = render_letter(make_facts(kind=kind, language=language))

    def told(text):
        return re.sub(r"[\W_]+", "", text).lower()

    page = letter.html[letter.html.index("<main>") :]
    assert told(Page(page).text) == told(letter.text)


@pytest.mark.parametrize("kind", LetterKind)
def test_languages_differ_and_unknown_ones_get_english(make_facts, kind):
    english, danish, other = (
        render_letter(make_facts(kind=kind, language=language)) for language in ("en", "da", "xx")
    )
    assert danish.subject != english.subject
    assert 'lang="da"' in danish.html
    assert other == english


def test_address_check_is_the_same_whether_anything_is_held_or_not(make_facts):
    full = make_facts(kind=LetterKind.VERIFY)
    empty = make_facts(kind=LetterKind.VERIFY, erased=(), kept=(), backups=(), recipients=())
    assert render_letter(full) == render_letter(empty)


def test_address_check_says_how_long_its_link_works(make_facts):
    letter = render_letter(make_facts(kind=LetterKind.VERIFY))
    assert "until 30 November 2026, 10:00 (Danish time)" in plain(letter)
    assert f"\n{make_facts().links['verify']}\n" in letter.text


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(
    ("language", "shown"),
    [
        (
            "en",
            (
                "Member profiles: 1 record",
                "Course activity: 1200 records",
                "Orders (2 records): bookkeeping documents stay. Provision: Bookkeeping Act.",
                "Until 31 December 2031.",
                "Licences (1 record): a dispute. Provision: 17(3)(e). No date is set yet: the reason decides",
                "Database copies: 30 days",
                "Example Copy Ltd, and recipients our privacy policy names only by what they do: poster",
            ),
        ),
        (
            "da",
            (
                "Member profiles: 1 post",
                "Orders (2 poster): bookkeeping documents stay. Bestemmelse: Bookkeeping Act.",
                "Indtil 31. december 2031.",
                "Der er endnu ikke fastsat en dato: Grunden afgør det",
                "Databasekopier: 30 dage",
                "Copy Ltd, og modtagere, som vores privatlivspolitik kun nævner ved det, de gør: poster",
            ),
        ),
    ],
)
def test_erasure_letter_names_what_went_what_stays_backups_and_recipients(make_facts, language, shown):
    letter = render_letter(make_facts(language=language))
    for words_shown in shown:
        assert words_shown in plain(letter)
        assert words_shown in Page(letter.html).text


def test_erasure_letter_says_in_its_subject_when_something_stays(make_facts):
    assert "except for a part" in render_letter(make_facts()).subject
    whole = render_letter(make_facts(kept=()))
    assert "except" not in whole.subject
    assert "WHAT STAYS" not in whole.text


def test_erasure_that_could_erase_nothing_says_so(make_facts):
    for language, subject, said, denied in (
        (
            "en",
            "Nothing could be erased now",
            "everything we hold about you stays",
            "carried it out|was left",
        ),
        ("da", "Intet kunne slettes nu", "Alt, hvad vi har om dig, bliver", "gennemført den|var tilbage"),
    ):
        letter = render_letter(make_facts(erased=(), language=language))
        assert letter.subject.startswith(f"{subject}: ")
        assert f"{subject}: {said}" in plain(letter)
        assert not re.search(f"{denied}|WHAT WAS ERASED|HVAD DER ER SLETTET", letter.text)


@pytest.mark.parametrize("kind", [LetterKind.ERASED, LetterKind.WITHDRAWN, LetterKind.OBJECTION_UPHELD])
@pytest.mark.parametrize("language", ["en", "da"])
def test_what_stays_and_was_not_counted_is_named_without_a_count(make_facts, kind, language):
    kept = (KeptPart(title="Log", reason="a claim", provision="17(3)(e)", until=None, records=0),)
    letter = plain(render_letter(make_facts(kind=kind, kept=kept, language=language)))
    assert "- Log: a claim. " in letter
    assert "(0 " not in letter


@pytest.mark.clause("4.2")
def test_letter_of_a_copy_gives_the_link_and_its_last_day_but_no_data(make_facts):
    letter = render_letter(make_facts(kind=LetterKind.PACKAGE_READY, rights=(Right.ACCESS,)))
    assert make_facts().links["package"] in letter.text
    assert "until 7 December 2026" in plain(letter)
    assert "Member profiles" not in letter.text


def test_letter_of_several_rights_says_that_each_gets_its_own(make_facts):
    facts = make_facts(kind=LetterKind.PACKAGE_READY, rights=(Right.ACCESS, Right.ERASURE))
    assert "Each gets its own letter" in plain(render_letter(facts))


def test_review_is_no_refusal_and_keeps_the_time_limit(make_facts):
    letter = plain(render_letter(make_facts(kind=LetterKind.DELAYED_BY_REVIEW)))
    assert "not a refusal" in letter
    assert "on 23 December 2026 at the latest" in letter


@pytest.mark.parametrize(("kind", "name"), LINKED.items())
def test_letter_about_a_link_is_refused_without_it(make_facts, kind, name):
    with pytest.raises(ValueError, match=name):
        render_letter(make_facts(kind=kind, links={}))


@pytest.mark.parametrize("kind", [kind for kind in ANSWERS if kind not in LINKED])
def test_other_letters_do_without_links(make_facts, kind):
    assert "https://privacy" not in render_letter(make_facts(kind=kind, links={})).text


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", "\u202eabc", "a\x00b", "👩‍💻 & co"])
def test_hostile_words_stay_words(make_facts, value):
    kept = (KeptPart(title=value, reason=value, provision=value, until=None, records=1),)
    letter = render_letter(make_facts(kept=kept, erased=((value, 1),), recipients=(value,)))
    page = Page(letter.html)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "\x00" not in letter.html + letter.text
    shown = value.replace("\x00", "␀")
    assert shown in page.text
    assert shown in letter.text


def test_subject_is_one_line_whatever_the_controller_is_called(make_facts, contacts):
    named = replace(contacts, controller_name="A\r\nBcc: b@example.invalid")
    assert render_letter(make_facts(kind=LetterKind.VERIFY, contacts=named)).subject.splitlines() == [
        "Please confirm your request to A Bcc: b@example.invalid"
    ]


def test_letter_loads_and_runs_nothing(make_facts):
    for kind in LetterKind:
        tags = Page(render_letter(make_facts(kind=kind)).html).tags
        assert not {"script", "img", "iframe", "link", "object", "form"} & {tag for tag, _ in tags}


def test_text_lines_are_short_but_links_stay_whole(make_facts):
    for kind in LetterKind:
        for line in render_letter(make_facts(kind=kind)).text.splitlines():
            assert len(line) <= 76 or line.startswith("https://")


def test_equal_facts_give_equal_letters(make_facts):
    assert render_letter(make_facts()) == render_letter(make_facts())
