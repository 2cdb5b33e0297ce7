"""The fixed words of what we write: `templates/words.<language>.ini`, one file for each language."""

from collections.abc import Iterable
from configparser import ConfigParser
from functools import lru_cache
from types import SimpleNamespace

from shared.domain.rights import Right
from shared.rendering.templating import TEMPLATES


@lru_cache
def words(language: str) -> SimpleNamespace:
    """Return the words in `language` by name; English where the language is unknown."""
    parser = ConfigParser(interpolation=None, delimiters=("=",))
    known = "da" if language == "da" else "en"
    parser.read_string((TEMPLATES / f"words.{known}.ini").read_text("utf-8"))
    return SimpleNamespace(**{name: text.replace("\n", " ") for name, text in parser.items("words")})


def asked_for(w: SimpleNamespace, rights: Iterable[Right], *, kind: str = "", in_words: bool = False) -> str:
    """Return what was asked for, in a part of a sentence; `kind` is of the words, as in `asks_<kind><right>`.

    `in_words`: a restriction stands for words that name no right.
    """
    names = ("in_words" if in_words and right is Right.RESTRICTION else f"{kind}{right}" for right in rights)
    return "; ".join(getattr(w, f"asks_{name}") for name in names)
