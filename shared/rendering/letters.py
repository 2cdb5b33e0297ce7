"""The letters a person gets, as plain text and HTML, in English and Danish.

They say what was done and never carry the person's data.

A letter is one template for both forms (`templates/letters/<kind>.<language>.j2`), so that the two cannot
say different things; `text.j2` and `html.j2` give its parts their shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from shared.datamap.models import NOT_STATED, Backup
from shared.domain.contacts import Contacts
from shared.domain.rights import Right
from shared.rendering.dates import day_text, moment_text
from shared.rendering.templating import environment
from shared.rendering.words import words


class LetterKind(StrEnum):
    """What a letter is for."""

    VERIFY = "verify"
    ACKNOWLEDGE = "acknowledge"
    JOINED = "joined"  # the same request is already open
    PACKAGE_READY = "package_ready"
    ERASED = "erased"
    NOTHING_HELD = "nothing_held"  # an erasure that found nothing
    CANCELLED = "cancelled"
    DELAYED_BY_REVIEW = "delayed_by_review"  # a person must look at it; not a refusal


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A finished letter. `text` and `html` say the same; `html` is a whole document."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class KeptPart:
    """Something an erasure left. `until` None: no date is set yet."""

    title: str
    reason: str
    provision: str
    until: date | None
    records: int


@dataclass(frozen=True, kw_only=True)
class LetterFacts:
    """What a letter says.

    `links` are addresses by name: `verify`, `cancel`, `status`, `package`; `erased` are titles with
    counts; `recipients` names of those who are told of an erasure.
    """

    kind: LetterKind
    language: str
    request_id: str
    received_on: date
    due_on: date
    rights: tuple[Right, ...]
    contacts: Contacts
    links: Mapping[str, str] = field(default_factory=dict)
    link_expires_at: datetime | None = None
    package_expires_on: date | None = None
    erased: tuple[tuple[str, int], ...] = ()
    kept: tuple[KeptPart, ...] = ()
    backups: tuple[Backup, ...] = ()
    recipients: tuple[str, ...] = ()


_NEEDED_LINK = {LetterKind.VERIFY: "verify", LetterKind.PACKAGE_READY: "package"}


def render_letter(facts: LetterFacts) -> Letter:
    """Return the letter; equal facts give an equal letter.

    Raises:
        Permanent: `contacts_incomplete`, for every kind but the address check: a rights answer names
            whom to ask and where to complain. Configure the contact, then send again.
        ValueError: the link the letter is about is missing.
    """
    if facts.kind is not LetterKind.VERIFY:
        facts.contacts.require_complete()
    needed = _NEEDED_LINK.get(facts.kind)
    if needed and not facts.links.get(needed):
        raise ValueError(f"a {facts.kind} letter needs the link {needed}")
    context = _context(facts)
    text, html = (
        environment(escaping=form == "html")
        .get_template(f"letters/letter.{form}.j2")
        .render(context, layout=f"letters/{form if form == 'html' else 'text'}.j2")
        for form in ("txt", "html")
    )
    return Letter(subject=context["subject"], text=_without_holes(text), html=html)


def _context(facts: LetterFacts) -> dict[str, Any]:
    language = "da" if facts.language == "da" else "en"
    w = words(language)

    def counted(records: int) -> str:
        return f"{records} {w.record if records == 1 else w.records}"

    subject = "erased_with_retention" if facts.kind is LetterKind.ERASED and facts.kept else facts.kind
    return {
        "kind": str(facts.kind),
        "language": language,
        "subject": _one_line(
            getattr(w, f"subject_{subject}").format(controller=facts.contacts.controller_name)
        ),
        "request_id": facts.request_id,
        "received": day_text(facts.received_on, language),
        "due": day_text(facts.due_on, language),
        "right_ids": [str(right) for right in facts.rights],
        "rights": "; ".join(getattr(w, f"asks_{right}") for right in facts.rights),
        "c": facts.contacts,
        "links": {"cancel": None, "status": None, **facts.links},
        "link_expires": moment_text(facts.link_expires_at, language) if facts.link_expires_at else None,
        "package_expires": day_text(facts.package_expires_on, language) if facts.package_expires_on else None,
        "erased": [{"title": title, "count": counted(records)} for title, records in facts.erased],
        "kept": [
            {
                "title": part.title,
                "count": counted(part.records),
                "reason": part.reason.rstrip("."),
                "provision": part.provision.rstrip("."),
                "until": day_text(part.until, language) if part.until else None,
            }
            for part in facts.kept
        ],
        "backups": [
            {"platform": backup.platform.in_language(language), "days": backup.horizon_days}
            for backup in facts.backups
        ],
        "recipients": ", ".join(
            w.name_not_stated if name == NOT_STATED else name for name in facts.recipients
        ),
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())  # a line end in a mail's subject would begin another header


def _without_holes(text: str) -> str:
    """Return text with at most one empty line in a row; template tags leave more behind."""
    lines: list[str] = []
    for line in text.splitlines():
        stripped = line.rstrip()
        if stripped or (lines and lines[-1]):
            lines.append(stripped)
    return "\n".join(lines).rstrip() + "\n"
