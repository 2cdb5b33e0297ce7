"""The letters a person gets, as plain text and HTML, in English and Danish.

They say what was done and never carry the person's data.

A letter is one template for both forms (`templates/letters/<kind>.<language>.j2`), so that the two cannot
say different things; `text.j2` and `html.j2` give its parts their shape. Reasons, questions and names come
from people: they are values of the templates, never templates.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from shared.datamap.models import NOT_STATED
from shared.domain.rights import Right
from shared.rendering.dates import day_text, moment_text
from shared.rendering.letter_facts import (
    GROUNDS,
    CorrectedPart,
    DecisionFact,
    KeptPart,
    LetterFacts,
    LetterKind,
    QuestionFact,
    RecipientState,
    ToldRecipient,
)
from shared.rendering.provisions import provision_text
from shared.rendering.templating import environment, without_holes
from shared.rendering.words import asked_for, words

__all__ = [
    "CorrectedPart",
    "DecisionFact",
    "KeptPart",
    "Letter",
    "LetterFacts",
    "LetterKind",
    "QuestionFact",
    "RecipientState",
    "ToldRecipient",
    "render_letter",
]

_LINE_ENDS = re.compile("[ \t\r\n\x85\u2028\u2029]+")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A finished letter. `text` and `html` say the same; `html` is a whole document."""

    subject: str
    text: str
    html: str


def render_letter(facts: LetterFacts) -> Letter:
    """Return the letter; equal facts give an equal letter.

    Raises:
        Permanent: `contacts_incomplete`, for every kind but the address check: a rights answer names
            whom to ask and where to complain. Configure the contact, then send again.
        ValueError: a link or a fact the letter is about is missing, a recipient is called done and is not,
            or a letter that speaks to the person would go to a customer. The caller has to be mended.
    """
    if facts.kind is not LetterKind.VERIFY:
        facts.contacts.require_complete()
    facts.require_sound()
    context = _context(facts)
    text, html = (
        environment(escaping=form == "html")
        .get_template(f"letters/letter.{form}.j2")
        .render(context, layout=f"letters/{form if form == 'html' else 'text'}.j2")
        for form in ("txt", "html")
    )
    return Letter(subject=context["subject"], text=without_holes(text), html=html)


def _context(facts: LetterFacts) -> dict[str, Any]:
    language = "da" if facts.language == "da" else "en"
    w = words(language)

    def day(value: date | None) -> str | None:
        return day_text(value, language) if value else None

    def moment(value: datetime | None) -> str | None:
        return f"{moment_text(value, language)} ({w.time_zone})" if value else None

    return {
        "kind": str(facts.kind),
        "language": language,
        "subject": _subject(facts, w),
        "request_id": facts.request_id,
        "received": day(facts.received_on),
        "due": day(facts.due_on),
        "former_due": day(facts.former_due_on),
        "lifts": day(facts.lift_on),
        "right_ids": [str(right) for right in facts.rights],
        "answered_ids": [str(right) for right in facts.answered],
        "ends_restriction": facts.ends_restriction,
        "in_words": facts.in_words,
        "only_words": facts.only_words,
        "rights": _asked(w, facts.rights, facts),
        "asked": _asked(w, facts.answered, facts),
        "c": facts.contacts,
        "links": {"cancel": None, "status": None, "answer": None, **facts.links},
        "link_expires": moment(facts.link_expires_at),
        "transferred": moment(facts.transferred_at),
        "package_expires": day(facts.package_expires_on),
        "suppressed": facts.suppressed,
        **_results(facts, w, language),
        **_told(facts, w),
        **_reasons(facts, w, language),
        "for_representative": facts.for_representative,
        "about": _one_line(facts.about),
        **_customer(facts, w),
    }


def _subject(facts: LetterFacts, w: SimpleNamespace) -> str:
    name: str = facts.kind
    if facts.kind is LetterKind.ERASED and facts.kept:
        name = "erased_with_retention" if facts.erased else "erased_nothing"
    if facts.kind is LetterKind.REFUSED and facts.decision and facts.decision.parts:
        name = "refused_in_part"
    plain = getattr(w, f"subject_{name}")
    chosen = getattr(w, f"subject_words_{name}", plain) if facts.only_words else plain
    subject: str = chosen.format(controller=facts.contacts.controller_name)
    return " ".join(subject.split())  # a line end in a mail's subject would begin another header


def _asked(w: SimpleNamespace, rights: Iterable[Right], facts: LetterFacts) -> str:
    kind = "customer_" if facts.for_customer else "represented_" if facts.for_representative else ""
    return asked_for(w, rights, kind=kind, in_words=facts.in_words)


def _results(facts: LetterFacts, w: SimpleNamespace, language: str) -> dict[str, Any]:
    """Return what was done to which data, and what was left."""

    def counted(records: int) -> str:
        return f"{records} {w.record if records == 1 else w.records}"

    def totals(stores: Iterable[tuple[str, int]]) -> list[dict[str, str]]:
        return [{"title": _one_line(title), "count": counted(records)} for title, records in stores]

    def listed(names: Iterable[str]) -> str:
        return ", ".join(_one_line(name) for name in names)

    def reached(parts: Iterable[CorrectedPart]) -> list[dict[str, str]]:
        return [
            {"title": _one_line(part.title), "facts": listed(part.facts), "count": counted(part.records)}
            for part in parts
        ]

    def left(parts: Iterable[KeptPart]) -> list[dict[str, str | int | None]]:
        return [
            {
                "title": _one_line(part.title),
                "count": counted(part.records),
                "records": part.records,
                "facts": listed(part.facts),
                "reason": _clause(part.reason),
                "provision": _provision(part.provision, language),
                "until": day_text(part.until, language) if part.until else None,
            }
            for part in parts
        ]

    return {
        "erased": totals(facts.erased),
        "switched_off": [
            {"title": _one_line(title), "choices": [_one_line(one) for one in choices]}
            for title, choices in facts.switched_off
        ],
        "kept": left(facts.kept),
        "corrected": reached(facts.corrected),
        "noted": reached(facts.noted),
        "uncorrected": left(facts.uncorrected),
        "covered": [_one_line(title) for title in facts.covered],
        "not_covered": [{"title": _one_line(title), "why": _clause(why)} for title, why in facts.not_covered],
        "objected": [_one_line(title) for title in facts.objected],
        "transfer_host": _one_line(facts.transfer_host),
        "not_transferred": _not_transferred(facts.transfer_problem, w),
        "backups": [
            {"platform": backup.platform.in_language(language), "days": backup.horizon_days}
            for backup in facts.backups
        ],
    }


def _not_transferred(code: str, w: SimpleNamespace) -> str:
    """Return why a copy was not handed over directly. Source: GDPR article 20(2)."""
    if code.startswith("transfer_url_"):  # the address itself is none that we may send to
        code = "transfer_refused_address"
    return getattr(w, code, w.transfer_failed) if code else ""


def _told(facts: LetterFacts, w: SimpleNamespace) -> dict[str, Any]:
    named = {one.name for one in facts.told}

    def name(one: str) -> str:
        return w.name_not_stated if one == NOT_STATED else _one_line(one)

    return {
        "recipients": ", ".join(_one_line(one) for one in facts.recipients if one not in named),
        "unnamed": "; ".join(_clause(one) for one in facts.unnamed),
        "told": [
            {
                "name": name(one.name),
                "state": one.state,
                "why": _clause(one.why),
                "until": day_text(one.until, facts.language) if one.until else None,
            }
            for one in facts.told
        ],
        "told_open": any(one.is_open for one in facts.told),
        "told_staff": any(one.state == "staff" for one in facts.told),
    }


def _reasons(facts: LetterFacts, w: SimpleNamespace, language: str) -> dict[str, Any]:
    decision, question = facts.decision, facts.question
    return {
        "decision": decision
        and {
            "reason": _clause(decision.reason),
            "provision": _provision(decision.provision, language),
            "parts": [_one_line(part) for part in decision.parts],
        },
        "ground_ids": list(facts.grounds),
        "only_unclear": set(facts.grounds) == {"unclear"},
        "grounds": [
            {
                "title": getattr(w, f"ground_{ground}"),
                "provision": provision_text(GROUNDS[ground], language),
            }
            for ground in facts.grounds
        ],
        "question": question
        and {"text": _one_line(question.text), "kind": question.kind, "pauses": question.pauses},
        "extension_reason": _clause(facts.extension_reason),
        "identification_hint": _clause(facts.identification_hint),
    }


def _customer(facts: LetterFacts, w: SimpleNamespace) -> dict[str, Any]:
    right = facts.customer_right
    return {
        "for_customer": facts.for_customer,
        "customer": _one_line(facts.customer),
        "contested": [_one_line(title) for title in facts.contested],
        "customer_right": str(right) if right else None,
        "customer_asked": _asked(w, (right,) if right else (), facts),
    }


def _one_line(text: str) -> str:
    return _LINE_ENDS.sub(" ", text).strip()


def _clause(text: str) -> str:
    """Return a reason as a part of a sentence of ours, which ends it."""
    return _one_line(text).rstrip(".")


def _provision(provision: str, language: str) -> str:
    return provision_text(_clause(provision), language)
