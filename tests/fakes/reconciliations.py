"""Comparisons with the newsletter processor in memory, guarded by ETags."""

from shared.domain.errors import Conflict
from shared.domain.reconciliations import Reconciliation, Watch
from shared.ports.reconciliations import StoredRun
from tests.fakes.turns import Turn, no_turn


class MemoryReconciliations:
    """Runs by id, and one look at the webhooks."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.rows = {}
        self.watch = None
        self._writes = 0

    async def read(self, run_id):
        await self.turn("reconciliations.read")
        return self._stored(run_id) if run_id in self.rows else None

    async def write(self, stored):
        await self.turn("reconciliations.write")
        old = self.rows.get(stored.run.run_id)
        if (old is None) != (stored.etag is None) or (old and old[0] != stored.etag):
            raise Conflict("changed_meanwhile", "reconciliations.write")
        self._writes += 1
        self.rows[stored.run.run_id] = (f'"{self._writes}"', stored.run.model_dump_json())
        await self.turn("reconciliations.write!")
        return f'"{self._writes}"'

    async def latest(self, *, limit):
        await self.turn("reconciliations.latest")
        return [self._stored(run_id) for run_id in sorted(self.rows, reverse=True)][:limit]

    async def watched(self):
        await self.turn("reconciliations.watched")
        return self.watch and Watch.model_validate_json(self.watch)

    async def keep_watch(self, watch):
        await self.turn("reconciliations.keep_watch")
        self.watch = watch.model_dump_json()
        await self.turn("reconciliations.keep_watch!")

    def _stored(self, run_id):
        etag, text = self.rows[run_id]
        return StoredRun(run=Reconciliation.model_validate_json(text), etag=etag)
