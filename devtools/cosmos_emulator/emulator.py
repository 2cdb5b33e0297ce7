"""Start and stop an emulator."""

import asyncio
import contextlib
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from .admin import Admin
from .auth import EMULATOR_KEY, MasterKey
from .candidates import Candidates
from .change_feed import ChangeFeed
from .clock import Clock
from .container import Container
from .dispatch import Dispatcher
from .faults import Faults
from .item_requests import ItemRequests
from .item_store import ItemStore
from .metrics import Metrics
from .queries import Queries
from .resources import Resources
from .store import Store
from .throttle import Throttle
from .web import LARGEST_BODY_BYTES, WebHandler

_SWEEP_SECONDS: Final = 60.0
_SHUTDOWN_SECONDS: Final = 2.0


class CosmosEmulator:
    """Serve the Cosmos DB protocol from this process.

    Args:
        host: address to bind.
        port: port to bind, 0 for a free one.
        data: SQLite file to keep everything in; None keeps it in memory.
        is_open: answer what the service would refuse.
        enforce_throughput: answer 429 beyond the throughput of a container.
        key: account key, base64.
        clock: time for TTL, `_ts` and queries.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data: str | None = None,
        is_open: bool = False,
        enforce_throughput: bool = False,
        key: str = EMULATOR_KEY,
        clock: Clock | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._data = data
        self._is_open = is_open
        self._enforce_throughput = enforce_throughput
        self.key = key
        self.clock = clock or Clock()
        self.faults = Faults()
        self.metrics = Metrics()
        self._store: Store | None = None
        self._runner: web.ServerRunner | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self.endpoint = ""

    async def start(self) -> None:
        """Open the store and listen; `endpoint` is the URL from then on.

        Raises:
            OSError: when the port is taken.
        """
        self._store = Store(self._data)
        try:
            await self._listen(self._store)
        except BaseException:
            await self.stop()
            raise

    async def _listen(self, store: Store) -> None:
        item_store = ItemStore(store, self.clock)
        resources = Resources(store, item_store, self.clock)
        candidates = Candidates(store, item_store)
        queries = Queries(candidates, self.clock, is_open=self._is_open)
        item_requests = ItemRequests(store, item_store, queries, ChangeFeed(store, item_store))
        handler = WebHandler(
            dispatcher=Dispatcher(resources, item_requests, _describer(store)),
            resources=resources,
            admin=Admin(faults=self.faults, metrics=self.metrics, clock=self.clock),
            key=MasterKey(self.key),
            faults=self.faults,
            metrics=self.metrics,
            throttle=Throttle() if self._enforce_throughput else None,
        )
        server = web.Server(handler, request_factory=_request, access_log=None, keepalive_timeout=600)
        self._runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.endpoint = f"http://{self._host}:{port}"
        self._sweeper = asyncio.create_task(_sweep(resources, item_store))

    async def stop(self) -> None:
        """Stop listening and close the store."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
            self._sweeper = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._store is not None:
            self._store.close()
            self._store = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY_BYTES)


def _describer(store: Store) -> Any:
    def describe(container: Container) -> dict[str, str]:
        count, size = store.execute(
            f"SELECT count(*), coalesce(sum(length(body)), 0) FROM {container.items}"  # noqa: S608 - only table names and conditions of the store itself
        ).fetchone()
        usage = f"documentSize={size // 1024};documentsSize={size // 1024};documentsCount={count};"
        return {
            "x-ms-resource-usage": usage,
            "x-ms-resource-quota": "documentSize=20971520;documentsSize=20971520;documentsCount=-1;",
        }

    return describe


async def _sweep(resources: Resources, item_store: ItemStore) -> None:
    """Remove expired items from the store now and then; readers never see them anyway."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        for container in list(resources.containers.values()):
            item_store.remove_expired(container)
            await asyncio.sleep(0)
