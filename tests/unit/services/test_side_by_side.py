"""Several calls at once, and a page that is read ahead: what is waited for, and what is left behind."""

import asyncio
from functools import partial

import pytest

from shared.ports.documents import DocumentPage
from shared.services.reading_ahead import Ahead
from shared.services.side_by_side import all_of


class Calls:
    """Counts how many are on their way; each ends with its number, or with an error where it is odd."""

    def __init__(self, *, fails: bool = False) -> None:
        self.at_work = 0
        self.most = 0
        self.fails = fails

    async def call(self, number: int) -> int:
        """Take some time."""
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            for _ in range(number % 4 + 1):
                await asyncio.sleep(0)
            if self.fails and number % 2:
                raise ValueError(number)
        finally:
            self.at_work -= 1
        return number


@pytest.mark.parametrize(("calls", "most"), [(0, 0), (1, 1), (7, 7), (8, 8), (9, 8), (40, 8)])
async def test_so_many_are_at_work_and_no_more(calls, most):
    """What they return comes in the order of the calls."""
    counted = Calls()
    assert await all_of(partial(counted.call, number) for number in range(calls)) == list(range(calls))
    assert counted.most == most


async def test_the_first_error_is_told_when_none_is_on_its_way_any_more():
    """Else a store would be written to behind the back of whoever deals with the error."""
    counted = Calls(fails=True)
    with pytest.raises(ValueError, match="1"):
        await all_of(partial(counted.call, number) for number in range(9))
    assert counted.at_work == 0


def test_without_an_event_loop_they_are_made_one_after_the_other():
    """As in the simulation, which takes every step itself."""
    seen = []

    async def call(number: int) -> int:
        seen.append(number)
        return number

    waiting = all_of(partial(call, number) for number in range(3))
    with pytest.raises(StopIteration) as ended:
        waiting.send(None)
    assert ended.value.value == seen == [0, 1, 2]


def page(cursor: str | None) -> DocumentPage:
    """Return an empty page."""
    return DocumentPage(documents=(), cursor=cursor)


async def test_a_page_that_was_read_ahead_is_read_once():
    """And only if it is the one that is asked for."""
    reads = []

    async def read(cursor: str) -> DocumentPage:
        reads.append(cursor)
        return page(cursor)

    ahead = Ahead()
    await ahead.begin("events", "b", partial(read, "b"))
    assert (await ahead.page("events", "b", partial(read, "again"))).cursor == "b"
    await ahead.begin("events", "c", partial(read, "c"))
    await asyncio.sleep(0)
    assert (await ahead.page("events", "b", partial(read, "b once more"))).cursor == "b once more"
    assert (await ahead.page("events", "c", partial(read, "c anew"))).cursor == "c anew"
    assert reads == ["b", "c", "b once more", "c anew"]


@pytest.mark.parametrize("fails", [False, True])
async def test_what_was_read_ahead_and_not_asked_for_leaves_nothing_behind(fails):
    """No call on its way, no error nobody looked at."""
    ended = []

    async def read() -> DocumentPage:
        try:
            if fails:
                raise ValueError
            await asyncio.sleep(60)
        finally:
            ended.append(True)
        return page(None)

    ahead = Ahead()
    await ahead.begin("events", "b", read)
    await asyncio.sleep(0)
    await ahead.forget()
    await ahead.forget()
    assert ended == [True]


async def test_an_error_while_reading_ahead_is_told_to_whoever_asks_for_the_page():
    """As if it had been read then."""

    async def read() -> DocumentPage:
        raise ValueError("no page")

    ahead = Ahead()
    await ahead.begin("events", "b", read)
    with pytest.raises(ValueError, match="no page"):
        await ahead.page("events", "b", read)
