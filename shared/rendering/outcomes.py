"""The pages that say how something went: after a button, after a form, after an error."""

from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Literal

from shared.domain.rights import Right
from shared.rendering.dates import day_text
from shared.rendering.pages import error_page, result_page
from shared.rendering.words import words

Outcome = Literal[
    "received",
    "honoured",  # at once: a withdrawal, an objection to marketing, a complaint
    "verified",
    "joined",
    "cancelled",
    "closed",
    "copy_deleted",
    "question_answered",
    "asked",  # of a newsletter sign-up
    "joined_list",
    "left",
    "chosen",
]
_OVER = frozenset({"cancelled", "closed", "copy_deleted"})  # no answer is due any more


@dataclass(frozen=True, kw_only=True)
class FiledFact:
    """What a page says of its request: the number, the last day of the answer, and what a person decides.

    `in_words`: beside `rights` there are words that name none. `waits_for_person`: the whole of it does now.
    """

    request_id: str
    due_on: date
    rights: tuple[Right, ...]
    in_words: bool = False
    waits_for_person: bool = False


def outcome_page(outcome: Outcome, *, language: str, filed: FiledFact | None = None) -> str:
    """Return the page after something a person asked for was done; without `filed` it names no request."""
    w = words(language)
    text: str = getattr(w, f"done_{outcome}_text")
    return result_page(
        language=language,
        title=getattr(w, f"done_{outcome}_title"),
        messages=[text] if filed is None else _about(filed, outcome, text, language, w),
    )


def _about(filed: FiledFact, outcome: Outcome, text: str, language: str, w: SimpleNamespace) -> list[str]:
    number, due = w.done_number.format(number=filed.request_id), day_text(filed.due_on, language)
    if outcome in _OVER:
        return [text, number]
    if outcome == "received":
        return [text, w.done_due_confirmed.format(due=due), number]
    decided = [right for right in filed.rights if right is Right.OBJECTION]
    names = [*(f"asks_{right}" for right in decided), *(["asks_in_words"] if filed.in_words else [])]
    if outcome != "verified" or not (names or filed.waits_for_person):
        return [text, w.done_due.format(due=due), number]
    if filed.waits_for_person or len(decided) == len(filed.rights):
        return [w.done_person.format(due=due), number]
    asked = "; ".join(getattr(w, name) for name in names)
    return [text, w.done_person_part.format(rights=asked, due=due), number]


def problem_page(code: str, *, language: str, passing: bool) -> str:
    """Return the page of an error: in words of its own for the codes a person can do something about.

    `passing`: the same may work in a minute.
    """
    w = words(language)
    general = w.problem_busy if passing else w.problem_other
    return error_page(
        language=language, title=w.problem_title, message=getattr(w, f"problem_{code}", general), code=code
    )
