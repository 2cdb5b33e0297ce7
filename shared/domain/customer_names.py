"""The name of a customer as its administrator gives it: it stands in letters that bear our name. Pure."""

import re
import unicodedata

from shared.domain.errors import Invalid

MAX_NAME_CHARACTERS = 100
_MARKS = frozenset(" .,&'-/")
_CATEGORIES = frozenset({"Lu", "Ll", "Nd"})  # other letters include some that are not seen
# What mail programs make a link of without being asked: a host's name, an address in numbers, `//`.
_LINK = re.compile(r"\w\.\w{2,}|\d\.\d|//|www\.", re.IGNORECASE)


def parse_customer_name(text: str) -> str:
    """Return a customer's name, trimmed and in Unicode NFC. Empty: none was given.

    It holds letters with case, digits, spaces and `.,&'-/`, begins with a letter or digit, and nothing in
    it reads as a link: whoever has an administrator's account must not put one into a letter of ours.

    Raises:
        Invalid: `customer_name_unfit`; the administrator gives the plain name, or none.
    """
    name = unicodedata.normalize("NFC", text.strip(" "))
    if name and not _is_plain(name):
        raise Invalid("customer_name_unfit", "letters, digits, spaces and .,&'-/ only", field="customer_name")
    return name


def _is_plain(name: str) -> bool:
    return (
        len(name) <= MAX_NAME_CHARACTERS
        and name[0] not in _MARKS
        and all(one in _MARKS or unicodedata.category(one) in _CATEGORIES for one in name)
        and _LINK.search(name) is None
        and _LINK.search(unicodedata.normalize("NFKC", name)) is None
    )
