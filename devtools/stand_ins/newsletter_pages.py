"""Refusals and pages as Campaign Monitor's API gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Query = Mapping[str, str]
_SMALLEST_PAGE, _LARGEST_PAGE = 10, 1000


class ApiError(Exception):
    """An answer that is not a success, with the vendor's code."""

    def __init__(self, status: int, code: int, message: str, *, result: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = {"Code": code, "Message": message}
        if result is not None:
            self.body["ResultData"] = result


def page(
    rows: list[dict[str, Any]], query: Query, *, by: Mapping[str, Callable[[dict[str, Any]], str]]
) -> dict[str, Any]:
    """Return one page; `rows` are in the order of their dates."""
    try:
        number, size = int(query.get("page", "1")), int(query.get("pagesize", str(_LARGEST_PAGE)))
    except ValueError:
        raise ApiError(400, 800, "Invalid paging") from None
    order, direction = query.get("orderfield", "email"), query.get("orderdirection", "asc")
    is_known = order in {"email", "name", "date"} and direction in {"asc", "desc"}
    if number < 1 or not _SMALLEST_PAGE <= size <= _LARGEST_PAGE or not is_known:
        raise ApiError(400, 801, "Invalid paging")
    if order in by:
        rows = sorted(rows, key=by[order])
    if direction == "desc":
        rows = rows[::-1]
    results = rows[(number - 1) * size : number * size]
    return {
        "Results": results,
        "ResultsOrderedBy": order,
        "OrderDirection": direction,
        "PageNumber": number,
        "PageSize": size,
        "RecordsOnThisPage": len(results),
        "TotalNumberOfRecords": len(rows),
        "NumberOfPages": math.ceil(len(rows) / size),
    }
