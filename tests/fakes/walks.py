"""Walks in memory, guarded by ETags."""

from shared.domain.errors import Conflict
from shared.domain.walks import Walk
from shared.ports.walks import StoredWalk
from tests.fakes.turns import Turn, no_turn


class MemoryWalks:
    """One walk a name."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.rows: dict[str, tuple[str, str]] = {}
        self._writes = 0

    async def read(self, name):
        await self.turn("walks.read")
        if name not in self.rows:
            return None
        etag, text = self.rows[name]
        return StoredWalk(walk=Walk.model_validate_json(text), etag=etag)

    async def write(self, stored):
        await self.turn("walks.write")
        old = self.rows.get(stored.walk.name)
        if (old is None) != (stored.etag is None) or (old and old[0] != stored.etag):
            raise Conflict("changed_meanwhile", "walks.write")
        self._writes += 1
        self.rows[stored.walk.name] = (f'"{self._writes}"', stored.walk.model_dump_json())
        await self.turn("walks.write!")
        return f'"{self._writes}"'
