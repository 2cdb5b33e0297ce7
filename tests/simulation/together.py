"""Several calls side by side where no event loop runs: moved by hand, in an order that the seed decides."""

import random
import types
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from shared.services import side_by_side


class _Free:
    """Room for everybody."""

    def __init__(self, _at_once: int) -> None:
        """Take no notice of how many."""

    async def __aenter__(self) -> None:
        """Come in."""

    async def __aexit__(self, *_: object) -> None:
        """Go."""


@contextmanager
def moved_by_hand(chance: random.Random):
    """Let calls that are made side by side give way to each other at every port call."""

    def gather(*coroutines: Any, return_exceptions: bool) -> Any:
        assert return_exceptions
        return _together(chance, coroutines)

    def no_loop() -> None:
        raise RuntimeError

    stand_in = types.SimpleNamespace(Semaphore=_Free, gather=gather, get_running_loop=no_loop)
    with (
        patch.object(side_by_side, "asyncio", stand_in),
        patch.object(side_by_side, "has_loop", lambda: True),  # of calls side by side; nothing is read ahead
    ):
        yield


@types.coroutine
def _together(chance: random.Random, coroutines: tuple[Any, ...]) -> Generator[Any, None, list[Any]]:
    results: list[Any] = [None] * len(coroutines)
    left = list(enumerate(coroutines))
    try:
        while left:
            one = chance.choice(left)
            number, coroutine = one
            move = lambda coroutine=coroutine: coroutine.send(None)  # noqa: E731
            try:
                while True:
                    place = move()
                    try:
                        yield place
                    except Exception as error:  # noqa: BLE001 - what the scheduler lets fail
                        move = lambda coroutine=coroutine, error=error: coroutine.throw(error)  # noqa: E731
                        continue
                    break
            except StopIteration as stop:
                results[number] = stop.value
                left.remove(one)
            except Exception as error:  # noqa: BLE001 - handed on in its place, as gather does
                results[number] = error
                left.remove(one)
    finally:
        for _, coroutine in left:
            coroutine.close()
    return results
