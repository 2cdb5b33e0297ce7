"""Run one invocation: the same way for every trigger."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import azure.functions as func
from azure.functions.meta import Datum

from devtools.functions_host.activity import Activity
from devtools.functions_host.errors import OutputFailedError
from devtools.functions_host.functions import LoadedFunction, OutputSpec
from devtools.functions_host.outputs import OutputWriter, encode_output

logger = logging.getLogger("host.results")

Value = TypeVar("Value")


class OutValue(func.Out[Value], Generic[Value]):
    """The parameter through which a function sets an output; the last value counts."""

    def __init__(self) -> None:
        """Begin without a value."""
        self._value: Value | None = None

    def set(self, val: Value) -> None:
        self._value = val

    def get(self) -> Value | None:  # type: ignore[override] # None before the first set, as in the worker
        return self._value


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Hold which try of an invocation this is, counted from 0; functions see it as `retry_context`."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: Any = None


class InvocationContext(func.Context):
    """What a function with a `context` parameter receives."""

    def __init__(self, *, invocation_id: str, function_name: str, attempt: Attempt, directory: str) -> None:
        """Describe one invocation."""
        self._invocation_id = invocation_id
        self._function_name = function_name
        self._attempt = attempt
        self._directory = directory
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def function_name(self) -> str:
        return self._function_name

    @property
    def function_directory(self) -> str:
        return self._directory

    @property
    def trace_context(self) -> Any:
        return None

    @property
    def retry_context(self) -> Any:
        return self._attempt

    @property
    def thread_local_storage(self) -> Any:
        return self._local


class InvocationFailedError(Exception):
    """Report that an invocation did not succeed. It has been logged with its cause already."""


class Invoker:
    """Calls functions, writes their outputs and counts.

    Args:
        executor: Threads for functions that are not coroutines.
        outputs: Writes output bindings.
        activity: Receives the counts.
        directory: The app's directory.
        timeout_seconds: After this long a coroutine is cancelled and its invocation fails; None for never. A
            function in a thread cannot be stopped and is only left to itself.
    """

    def __init__(
        self,
        *,
        executor: Executor,
        outputs: OutputWriter,
        activity: Activity,
        directory: str,
        timeout_seconds: float | None,
    ) -> None:
        """Keep what every invocation needs."""
        self._executor = executor
        self._outputs = outputs
        self._activity = activity
        self._directory = directory
        self._timeout_seconds = timeout_seconds

    async def invoke(
        self, function: LoadedFunction, decode: Callable[[], Any], *, attempt: Attempt | None = None
    ) -> Datum | None:
        """Run a function once and write its outputs.

        Args:
            function: What to run.
            decode: Gives the trigger's argument; its failure is a failure of the invocation.
            attempt: Which retry this is.

        Returns:
            The encoded return value for an HTTP function, else None.

        Raises:
            InvocationFailedError: It raised, returned something unusable, timed out, or an output failed.
        """
        invocation_id = str(uuid.uuid4())
        counts = self._activity.of(function.name)
        counts.running += 1
        started = time.perf_counter()
        try:
            returned = await self._run(function, decode, invocation_id, attempt or Attempt())
        except Exception as error:
            counts.failed += 1
            self._log(function.name, invocation_id, started, error)
            raise InvocationFailedError(function.name) from error
        else:
            counts.succeeded += 1
            self._log(function.name, invocation_id, started, None)
            return returned
        finally:
            counts.running -= 1

    async def _run(
        self, function: LoadedFunction, decode: Callable[[], Any], invocation_id: str, attempt: Attempt
    ) -> Datum | None:
        arguments: dict[str, Any] = {function.trigger_argument: decode()}
        values: list[tuple[OutputSpec, OutValue[Any]]] = []
        for output in function.outputs:
            arguments[output.argument] = value = OutValue[Any]()
            values.append((output, value))
        if function.wants_context:
            arguments["context"] = InvocationContext(
                invocation_id=invocation_id,
                function_name=function.name,
                attempt=attempt,
                directory=self._directory,
            )
        result = await self._call(function, arguments)
        if function.returns is None:
            if result is not None:
                raise TypeError("the function returned a value but has no binding for it")
            encoded = None
        else:
            encoded = encode_output(function.returns, result)
        await self._write(function, values, encoded)
        return encoded

    async def _call(self, function: LoadedFunction, arguments: Mapping[str, Any]) -> Any:
        if not function.is_async:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, partial(function.call, **arguments))
        async with asyncio.timeout(self._timeout_seconds):
            return await function.call(**arguments)

    async def _write(
        self,
        function: LoadedFunction,
        values: list[tuple[OutputSpec, OutValue[Any]]],
        encoded: Datum | None,
    ) -> None:
        pending = [
            (spec.binding, encode_output(spec, value.get()))
            for spec, value in values
            if value.get() is not None
        ]
        if (
            function.returns is not None
            and function.returns.binding["type"] == "queue"
            and encoded is not None
        ):
            pending.append((function.returns.binding, encoded))
        if pending:
            await self._outputs.write(pending)

    def _log(self, name: str, invocation_id: str, started: float, error: Exception | None) -> None:
        milliseconds = (time.perf_counter() - started) * 1000
        if error is None:
            logger.info("Executed %s (succeeded, id %s, %.0f ms)", name, invocation_id, milliseconds)
            return
        # An output's failure names itself; the trace of our own writing code would say nothing more.
        trace = None if isinstance(error, OutputFailedError) else error
        logger.error(
            "Executed %s (failed, id %s, %.0f ms): %r",
            name,
            invocation_id,
            milliseconds,
            error,
            exc_info=trace,
        )
