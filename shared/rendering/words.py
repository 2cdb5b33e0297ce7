"""The fixed words of what we write: `templates/words.<language>.ini`, one file for each language."""

from configparser import ConfigParser
from functools import lru_cache
from types import SimpleNamespace

from shared.rendering.templating import TEMPLATES


@lru_cache
def words(language: str) -> SimpleNamespace:
    """Return the words in `language` by name; English where the language is unknown."""
    parser = ConfigParser(interpolation=None, delimiters=("=",))
    known = "da" if language == "da" else "en"
    parser.read_string((TEMPLATES / f"words.{known}.ini").read_text("utf-8"))
    return SimpleNamespace(**{name: text.replace("\n", " ") for name, text in parser.items("words")})
