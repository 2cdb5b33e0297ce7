"""The mail that asks somebody to confirm a newsletter sign-up. It goes to every address that is typed."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.contacts import Contacts
from shared.rendering.dates import moment_text
from shared.rendering.letters import Letter
from shared.rendering.templating import environment, without_holes
from shared.rendering.words import words


def render(
    *, language: str, titles: Sequence[str], link: str, ends_at: datetime, contacts: Contacts
) -> Letter:
    """Return the mail; it names the newsletters and carries one link. Equal arguments give an equal mail."""
    w = words(language)
    context = {
        "language": "da" if language == "da" else "en",
        "subject": w.subject_sign_up,
        "titles": "; ".join(titles),
        "link": link,
        "link_expires": f"{moment_text(ends_at, language)} ({w.time_zone})",
        "c": contacts,
    }
    text, html = (
        environment(escaping=form == "html")
        .get_template(f"mails/mail.{form}.j2")
        .render(context, layout=f"letters/{form if form == 'html' else 'text'}.j2")
        for form in ("txt", "html")
    )
    return Letter(subject=w.subject_sign_up, text=without_holes(text), html=html)
