"""Rate limits in Cosmos DB: a counter a bucket and window, gone by itself when its window is over."""

from typing import Any

from azure.cosmos.exceptions import CosmosResourceExistsError, CosmosResourceNotFoundError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.errors import Retryable
from shared.ports.clock import Clock

_ATTEMPTS = 3


class CosmosRateLimits:
    """The `limits` container."""

    def __init__(self, databases: CosmosDatabases, clock: Clock) -> None:
        self._databases = databases
        self._clock = clock

    async def hit(self, bucket: str, *, window_seconds: int, times: int = 1) -> int:
        window = int(self._clock.now().timestamp()) // window_seconds
        name = f"{bucket}-{window}"
        more = [{"op": "incr", "path": "/hits", "value": times}]
        first = {"id": name, "bucket": name, "hits": times, "ttl": 2 * window_seconds}
        with translating("limits.hit"):
            for _ in range(_ATTEMPTS):
                try:
                    row = await self._container.patch_item(name, name, more)
                    return int(row["hits"])
                except CosmosResourceNotFoundError:
                    try:
                        await self._container.create_item(first)
                    except CosmosResourceExistsError:
                        continue
                    return times
        raise Retryable("service_busy", "limits.hit")

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "limits")
