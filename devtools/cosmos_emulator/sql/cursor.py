"""Walk over the tokens of a query."""

from .errors import SqlError
from .tokens import Token, tokenize


class Cursor:
    """Look at tokens one by one; every refusal names the place in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokenize(text)
        self._position = 0

    @property
    def current(self) -> Token:
        return self._tokens[self._position]

    @property
    def previous_end(self) -> int:
        """Offset behind the token taken last."""
        return self._tokens[self._position - 1].end if self._position else 0

    def take(self) -> Token:
        """Return the current token and step over it."""
        token = self.current
        if token.kind != "end":
            self._position += 1
        return token

    def following(self, steps: int = 1) -> Token:
        """Return a token ahead without moving."""
        return self._tokens[min(self._position + steps, len(self._tokens) - 1)]

    def at_keyword(self, *words: str) -> bool:
        """Tell whether the current token is one of these keywords (lower case)."""
        token = self.current
        return token.kind == "keyword" and token.value.lower() in words

    def at_word(self, word: str) -> bool:
        """Tell whether the current token is this word, keyword or not (lower case)."""
        token = self.current
        return token.kind in {"keyword", "name"} and token.value.lower() == word

    def at_symbol(self, *symbols: str) -> bool:
        """Tell whether the current token is one of these symbols."""
        token = self.current
        return token.kind == "symbol" and token.value in symbols

    def accept_keyword(self, word: str) -> bool:
        """Step over a keyword if it stands here."""
        if self.at_keyword(word):
            self._position += 1
            return True
        return False

    def accept_word(self, word: str) -> bool:
        """Step over a word if it stands here."""
        if self.at_word(word):
            self._position += 1
            return True
        return False

    def accept_symbol(self, symbol: str) -> bool:
        """Step over a symbol if it stands here."""
        if self.at_symbol(symbol):
            self._position += 1
            return True
        return False

    def expect_keyword(self, word: str) -> None:
        """Step over a keyword.

        Raises:
            SqlError: when another token stands here.
        """
        if not self.accept_keyword(word):
            raise self.refuse(f"expected {word.upper()}")

    def expect_symbol(self, symbol: str) -> None:
        """Step over a symbol.

        Raises:
            SqlError: when another token stands here.
        """
        if not self.accept_symbol(symbol):
            raise self.refuse(f"expected {symbol!r}")

    def expect_name(self) -> Token:
        """Return the name that stands here.

        Raises:
            SqlError: when something else stands here.
        """
        if self.current.kind != "name":
            raise self.refuse("expected a name")
        return self.take()

    def refuse(self, reason: str = "") -> SqlError:
        """Build the error for the current token."""
        token = self.current
        near = self.text[token.start : token.end] or "the end of the query"
        detail = f": {reason}" if reason else ""
        return SqlError(
            f"Syntax error, incorrect syntax near '{near}'{detail}.", start=token.start, end=token.end
        )
