"""Read a query text into a tree."""

from functools import lru_cache
from typing import Final

from .cursor import Cursor
from .errors import SqlError
from .expressions import ExpressionParser
from .tree import Node, Query, SelectItem, Sort, Source, Spans

_CACHED_QUERIES: Final = 2048


@lru_cache(maxsize=_CACHED_QUERIES)
def parse(text: str) -> Query:
    """Parse one SELECT statement; trees are cached by text.

    Raises:
        SqlError: when the text is not a query this emulator understands.
    """
    try:
        parser = QueryParser(Cursor(text))
        query = parser.query()
        if parser.cursor.current.kind != "end":
            raise parser.cursor.refuse()
    except RecursionError:
        raise SqlError("The query is nested too deeply.", code="SC3021") from None
    return query


class QueryParser(ExpressionParser):
    """Read the clauses of a query."""

    def query(self) -> Query:
        cursor = self.cursor
        cursor.expect_keyword("select")
        distinct = cursor.accept_keyword("distinct")
        top = self._count() if cursor.accept_keyword("top") else None
        select_start = cursor.current.start
        items, is_value = self._select()
        select = (select_start, cursor.previous_end)
        source_start = cursor.current.start
        sources = self._sources() if cursor.accept_keyword("from") else ()
        source = (source_start, cursor.previous_end) if sources else (0, 0)
        where, where_span = self._where()
        group_by = self._group_by()
        if cursor.at_word("having"):
            raise cursor.refuse("HAVING is not supported")
        order_by, order = self._order_by()
        offset, limit = self._offset_limit()
        return Query(
            items=items,
            is_value=is_value,
            distinct=distinct,
            top=top,
            sources=sources,
            where=where,
            group_by=group_by,
            order_by=order_by,
            offset=offset,
            limit=limit,
            spans=Spans(select=select, source=source, where=where_span, order=order),
        )

    def _count(self) -> Node:
        if self.cursor.current.kind not in {"number", "parameter"}:
            raise self.cursor.refuse("expected a number or a parameter")
        return self.primary()

    def _select(self) -> tuple[tuple[SelectItem, ...] | None, bool]:
        cursor = self.cursor
        if cursor.accept_symbol("*"):
            return None, False
        if cursor.accept_keyword("value"):
            return (SelectItem(self.expression(), None),), True
        items = [self._select_item()]
        while cursor.accept_symbol(","):
            items.append(self._select_item())
        return tuple(items), False

    def _select_item(self) -> SelectItem:
        expression = self.expression()
        if self.cursor.accept_keyword("as"):
            token = self.cursor.take()
            if token.kind not in {"name", "keyword", "string"}:
                raise self.cursor.refuse("expected a name after AS")
            return SelectItem(expression, token.value)
        if self.cursor.current.kind == "name":
            return SelectItem(expression, self.cursor.take().value)
        return SelectItem(expression, None)

    def _sources(self) -> tuple[Source, ...]:
        sources = [self._source()]
        while self.cursor.accept_keyword("join"):
            sources.append(self._source())
        return tuple(sources)

    def _source(self) -> Source:
        cursor = self.cursor
        if cursor.at_symbol("(") and cursor.following().kind == "keyword":
            cursor.take()
            query = self.query()
            cursor.expect_symbol(")")
            alias = self._alias()
            if alias is None:
                raise cursor.refuse("a sub-query in FROM needs an alias")
            return Source(alias, None, query=query)
        following = cursor.following()
        if following.kind == "keyword" and following.value.lower() == "in":
            alias = cursor.expect_name().value
            cursor.take()
            return Source(str(alias), self._source_expression(), iterates=True)
        expression = self._source_expression()
        alias = self._alias()
        return Source(alias or self.last_name(expression), expression)

    def _source_expression(self) -> Node:
        if self.cursor.at_symbol("(") and self.cursor.following().value in {"select", "SELECT", "Select"}:
            return self.primary()
        return self.postfix()

    def _alias(self) -> str | None:
        if self.cursor.accept_keyword("as"):
            return str(self.cursor.expect_name().value)
        if self.cursor.current.kind == "name":
            return str(self.cursor.take().value)
        return None

    def _where(self) -> tuple[Node | None, tuple[int, int]]:
        if not self.cursor.accept_keyword("where"):
            return None, (0, 0)
        start = self.cursor.current.start
        return self.expression(), (start, self.cursor.previous_end)

    def _group_by(self) -> tuple[Node, ...]:
        if not self.cursor.accept_keyword("group"):
            return ()
        self.cursor.expect_keyword("by")
        keys = [self.expression()]
        while self.cursor.accept_symbol(","):
            keys.append(self.expression())
        return tuple(keys)

    def _order_by(self) -> tuple[tuple[Sort, ...], tuple[int, int]]:
        cursor = self.cursor
        if not cursor.accept_keyword("order"):
            return (), (0, 0)
        cursor.expect_keyword("by")
        if cursor.at_word("rank"):
            raise cursor.refuse("ORDER BY RANK is not supported by this emulator")
        start = cursor.current.start
        sorts = [self._sort()]
        while cursor.accept_symbol(","):
            sorts.append(self._sort())
        return tuple(sorts), (start, cursor.previous_end)

    def _sort(self) -> Sort:
        start = self.cursor.current.start
        expression = self.expression()
        span = (start, self.cursor.previous_end)
        if self.cursor.accept_keyword("desc"):
            return Sort(expression, descending=True, span=span)
        self.cursor.accept_keyword("asc")
        return Sort(expression, descending=False, span=span)

    def _offset_limit(self) -> tuple[Node | None, Node | None]:
        if not self.cursor.accept_keyword("offset"):
            if self.cursor.at_keyword("limit"):
                raise self.cursor.refuse("LIMIT needs OFFSET before it")
            return None, None
        offset = self._count()
        self.cursor.expect_keyword("limit")
        return offset, self._count()
