"""The notice to a recipient that a person's data was erased, corrected or restricted, by mail.

It says which of the recipient's own shipments or reports it is about, and nothing else of the person: no
name, no address and no new value. Source: GDPR articles 5(1)(c), 19.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.domain.contacts import Contacts
from shared.domain.recipients import Instruction
from shared.rendering.dates import day_text
from shared.rendering.letters import Letter
from shared.rendering.templating import environment, without_holes
from shared.rendering.words import words


@dataclass(frozen=True, kw_only=True)
class HandedOver:
    """One sending the recipient got: its day, the number it knows it by, and titles of the fields.

    `reference` empty: it has none.
    """

    sent_on: date
    reference: str
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoticeFacts:
    """What a notice says. `facts`: titles of what was corrected, for a correction only."""

    language: str
    request_id: str
    instruction: Instruction
    contacts: Contacts
    handed_over: Sequence[HandedOver]
    facts: tuple[str, ...]
    confirm_by: date


def render_notice(facts: NoticeFacts) -> Letter:
    """Return the mail; equal facts give an equal one.

    Raises:
        Permanent: `contacts_incomplete`: configure the contact, then send again.
    """
    facts.contacts.require_complete()
    language = "da" if facts.language == "da" else "en"
    w = words(language)
    subject = getattr(w, f"notice_{facts.instruction}").format(request_id=facts.request_id)
    context = {
        "language": language,
        "subject": subject,
        "request_id": facts.request_id,
        "instruction": str(facts.instruction),
        "c": facts.contacts,
        "facts": ", ".join(facts.facts),
        "confirm_by": day_text(facts.confirm_by, language),
        "handed_over": [
            {
                "day": day_text(one.sent_on, language),
                "reference": one.reference,
                "fields": ", ".join(one.fields),
            }
            for one in facts.handed_over
        ],
    }
    text, html = (
        environment(escaping=form == "html")
        .get_template(f"notices/notice.{form}.j2")
        .render(context, layout=f"letters/{form if form == 'html' else 'text'}.j2")
        for form in ("txt", "html")
    )
    return Letter(subject=subject, text=without_holes(text), html=html)
