"""Doors traced: a request under the host's own trace, a message under that of whoever sent it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import azure.functions as func

from functions._http import Handler
from shared import bootstrap

_NO_CONTEXT: Any = None  # tests call a door with a request alone


class Carrying(Protocol):
    """A message that may say what caused it."""

    @property
    def traceparent(self) -> str | None:
        """W3C Trace Context; None: nobody traced who sent it."""
        ...


def traced(name: str, handler: Handler) -> Handler:
    """Trace what a handler does. The step is named by the function, never by its URL."""

    # No functools.wraps: the worker would read the inner signature and give no context.
    async def wrapped(req: func.HttpRequest, context: func.Context = _NO_CONTEXT) -> func.HttpResponse:
        parent = getattr(getattr(context, "trace_context", None), "trace_parent", None)
        with bootstrap.tracing().step(name, parent=parent) as step:
            response = await handler(req)
            step.note(outcome=str(response.status_code))
            return response

    wrapped.__name__, wrapped.__qualname__ = handler.__name__, handler.__qualname__
    wrapped.__doc__, wrapped.__module__ = handler.__doc__, handler.__module__
    return wrapped


@contextmanager
def following(name: str, message: Carrying) -> Iterator[None]:
    """Trace the work on a message as a step of what sent it."""
    with bootstrap.tracing().step(name, parent=message.traceparent):
        yield
