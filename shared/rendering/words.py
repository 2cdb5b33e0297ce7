"""The fixed words of what we write, each in English and Danish side by side."""

from functools import lru_cache
from types import SimpleNamespace

from shared.rendering.words_report import REPORT_WORDS

_RECORD_WORDS: dict[str, tuple[str, str]] = {
    "page": ("page", "side"),
    "record": ("record", "post"),
    "records": ("records", "poster"),
    "record_heading": ("Record", "Post"),
    "no_records": ("There is no record on this page.", "Der er ingen poster på denne side."),
    "back_to_overview": ("Back to the overview", "Tilbage til oversigten"),
    "left_out": ("left out", "udeladt"),
    "left_out_heading": ("Left out", "Udeladt"),
    "others_data": ("other people's data", "andre personers oplysninger"),
    "yes": ("yes", "ja"),
    "no": ("no", "nej"),
    "empty": ("(empty)", "(tom)"),
    "page_of_copy": (
        "This page is part of a copy of personal data. The overview explains it.",
        "Denne side er en del af en kopi af personoplysninger. Oversigten forklarer den.",
    ),
}


@lru_cache
def words(language: str) -> SimpleNamespace:
    """Return the words in `language` by name; English where the language is unknown."""
    place = 1 if language == "da" else 0
    return SimpleNamespace(**{name: pair[place] for name, pair in (_RECORD_WORDS | REPORT_WORDS).items()})
