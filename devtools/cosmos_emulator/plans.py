"""Query plans: how an SDK must rewrite and finish a query over several partitions."""

from typing import Any, Final

from .errors import bad_request
from .prepared import Prepared
from .sql.aggregates import PLAN_NAMES
from .sql.pipeline import has_aggregate
from .sql.tree import Call, Query

_FILTER: Final = "{documentdb-formattableorderbyquery-filter}"
_RANGES: Final = [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}]


def plan(prepared: Prepared, text: str) -> dict[str, Any]:
    """Return the plan of a query.

    Raises:
        ServiceError: 400 for what the SDK cannot finish: GROUP BY, aggregates inside expressions, sub-queries
            in FROM.
    """
    query, pipeline = prepared.query, prepared.pipeline
    if query.group_by:
        raise bad_request(
            "Query contains the following features, which the calling client does not support: GroupBy"
        )
    if query.sources and query.sources[0].query is not None and _collects(query):
        raise bad_request(
            "Query contains the following features, which the calling client does not support: DCount"
        )
    info: dict[str, Any] = {
        "distinctType": _distinct_type(query),
        "hasSelectValue": query.is_value,
        "groupByExpressions": [],
        "groupByAliases": [],
        "aggregates": _aggregates(query),
        "groupByAliasToAggregateType": {},
        "orderBy": ["Descending" if sort.descending else "Ascending" for sort in query.order_by],
        "orderByExpressions": _order_texts(query, text),
        "rewrittenQuery": "",
    }
    if pipeline.top is not None:
        info["top"] = pipeline.top
    if pipeline.limit is not None:
        info["offset"], info["limit"] = pipeline.offset, pipeline.limit
    if query.order_by:
        info["rewrittenQuery"] = _rewrite_order(prepared, text)
    elif info["aggregates"]:
        info["rewrittenQuery"] = _rewrite_aggregate(query, text)
    elif pipeline.limit is not None:
        info["rewrittenQuery"] = _rewrite_offset(prepared, text)
    return {"partitionedQueryExecutionInfoVersion": 2, "queryInfo": info, "queryRanges": _RANGES}


def _collects(query: Query) -> bool:
    inner = query.sources[0].query
    return inner is not None and (inner.distinct or bool(inner.group_by))


def _distinct_type(query: Query) -> str:
    if not query.distinct:
        return "None"
    return "Ordered" if query.order_by else "Unordered"


def _aggregates(query: Query) -> list[str]:
    items = query.items or ()
    if not any(has_aggregate(item.expression) for item in items):
        return []
    names = []
    for item in items:
        call = item.expression
        if not isinstance(call, Call) or call.name not in PLAN_NAMES:
            raise bad_request("An aggregate across partitions must stand alone in the select list.")
        names.append(PLAN_NAMES[call.name])
    return names


def _cut(text: str, span: tuple[int, int]) -> str:
    return text[span[0] : span[1]]


def _order_texts(query: Query, text: str) -> list[str]:
    return [_cut(text, sort.span) for sort in query.order_by]


def _rewrite_order(prepared: Prepared, text: str) -> str:
    query, spans = prepared.query, prepared.query.spans
    alias = query.sources[0].alias
    items = ", ".join(f'{{"item": {term}}}' for term in _order_texts(query, text))
    payload = alias if query.items is None else _payload(query, text)
    where = f"({_cut(text, spans.where)}) AND {_FILTER}" if query.where is not None else _FILTER
    top = f"TOP {prepared.pipeline.top} " if prepared.pipeline.top is not None else ""
    tail = _tail(prepared)
    return (
        f"SELECT {top}{alias}._rid, [{items}] AS orderByItems, {payload} AS payload "
        f"{_cut(text, spans.source)} WHERE {where} ORDER BY {_cut(text, spans.order)}{tail}"
    )


def _payload(query: Query, text: str) -> str:
    body = _cut(text, query.spans.select)
    if query.is_value:
        return body[len("value") :].strip()
    # A select list has to become an object; a scalar sub-query over one row does that as it stands.
    return f"(SELECT {body} FROM {query.sources[0].alias} IN [{query.sources[0].alias}])"  # noqa: S608 - the text of an error or of an emulated query


def _rewrite_aggregate(query: Query, text: str) -> str:
    body = _cut(text, query.spans.select)
    expression = body[len("value") :].strip() if query.is_value else ""
    call = (query.items or ())[0].expression
    if expression and isinstance(call, Call):
        if call.name == "AVG":
            argument = expression[expression.index("(") + 1 : -1]
            expression = f'{{"sum": SUM({argument}), "count": COUNT({argument})}}'
        head = f'SELECT VALUE [{{"item": {expression}}}]'
    else:
        head = f"SELECT {body}"
    where = f" WHERE {_cut(text, query.spans.where)}" if query.where is not None else ""
    return f"{head} {_cut(text, query.spans.source)}{where}"


def _rewrite_offset(prepared: Prepared, text: str) -> str:
    query, spans = prepared.query, prepared.query.spans
    where = f" WHERE {_cut(text, spans.where)}" if query.where is not None else ""
    distinct = "DISTINCT " if query.distinct else ""
    return f"SELECT {distinct}{_cut(text, spans.select)} {_cut(text, spans.source)}{where}{_tail(prepared)}"


def _tail(prepared: Prepared) -> str:
    pipeline = prepared.pipeline
    return "" if pipeline.limit is None else f" OFFSET 0 LIMIT {pipeline.offset + pipeline.limit}"
