"""The letter before a membership ends by time, in Danish and English: no language is stored."""

from datetime import date

from shared.domain.contacts import Contacts
from shared.rendering.dates import day_text
from shared.rendering.letters import Letter
from shared.rendering.templating import environment, without_holes

_SUBJECT = "Dit medlemskab udløber / Your membership is about to end"


def render_membership_warning(erase_on: date, contacts: Contacts, *, suspended: bool) -> Letter:
    """Return the letter: it names the day from which data goes, how to keep it, and advertises nothing.

    Raises:
        Permanent: `contacts_incomplete`: configure the contact, then send again.
    """
    contacts.require_complete()
    context = {
        "subject": _SUBJECT,
        "day_da": day_text(erase_on, "da"),
        "day_en": day_text(erase_on, "en"),
        "suspended": suspended,
        "c": contacts,
    }
    text, html = (
        environment(escaping=form == "html")
        .get_template(f"warnings/warning.{form}.j2")
        .render(context, layout=f"letters/{'html' if form == 'html' else 'text'}.j2")
        for form in ("txt", "html")
    )
    return Letter(subject=_SUBJECT, text=without_holes(text), html=html)
