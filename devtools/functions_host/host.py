"""One running app: its HTTP functions, its queues and its timers on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import azure.functions as func
from azure.functions.meta import Datum

from devtools.functions_host.access import Cors, KeyCheck
from devtools.functions_host.activity import Activity
from devtools.functions_host.admin import AdminEndpoints
from devtools.functions_host.azure_queue import QueueAccount, QueueSink, ReceivedMessage
from devtools.functions_host.functions import HTTP_TRIGGER, QUEUE_TRIGGER, TIMER_TRIGGER, LoadedFunction
from devtools.functions_host.http_exchange import LARGEST_BODY_BYTES
from devtools.functions_host.http_server import HttpServer
from devtools.functions_host.invocation import InvocationFailedError, Invoker
from devtools.functions_host.listener import QueueListener, Timing, poison_queue_name
from devtools.functions_host.loading import load_functions
from devtools.functions_host.message_decoding import decode_message
from devtools.functions_host.ncrontab import parse_schedule
from devtools.functions_host.outputs import OutputWriter, sink_key
from devtools.functions_host.retries import RetryPolicy, run_with_retries
from devtools.functions_host.routes import Route, Router, RouteTemplate
from devtools.functions_host.settings import HostSettings, LocalSettings, load_settings
from devtools.functions_host.timers import Clock, SystemClock, TimerListener, TimerStatusFile, timer_document
from devtools.functions_host.validation import queue_name

GRACE_SECONDS = 10.0

logger = logging.getLogger("host")


class FunctionsHost:
    """Loads an app and serves it as the Azure Functions host would.

    The app's code reads `os.environ` itself; this class does not change it. Use it as an asynchronous context
    manager, or call `start` and `stop`.

    Args:
        root: The app's directory, with host.json and function_app.py.
        environment: Variables for settings and bindings; None is `os.environ`.
        local: Content of local.settings.json; the environment wins over it.
        host: Address to listen on.
        port: Port; 0 is any free one.
        enable_auth: Whether function keys are checked.
        cors: Comma-separated origins instead of those of `local`.
        functions: Names of the functions to serve; None is all.
        timers: Whether timers run by themselves.
        timer_status: File for the timers' status; None forgets it.
        timing: Invisibility and renewal of queue messages.
        clock: The timers' clock.
        seed: Seed of the pauses between looks at a queue; None is a different one each time.
    """

    def __init__(  # noqa: PLR0913 - options of a program, all with defaults
        self,
        root: Path,
        *,
        environment: Mapping[str, str] | None = None,
        local: LocalSettings | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        enable_auth: bool = False,
        cors: str | None = None,
        functions: Iterable[str] | None = None,
        timers: bool = True,
        timer_status: Path | None = None,
        timing: Timing | None = None,
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        """Keep the options; `start` reads the app."""
        self.activity = Activity()
        self._root = root
        self._environment = os.environ if environment is None else environment
        self._local = local
        self._host = host
        self._port = port
        self._cors = cors
        self._only = None if functions is None else tuple(functions)
        self._with_timers = timers
        self._timer_status = timer_status
        self._timing = timing or Timing()
        self._clock = clock or SystemClock()
        self._random = random.Random(seed)
        self._keys = KeyCheck(enabled=enable_auth)
        self._accounts: dict[str, QueueAccount] = {}
        self._listeners: dict[str, list[QueueListener]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: asyncio.Future[None] | None = None

    @property
    def url(self) -> str:
        """Return the address it listens on, without a slash at its end."""
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Read the app and begin to serve it.

        Raises:
            HostRefusedError: The app or its settings are not acceptable; all faults are listed.
            AddressBusyError: The port is taken.
        """
        settings = load_settings(
            self._root,
            self._environment,
            local=self._local,
            cors=self._cors,
            processors=os.cpu_count() or 1,
        )
        functions = load_functions(self._root, settings, only=self._only)
        self._failure = asyncio.get_running_loop().create_future()
        self._timer_statuses = TimerStatusFile(self._timer_status)
        self._executor = ThreadPoolExecutor(_thread_count(settings), thread_name_prefix="function")
        self._invoker = Invoker(
            executor=self._executor,
            outputs=OutputWriter(self._sinks(functions, settings)),
            activity=self.activity,
            directory=str(self._root),
            timeout_seconds=settings.function_timeout_seconds,
        )
        self._http = self._http_server(functions, settings)
        try:
            self._port = await self._http.start(self._host, self._port)
        except BaseException:
            await self.stop()
            raise
        for function in functions:
            self.activity.of(function.name)
            if function.retry is not None and function.trigger_type != TIMER_TRIGGER:
                logger.warning("The retry policy of %s is ignored: only timers have one", function.name)
            if not function.is_disabled:
                self._listen(function, settings)
        logger.info("Serving %d functions at %s", len(functions), self.url)

    async def stop(self, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """Take nothing new, let running work finish for a while, and close everything.

        Args:
            grace_seconds: After this long queue functions are cancelled; their messages stay invisible until
                their time is up. 0 is as near to a crash as a living process comes.
        """
        await self._http.stop()
        listeners = [listener for group in self._listeners.values() for listener in group]
        await asyncio.gather(*(listener.stop(grace_seconds=grace_seconds) for listener in listeners))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for account in self._accounts.values():
            await account.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def wait_for_failure(self) -> None:
        """Wait until a listener meets a fault that would stop the real host, and raise it."""
        if self._failure is None:
            raise RuntimeError("the host was not started")
        await self._failure

    def _sinks(
        self, functions: Iterable[LoadedFunction], settings: HostSettings
    ) -> dict[tuple[str, str], QueueSink]:
        return {
            sink_key(binding): QueueSink(
                self._account(binding, settings).queue(queue_name(binding, settings)),
                base64=settings.queues.base64,
                wake=self._wake,
            )
            for function in functions
            for binding in function.bindings
            if binding["type"] == "queue"
        }

    def _account(self, binding: Mapping[str, Any], settings: HostSettings) -> QueueAccount:
        connection = settings.connection_string(str(binding.get("connection") or ""))
        if connection not in self._accounts:
            self._accounts[connection] = QueueAccount(connection)
        return self._accounts[connection]

    def _wake(self, queue: str) -> None:
        for listener in self._listeners.get(queue, ()):
            listener.wake()

    def _http_server(self, functions: list[LoadedFunction], settings: HostSettings) -> HttpServer:
        prefix = f"{settings.route_prefix}/" if settings.route_prefix else ""
        router = Router(
            [
                Route(
                    template=RouteTemplate(prefix + function.route), methods=function.methods, target=function
                )
                for function in functions
                if function.trigger_type == HTTP_TRIGGER and not function.is_disabled
            ]
        )
        admin = AdminEndpoints(
            host_id=self._root.name.lower()[:32],
            functions={function.name: function for function in functions},
            bundle=settings.bundle,
            activity=self.activity,
            keys=self._keys,
            run=self._run_by_hand,
        )
        limit = settings.whole_number("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", default=LARGEST_BODY_BYTES)
        return HttpServer(
            router=router,
            admin=admin,
            invoker=self._invoker,
            keys=self._keys,
            cors=Cors(settings.cors_origins, credentials=settings.cors_credentials),
            largest_body_bytes=limit,
            home_page=settings.environment.get("AzureWebJobsDisableHomepage", "").lower() != "true",
        )

    def _listen(self, function: LoadedFunction, settings: HostSettings) -> None:
        if function.trigger_type == QUEUE_TRIGGER:
            listener = self._queue_listener(function, settings)
            self._listeners.setdefault(queue_name(function.trigger, settings), []).append(listener)
            self._begin(listener.listen(), function.name)
        elif function.trigger_type == TIMER_TRIGGER and self._with_timers:
            self._begin(self._timer_listener(function, settings).listen(), function.name)

    def _begin(self, listening: Any, name: str) -> None:
        task = asyncio.create_task(listening, name=name)
        task.add_done_callback(self._listener_ended)
        self._tasks.append(task)

    def _listener_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        logger.critical("The listener of %s failed: %r", task.get_name(), error)
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)
            # Without anyone waiting for it the log line is enough.
            self._failure.exception()

    def _queue_listener(self, function: LoadedFunction, settings: HostSettings) -> QueueListener:
        account = self._account(function.trigger, settings)
        name = queue_name(function.trigger, settings)
        poison = poison_queue_name(name)
        return QueueListener(
            queue=account.queue(name),
            poison=None if poison is None else account.queue(poison),
            settings=settings.queues,
            run=partial(self._run_message, function),
            wake=self._wake,
            timing=self._timing,
            source=self._random,
        )

    async def _run_message(self, function: LoadedFunction, message: ReceivedMessage, body: bytes) -> bool:
        try:
            await self._invoker.invoke(function, lambda: decode_message(function, message, body))
        except InvocationFailedError:
            return False
        return True

    def _timer_listener(self, function: LoadedFunction, settings: HostSettings) -> TimerListener:
        trigger = function.trigger
        return TimerListener(
            name=function.name,
            schedule=parse_schedule(settings.resolve(str(trigger["schedule"]))),
            use_monitor=trigger.get("useMonitor") is not False,
            run_on_startup=trigger.get("runOnStartup") is True,
            run=partial(self._run_timer, function),
            statuses=self._timer_statuses,
            clock=self._clock,
        )

    async def _run_timer(self, function: LoadedFunction, past_due: bool, status: dict[str, str]) -> None:  # noqa: FBT001 - shape of RunTimer
        text = timer_document(past_due=past_due, status=status)
        converter = func.get_binding_registry().get(TIMER_TRIGGER)  # type: ignore[no-untyped-call] # library
        policy = RetryPolicy.of(function.retry)
        await run_with_retries(
            policy,
            lambda attempt: self._invoker.invoke(
                function,
                lambda: converter.decode(Datum(text, "json"), trigger_metadata=None),
                attempt=attempt,
            ),
        )

    async def _run_by_hand(self, function: LoadedFunction, text: str) -> None:
        if function.trigger_type == TIMER_TRIGGER:
            await self._run_timer(function, past_due=False, status={})
            return
        now = datetime.now(UTC)
        message = ReceivedMessage(
            id=str(uuid4()),
            pop_receipt="",
            text=text,
            dequeue_count=1,
            inserted_at=now,
            expires_at=now + timedelta(days=7),
            visible_at=now,
        )
        with contextlib.suppress(InvocationFailedError):
            await self._invoker.invoke(function, lambda: decode_message(function, message, text.encode()))


def _thread_count(settings: HostSettings) -> int:
    default = min(32, (os.cpu_count() or 1) + 4)
    return settings.whole_number("PYTHON_THREADPOOL_THREAD_COUNT", default=default)
