"""Bodies of webhooks and their receipts in memory."""

from shared.domain.errors import Conflict
from shared.domain.webhook_bodies import Receipt
from shared.ports.webhooks import StoredReceipt
from tests.fakes.turns import Turn, no_turn


class MemoryWebhooks:
    """Bodies by id, receipts guarded by ETags."""

    def __init__(self, clock, turn: Turn = no_turn):
        self.clock = clock
        self.turn = turn
        self.bodies = {}
        self.receipts = {}
        self._writes = 0

    async def keep(self, body_id, data):
        await self.turn("webhooks.keep")
        self.bodies.setdefault(body_id, (data, self.clock.now()))
        await self.turn("webhooks.keep!")

    async def body(self, body_id):
        await self.turn("webhooks.body")
        return self.bodies.get(body_id)

    async def forget(self, body_id):
        await self.turn("webhooks.forget")
        self.bodies.pop(body_id, None)
        await self.turn("webhooks.forget!")

    async def kept_before(self, moment, *, limit, after=""):
        await self.turn("webhooks.kept_before")
        found = [body_id for body_id, (_, at) in self.bodies.items() if at < moment and body_id > after]
        return sorted(found)[:limit]

    async def receipt(self, body_id):
        await self.turn("webhooks.receipt")
        if body_id not in self.receipts:
            return None
        etag, text = self.receipts[body_id]
        return StoredReceipt(receipt=Receipt.model_validate_json(text), etag=etag)

    async def write(self, stored):
        await self.turn("webhooks.write")
        old = self.receipts.get(stored.receipt.body_id)
        if (old is None) != (stored.etag is None) or (old and old[0] != stored.etag):
            raise Conflict("changed_meanwhile", "webhooks.write")
        self._writes += 1
        self.receipts[stored.receipt.body_id] = (f'"{self._writes}"', stored.receipt.model_dump_json())
        await self.turn("webhooks.write!")
        return f'"{self._writes}"'

    async def to_look_at(self, *, limit):
        await self.turn("webhooks.to_look_at")
        found = [Receipt.model_validate_json(text) for _, text in self.receipts.values()]
        return [one for one in found if one.state == "unreadable" or one.set_aside][:limit]
