"""Cut a query text into tokens."""

import re
from dataclasses import dataclass
from typing import Any, Final

from .errors import SqlError
from .values import UNDEFINED, number_result

KEYWORDS: Final = frozenset(
    (
        *("and", "array", "as", "asc", "between", "by", "case", "cast", "convert", "cross"),
        *("desc", "distinct", "else", "end", "escape", "exists", "false", "for", "from", "group"),
        *("having", "in", "inner", "insert", "into", "is", "join", "left", "like", "limit"),
        *("not", "null", "offset", "on", "or", "order", "outer", "over", "right", "select"),
        *("set", "then", "top", "true", "undefined", "update", "value", "when", "where", "with"),
    )
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its value and where it stands in the text.

    Kinds: `name`, `keyword`, `string`, `number`, `parameter` (with `@`), `symbol`, `end`.
    """

    kind: str
    value: Any
    start: int
    end: int


_PATTERN: Final = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?))
  | (?P<name>[^\W\d]\w*)
  | (?P<parameter>@\w+)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<symbol>>>>|<<|>>|<>|!=|<=|>=|\?\?|\|\||[-+*/%&|^~=<>?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_LONGEST_INTEGER: Final = 20
_ESCAPES: Final = {
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "\\": "\\",
    "/": "/",
    '"': '"',
    "'": "'",
}
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def tokenize(text: str) -> list[Token]:
    """Split a query into tokens; the last one has the kind `end`.

    Raises:
        SqlError: for a character or a string that no query may hold.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise SqlError(
                f"Syntax error, invalid token at {text[position : position + 10]!r}.",
                start=position,
                end=position + 1,
                code="SC1010" if text[position] not in "'\"" else "SC1012",
            )
        start, position = position, match.end()
        kind = match.lastgroup or "space"
        if kind != "space":
            tokens.append(_token(kind, match.group(), start, position))
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _token(kind: str, raw: str, start: int, end: int) -> Token:
    if kind == "name" and raw.lower() in KEYWORDS:
        return Token("keyword", raw, start, end)
    if kind == "number":
        return Token(kind, _number(raw, start, end), start, end)
    if kind == "string":
        return Token(kind, _string(raw, start, end), start, end)
    return Token(kind, raw, start, end)


def _number(raw: str, start: int, end: int) -> Any:
    value = int(raw, 16) if raw[:2] in {"0x", "0X"} else int(raw) if _is_whole(raw) else float(raw)
    number = number_result(value)
    if number is UNDEFINED:
        raise SqlError("Syntax error, the number is too large.", start=start, end=end, code="SC1011")
    return number


def _is_whole(raw: str) -> bool:
    # Longer texts are doubles anyway, and Python limits the conversion of very long ones.
    return raw.isdigit() and len(raw) <= _LONGEST_INTEGER


def _string(raw: str, start: int, end: int) -> str:
    body = raw[1:-1]
    if "\\" not in body:
        return body

    def replace(match: re.Match[str]) -> str:
        escape = match.group(1)
        if len(escape) > 1:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPES:
            raise SqlError(
                f"Syntax error, invalid escape \\{escape} in a string.", start=start, end=end, code="SC1012"
            )
        return _ESCAPES[escape]

    decoded = _ESCAPE.sub(replace, body)
    # Two \u escapes may make one character outside the basic plane.
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
