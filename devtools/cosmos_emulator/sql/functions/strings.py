"""String functions."""

import re
from functools import lru_cache
from typing import Any, Final

import orjson

from devtools.cosmos_emulator.sql.values import UNDEFINED

from .registry import function

_WHITE_SPACE: Final = " \t\r\n\f\v"
_LONGEST_REPEAT: Final = 10_000


def units(text: str) -> int:
    """Count UTF-16 code units, which is what positions and lengths in queries are made of."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, start: int, end: int) -> str:
    """Slice a string by UTF-16 code units, 0 <= start <= end."""
    if text.isascii():
        return text[start:end]
    encoded = text.encode("utf-16-le", "surrogatepass")[start * 2 : end * 2]
    return encoded.decode("utf-16-le", "surrogatepass")


@function("CONTAINS", "ss?b")
def _contains(text: str, part: str, ignore_case: bool = False) -> bool:  # noqa: FBT001, FBT002 - query argument
    return part.lower() in text.lower() if ignore_case else part in text


@function("STARTSWITH", "ss?b")
def _startswith(text: str, part: str, ignore_case: bool = False) -> bool:  # noqa: FBT001, FBT002 - query argument
    return text.lower().startswith(part.lower()) if ignore_case else text.startswith(part)


@function("ENDSWITH", "ss?b")
def _endswith(text: str, part: str, ignore_case: bool = False) -> bool:  # noqa: FBT001, FBT002 - query argument
    return text.lower().endswith(part.lower()) if ignore_case else text.endswith(part)


@function("STRINGEQUALS", "ss?b")
def _stringequals(left: str, right: str, ignore_case: bool = False) -> bool:  # noqa: FBT001, FBT002 - query argument
    return left.lower() == right.lower() if ignore_case else left == right


@function("LOWER", "s")
def _lower(text: str) -> str:
    return text.lower()


@function("UPPER", "s")
def _upper(text: str) -> str:
    return text.upper()


@function("LENGTH", "s")
def _length(text: str) -> int:
    return units(text)


@function("SUBSTRING", "snn")
def _substring(text: str, start: float, length: float) -> str:
    first = max(0, int(start))
    return cut(text, first, first + max(0, int(length)))


@function("LEFT", "sn")
def _left(text: str, length: float) -> str:
    return cut(text, 0, max(0, int(length)))


@function("RIGHT", "sn")
def _right(text: str, length: float) -> str:
    total = units(text)
    return cut(text, max(0, total - max(0, int(length))), total)


@function("CONCAT", "ss", repeats=True)
def _concat(*texts: str) -> str:
    return "".join(texts)


@function("REPLACE", "sss")
def _replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


@function("INDEX_OF", "ss?n")
def _index_of(text: str, part: str, start: float = 0) -> int:
    first = max(0, int(start))
    found = cut(text, first, units(text)).find(part)
    return found if found < 0 else first + units(cut(text, first, units(text))[:found])


@function("TRIM", "s?s")
def _trim(text: str, characters: str = _WHITE_SPACE) -> str:
    return text.strip(characters)


@function("LTRIM", "s?s")
def _ltrim(text: str, characters: str = _WHITE_SPACE) -> str:
    return text.lstrip(characters)


@function("RTRIM", "s?s")
def _rtrim(text: str, characters: str = _WHITE_SPACE) -> str:
    return text.rstrip(characters)


@function("REVERSE", "s")
def _reverse(text: str) -> str:
    return text[::-1]


@function("REPLICATE", "sn")
def _replicate(text: str, times: float) -> Any:
    count = int(times)
    if count < 0 or count * len(text) > _LONGEST_REPEAT:
        return UNDEFINED
    return text * count


@function("TOSTRING", "v")
def _tostring(value: Any) -> Any:
    if value is UNDEFINED or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return orjson.dumps(value).decode()


def _json_of(text: str, kind: type | tuple[type, ...]) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return UNDEFINED
    if isinstance(value, bool) and kind is not bool:
        return UNDEFINED
    return value if isinstance(value, kind) else UNDEFINED


@function("STRINGTONUMBER", "s")
def _stringtonumber(text: str) -> Any:
    return _json_of(text, (int, float))


@function("STRINGTOBOOLEAN", "s")
def _stringtoboolean(text: str) -> Any:
    return _json_of(text, bool)


@function("STRINGTONULL", "s")
def _stringtonull(text: str) -> Any:
    return None if text.strip() == "null" else UNDEFINED


@function("STRINGTOARRAY", "s")
def _stringtoarray(text: str) -> Any:
    return _json_of(text, list)


@function("STRINGTOOBJECT", "s")
def _stringtoobject(text: str) -> Any:
    return _json_of(text, dict)


@function("STRINGSPLIT", "ss")
def _stringsplit(text: str, separator: str) -> Any:
    return text.split(separator) if separator else [text]


@function("STRINGJOIN", "as")
def _stringjoin(items: list[Any], separator: str) -> Any:
    return separator.join(items) if all(isinstance(item, str) for item in items) else UNDEFINED


def _contains_any(text: str, *parts: Any) -> bool:
    return any(isinstance(part, str) and part in text for part in parts)


function("CONTAINS_ANY_CS", "sv", repeats=True)(_contains_any)


@function("CONTAINS_ANY_CI", "sv", repeats=True)
def _contains_any_ci(text: str, *parts: Any) -> bool:
    lowered = text.lower()
    return any(isinstance(part, str) and part.lower() in lowered for part in parts)


@function("CONTAINS_ALL_CS", "sv", repeats=True)
def _contains_all_cs(text: str, *parts: Any) -> bool:
    return all(isinstance(part, str) and part in text for part in parts)


@function("CONTAINS_ALL_CI", "sv", repeats=True)
def _contains_all_ci(text: str, *parts: Any) -> bool:
    lowered = text.lower()
    return all(isinstance(part, str) and part.lower() in lowered for part in parts)


_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}


@lru_cache(maxsize=256)
def _pattern(pattern: str, modifiers: str) -> re.Pattern[str] | None:
    flags = re.NOFLAG
    for letter in modifiers:
        if letter not in _FLAGS:
            return None
        flags |= _FLAGS[letter]
    try:
        return re.compile(pattern, flags)
    except re.error:
        return None


@function("REGEXMATCH", "ss?s")
def _regexmatch(text: str, pattern: str, modifiers: str = "") -> Any:
    compiled = _pattern(pattern, modifiers)
    return UNDEFINED if compiled is None else compiled.search(text) is not None


@lru_cache(maxsize=512)
def like_pattern(pattern: str, escape: str) -> re.Pattern[str]:
    """Turn a LIKE pattern into a regular expression over the whole string.

    `%` is any text, `_` one character, `[a-c]` and `[^a-c]` sets; the escape character makes the next one
    ordinary.
    """
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if escape and letter == escape and position < len(pattern):
            parts.append(re.escape(pattern[position]))
            position += 1
        elif letter == "%":
            parts.append(".*")
        elif letter == "_":
            parts.append(".")
        elif letter == "[" and (closing := pattern.find("]", position + 1)) > 0:
            parts.append(_like_set(pattern[position:closing]))
            position = closing + 1
        else:
            parts.append(re.escape(letter))
    return re.compile("".join(parts), re.DOTALL)


def _like_set(body: str) -> str:
    negated = body.startswith("^")
    inner = "".join("-" if letter == "-" else re.escape(letter) for letter in body[negated:])
    text = f"[{'^' if negated else ''}{inner}]"
    try:
        re.compile(text)
    except re.error:
        return re.escape(f"[{body}]")
    return text


def like(text: Any, pattern: Any, escape: str) -> Any:
    """Evaluate `text LIKE pattern`; UNDEFINED unless both are strings."""
    if not isinstance(text, str) or not isinstance(pattern, str):
        return UNDEFINED
    return like_pattern(pattern, escape).fullmatch(text) is not None
