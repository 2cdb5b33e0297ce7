"""What Cosmos DB says each answer cost, added up for the work at hand, and charged to whoever pays for it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from shared.adapters.paid_requests import payer

_CHARGE = "x-ms-request-charge"
_THROTTLED = 429
_CONTAINER = re.compile(r"/dbs/([^/?]+)/colls/([^/?]+)/docs")


class _Spent:
    def __init__(self) -> None:
        self._since = 0.0

    def add(self, request_units: float) -> None:
        self._since += request_units

    def take(self) -> float:
        taken, self._since = self._since, 0.0
        return round(taken, 2)


_at_work: ContextVar[tuple[_Spent, ...]] = ContextVar("cosmos_charges", default=())


def note_charge(response: Any) -> None:
    """Count the charge of one answer of the database; the client calls it with each, throttled ones too."""
    counting, pays = _at_work.get(), payer()
    if not counting and pays is None:
        return
    try:
        charge = float(response.http_response.headers.get(_CHARGE, 0))
    except ValueError:
        return
    for one in counting:
        one.add(charge)
    found = _CONTAINER.search(response.http_request.url) if pays is not None else None
    if pays is not None and found is not None:
        is_throttled = response.http_response.status_code == _THROTTLED
        pays(f"{found[1]}.{found[2]}", charge, is_throttled=is_throttled)


class CosmosMeter:
    """Counts by the context of the running task: others at work beside it are not counted."""

    @contextmanager
    def measured(self) -> Iterator[_Spent]:
        spent = _Spent()
        token = _at_work.set((*_at_work.get(), spent))
        try:
            yield spent
        finally:
            _at_work.reset(token)
