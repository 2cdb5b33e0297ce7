"""What staff, persons and recipients wrote into a letter stays text, and no letter says more than it may."""

import re
from dataclasses import fields, replace

import pytest

from shared.domain.rights import Right
from shared.rendering.letters import (
    CorrectedPart,
    DecisionFact,
    LetterFacts,
    LetterKind,
    QuestionFact,
    ToldRecipient,
    render_letter,
)
from tests.unit.rendering.letter_samples import CUSTOMER_KINDS, Page, letter_facts, plain

K = LetterKind


@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_carries_only_its_own_links(make_facts, kind):
    """A link that opens data or answers a question stands in the one letter that is about it."""
    owners = {
        "verify": {K.VERIFY},
        "cancel": {K.VERIFY, K.ACKNOWLEDGE},
        "package": {K.PACKAGE_READY, K.PORTABILITY_READY, K.CUSTOMER_PACKAGE_READY},
        "answer": {K.QUESTION},
    }
    letter = render_letter(make_facts(kind=kind))
    for name, kinds in owners.items():
        assert (f"/{name}?token=" in letter.text) == (kind in kinds)
        assert (f"/{name}?token=" in letter.html) == (kind in kinds)


def test_facts_have_no_place_for_personal_data():
    """Titles, counts, dates, reasons and names of companies; of a person only what a representative wrote."""
    assert {one.name for one in fields(LetterFacts)} == {
        *("kind", "language", "request_id", "received_on", "due_on", "rights", "contacts", "right", "links"),
        "in_words",
        *("link_expires_at", "package_expires_on", "erased", "kept", "backups", "recipients", "told"),
        *("decision", "grounds", "question", "extension_reason", "former_due_on", "covered", "not_covered"),
        *("corrected", "noted", "uncorrected", "transfer_host", "transferred_at", "objected", "customer"),
        *("customer_right", "contested", "unnamed", "switched_off", "lift_on", "suppressed"),
        *("identification_hint", "transfer_problem", "for_representative", "about", "ends_restriction"),
    }


def _kept(value):
    return (replace(letter_facts(contacts=None).kept[0], title=value, reason=value, provision=value),)


def _corrected(value):
    return (CorrectedPart(title=value, facts=(value,), records=1),)


def _decided(value):
    return DecisionFact(reason=value, provision=value, parts=(value,))


def _asked(value):
    return QuestionFact(text=value, kind="identity", pauses=True)


FREE = [
    (K.REFUSED, "decision", _decided),
    (K.REFUSED, "identification_hint", str),
    (K.RESTRICTION_LIFTING, "decision", _decided),
    (K.OBJECTION_UPHELD, "decision", _decided),
    (K.OBJECTION_UPHELD, "kept", _kept),
    (K.QUESTION, "question", _asked),
    (K.EXTENDED, "extension_reason", str),
    (K.TRANSFERRED, "transfer_host", str),
    (K.RECTIFIED, "uncorrected", _kept),
    (K.RECTIFIED, "noted", _corrected),
    (K.RECTIFIED, "corrected", _corrected),
    (K.WITHDRAWN, "erased", lambda value: ((value, 1),)),
    (K.WITHDRAWN, "switched_off", lambda value: ((value, (value,)),)),
    (K.WITHDRAWN, "objected", lambda value: (value,)),
    (K.OBJECTION_RECEIVED, "objected", lambda value: (value,)),
    (K.RESTRICTED, "covered", lambda value: (value,)),
    (K.PORTABILITY_READY, "covered", lambda value: (value,)),
    (K.PORTABILITY_READY, "not_covered", lambda value: ((value, value),)),
    (K.REFUSED, "not_covered", lambda value: ((value, value),)),
    (K.ERASED, "recipients", lambda value: (value,)),
    (K.ERASED, "unnamed", lambda value: (value,)),
    (K.ERASED, "told", lambda value: (ToldRecipient(name=value, state="impossible", why=value),)),
    (K.RECIPIENTS_DONE, "told", lambda value: (ToldRecipient(name=value, state="impossible", why=value),)),
    (K.ERASED, "about", str),
    *((kind, "customer", str) for kind in (*CUSTOMER_KINDS, K.SUBJECT_TOLD, K.SUBJECT_ASKED)),
    (K.SUBJECT_ASKED, "contested", lambda value: (value,)),
]
HOSTILE = {
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "<b onclick=x>HTML</b> & co": "<b onclick=x>HTML</b> & co",
    '"><img src=x onerror=y>': '"><img src=x onerror=y>',
    "{{ 7*7 }}": "{{ 7*7 }}",
    "{% raw %}{{ c.controller_email }}": "{% raw %}{{ c.controller_email }}",
    "{% include 'letters/html.j2' %}": "{% include 'letters/html.j2' %}",
    "{controller} %s": "{controller} %s",
    "a\r\nBcc: b@example.invalid\r\n\r\nc": "a Bcc: b@example.invalid c",
    "a\u2028b\x85c\td": "a b c d",
    "nul\x00esc\x1b[31m": "nul␀esc␛[31m",
}


@pytest.mark.parametrize("language", ["en", "da"])
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(("kind", "name", "make"), FREE, ids=[f"{kind}-{name}" for kind, name, _ in FREE])
def test_free_text_stays_text(make_facts, kind, name, make, value, language):
    """Whatever staff, a person or a recipient wrote: it is shown, runs nowhere and begins no header."""
    facts = {"kind": kind, "language": language, "for_representative": name == "about"}
    letter = render_letter(make_facts(**facts, **{name: make(value)}))
    page = Page(letter.html)
    assert HOSTILE[value] in page.text
    assert HOSTILE[value] in plain(letter)
    assert not {"script", "b", "img"} & {tag for tag, _ in page.tags}
    assert letter.subject.splitlines() == [letter.subject]
    assert letter.subject == render_letter(make_facts(kind=kind, language=language)).subject
    assert not set("\r\x00\x1b\x85\u2028") & set(letter.text + letter.html)


SHAPES = [
    (K.NOTHING_HELD, {"suppressed": False}),
    (K.QUESTION, {"question": QuestionFact(text="?", kind="identity", pauses=False), "links": {}}),
    (
        K.REFUSED,
        {"decision": DecisionFact(reason="x", provision="GDPR article 20"), "right": Right.PORTABILITY},
    ),
    (K.RESTRICTED, {"grounds": ("unclear",), "covered": ()}),
    *((K.SUBJECT_TOLD, {"customer_right": right, "erased": ()}) for right in ("access", "restriction")),
    *((K.CUSTOMER_DONE, {"customer_right": right}) for right in ("restriction", "marketing_objection")),
    *((K.ACKNOWLEDGE, {"rights": tuple(Right), "customer": name}) for name in ("", "A customer")),
]
NEUTRAL = {
    "erased": (("Profiler", 1),),
    "switched_off": (("Klubkort", ("Hilsner",)),),
    "kept": (),
    "recipients": ("Trykkeri A/S",),
    "unnamed": ("plakater",),
    "told": (ToldRecipient(name="Fragt A/S", state="impossible", why="lukket"),),
    "decision": DecisionFact(
        reason="Regningen mangler", provision="GDPR articles 5(2) and 17(3)(b)", parts=("A",)
    ),
    "question": QuestionFact(text="Hvilken konto?", kind="clarification", pauses=True),
    "extension_reason": "Der er elleve systemer",
    "covered": ("Medlemskab",),
    "not_covered": (("Statistik", "legitim interesse"),),
    "corrected": (CorrectedPart(title="Adressebog", facts=("navn",), records=3),),
    "noted": (
        CorrectedPart(title="Logbog", facts=()),
        CorrectedPart(title="Fakturaer", facts=("navn",)),
    ),
    "uncorrected": (),
    "transfer_host": "import.invalid",
    "objected": ("Statistik",),
    "identification_hint": "et installations-id",
}


@pytest.mark.parametrize(("kind", "changes"), [*((kind, {}) for kind in LetterKind), *SHAPES])
def test_no_letter_mixes_its_languages(make_facts, contacts, kind, changes):
    """Given Danish words, no English one is left, and the other way round."""
    named = replace(contacts, controller_name="Firma A/S", authority_name="Tilsynet")
    customer = changes.get("customer", "Kunde ApS" if make_facts(kind=kind).customer else "")
    facts = {**NEUTRAL, "contacts": named, **changes, "customer": customer, "kind": kind}
    danish = plain(render_letter(make_facts(language="da", **facts)))
    danish = re.sub(r"https?://\S+|\S+@\S+", "", danish)
    english_words = r"\b(the|you|your|we|our|was|were|with|not|articles?|provision|until|records?|GDPR)\b"
    assert not re.search(english_words, danish, re.IGNORECASE)
    english = plain(render_letter(make_facts(language="en", **changes, kind=kind)))
    assert not re.search(r"\b(og|ikke|du|din|dine|til|vi|vores|svar|artikel|stk)\b", english, re.IGNORECASE)
