"""Small apps written by a test and served in this process."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from uuid import uuid4

import aiohttp
import pytest
from azure.storage.queue.aio import QueueServiceClient

from devtools.azurite import Azurite
from devtools.functions_host import FunctionsHost

HEADER = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
calls = []
"""
FAST_POLLING = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.1"}


class App:
    """One app in a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host_json({})

    def host_json(self, extensions: dict, **more: object) -> None:
        document = {"version": "2.0", "extensions": extensions, **more}
        (self.root / "host.json").write_text(json.dumps(document))

    def source(self, text: str) -> "App":
        (self.root / "function_app.py").write_text(HEADER + text)
        return self

    @asynccontextmanager
    async def served(self, **options):
        """The running host and an HTTP session whose addresses begin at it."""
        environment = options.pop("environment", {})
        async with (
            FunctionsHost(self.root, environment=environment, **options) as host,
            aiohttp.ClientSession(host.url) as session,
        ):
            yield host, session

    @property
    def module(self) -> ModuleType:
        return sys.modules["function_app"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    path = list(sys.path)
    yield App(tmp_path)
    sys.path[:] = path
    sys.modules.pop("function_app", None)


@pytest.fixture
async def queues(azurite: Azurite):
    """A storage account with two queue names nobody else uses; `jobs` exists, `other` does not."""
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        name = f"q{uuid4().hex[:20]}"
        jobs = await service.create_queue(name)
        yield SimpleNamespace(
            service=service,
            jobs=jobs,
            poison=service.get_queue_client(f"{name}-poison"),
            other=service.get_queue_client(f"{name}-other"),
            environment={
                "AzureWebJobsStorage": azurite.connection_string,
                "JOBS": name,
                "OTHER": f"{name}-other",
                **FAST_POLLING,
            },
        )


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[object] | object]], Awaitable[object]]:
    """Wait until a question is answered with something true, and return that answer."""

    async def wait(ask, *, seconds: float = 20):
        async with asyncio.timeout(seconds):
            while True:
                answer = ask()
                if asyncio.iscoroutine(answer):
                    answer = await answer
                if answer:
                    return answer
                await asyncio.sleep(0.02)

    return wait
