"""The pages that say how something went: after a button, after a form, after an error."""

from typing import Literal

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
]


def outcome_page(outcome: Outcome, *, language: str) -> str:
    """Return the page after something a person asked for was done."""
    w = words(language)
    return result_page(
        language=language,
        title=getattr(w, f"done_{outcome}_title"),
        message=getattr(w, f"done_{outcome}_text"),
    )


def problem_page(code: str, *, language: str, passing: bool) -> str:
    """Return the page of an error: in words of its own for the codes a person can do something about.

    `passing`: the same may work in a minute.
    """
    w = words(language)
    general = w.problem_busy if passing else w.problem_other
    return error_page(
        language=language, title=w.problem_title, message=getattr(w, f"problem_{code}", general), code=code
    )
