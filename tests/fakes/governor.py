"""The tallies of scheduled deletion in memory, guarded by ETags."""

from contextlib import contextmanager

from shared.domain.budgets import Purses, Tally
from shared.domain.errors import Conflict
from shared.ports.governor import StoredTally
from tests.fakes.turns import Turn, no_turn


class MemoryGovernor:
    """One tally a container. What work costs is told by the test: memory is free.

    `rows` may be those of another worker, which then share them.
    """

    def __init__(self, turn: Turn = no_turn, rows: dict[str, tuple[str, str]] | None = None):
        self.turn = turn
        self.rows = {} if rows is None else rows
        self.purses = Purses()
        self.is_governed = False

    @contextmanager
    def governed(self):
        before, self.is_governed = self.is_governed, True
        try:
            yield
        finally:
            self.is_governed = before

    async def read(self, container):
        await self.turn("governor.read")
        if container not in self.rows:
            return StoredTally(tally=Tally(container=container), etag=None)
        etag, text = self.rows[container]
        return StoredTally(tally=Tally.model_validate_json(text), etag=etag)

    async def write(self, stored):
        await self.turn("governor.write")
        name = stored.tally.container
        old = self.rows.get(name)
        if (old is None) != (stored.etag is None) or (old and old[0] != stored.etag):
            raise Conflict("changed_meanwhile", "governor.write")
        number = 1 if old is None else int(old[0]) + 1
        self.rows[name] = (str(number), stored.tally.model_dump_json())
        await self.turn("governor.write!")
