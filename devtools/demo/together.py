"""Let many people act at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

import httpx
from azure.core.exceptions import AzureError

from devtools.demo.findings import StoryEndedError


async def all_at_once(parts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run people's stories at once; the first that ends badly ends all.

    Raises:
        StoryEndedError: one of them ended badly, and why.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except* (StoryEndedError, httpx.HTTPError, AzureError) as failed:
        raise StoryEndedError("; ".join(_told(error) for error in failed.exceptions)) from failed


def _told(error: BaseException) -> str:
    if isinstance(error, StoryEndedError):
        return str(error)
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
