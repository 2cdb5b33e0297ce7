"""Who pays for the requests that the work at hand makes: the vendors' clients tell of each one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Payer(Protocol):
    """Takes each request's charge."""

    def __call__(self, container: str, request_units: float, *, is_throttled: bool) -> None:
        """Count one request to a container, named with its database or its service."""
        ...


_payer: ContextVar[Payer | None] = ContextVar("payer", default=None)


def payer() -> Payer | None:
    """Return who pays for what is awaited now. None: nobody."""
    return _payer.get()


@contextmanager
def charging(who: Payer | None) -> Iterator[None]:
    """Have what is awaited inside paid by one, and by nobody else; None: by nobody."""
    token = _payer.set(who)
    try:
        yield
    finally:
        _payer.reset(token)
