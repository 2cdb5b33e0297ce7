"""Controls and rate limits in memory."""

from shared.domain.controls import Controls
from shared.domain.errors import Conflict
from shared.ports.controls import StoredControls
from tests.fakes.turns import Turn, no_turn


class MemoryControls:
    """One document a pseudonym, guarded by ETags."""

    def __init__(self, turn: Turn = no_turn):
        self.turn = turn
        self.rows: dict[str, tuple[str, str]] = {}
        self._writes = 0

    async def read(self, subject_keys):
        await self.turn("controls.read")
        return tuple(self.stored(key) for key in subject_keys)

    async def write(self, stored):
        await self.turn("controls.write")
        key = stored.controls.subject_key
        old = self.rows.get(key)
        if (old is None) != (stored.etag is None) or (old and old[0] != stored.etag):
            raise Conflict("changed_meanwhile", "controls.write")
        etag = self.put(stored.controls)
        await self.turn("controls.write!")
        return etag

    async def keys_with_hold(self, hold_id):
        await self.turn("controls.keys_with_hold")
        return tuple(
            key
            for key in self.rows
            if any(hold.hold_id == hold_id for hold in self.stored(key).controls.holds)
        )

    async def held(self, *, limit):
        await self.turn("controls.held")
        found = [self.stored(key).controls for key in self.rows]
        return tuple(one for one in found if any(hold.released_at is None for hold in one.holds))[:limit]

    def stored(self, key: str) -> StoredControls:
        """Return controls without giving way."""
        if key not in self.rows:
            return StoredControls(controls=Controls(subject_key=key), etag=None)
        etag, text = self.rows[key]
        return StoredControls(controls=Controls.model_validate_json(text), etag=etag)

    def put(self, controls: Controls) -> str:
        """Save controls whatever was there, as an operator's other tool would."""
        self._writes += 1
        etag = f'"{self._writes}"'
        self.rows[controls.subject_key] = (etag, controls.model_dump_json())
        return etag


class MemoryRateLimits:
    """Counters that the test's clock ends."""

    def __init__(self, clock, turn: Turn = no_turn):
        self.clock = clock
        self.turn = turn
        self.hits: dict[tuple[str, int], int] = {}

    async def hit(self, bucket, *, window_seconds, times=1):
        await self.turn("limits.hit")
        key = (bucket, int(self.clock.now().timestamp()) // window_seconds)
        self.hits[key] = self.hits.get(key, 0) + times
        return self.hits[key]
