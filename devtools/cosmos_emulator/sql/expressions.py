"""Read expressions, from the loosest to the tightest operator."""

from typing import Final

from .cursor import Cursor
from .errors import SqlError
from .tree import (
    And,
    ArrayOf,
    Between,
    Binary,
    Call,
    Conditional,
    In,
    Like,
    Literal,
    Name,
    Node,
    Not,
    ObjectOf,
    Or,
    Parameter,
    Property,
    Query,
    Subquery,
    Subscript,
    Unary,
)
from .values import UNDEFINED

_BINDING: Final = {
    "=": 1, "!=": 1, "<>": 1, "<": 1, "<=": 1, ">": 1, ">=": 1,
    "|": 2, "^": 3, "&": 4, "<<": 5, ">>": 5, ">>>": 5,
    "+": 6, "-": 6, "||": 6, "*": 7, "/": 7, "%": 7,
}  # fmt: skip
_COMPARISON: Final = 1
_CONSTANTS: Final = {"null": None, "true": True, "false": False, "undefined": UNDEFINED}


class ExpressionParser:
    """Read expressions; sub-queries are read by the class below it."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def query(self) -> Query:
        """Read a nested query."""
        raise NotImplementedError

    def expression(self) -> Node:
        """Read `a ? b : c` and everything that binds tighter."""
        test = self._coalesce()
        if not self.cursor.accept_symbol("?"):
            return test
        yes = self.expression()
        self.cursor.expect_symbol(":")
        return Conditional(test, yes, self.expression())

    def _coalesce(self) -> Node:
        left = self._or()
        while self.cursor.accept_symbol("??"):
            left = Binary("??", left, self._or())
        return left

    def _or(self) -> Node:
        terms = [self._and()]
        while self.cursor.accept_keyword("or"):
            terms.append(self._and())
        return Or(tuple(terms)) if len(terms) > 1 else terms[0]

    def _and(self) -> Node:
        terms = [self._not()]
        while self.cursor.accept_keyword("and"):
            terms.append(self._not())
        return And(tuple(terms)) if len(terms) > 1 else terms[0]

    def _not(self) -> Node:
        if self.cursor.accept_keyword("not"):
            return Not(self._not())
        return self._predicate()

    def _predicate(self) -> Node:
        operand = self._binary(_COMPARISON)
        while self.cursor.at_keyword("in", "between", "like", "not"):
            negated = self.cursor.accept_keyword("not")
            if not self.cursor.at_keyword("in", "between", "like"):
                raise self.cursor.refuse("expected IN, BETWEEN or LIKE")
            predicate = self._tail(operand)
            operand = Not(predicate) if negated else predicate
        return operand

    def _tail(self, operand: Node) -> Node:
        cursor = self.cursor
        if cursor.accept_keyword("in"):
            cursor.expect_symbol("(")
            choices = self._list(")")
            if not choices:
                raise cursor.refuse("IN needs at least one value")
            return In(operand, choices)
        if cursor.accept_keyword("between"):
            low = self._binary(_COMPARISON + 1)
            cursor.expect_keyword("and")
            return Between(operand, low, self._binary(_COMPARISON + 1))
        cursor.expect_keyword("like")
        pattern = self._binary(_COMPARISON + 1)
        escape = ""
        if cursor.accept_keyword("escape"):
            token = cursor.take()
            if token.kind != "string" or len(token.value) != 1:
                raise cursor.refuse("ESCAPE needs a string of one character")
            escape = token.value
        return Like(operand, pattern, escape)

    def _binary(self, weakest: int) -> Node:
        left = self._unary()
        while self.cursor.current.kind == "symbol":
            operator = self.cursor.current.value
            binding = _BINDING.get(operator, 0)
            if binding < weakest:
                break
            self.cursor.take()
            left = Binary("!=" if operator == "<>" else operator, left, self._binary(binding + 1))
        return left

    def _unary(self) -> Node:
        if self.cursor.at_symbol("-", "+", "~"):
            return Unary(self.cursor.take().value, self._unary())
        return self.postfix()

    def postfix(self) -> Node:
        """Read a value with its `.name` and `[index]` behind it."""
        node = self.primary()
        while True:
            if self.cursor.accept_symbol("."):
                token = self.cursor.take()
                if token.kind not in {"name", "keyword"}:
                    raise SqlError(
                        "Syntax error, expected a property name.", start=token.start, end=token.end
                    )
                node = Property(node, token.value)
            elif self.cursor.accept_symbol("["):
                index = self.expression()
                self.cursor.expect_symbol("]")
                if isinstance(index, Literal) and isinstance(index.value, str):
                    node = Property(node, index.value)
                else:
                    node = Subscript(node, index)
            else:
                return node

    def primary(self) -> Node:
        """Read a constant, parameter, name, call, literal, sub-query or parenthesis."""
        cursor = self.cursor
        token = cursor.current
        if token.kind in {"number", "string"}:
            return Literal(cursor.take().value)
        if token.kind == "parameter":
            return Parameter(cursor.take().value)
        if token.kind == "name":
            return self._name()
        if token.kind == "keyword":
            return self._keyword()
        if cursor.accept_symbol("("):
            return self._parenthesis()
        if cursor.accept_symbol("["):
            return ArrayOf(self._list("]"))
        if cursor.accept_symbol("{"):
            return self._object()
        raise cursor.refuse()

    def _name(self) -> Node:
        cursor = self.cursor
        token = cursor.take()
        if token.value.lower() == "udf" and cursor.at_symbol("."):
            raise SqlError("User defined functions are not supported by this emulator.", start=token.start)
        if not cursor.accept_symbol("("):
            return Name(token.value, token.start, token.end)
        if token.value.upper() == "COUNT" and cursor.at_symbol("*"):
            raise cursor.refuse("use COUNT(1)")
        return Call(token.value.upper(), self._list(")"), token.start, token.end)

    def _keyword(self) -> Node:
        cursor = self.cursor
        word = cursor.current.value.lower()
        if word in _CONSTANTS:
            cursor.take()
            return Literal(_CONSTANTS[word])
        calls = cursor.following()
        if word in {"exists", "array"} and calls.value == "(":
            cursor.take()
            cursor.take()
            query = self.query()
            cursor.expect_symbol(")")
            return Subquery(word, query)
        if word in {"left", "right"} and calls.value == "(":
            token = cursor.take()
            cursor.take()
            return Call(word.upper(), self._list(")"), token.start, token.end)
        raise cursor.refuse()

    def _parenthesis(self) -> Node:
        if self.cursor.at_keyword("select"):
            node: Node = Subquery("scalar", self.query())
        else:
            node = self.expression()
        self.cursor.expect_symbol(")")
        return node

    def _list(self, closing: str) -> tuple[Node, ...]:
        if self.cursor.accept_symbol(closing):
            return ()
        items = [self.expression()]
        while self.cursor.accept_symbol(","):
            items.append(self.expression())
        self.cursor.expect_symbol(closing)
        return tuple(items)

    def _object(self) -> Node:
        cursor = self.cursor
        members: list[tuple[str, Node]] = []
        while not cursor.accept_symbol("}"):
            if members:
                cursor.expect_symbol(",")
            token = cursor.take()
            if token.kind not in {"name", "keyword", "string"}:
                raise SqlError("Syntax error, expected a property name.", start=token.start, end=token.end)
            cursor.expect_symbol(":")
            members.append((token.value, self.expression()))
        return ObjectOf(tuple(members))

    def last_name(self, node: Node) -> str:
        """Return the alias that a FROM path gets by itself.

        Raises:
            SqlError: when the path does not end in a name.
        """
        if isinstance(node, Property | Name):
            return node.name
        raise self.cursor.refuse("this FROM source needs an alias")
