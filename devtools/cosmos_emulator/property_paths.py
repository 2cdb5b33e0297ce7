"""Paths such as `/a/b`, `/"a b"/c` and `/tags/[]/name` as tuples of property names."""

import re
from typing import Final

from .errors import bad_request

ANY: Final = "[]"
"""The path step that means: every element of an array."""

_STEP: Final = re.compile(r"""/(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^/"']*))""")


def parse_path(text: str) -> tuple[str, ...]:
    """Split a path into names.

    Raises:
        ServiceError: 400 when the text is no path.
    """
    names: list[str] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or match.end() == position:
            raise bad_request(f"The path {text!r} is not valid.")
        name = next((group for group in match.groups() if group is not None), "")
        names.append(name)
        position = match.end()
    if not names or not all(names):
        raise bad_request(f"The path {text!r} is not valid.")
    return tuple(names)
